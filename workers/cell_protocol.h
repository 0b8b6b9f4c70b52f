/* What a host and its worker say to each other over a stream socket.
 *
 * The worker begins with HELLO; the host answers with LOAD, the worker with READY or ERROR. Before
 * a LOAD whose policy is not RESTORE there may be one PREPARE: the worker does ahead what any load
 * needs. Then
 * the host sends CALL after CALL, numbered from 1, each when the one before is over. Everything
 * that belongs to a call begins with its number, so that what was left of one that was cut is told
 * from the next one's.
 *
 * To a CALL the worker sends HEAD (of a FETCH alone), any number of DATA, END and SETTLED; or ERROR
 * in place of any of them, which ends the call as SETTLED does. LOG may come at any time before,
 * RESTORED with anything. DATA has a window: so many bytes may be on their way, and each CREDIT
 * adds to them. A request's body that is not part of its CALL comes as BODY and BODY_END, with a
 * window of its own, to which PULL adds. ABANDON says that nobody wants the response any more.
 *
 * A worker may call the host's functions: to each HOST_CALL, after which it waits, the host sends
 * HOST_RETURN or HOST_THROW (process/wire_host.h).
 *
 * A worker that evaluates a prelude only says READY and waits for GO_ON, which brings the artifact
 * to go on with, or GO_ON_TEXT, which brings the text alone: READY comes once more, and the first
 * CALL after it.
 *
 * With the first byte of a LOAD that has a network comes a descriptor: of a socket to snapcell-net,
 * which the host starts when the worker says NET, once.
 *
 * What comes from the worker is checked before use: it runs code that nobody vouches for. Internal
 * to the workers. */
#ifndef SNAPCELL_CELL_PROTOCOL_H
#define SNAPCELL_CELL_PROTOCOL_H

#include <signal.h>

#include "snapcell/loader.h"
#include "wire_message.h"

#define CELL_PROTOCOL_VERSION 6

typedef enum cell_message_type {
    /* To the worker. */
    CELL_MESSAGE_LOAD = 1,
    CELL_MESSAGE_CALL = 2,
    CELL_MESSAGE_BODY = 3,
    CELL_MESSAGE_BODY_END = 4,
    CELL_MESSAGE_CREDIT = 5,
    CELL_MESSAGE_ABANDON = 6,
    CELL_MESSAGE_HOST_RETURN = 7,
    CELL_MESSAGE_HOST_THROW = 8,
    CELL_MESSAGE_PREPARE = 9,
    CELL_MESSAGE_GO_ON = 10,
    CELL_MESSAGE_GO_ON_TEXT = 11,
    /* To the host. */
    CELL_MESSAGE_HELLO = 16,
    CELL_MESSAGE_READY = 17,
    CELL_MESSAGE_RESTORED = 18,
    CELL_MESSAGE_LOG = 19,
    CELL_MESSAGE_HEAD = 20,
    CELL_MESSAGE_DATA = 21,
    CELL_MESSAGE_END = 22,
    CELL_MESSAGE_SETTLED = 23,
    CELL_MESSAGE_ERROR = 24,
    CELL_MESSAGE_PULL = 25,
    CELL_MESSAGE_IMAGE = 26,
    CELL_MESSAGE_NET = 27,
    CELL_MESSAGE_HOST_CALL = 28,
} cell_message_type;

/* By which a worker ends itself when it cannot restore its memory. */
#define CELL_ANOMALY_SIGNAL SIGUSR2

#define CELL_LOG_SIZE_MAX ((size_t)1 << 20)
#define CELL_HEADER_COUNT_MAX 65536
#define CELL_READY_SIZE_MAX ((size_t)2048)
#define CELL_HEAD_SIZE_MAX ((size_t)1 << 20) /* and of a HOST_CALL */
/* As SNAPCELL_WORKER_WINDOW_SIZE. */
#define CELL_WINDOW_SIZE ((size_t)256 << 10)
#define CELL_HOST_RESULT_SIZE_MAX ((size_t)16 << 20)
#define CELL_PIECE_SIZE_MAX ((size_t)64 << 10)
#define CELL_SHA256_SIZE 32                    /* as SNAPCELL_WORKER_SHA256_SIZE */
#define CELL_GO_ON_SIZE_MAX ((size_t)64 << 20) /* a larger artifact is loaded from the store */

/* The largest body of a message of this type; 0 for an unknown one. */
uint64_t cell_body_size_max(uint32_t type);
/* The same, of what a worker sends; 0 for what it does not. */
uint64_t cell_worker_size_max(uint32_t type);

/* --- The numbers of calls; 0 for what belongs to none: READY, and LOG and ERROR before it --- */

#define CELL_NUMBER_SIZE sizeof(uint64_t)

