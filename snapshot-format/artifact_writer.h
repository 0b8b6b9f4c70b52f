/* Writing an artifact: the same input gives the same bytes. Internal: the compiler uses it. */
#ifndef SNAPCELL_ARTIFACT_WRITER_H
#define SNAPCELL_ARTIFACT_WRITER_H

#include "artifact_reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One section to write, not yet encoded; `data` NULL leaves an optional section out. */
typedef struct artifact_part {
    const void *data;
    size_t size_bytes;
} artifact_part;

typedef struct artifact_spec {
    snapcell_artifact_kind kind;
    snapcell_handler_shape shape;
    snapcell_source_format source_format;
    snapcell_key key;
    snapcell_fingerprint engine;
    snapcell_fingerprint host;
    uint8_t bundle_hash[16];
    const char *name;      /* UTF-8, no control characters, no '/'; 1 to 200 bytes */
    const char *file_name; /* as `name`; 1 to 255 bytes */
    artifact_part blob;
    artifact_part source;
    artifact_text_encoding source_encoding;
    uint32_t prelude_length;  /* in code units of the encoding; 0: the source is one module */
    artifact_part source_map; /* optional */
    artifact_part manifest;   /* JSON text, stored raw */
    /* For the blob; source and source map are compressed too, without prefix, unless it is raw.
     * What zstd cannot shrink stays raw. */
    artifact_codec codec;
    artifact_part prefix; /* the engine's base blob, for ARTIFACT_CODEC_ZSTD_PREFIX */
    int level;            /* zstd's, 1 to 19; not for ARTIFACT_CODEC_RAW */
} artifact_spec;

/* Encodes `spec` into a new buffer. `*out` is Owned: free(). Errors: E_TOO_LARGE, E_NOMEM, E_USAGE.
 * Nothing to release on failure. Thread: any. */
int artifact_write(const artifact_spec *spec, uint8_t **out, size_t *out_size_bytes,
                   snapcell_error *err);

/* The compressor's version: another one may give other bytes, so that it belongs in a key that
 * promises bytes (unless it is all raw). Thread: any. */
uint32_t artifact_compressor_version(void);

#ifdef __cplusplus
}
#endif
#endif
