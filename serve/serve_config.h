/* What a server is told: listeners, routes, functions with their limits, pools and secrets.
 * Internal to serve/. */
#ifndef SNAPCELL_SERVE_CONFIG_H
#define SNAPCELL_SERVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "snapcell/error.h"
#include "snapcell/worker.h"

/* Strings that are Owned. */
typedef struct serve_strings {
    char **items;
    size_t count;
} serve_strings;

typedef struct serve_variables {
    snapcell_env *items; /* both strings are Owned, and wiped when they are released */
    size_t count;
} serve_variables;

/* What holds for a function; a function of its own begins with a copy of the defaults. */
typedef struct serve_function_config {
    char *name;
    char *tenant;    /* NULL: none */
    uint32_t policy; /* a snapcell_workers_policy */
    uint32_t warm_calls;
    bool frozen_clock;
    bool allow_net_private;
    serve_strings allow_net;
    serve_variables env;
    serve_variables json_env;

    /* limits */
    uint64_t memory_mb;
    uint32_t cpu_ms;         /* 0: none */
    uint32_t wall_ms;        /* 0: none */
    uint32_t wait_until_ms;  /* after the response */
    uint32_t timers;         /* 0: the loader's default */
    uint64_t response_bytes; /* 0: none */
    uint64_t body_bytes;     /* of a request */

    /* pool */
    uint32_t workers_min;
    uint32_t workers_max;
    uint32_t idle_ms;
    uint32_t queue_max;
    uint32_t queue_ms;
    uint32_t recycle_calls; /* a process ends after so many calls; 0: never */
} serve_function_config;

typedef struct serve_route_config {
    char *pattern;
    char *function;
} serve_route_config;

typedef struct serve_tenant_config {
    char *name;
    uint32_t workers_max; /* 0: as many as there are */
} serve_tenant_config;

typedef enum serve_failure_action {
    SERVE_FAILURE_KEEP = 0, /* a new version that fails stays */
    SERVE_FAILURE_ROLLBACK,
} serve_failure_action;

/* A tag of a registry that the server follows. */
typedef struct serve_source_config {
    char *reference; /* NULL: none */
    char *ca_file;   /* NULL: the system's certificates */
    bool plain_http;
    uint32_t interval_s;     /* between two looks at the tag */
    uint32_t failure_action; /* a serve_failure_action */
    /* A new version is watched for so long; taken back when at least so many requests came, and of
     * them more than so many percent more failed than of the version before. */
    uint32_t monitor_s;
    uint32_t min_requests;
    uint32_t max_failure_percent;
} serve_source_config;

typedef struct serve_config {
    serve_source_config source;
    /* Whether a source's reference is one; set before the file is read. NULL: any is. */
    int (*check_source)(const char *reference, snapcell_error *err);
    uint64_t text_hash; /* of the file and of the secrets that it names; 0: there is no file */
    serve_strings listen;
    char *metrics;
    char *store;
    serve_strings trust;           /* keys, as --trust takes them */
    serve_strings trusted_proxies; /* addresses, or "unix" */
    serve_function_config defaults;
    serve_function_config *functions;
    size_t function_count;
    serve_route_config *routes;
    size_t route_count;
    serve_tenant_config *tenants;
    size_t tenant_count;
    serve_strings secret_files; /* as they were read, to be read again */
    char *image_folder;         /* NULL: none */
    uint64_t image_bytes;       /* in memory; 0: there are no images */
    uint64_t image_folder_bytes;
    bool access_log;
    bool by_host; /* functions answer at their names, too */

    /* of the server */
    uint64_t memory_mb; /* of all workers; 0: half of the machine's */
    uint32_t workers_max;
    uint32_t connections_max;
    uint32_t head_bytes;
    /* timeouts, in milliseconds */
    uint32_t head_ms;
    uint32_t body_ms;  /* between two pieces of a body */
    uint32_t write_ms; /* for a client to take something */
    uint32_t idle_ms;
    uint32_t drain_ms;
} serve_config;

/* Something that is wrong with a file. */
typedef void serve_problem_fn(void *user, const char *path, size_t line, size_t column,
                              const char *message);

/* The defaults alone. Release with serve_config_release(). Errors: E_NOMEM. */
int serve_config_init(serve_config *config, snapcell_error *err);

/* Takes what the file `path` says, and tells of all that is wrong with it. `base`: to be released
 * by the caller on failure, too. Errors: E_USAGE (something was told to `problem`), E_NOT_FOUND,
 * E_IO, E_NOMEM. */
int serve_config_read(const char *path, serve_config *config, serve_problem_fn *problem, void *user,
                      snapcell_error *err);

/* As serve_config_read(), of text. `folder`: where relative paths begin. */
int serve_config_parse(const char *path, const char *folder, const char *text, size_t size_bytes,
                       serve_config *config, serve_problem_fn *problem, void *user,
                       snapcell_error *err);

void serve_config_release(serve_config *config);

/* What holds for a function: its own settings, or the defaults. */
const serve_function_config *serve_config_function(const serve_config *config, const char *name);

#endif