void cell_number_write(wire_writer *writer, uint64_t call);
/* Takes the number off the front of a body. False when there is none. */
bool cell_number_read(const uint8_t **body, size_t *size_bytes, uint64_t *call);

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
 * message's body, and the arrays, which are NULL where they are empty, are Owned:
 * cell_load_release(). */
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
    bool has_net;
    bool makes_image;          /* and serves no call */
    bool prelude_only;         /* until GO_ON; of the policy RELOAD */
    uint64_t data_limit_bytes; /* 0: none */
    snapcell_cell_options options;
    bool has_trust;
    cell_trust_key *keys;
    uint32_t key_count;
    const char **host_names; /* of host functions, in their order */
    uint32_t host_name_count;
} cell_load;

void cell_load_write(wire_writer *writer, const cell_load *load);
/* As calloc(), or in its place something whose memory is never released. */
typedef void *cell_alloc_fn(size_t count, size_t size_bytes);
/* False when it is no load or memory is short; what was allocated is there then, too. `alloc`: for
 * the arrays. */
bool cell_load_read(const void *body, size_t size_bytes, cell_alloc_fn *alloc, cell_load *out);
/* Changes the policy of one that was written. */
void cell_load_set_policy(wire_writer *writer, cell_policy policy);
/* The same for one of a prelude: it loads another artifact from now on, all of it. `ref`: as long
 * as the one before. */
void cell_load_set_whole(wire_writer *writer, const char *ref);
/* Of one that was read with calloc(). */
void cell_load_release(cell_load *load);

/* --- READY --- */

/* What a worker turned out to be. */
typedef struct cell_ready {
    snapcell_handler_shape shape;
    cell_policy policy;   /* the one that it serves by */
    uint32_t tier;        /* of RESTORE: a dirty_source */
    const char *fallback; /* why it is not the requested one; NULL: it is */
    bool has_prelude;     /* the artifact does */
} cell_ready;

void cell_ready_write(wire_writer *writer, const cell_ready *ready);
/* `out->fallback` points into the body. */
bool cell_ready_read(const void *body, size_t size_bytes, cell_ready *out);

/* --- GO_ON --- */

/* Pointers are Borrowed; of one that was read they point into the message's body. */
typedef struct cell_go_on_order {
    const char *ref;
    const void *artifact;
    size_t artifact_size_bytes;
} cell_go_on_order;

/* The same with what is of no artifact yet; as an image_rest. */
typedef struct cell_text_order {
    const void *prelude_sha256; /* of what comes before it */
    bool is_utf16;
    const void *text;
    size_t text_size_bytes;
    const char *source_map; /* NULL: none */
    size_t source_map_size_bytes;
} cell_text_order;

void cell_text_order_write(wire_writer *writer, const cell_text_order *order);
bool cell_text_order_read(const void *body, size_t size_bytes, cell_text_order *out);

void cell_go_on_write(wire_writer *writer, const cell_go_on_order *order);
bool cell_go_on_read(const void *body, size_t size_bytes, cell_go_on_order *out);

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
    uint64_t number;
    cell_call_kind kind;
    snapcell_request request; /* of FETCH */
    bool streams;             /* of FETCH: the response is sent as it comes, not when it is whole */
    bool streams_body;        /* of FETCH: the request's body comes in pieces */
    const char *handler;      /* of HANDLER */
    const char *event_json;   /* of the others; NULL: the default */
} cell_call;

void cell_call_write(wire_writer *writer, const cell_call *call);
bool cell_call_read(const void *body, size_t size_bytes, cell_call *out);
void cell_call_release(cell_call *call);

/* --- BODY_END: whether the body is whole; CREDIT and PULL: so many bytes more. After the number.
 * BODY and DATA are bytes; ABANDON, END and SETTLED have nothing more --- */

void cell_body_end_write(wire_writer *writer, bool is_whole);
bool cell_body_end_read(const void *body, size_t size_bytes, bool *is_whole);

void cell_credit_write(wire_writer *writer, uint32_t amount_bytes);
bool cell_credit_read(const void *body, size_t size_bytes, uint32_t *amount_bytes);

/* --- HEAD. After the number; a LOG is a wire_log, an ERROR a wire_error, after it, too --- */

/* The headers are Borrowed; of a head that was read they point into the message's body, and the
 * array is Owned: cell_head_release(). */
typedef struct cell_head {
    int status;
    snapcell_header *headers;
    size_t header_count;
} cell_head;

/* Of a response, without its body. */
void cell_head_write(wire_writer *writer, const snapcell_response *response);
/* False when it is none, or its headers could not be ones. Sets `*no_memory` when memory is short
 * here. */
bool cell_head_read(const void *body, size_t size_bytes, cell_head *out, bool *no_memory);
void cell_head_release(cell_head *head);

#endif
