/* An artifact's bytes as structs: SPEC.md in C. Internal to snapshot-format and its tests.
 *
 * Every member is made of bytes, so that a struct has no padding, needs no alignment, and can be
 * laid over any address. */
#ifndef SNAPCELL_ARTIFACT_LAYOUT_H
#define SNAPCELL_ARTIFACT_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/artifact.h"

typedef struct le16 {
    uint8_t bytes[2];
} le16;

typedef struct le32 {
    uint8_t bytes[4];
} le32;

typedef struct le64 {
    uint8_t bytes[8];
} le64;

static inline uint64_t le_get(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t value = 0;
    for (size_t i = size_bytes; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

static inline void le_set(uint8_t *bytes, size_t size_bytes, uint64_t value)
{
    for (size_t i = 0; i < size_bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline uint16_t le16_get(le16 field)
{
    return (uint16_t)le_get(field.bytes, 2);
}
static inline uint32_t le32_get(le32 field)
{
    return (uint32_t)le_get(field.bytes, 4);
}
static inline uint64_t le64_get(le64 field)
{
    return le_get(field.bytes, 8);
}
static inline void le16_set(le16 *field, uint16_t value)
{
    le_set(field->bytes, 2, value);
}
static inline void le32_set(le32 *field, uint32_t value)
{
    le_set(field->bytes, 4, value);
}
static inline void le64_set(le64 *field, uint64_t value)
{
    le_set(field->bytes, 8, value);
}

/* As PNG's: the first byte is not ASCII, the line ends notice a transfer as text, 1A stops `type`.
 */
#define ARTIFACT_MAGIC "\x89snapcell\r\n\x1a"
#define ARTIFACT_MAGIC_SIZE 12

#define ARTIFACT_CHECKSUM_SIZE 16 /* XXH3-128, canonical (big-endian) */
#define ARTIFACT_DIGEST_SIZE 32   /* BLAKE2b-256 */

typedef struct artifact_header {
    uint8_t magic[ARTIFACT_MAGIC_SIZE];
    le32 format_version;
    uint8_t checksum[ARTIFACT_CHECKSUM_SIZE];
    uint8_t digest[ARTIFACT_DIGEST_SIZE];
    le64 artifact_size;
    le64 digest_end;
    uint8_t kind;
    uint8_t shape;
    uint8_t source_format;
    uint8_t source_encoding;
    le32 section_count;
    uint8_t key[16];
    uint8_t engine[16];
    uint8_t host[16];
    uint8_t bundle_hash[16];
    le32 prelude_length;
    uint8_t reserved[36];
} artifact_header;

static_assert(sizeof(artifact_header) == 192, "SPEC.md, the header");
static_assert(offsetof(artifact_header, format_version) == 12, "SPEC.md, the header");
static_assert(offsetof(artifact_header, checksum) == 16, "SPEC.md, the header");
static_assert(offsetof(artifact_header, digest) == 32, "SPEC.md, the header");
static_assert(offsetof(artifact_header, artifact_size) == 64, "SPEC.md, the header");
static_assert(offsetof(artifact_header, digest_end) == 72, "SPEC.md, the header");
static_assert(offsetof(artifact_header, kind) == 80, "SPEC.md, the header");
static_assert(offsetof(artifact_header, shape) == 81, "SPEC.md, the header");
static_assert(offsetof(artifact_header, source_format) == 82, "SPEC.md, the header");
static_assert(offsetof(artifact_header, source_encoding) == 83, "SPEC.md, the header");
static_assert(offsetof(artifact_header, section_count) == 84, "SPEC.md, the header");
static_assert(offsetof(artifact_header, key) == 88, "SPEC.md, the header");
static_assert(offsetof(artifact_header, engine) == 104, "SPEC.md, the header");
static_assert(offsetof(artifact_header, host) == 120, "SPEC.md, the header");
static_assert(offsetof(artifact_header, bundle_hash) == 136, "SPEC.md, the header");
static_assert(offsetof(artifact_header, prelude_length) == 152, "SPEC.md, the header");
static_assert(offsetof(artifact_header, reserved) == 156, "SPEC.md, the header");
static_assert(_Alignof(artifact_header) == 1, "laid over any address");

/* What the checksum covers begins after it; the digest also leaves itself out. */
#define ARTIFACT_CHECKSUM_START offsetof(artifact_header, digest)
#define ARTIFACT_DIGEST_HEAD_SIZE offsetof(artifact_header, checksum)
#define ARTIFACT_DIGEST_START offsetof(artifact_header, artifact_size)

typedef struct artifact_section_entry {
    le16 type;
    uint8_t flags;
    uint8_t codec;
    uint8_t reserved[4];
    le64 offset;
    le64 stored_size;
    le64 decoded_size;
} artifact_section_entry;

static_assert(sizeof(artifact_section_entry) == 32, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, flags) == 2, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, codec) == 3, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, reserved) == 4, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, offset) == 8, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, stored_size) == 16, "SPEC.md, the section table");
static_assert(offsetof(artifact_section_entry, decoded_size) == 24, "SPEC.md, the section table");
static_assert(_Alignof(artifact_section_entry) == 1, "laid over any address");

