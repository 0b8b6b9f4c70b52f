#include "zstd_frame.h"

#include <inttypes.h>
#include <stdbool.h>

#include "artifact_layout.h"
#include "error_set.h"

#define FRAME_MAGIC UINT32_C(0xfd2fb528)

/* The frame header's descriptor byte. */
#define FRAME_SINGLE_SEGMENT 0x20
#define FRAME_REFUSED 0x1f /* unused, reserved, checksum, dictionary id: none of them is in use */

typedef struct frame_header {
    uint64_t content_size;
    uint32_t window_log; /* 0: the window is the content */
    size_t size_bytes;
} frame_header;

/* How many bytes the content size takes; 0 when it is left out. */
static size_t frame_content_size_field(uint8_t descriptor)
{
    switch (descriptor >> 6) {
    case 0:
        return (descriptor & FRAME_SINGLE_SEGMENT) != 0 ? 1 : 0;
    case 1:
        return 2;
    case 2:
        return 4;
    default:
        return 8;
    }
}

static bool frame_header_parse(const uint8_t *bytes, uint64_t size_bytes, frame_header *out)
{
    if (size_bytes < 5 || le_get(bytes, 4) != FRAME_MAGIC) return false;
    const uint8_t descriptor = bytes[4];
    if ((descriptor & FRAME_REFUSED) != 0) return false;
    const size_t field_size = frame_content_size_field(descriptor);
    if (field_size == 0) return false;

    const size_t window_size = (descriptor & FRAME_SINGLE_SEGMENT) != 0 ? 0 : 1;
    out->size_bytes = 5 + window_size + field_size;
    if (size_bytes < out->size_bytes) return false;
    out->window_log = window_size == 0 ? 0 : 10 + (uint32_t)(bytes[5] >> 3);
    out->content_size = le_get(bytes + 5 + window_size, field_size);
    if (field_size == 2) out->content_size += 256;
    return true;
}

/* Walks over the blocks; true when the last one ends where the bytes end. */
static bool frame_blocks_fit(const uint8_t *bytes, uint64_t size_bytes)
{
    enum { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };
    uint64_t at = 0;
    for (bool last = false; !last;) {
        if (size_bytes - at < 3) return false;
        const uint32_t header = (uint32_t)le_get(bytes + at, 3);
        last = (header & 1) != 0;
        const uint32_t type = header >> 1 & 3;
        if (type == BLOCK_RESERVED) return false;
        const uint32_t block_size = type == BLOCK_RLE ? 1 : header >> 3;
        at += 3;
        if (size_bytes - at < block_size) return false;
        at += block_size;
    }
    return at == size_bytes;
}

int zstd_frame_check(const uint8_t *bytes, uint64_t size_bytes, uint64_t content_size,
                     const char *section, snapcell_error *err)
{
    frame_header header;
    if (!frame_header_parse(bytes, size_bytes, &header)) {
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s holds no zstd frame with a content size and without "
                         "dictionary and checksum; compile it again",
                         section);
    }
    if (header.content_size != content_size) {
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s should decode to %" PRIu64 " bytes, its zstd frame "
                         "announces %" PRIu64 "; compile it again",
                         section, content_size, header.content_size);
    }
    if (header.window_log > ARTIFACT_FRAME_WINDOW_LOG_MAX) {
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s needs a zstd window of 2^%" PRIu32
                         " bytes, 2^%d is the most; compile it again",
                         section, header.window_log, ARTIFACT_FRAME_WINDOW_LOG_MAX);
    }
    if (!frame_blocks_fit(bytes + header.size_bytes, size_bytes - header.size_bytes)) {
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s is not one whole zstd frame of %" PRIu64
                         " bytes; compile it again",
                         section, size_bytes);
    }
    return SNAPCELL_OK;
}
