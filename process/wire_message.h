/* Messages over a stream socket: a header, which says of what type and size the body is that comes
 * after it. And the messages that every protocol has. Internal. */
#ifndef SNAPCELL_WIRE_MESSAGE_H
#define SNAPCELL_WIRE_MESSAGE_H

#include "snapcell/artifact.h"
#include "snapcell/error.h"
#include "snapcell/log.h"
#include "wire.h"

#define WIRE_HEADER_SIZE 16

typedef struct wire_header {
    uint32_t type;
    size_t body_size_bytes;
} wire_header;

/* The largest body that a protocol's message of this type has; 0 for an unknown one. */
typedef uint64_t wire_size_max_fn(uint32_t type);

void wire_header_write(const wire_header *header, uint8_t out[WIRE_HEADER_SIZE]);
/* False when it is not a header, or its body is larger than a message of its type can be. */
bool wire_header_read(const uint8_t data[WIRE_HEADER_SIZE], wire_size_max_fn *size_max,
                      wire_header *out);

/* What a child begins with. `magic` tells the protocols apart. */
typedef struct wire_hello {
    uint32_t protocol_version;
    snapcell_fingerprint engine;
} wire_hello;

void wire_hello_write(wire_writer *writer, uint32_t magic, const wire_hello *hello);
/* `version`: the one that the reader speaks. Of another only the version and the engine are known.
 */
bool wire_hello_read(const void *body, size_t size_bytes, uint32_t magic, uint32_t version,
                     wire_hello *out);

/* Console output of a function. The text is Borrowed. */
typedef struct wire_log {
    snapcell_log_level level;
    const char *text;
    size_t text_size_bytes;
} wire_log;

void wire_log_write(wire_writer *writer, const wire_log *log);
bool wire_log_read(const void *body, size_t size_bytes, wire_log *out);

#define WIRE_ERROR_SIZE_MAX (sizeof(snapcell_error) + 256)

void wire_error_write(wire_writer *writer, const snapcell_error *error);
/* False when it is none, or when it says that nothing went wrong. */
bool wire_error_read(const void *body, size_t size_bytes, snapcell_error *out);

#endif