typedef enum artifact_section_type {
    ARTIFACT_SECTION_NAME = 1,
    ARTIFACT_SECTION_FILE_NAME = 2,
    ARTIFACT_SECTION_BLOB = 3,
    ARTIFACT_SECTION_SOURCE = 4,
    ARTIFACT_SECTION_SOURCE_MAP = 5,
    ARTIFACT_SECTION_MANIFEST = 6,
    ARTIFACT_SECTION_KNOWN_MAX = 6,
    ARTIFACT_SECTION_TRAILER_MIN = 0xff00, /* from here on, outside of the digest */
    ARTIFACT_SECTION_SIGNATURE = 0xff00,
} artifact_section_type;

#define ARTIFACT_SECTION_OPTIONAL 0x01 /* readers that do not know the type skip the section */
#define ARTIFACT_SECTION_FLAGS_KNOWN ARTIFACT_SECTION_OPTIONAL

#define ARTIFACT_SECTION_ALIGNMENT 16

/* Caps. Together the sections of a valid artifact fit into ARTIFACT_SIZE_MAX even when raw. */
#define ARTIFACT_MIB (UINT64_C(1) << 20)
#define ARTIFACT_SIZE_MAX (512 * ARTIFACT_MIB)
#define ARTIFACT_SECTION_COUNT_MAX 32
#define ARTIFACT_BLOB_SIZE_MAX (256 * ARTIFACT_MIB)
#define ARTIFACT_SOURCE_SIZE_MAX (128 * ARTIFACT_MIB)
#define ARTIFACT_SOURCE_MAP_SIZE_MAX (64 * ARTIFACT_MIB)
#define ARTIFACT_MANIFEST_SIZE_MAX (1 * ARTIFACT_MIB)
#define ARTIFACT_FRAME_WINDOW_LOG_MAX 27

static_assert(ARTIFACT_BLOB_SIZE_MAX + ARTIFACT_SOURCE_SIZE_MAX + ARTIFACT_SOURCE_MAP_SIZE_MAX +
                      ARTIFACT_MANIFEST_SIZE_MAX + ARTIFACT_MIB <
                  ARTIFACT_SIZE_MAX,
              "the caps fit together");
static_assert(ARTIFACT_SIZE_MAX < SIZE_MAX, "sizes fit size_t once they passed their caps");

static inline uint64_t artifact_align(uint64_t offset)
{
    return (offset + (ARTIFACT_SECTION_ALIGNMENT - 1)) &
           ~(uint64_t)(ARTIFACT_SECTION_ALIGNMENT - 1);
}

#endif
