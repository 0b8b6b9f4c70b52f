/* Frames whose header lies about sizes, and blocks that were altered: what zstd_frame_check() lets
 * through decodes to what it announces or not at all, within memory that was set aside before. */
#include <stdlib.h>

#include <zstd.h>

#include "artifact_reader.h"
#include "fuzz_input.h"
#include "zstd_frame.h"

#define FUZZ_CONTENT_SIZE_MAX (1u << 16)

static void fuzz_check(const uint8_t *frame, size_t size_bytes, uint64_t content_size)
{
    snapcell_error err;
    if (zstd_frame_check(frame, size_bytes, content_size, "frame", &err) != SNAPCELL_OK) return;
    fuzz_require(ZSTD_getFrameContentSize(frame, size_bytes) == content_size);
    fuzz_require(ZSTD_findFrameCompressedSize(frame, size_bytes) == size_bytes);
    if (content_size > FUZZ_CONTENT_SIZE_MAX) return;
    const artifact_section section = {
        .data = frame,
        .stored_size_bytes = size_bytes,
        .decoded_size_bytes = content_size,
        .codec = ARTIFACT_CODEC_ZSTD,
    };
    uint8_t *out = malloc((size_t)content_size + 1);
    if (out == NULL) return;
    const int status = artifact_section_decode(&section, out, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_CORRUPT);
    free(out);
}

/* A good frame of the input, with some of its bytes altered: what guessing alone rarely finds. */
static void fuzz_altered(fuzz_input input)
{
    fuzz_input changes = fuzz_take(&input, 9);
    const size_t bound = ZSTD_compressBound(input.size_bytes);
    uint8_t *frame = malloc(bound);
    if (frame == NULL) return;
    const size_t size = ZSTD_compress(frame, bound, input.at, input.size_bytes, 1);
    if (!ZSTD_isError(size)) {
        fuzz_check(frame, size, input.size_bytes);
        for (int i = 0; i < 3; i++) {
            const size_t at = (size_t)(fuzz_take_u8(&changes) << 8 | fuzz_take_u8(&changes)) % size;
            frame[at] ^= fuzz_take_u8(&changes);
        }
        fuzz_check(frame, size, ZSTD_getFrameContentSize(frame, size));
    }
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const uint64_t claimed = (uint64_t)fuzz_take_u32(&input) << 32 | fuzz_take_u32(&input);
    fuzz_check(input.at, input.size_bytes, claimed);
    fuzz_check(input.at, input.size_bytes, ZSTD_getFrameContentSize(input.at, input.size_bytes));
    fuzz_altered((fuzz_input){data, size});
    return 0;
}
