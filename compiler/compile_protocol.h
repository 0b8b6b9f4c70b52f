/* What the compiler and its child say to each other over a stream socket.
 *
 * The child begins with HELLO; the compiler answers with JOB. While the child builds it sends
 * LOG, NOTE, HEAP and HOST_CALL, and each HOST_CALL is answered by HOST_RETURN or HOST_THROW.
 * RESULT or ERROR ends the conversation. Each message is a header and a body; what comes from the
 * other side is checked before use, since the child runs code that nobody vouches for. Internal to
 * the compiler. */
#ifndef SNAPCELL_COMPILE_PROTOCOL_H
#define SNAPCELL_COMPILE_PROTOCOL_H

#include "engine.h"
#include "warm_requests.h"
#include "wire_host.h"
#include "wire_message.h"

#define COMPILE_PROTOCOL_VERSION 5

typedef enum compile_message_type {
    COMPILE_MESSAGE_HELLO = 1,
    COMPILE_MESSAGE_JOB = 2,
    COMPILE_MESSAGE_LOG = 3,
    COMPILE_MESSAGE_HOST_CALL = 4,
    COMPILE_MESSAGE_HOST_RETURN = 5,
    COMPILE_MESSAGE_HOST_THROW = 6,
    COMPILE_MESSAGE_RESULT = 7,
    COMPILE_MESSAGE_ERROR = 8,
    COMPILE_MESSAGE_NOTE = 9,
    COMPILE_MESSAGE_HEAP = 10,
} compile_message_type;

/* The largest body of a message of this type; 0 for an unknown one. */
uint64_t compile_body_size_max(uint32_t type);

/* --- HELLO --- */

void compile_hello_write(wire_writer *writer, const wire_hello *hello);
bool compile_hello_read(const void *body, size_t size_bytes, wire_hello *out);

/* --- JOB --- */

/* What a child is to build. Pointers are Borrowed; a job that was read points into the message's
 * body, and its arrays are Owned: compile_job_release(). */
typedef struct compile_job {
    snapcell_artifact_kind kind;
    engine_format format;
    engine_survey survey;
    bool entropy_allowed;
    uint32_t entropy_trial;       /* engine_build_options */
    bool heap;                    /* tell what is on the heap */
    snapcell_handler_shape shape; /* of a function; 0: found out */
    uint64_t memory_limit_bytes;
    uint32_t wall_limit_ms;
    bool no_sandbox;
    const char *function_name;
    const char *file_name;
    const char **host_names;
    uint32_t host_name_count;
    snapcell_request *warm;
    uint32_t warm_count;
    artifact_text_encoding encoding;
    const void *text; /* aligned for 16-bit units */
    size_t text_size_bytes;
    const char *source_map; /* NULL: none */
    size_t source_map_size_bytes;
} compile_job;

void compile_job_write(wire_writer *writer, const compile_job *job);
/* False when it is not a job or memory is short. `body` is aligned as malloc() does. */
bool compile_job_read(const void *body, size_t size_bytes, compile_job *out);
void compile_job_release(compile_job *job);

/* --- NOTE --- */

void compile_note_write(wire_writer *writer, const snapcell_note *note);
/* The texts are Borrowed from `body`. */
bool compile_note_read(const void *body, size_t size_bytes, snapcell_note *out);

/* --- HEAP: the bytes of its text --- */

void compile_heap_write(wire_writer *writer, const char *text, size_t size_bytes);
/* The text is Borrowed from `body`. NULL when it is none. */
const char *compile_heap_read(const void *body, size_t size_bytes, size_t *out_size_bytes);

/* --- HOST_CALL, HOST_RETURN, HOST_THROW: as wire_host.h --- */

/* --- RESULT; a LOG is a wire_log, an ERROR a wire_error --- */

#define COMPILE_WARNING_COUNT_MAX 1000

/* Pointers are Borrowed; of a result that was read, `warnings` is Owned: free(). */
typedef struct compile_result {
    snapcell_handler_shape shape;
    engine_format format;
    const void *blob;
    size_t blob_size_bytes;
    const char **warnings;
    uint32_t warning_count;
    const char *apis;
    const char *heap; /* as in engine_build_result */
} compile_result;

void compile_result_write(wire_writer *writer, const compile_result *result);
bool compile_result_read(const void *body, size_t size_bytes, compile_result *out);

#endif
