/* What the fuzz targets share: taking an input apart, and saying what must hold. In no library. */
#ifndef SNAPCELL_FUZZ_INPUT_H
#define SNAPCELL_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A finding, as a fuzzing engine and a replay see it, in builds of any kind. */
#define fuzz_require(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) __builtin_trap();                                                        \
    } while (0)

/* What is left of an input. Past its end everything is zero or empty. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t size_bytes;
} fuzz_input;

static inline uint8_t fuzz_take_u8(fuzz_input *input)
{
    if (input->size_bytes == 0) return 0;
    input->size_bytes--;
    return *input->at++;
}

static inline uint32_t fuzz_take_u32(fuzz_input *input)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | fuzz_take_u8(input);
    return value;
}

/* The next `size_bytes` bytes, or as many as there are. */
static inline fuzz_input fuzz_take(fuzz_input *input, size_t size_bytes)
{
    fuzz_input taken = {input->at, size_bytes < input->size_bytes ? size_bytes : input->size_bytes};
    if (taken.size_bytes > 0) input->at += taken.size_bytes;
    input->size_bytes -= taken.size_bytes;
    return taken;
}

/* Up to the next zero byte, which is skipped, or the end; cut to fit `out`, zero-terminated. */
static inline const char *fuzz_take_text(fuzz_input *input, char *out, size_t capacity_bytes)
{
    size_t size = 0;
    while (input->size_bytes > 0) {
        const uint8_t byte = fuzz_take_u8(input);
        if (byte == 0) break;
        if (size + 1 < capacity_bytes) out[size++] = (char)byte;
    }
    out[size] = '\0';
    return out;
}

#endif
