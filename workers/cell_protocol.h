/* What a host and its worker say to each other over a stream socket.
 *
 * The worker begins with HELLO; the host answers with LOAD, the worker with READY or ERROR. Then
 * the host sends CALL after CALL, and to each the worker sends any number of LOGs and one of
 * RESPONSE, RESULT and ERROR. What comes from the worker is checked before use: it runs code that
 * nobody vouches for. Internal to the workers. */
#ifndef SNAPCELL_CELL_PROTOCOL_H
#define SNAPCELL_CELL_PROTOCOL_H

#include "snapcell/loader.h"
#include "wire_message.h"

#define CELL_PROTOCOL_VERSION 1

typedef enum cell_message_type {
    CELL_MESSAGE_HELLO = 1,
    CELL_MESSAGE_LOAD = 2,
    CELL_MESSAGE_READY = 3,
    CELL_MESSAGE_CALL = 4,
    CELL_MESSAGE_LOG = 5,
    CELL_MESSAGE_RESPONSE = 6,
    CELL_MESSAGE_RESULT = 7,
    CELL_MESSAGE_ERROR = 8,
} cell_message_type;

#define CELL_LOG_SIZE_MAX ((size_t)1 << 20)
#define CELL_HEADER_COUNT_MAX 65536

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

/* What a worker is to load. Pointers are Borrowed; of a load that was read they point into the
 * message's body, and the arrays are Owned: cell_load_release(). */
typedef struct cell_load {
    const char *store_path;
    const char *ref;
    bool logs;
    bool keep_cell;
    bool no_sandbox;
    uint64_t data_limit_bytes; /* 0: none */
    snapcell_cell_options options;
    bool has_trust;
    cell_trust_key *keys;
    uint32_t key_count;
} cell_load;

void cell_load_write(wire_writer *writer, const cell_load *load);
/* False when it is no load or memory is short. */
bool cell_load_read(const void *body, size_t size_bytes, cell_load *out);
void cell_load_release(cell_load *load);

/* --- READY --- */

void cell_ready_write(wire_writer *writer, snapcell_handler_shape shape);
bool cell_ready_read(const void *body, size_t size_bytes, snapcell_handler_shape *out);

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
