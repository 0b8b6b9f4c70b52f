/* Calls of host functions, from a child to the process whose functions they are. Internal. */
#ifndef SNAPCELL_WIRE_HOST_H
#define SNAPCELL_WIRE_HOST_H

#include "snapcell/host.h"
#include "wire.h"

#define WIRE_ARGUMENT_COUNT_MAX 65536

/* A call of host function number `index`; `arguments` is Owned by the reader: free(). */
typedef struct wire_host_call {
    uint32_t index;
    snapcell_value *arguments;
    uint32_t argument_count;
} wire_host_call;

void wire_host_call_write(wire_writer *writer, const wire_host_call *call);
/* Writes what a stub of host function number `index` was called with. Non-zero after
 * snapcell_host_throw(). */
int wire_host_call_forward(wire_writer *writer, uint32_t index, snapcell_host_call *call);
bool wire_host_call_read(const void *body, size_t size_bytes, wire_host_call *out);

void wire_value_write(wire_writer *writer, const snapcell_value *value);
bool wire_value_read(const void *body, size_t size_bytes, snapcell_value *out);

/* The message of a HOST_THROW. NULL when it is none. */
void wire_throw_write(wire_writer *writer, const char *message);
const char *wire_throw_read(const void *body, size_t size_bytes);

#endif
