/* Artifacts: what the compiler makes and the loader reads; SPEC.md holds the bytes.
 *
 * Simple: snapcell_artifact_inspect() checks an artifact and describes it. Nothing here needs V8 or
 * a store. Advanced: snapcell_artifact_describe() skips the digest, for lists. */
#ifndef SNAPCELL_ARTIFACT_H
#define SNAPCELL_ARTIFACT_H

#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* XXH3-128 of everything that determines an artifact, in canonical (big-endian) byte order. Keys
 * are written as its hex digits. */
typedef struct snapcell_key {
    uint8_t bytes[16];
} snapcell_key;

#define SNAPCELL_KEY_HEX_SIZE 33 /* 32 digits and the terminating zero */

/* Longest name of a function and of a bundle's file inside an artifact, in bytes of UTF-8. */
#define SNAPCELL_ARTIFACT_NAME_SIZE_MAX 200
#define SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX 255

/* Hash of everything on the engine's side that an artifact is bound to. */
typedef struct snapcell_fingerprint {
    uint8_t bytes[16];
} snapcell_fingerprint;

typedef enum snapcell_artifact_kind {
    SNAPCELL_ARTIFACT_SNAPSHOT = 1, /* a V8 startup snapshot with the bundle evaluated in it */
    SNAPCELL_ARTIFACT_CODE = 2      /* the source with V8's code cache; evaluated at every load */
} snapcell_artifact_kind;

typedef enum snapcell_handler_shape {
    SNAPCELL_SHAPE_FETCH =
        1, /* a request in, a response out: { fetch } or addEventListener("fetch") */
    SNAPCELL_SHAPE_JSON = 2 /* handler(event, context): JSON in, JSON out */
} snapcell_handler_shape;

/* What the source is; the values are those of snapcell_format in compiler.h, without AUTO. */
typedef enum snapcell_source_format {
    SNAPCELL_SOURCE_ESM = 1,
    SNAPCELL_SOURCE_COMMONJS = 2,
    SNAPCELL_SOURCE_SCRIPT = 3
} snapcell_source_format;

/* The facts of an artifact: a plain value, except `manifest`, which is Borrowed until the
 * artifact's bytes go away. */
typedef struct snapcell_artifact_info {
    uint32_t format_version;
    snapcell_artifact_kind kind;
    snapcell_handler_shape shape;
    snapcell_source_format source_format;
    snapcell_key key;
    snapcell_fingerprint engine; /* the engine that it runs on */
    snapcell_fingerprint host;   /* the host function table that it was built against */
    uint8_t bundle_hash[16];     /* XXH3-128 of the bundle file's bytes, canonical order */
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1]; /* the function's, when it was compiled */
    char file_name[SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX + 1]; /* the bundle's, a base name */
    uint64_t blob_size_bytes; /* the snapshot or code cache, decoded */
    uint64_t
        source_size_bytes; /* the source, decoded, in the form V8 reads (Latin-1 or UTF-16LE) */
    uint64_t artifact_size_bytes; /* all of it, as stored */
    const char *manifest;         /* JSON, UTF-8, not zero-terminated */
    uint64_t manifest_size_bytes;
    uint8_t digest[32]; /* BLAKE2b-256 of all but the checksum, itself and a later signature */
    /* So many of the source's code units are a module of their own; see
     * snapcell_compile_options. 0: there is no prelude */
    uint32_t prelude_length;
} snapcell_artifact_info;

/* Purpose: check a function's name: 1 to SNAPCELL_ARTIFACT_NAME_SIZE_MAX bytes of UTF-8 without
 * control characters and '/'. Compiling, signing and the store check it themselves. `name`: not
 * NULL. Thread: any. Errors: E_USAGE. */
SNAPCELL_API int snapcell_name_check(const char *name, snapcell_error *err);

/* Purpose: check an artifact's structure, checksum and digest, and tell its facts.
 * `bytes`: the whole artifact, `size_bytes` long; Borrowed, must outlive the use of
 * `out->manifest`. Not NULL. Thread: any. Errors: E_CORRUPT, E_FORMAT, E_TOO_LARGE. On failure
 * `out` is zeroed; nothing to release. */
SNAPCELL_API int snapcell_artifact_inspect(const void *bytes, size_t size_bytes,
                                           snapcell_artifact_info *out, snapcell_error *err);

/* Purpose: as snapcell_artifact_inspect(), but without the digest, which takes most of its time:
 * `out->digest` is what the artifact says, not checked. Structure and checksum are, so that damage
 * is detected; deliberate alteration is not. For lists; not for bytes from elsewhere, nor for
 * artifacts that are to be run. Thread: any. Errors: as snapcell_artifact_inspect(). */
SNAPCELL_API int snapcell_artifact_describe(const void *bytes, size_t size_bytes,
                                            snapcell_artifact_info *out, snapcell_error *err);

/* Purpose: the 32 lower-case hex digits of a key, zero-terminated, into `out`. Not NULL.
 * Thread: any. Errors: none. */
SNAPCELL_API void snapcell_key_format(const snapcell_key *key, char out[SNAPCELL_KEY_HEX_SIZE]);

/* Purpose: as snapcell_key_format(), for a fingerprint. Not NULL. Thread: any. Errors: none. */
SNAPCELL_API void snapcell_fingerprint_format(const snapcell_fingerprint *fingerprint,
                                              char out[SNAPCELL_KEY_HEX_SIZE]);

/* Purpose: read 32 hex digits (either case) into a key. `text`: zero-terminated. Not NULL.
 * Thread: any. Errors: E_USAGE when it is not a key; `out` is then untouched. */
SNAPCELL_API int snapcell_key_parse(const char *text, snapcell_key *out, snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
