/* What the fuzz targets of protocols share. In no library. */
#ifndef SNAPCELL_MESSAGE_FUZZ_H
#define SNAPCELL_MESSAGE_FUZZ_H

#include <stdlib.h>

#include "fuzz_input.h"
#include "wire.h"

/* Reads a body as a message of some type, and writes what it could read. */
typedef void fuzz_message_reader(const void *body, size_t size, wire_writer *writer);

/* The input at an address that malloc() gave, as messages are, and of just their size. */
static inline void *fuzz_body(const fuzz_input *input)
{
    void *body = malloc(input->size_bytes > 0 ? input->size_bytes : 1);
    fuzz_require(body != NULL);
    if (input->size_bytes > 0) memcpy(body, input->at, input->size_bytes);
    return body;
}

/* The first byte says which reader gets the others. */
static inline int fuzz_message(const uint8_t *data, size_t size,
                               fuzz_message_reader *const *readers, size_t count)
{
    fuzz_input input = {data, size};
    const size_t reader = fuzz_take_u8(&input) % count;
    void *body = fuzz_body(&input);
    wire_writer writer = {0};
    readers[reader](body, input.size_bytes, &writer);
    fuzz_require(!writer.failed);
    wire_writer_release(&writer);
    free(body);
    return 0;
}

#endif
