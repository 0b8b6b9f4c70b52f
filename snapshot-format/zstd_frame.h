/* What can be learned about a zstd frame (RFC 8878) without decoding it. Internal to
 * snapshot-format. */
#ifndef SNAPCELL_ZSTD_FRAME_H
#define SNAPCELL_ZSTD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

/* Whether the bytes are one whole frame and nothing else, in the form that SPEC.md asks for, whose
 * header announces `content_size` bytes. `section`: its name, for messages. Errors: E_CORRUPT. */
int zstd_frame_check(const uint8_t *bytes, uint64_t size_bytes, uint64_t content_size,
                     const char *section, snapcell_error *err);

#endif
