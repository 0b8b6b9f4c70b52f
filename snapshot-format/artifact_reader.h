/* Reading an artifact without trusting it. Internal: loader, compiler and store tools use it. */
#ifndef SNAPCELL_ARTIFACT_READER_H
#define SNAPCELL_ARTIFACT_READER_H

#include <stdbool.h>

#include "snapcell/artifact.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum artifact_codec {
    ARTIFACT_CODEC_RAW = 0,
    ARTIFACT_CODEC_ZSTD = 1,        /* one frame, its content size in its header */
    ARTIFACT_CODEC_ZSTD_PREFIX = 2, /* the same, after the engine's base blob; for blobs only */
} artifact_codec;

typedef enum artifact_text_encoding {
    ARTIFACT_TEXT_LATIN1 = 0,
    ARTIFACT_TEXT_UTF16LE = 1,
} artifact_text_encoding;

/* A section as it lies in the artifact; `data` is Borrowed from the artifact's bytes, NULL when
 * absent. */
typedef struct artifact_section {
    const uint8_t *data;
    uint64_t stored_size_bytes;
    uint64_t decoded_size_bytes;
    artifact_codec codec;
} artifact_section;

/* A parsed artifact. Sections and info.manifest are Borrowed from the bytes; the rest is plain. */
typedef struct artifact_view {
    snapcell_artifact_info info;
    artifact_section blob;
    artifact_section source;
    artifact_text_encoding source_encoding;
    artifact_section source_map; /* JSON, UTF-8; may be absent */
    artifact_section manifest;   /* always raw */
    artifact_section signature;  /* as it is there, not looked at; may be absent */
    bool signature_is_last;      /* and there is no other trailer */
} artifact_view;

/* How much to check beyond structure. The checksum is XXH3-128; the digest is BLAKE2b-256. */
typedef enum artifact_check {
    ARTIFACT_CHECK_CHECKSUM = 0, /* structure and checksum */
    ARTIFACT_CHECK_DIGEST = 1,   /* and the cryptographic digest */
} artifact_check;

/* Checks in the order of SPEC.md (size, magic, version, checksum, digest, sections) and fills
 * `out`. No byte of a section is to be used before this returned SNAPCELL_OK. Errors: E_CORRUPT,
 * E_FORMAT, E_TOO_LARGE; `out` is zeroed then. Thread: any. */
int artifact_read(const void *bytes, size_t size_bytes, artifact_check check, artifact_view *out,
                  snapcell_error *err);

/* Decodes a section of a view into `out`, which holds exactly section->decoded_size_bytes (NULL is
 * allowed when that is 0). A raw section can be used in place instead: section->data lies at an
 * offset that is a multiple of 16. Each thread keeps one decoder (about 100 KB) for its next call.
 * Errors: E_CORRUPT when it does not decode to exactly that many bytes, E_NOMEM. Thread: any. */
int artifact_section_decode(const artifact_section *section, void *out, snapcell_error *err);

/* The same for a section that may have codec ARTIFACT_CODEC_ZSTD_PREFIX: `prefix` is the base blob
 * of the engine that the artifact names; other codecs leave it alone. Compare the engine first:
 * with another prefix the result may be other bytes of the right size. Errors: as above, and
 * E_USAGE where a prefix is needed but is NULL or empty. */
int artifact_section_decode_with_prefix(const artifact_section *section, const void *prefix,
                                        size_t prefix_size_bytes, void *out, snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
