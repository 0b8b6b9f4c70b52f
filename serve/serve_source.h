/* A server that follows a source, a tag of a registry. Another process looks at the registry,
 * pulls, and writes to the store (cli/cli_source.c). Here is what the server does with what that
 * one brings: it tries a release, has it activated, switches, watches it, and takes it back.
 * Internal to serve/. */
#ifndef SNAPCELL_SERVE_SOURCE_H
#define SNAPCELL_SERVE_SOURCE_H

#include "serve_connection.h"
#include "serve_pool.h"
#include "serve_source_message.h"
#include "serve_trial.h"

/* Counted for the metrics. */
typedef struct serve_source_counts {
    uint64_t checks; /* that the registry answered */
    uint64_t failures;
    uint64_t refusals;
    uint64_t switches;
    uint64_t rollbacks;
    uint64_t fetched_bytes;
} serve_source_counts;

/* Zeroed follows nothing. */
struct serve_source {
    serve_context *context;
    serve_pool *pool;
    void (*look)(void *user); /* has the server read the store's names again */
    void *user;
    int fd; /* -1: the other process has ended, or there is none */
    uv_poll_t poll;
    bool is_on;
    bool fails; /* the last check did */
    serve_trial trial;
    serve_source_message pulled;                      /* that is tried, or is to become active */
    char release[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1]; /* that is served; "": none */
    char digest[SERVE_SOURCE_DIGEST_SIZE];
    int64_t success_s; /* since 1970: when the registry has last answered; 0: not yet */
    serve_source_counts counts;
};

/* `fd`: a socket to the other process; taken over, on failure, too. Errors: E_IO. */
int serve_source_open(serve_source *source, int fd, snapcell_error *err);

/* Now and then. */
void serve_source_tick(serve_source *source, uint64_t now_ns);

/* Has the registry looked at now. */
void serve_source_nudge(serve_source *source);

/* The server follows no longer; the other process ends by itself. */
void serve_source_close(serve_source *source);

/* A release is served, or nothing is followed. */
bool serve_source_is_ready(const serve_source *source);

void serve_source_report(const serve_source *source, serve_buffer *out);

#endif
