/* What a host and its worker say to each other over a stream socket.
 *
 * The worker begins with HELLO; the host answers with LOAD, the worker with READY or ERROR. Then
 * the host sends CALL after CALL, and to each the worker sends any number of LOGs and RESTOREDs and
 * one of RESPONSE, RESULT and ERROR. What comes from the worker is checked before use: it runs code
 * that nobody vouches for. Internal to the workers. */
#ifndef SNAPCELL_CELL_PROTOCOL_H
#define SNAPCELL_CELL_PROTOCOL_H

#include <signal.h>

#include "snapcell/loader.h"
#include "wire_message.h"

#define CELL_PROTOCOL_VERSION 2

typedef enum cell_message_type {
    CELL_MESSAGE_HELLO = 1,
    CELL_MESSAGE_LOAD = 2,
    CELL_MESSAGE_READY = 3,
    CELL_MESSAGE_CALL = 4,
    CELL_MESSAGE_LOG = 5,
    CELL_MESSAGE_RESPONSE = 6,
    CELL_MESSAGE_RESULT = 7,
    CELL_MESSAGE_ERROR = 8,
    CELL_MESSAGE_RESTORED = 9,
    CELL_MESSAGE_IMAGE = 10,
} cell_message_type;

/* By which a worker ends itself when it cannot restore its memory. */
#define CELL_ANOMALY_SIGNAL SIGUSR2

#define CELL_LOG_SIZE_MAX ((size_t)1 << 20)
#define CELL_HEADER_COUNT_MAX 65536
#define CELL_READY_SIZE_MAX ((size_t)2048)

/* The largest body of a message of this type; 0 for an unknown one. */
uint64_t cell_body_size_max(uint32_t type);

/* --- HELLO --- */

void cell_hello_write(wire_writer *writer, const wire_hello *hello);
bool cell_hello_read(const void *body, size_t size_bytes, wire_hello *out);

/* --- LOAD --- */

/* A key of a trust set. */
typedef struct cell_trust_key {
    const uint8_t *public_key; /* SNAPCELL_PUBLIC_KEY_SIZE bytes */
    bool revoked;
    const char *comment;
} cell_trust_key;

/* As snapcell_workers_policy. */
typedef enum cell_policy {
    CELL_POLICY_RESTORE = 0,
    CELL_POLICY_RELOAD = 1,
    CELL_POLICY_KEEP = 2,
} cell_policy;

/* What a worker is to load. Pointers are Borrowed; of a load that was read they point into the
 * message's body, and the arrays are Owned: cell_load_release(). */
typedef struct cell_load {
    const char *store_path;
    const char *ref;
    bool logs;
    cell_policy policy;
    uint32_t warm_calls;    /* as in snapcell_workers_options */
    uint32_t tier;          /* no better one is used: a dirty_source */
    uint64_t call_size_max; /* of messages, either way */
    uint64_t answer_size_max;
    bool no_sandbox;
    bool makes_image;          /* and serves no call */
    uint64_t data_limit_bytes; /* 0: none */
    snapcell_cell_options options;
    bool has_trust;
    cell_trust_key *keys;
    uint32_t key_count;
} cell_load;

void cell_load_write(wire_writer *writer, const cell_load *load);
/* As calloc(), or in its place something whose memory is never released. */
typedef void *cell_alloc_fn(size_t count, size_t size_bytes);
/* False when it is no load or memory is short; what was allocated is there then, too. `alloc`: for
 * the arrays. */
bool cell_load_read(const void *body, size_t size_bytes, cell_alloc_fn *alloc, cell_load *out);
/* Changes the policy of one that was written. */
void cell_load_set_policy(wire_writer *writer, cell_policy policy);
/* Of one that was read with calloc(). */
void cell_load_release(cell_load *load);

/* --- READY --- */

/* What a worker turned out to be. */
typedef struct cell_ready {
    snapcell_handler_shape shape;
    cell_policy policy;   /* the one that it serves by */
    uint32_t tier;        /* of RESTORE: a dirty_source */
    const char *fallback; /* why it is not the requested one; NULL: it is */
} cell_ready;

void cell_ready_write(wire_writer *writer, const cell_ready *ready);
/* `out->fallback` points into the body. */
bool cell_ready_read(const void *body, size_t size_bytes, cell_ready *out);

/* --- IMAGE --- */

/* What a process with `makes_image` says once it wrote one; before it, it says READY. */
typedef struct cell_image_made {
    uint64_t size_bytes;
    snapcell_key key; /* of the artifact that it loaded */
} cell_image_made;

void cell_image_made_write(wire_writer *writer, const cell_image_made *made);
bool cell_image_made_read(const void *body, size_t size_bytes, cell_image_made *out);

/* --- RESTORED --- */

/* What restores took since it was told the last time. */
typedef struct cell_restored {
    uint64_t restores;
    uint64_t pages;
    uint64_t ns;
    uint64_t cuts;
} cell_restored;

void cell_restored_write(wire_writer *writer, const cell_restored *restored);
bool cell_restored_read(const void *body, size_t size_bytes, cell_restored *out);

/* --- CALL --- */

typedef enum cell_call_kind {
    CELL_CALL_FETCH = 1,
    CELL_CALL_INVOKE = 2,
    CELL_CALL_HANDLER = 3,
} cell_call_kind;

/* Pointers are Borrowed; a call that was read: cell_call_release(). */
typedef struct cell_call {
    cell_call_kind kind;
    snapcell_request request; /* of FETCH */
    const char *handler;      /* of HANDLER */
    const char *event_json;   /* of the others; NULL: the default */
} cell_call;

void cell_call_write(wire_writer *writer, const cell_call *call);
bool cell_call_read(const void *body, size_t size_bytes, cell_call *out);
void cell_call_release(cell_call *call);

/* --- RESPONSE, RESULT; a LOG is a wire_log, an ERROR a wire_error --- */

void cell_response_write(wire_writer *writer, const snapcell_response *response);
/* `*out`: Owned. False when it is none, or its headers could not be ones. Sets `*no_memory` when
 * memory is short here. */
bool cell_response_read(const void *body, size_t size_bytes, snapcell_response **out,
                        bool *no_memory);

void cell_result_write(wire_writer *writer, const char *text, size_t text_size_bytes);
/* NULL when it is none; else in place, zero-terminated UTF-8. */
const char *cell_result_read(const void *body, size_t size_bytes, size_t *text_size_bytes);

#endif
