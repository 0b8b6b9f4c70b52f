/* What a server and the process that follows its source say to each other: one of these at a time,
 * over a socket that keeps their bounds. Used by the command line, too. */
#ifndef SNAPCELL_SERVE_SOURCE_MESSAGE_H
#define SNAPCELL_SERVE_SOURCE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "snapcell/release.h"

#define SERVE_SOURCE_DIGEST_SIZE 80
#define SERVE_SOURCE_TEXT_SIZE 1024

typedef enum serve_source_kind {
    /* to the server */
    SERVE_SOURCE_STANDS = 1, /* at the beginning: what the store has of this source */
    SERVE_SOURCE_CHECKED,    /* the registry has answered, and has nothing new */
    SERVE_SOURCE_PULLED,     /* a release is in the store, and waits for ACTIVATE or REFUSE */
    SERVE_SOURCE_SWITCHED,   /* it is the active one */
    SERVE_SOURCE_RETURNED,   /* after ROLL_BACK: the one before it is the active one */
    SERVE_SOURCE_REFUSED,    /* a document: it is not looked at again until the tag moves */
    SERVE_SOURCE_FAILED,     /* tried again after `wait_ms` */
    /* from the server */
    SERVE_SOURCE_ACTIVATE,
    SERVE_SOURCE_REFUSE,
    SERVE_SOURCE_POSTPONE, /* the release could not be tried: later */
    SERVE_SOURCE_ROLL_BACK,
    SERVE_SOURCE_LOOK, /* at the registry, now */
} serve_source_kind;

/* Texts end with zero; what a kind does not need is zero. */
typedef struct serve_source_message {
    uint32_t kind;
    uint32_t function_count;
    uint64_t fetched_bytes;
    uint64_t duration_ms;
    uint64_t wait_ms;
    char release[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    char digest[SERVE_SOURCE_DIGEST_SIZE];
    char text[SERVE_SOURCE_TEXT_SIZE]; /* why */
} serve_source_message;

/* False when the other side has gone. Interrupted calls go on. */
bool serve_source_send(int fd, const serve_source_message *message);

typedef enum serve_source_got {
    SERVE_SOURCE_GOT_ONE = 0,
    SERVE_SOURCE_GOT_NONE, /* there is none now, on a descriptor that does not block */
    SERVE_SOURCE_GOT_END,
} serve_source_got;

serve_source_got serve_source_receive(int fd, serve_source_message *out);

#endif
