/* The compiler: turns a bundle into an artifact.
 *
 * The bundle is evaluated in a child process (the `snapcell` program), so that a V8 abort, an
 * endless loop or excessive memory use there becomes an error here. Compiles may run on several
 * threads at once. */
#ifndef SNAPCELL_COMPILER_H
#define SNAPCELL_COMPILER_H

#include <stdbool.h>

#include "snapcell/artifact.h"
#include "snapcell/defaults.h"
#include "snapcell/host.h"
#include "snapcell/http.h"
#include "snapcell/log.h"
#include "snapcell/note.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum snapcell_format {
    SNAPCELL_FORMAT_AUTO = 0,
    SNAPCELL_FORMAT_ESM = 1,
    SNAPCELL_FORMAT_COMMONJS = 2,
    SNAPCELL_FORMAT_SCRIPT = 3
} snapcell_format;

/* What to do about random values that crypto returns at top level (bytes, UUIDs, keys): in a
 * snapshot all instances would share them. They do no harm when the snapshot is the same, byte for
 * byte, whatever they are; this is tried. Those that a warm-up request leaves behind lead to a
 * `code` artifact, unless they are allowed. */
typedef enum snapcell_entropy {
    SNAPCELL_ENTROPY_ERROR = 0, /* E_UNSNAPSHOTABLE, naming the lines */
    /* A `code` artifact, whose top level runs at each load: each instance has its own. */
    SNAPCELL_ENTROPY_FRESH = 1,
    /* They are in the snapshot: the same in every instance, and known to anyone with the bundle. */
    SNAPCELL_ENTROPY_ALLOW = 2
} snapcell_entropy;

/* Takes V8's heap snapshot of a function, JSON as Chrome's developer tools read it. `text`:
 * Borrowed during the call. On the thread that compiles. */
typedef void snapcell_heap_fn(void *user, const char *text, size_t size_bytes);

/* Zero means the default of snapcell/defaults.h, everywhere. Everything is Borrowed during the
 * call. */
typedef struct snapcell_compile_options {
    size_t struct_size;     /* sizeof(snapcell_compile_options) */
    const char *name;       /* the function's name; NULL: the file's stem */
    snapcell_format format; /* AUTO: detected from the source */
    const snapcell_request
        *warm; /* requests to answer at build time, in order; NULL when there are none. Workers that
                * restore their memory may answer them any number of times more; see
                * snapcell_workers_options.warm_calls. */
    size_t warm_count;
    int level;                   /* zstd's, 1 to 19; 0: SNAPCELL_LEVEL_DEFAULT */
    bool raw;                    /* store uncompressed */
    bool strict;                 /* what cannot be snapshotted is an error, not a `code` artifact */
    uint64_t memory_limit_bytes; /* of the child; 0: 512 MiB */
    uint32_t wall_limit_ms;      /* of the child; 0: 30,000 */
    const snapcell_host *host;   /* NULL: no host functions */
    /* The `snapcell` program; NULL: $SNAPCELL_WORKER, else next to the library or in ../bin or
     * ../../bin from it, else the running program when it is `snapcell`, else on $PATH. */
    const char *worker_path;
    snapcell_log_fn *log; /* console output at build time; NULL: dropped */
    void *log_user;
    /* Run the child without a sandbox: for debugging, and for kernels that lack what the sandbox
     * needs (E_SANDBOX); see snapcell/sandbox.h. */
    bool no_sandbox;
    snapcell_entropy entropy;
    /* Called with what the top level and warm-ups took from the clock and from random numbers, and
     * with each cause that keeps the function from being a snapshot, even if the compile fails
     * because of it. The manifest holds the same. NULL: dropped */
    snapcell_note_fn *note;
    void *note_user;
    /* How to treat a handler that is a bare function, such as an ES module's default export: FETCH
     * takes a Request and returns a Response, as on Vercel's and Netlify's edge; JSON takes an
     * event. 0: FETCH if the module's exports say so (docs/web-api.md), else JSON. Does not apply
     * to objects with a `fetch` and to listeners. */
    snapcell_handler_shape shape;
    /* Called with what is on the heap when the snapshot is made; not for a `code` artifact. The
     * artifact is the same with it and without. NULL: nothing is told */
    snapcell_heap_fn *heap;
    void *heap_user;
    /* A `code` artifact at once, made without evaluating the bundle: while developing, the first
     * answer to a change need not wait for the snapshot. What is wrong with the top level comes to
     * light when it is loaded. Needs `format`; a `shape` of 0 is FETCH; there are no warm-ups. */
    bool unevaluated;
    /* With `unevaluated` and ESM: so many UTF-16 code units of the bundle are an ES module of their
     * own, which the rest imports as "snapcell:prelude". 0: the bundle is one module */
    uint32_t prelude_length;
} snapcell_compile_options;

#define SNAPCELL_COMPILE_OPTIONS_INIT                                                              \
    {                                                                                              \
        .struct_size = sizeof(snapcell_compile_options)                                            \
    }

/* A finished compile. Opaque; Owned by the caller. */
typedef struct snapcell_compiled snapcell_compiled;

/* Purpose: compile the bundle in file `path` (not NULL). A source map named by the bundle, inline
 * or next to it, is kept. `options`: NULL for the defaults. `*out`: Owned, free with
 * snapcell_compiled_free(). NULL on failure. Thread: any, several at once. Errors: E_NOT_FOUND,
 * E_IO, E_USAGE (not JavaScript text, empty, bad option), E_SCRIPT (with place and stack),
 * E_NO_HANDLER, E_UNSNAPSHOTABLE (strict, or SNAPCELL_ENTROPY_ERROR), E_MEMORY_LIMIT, E_WALL_LIMIT,
 * E_TOO_LARGE, E_NOMEM, E_SANDBOX, E_INTERNAL (no such program, or it died for another reason). */
SNAPCELL_API int snapcell_compile_file(const char *path, const snapcell_compile_options *options,
                                       snapcell_compiled **out, snapcell_error *err);

/* Purpose: as snapcell_compile_file(), for a bundle in memory. `file_name` (not NULL) stands in
 * stacks and errors; its last part is part of the key. `source`: UTF-8, `source_size_bytes` long.
 * `source_map`: JSON or NULL. Thread and errors: as snapcell_compile_file(). */
SNAPCELL_API int snapcell_compile_memory(const char *file_name, const void *source,
                                         size_t source_size_bytes, const void *source_map,
                                         size_t source_map_size_bytes,
                                         const snapcell_compile_options *options,
                                         snapcell_compiled **out, snapcell_error *err);

/* Purpose: the key that compiling the file with these options gives, without compiling. Limits,
 * `strict` and SNAPCELL_ENTROPY_ERROR are not part of it: under a key that is there already may be
 * a `code` artifact. `out`: not NULL. Thread: any. Errors: E_NOT_FOUND, E_IO, E_USAGE, E_NOMEM. */
SNAPCELL_API int snapcell_compile_key(const char *path, const snapcell_compile_options *options,
                                      snapcell_key *out, snapcell_error *err);

/* Purpose: the artifact's bytes. `*size_bytes` (not NULL) is their number.
 * Returns: Borrowed until snapcell_compiled_free(). Thread: one at a time. Errors: none. */
SNAPCELL_API const void *snapcell_compiled_artifact(const snapcell_compiled *compiled,
                                                    size_t *size_bytes);

/* Purpose: the artifact's facts. Returns: Borrowed until snapcell_compiled_free(). Thread: one at a
 * time. Errors: none. */
SNAPCELL_API const snapcell_artifact_info *
snapcell_compiled_info(const snapcell_compiled *compiled);

/* Purpose: the function's name. Returns: Borrowed until snapcell_compiled_free(). Thread: one at a
 * time. Errors: none. */
SNAPCELL_API const char *snapcell_compiled_name(const snapcell_compiled *compiled);

/* Purpose: how many warnings there are. Thread: one at a time. Errors: none. */
SNAPCELL_API size_t snapcell_compiled_warning_count(const snapcell_compiled *compiled);

/* Purpose: warning number `index`, one line. Returns: Borrowed until snapcell_compiled_free(); NULL
 * when out of range. Thread: one at a time. Errors: none. */
SNAPCELL_API const char *snapcell_compiled_warning(const snapcell_compiled *compiled, size_t index);

/* Purpose: release a compile; NULL is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_compiled_free(snapcell_compiled *compiled);

/* --- Advanced --------------------------------------------------------------------------------- */

/* Purpose: compile again, for this engine, what an artifact was made from: its source, its source
 * map, its name and its options (format, shape, warm-up, level, raw, whether random values are
 * allowed).
 * From `options` only limits, host, worker_path and log are taken; NULL for the defaults. `bytes`:
 * an artifact of any engine; Borrowed during the call. Thread and errors: as
 * snapcell_compile_file(), and E_CORRUPT, E_FORMAT. */
SNAPCELL_API int snapcell_recompile(const void *bytes, size_t size_bytes,
                                    const snapcell_compile_options *options,
                                    snapcell_compiled **out, snapcell_error *err);

/* Purpose: as snapcell_recompile(), with the bundle in file `path` (not NULL) instead of the
 * artifact's own source: what a file gives with the options that an artifact was made with. It is
 * taken to have the artifact's file name. Thread and errors: as snapcell_recompile(). */
SNAPCELL_API int snapcell_rebuild(const void *bytes, size_t size_bytes, const char *path,
                                  const snapcell_compile_options *options, snapcell_compiled **out,
                                  snapcell_error *err);

/* One thing in which two artifacts differ. A plain value. */
typedef struct snapcell_difference {
    /* "engine", "host", "kind", "source", "bundle", "source map", "blob", "manifest" or "encoding";
     * static. */
    const char *what;
    uint64_t offset;        /* of the first byte that differs, in the decoded part */
    uint64_t count;         /* of bytes that differ; what one has more counts, too */
    uint64_t size_bytes[2]; /* of the part in each */
    char detail[200];       /* for people: what decides, and where */
} snapcell_difference;

#define SNAPCELL_DIFFERENCE_COUNT_MAX 8

/* Purpose: tell in what artifact `b` differs from artifact `a`, signatures apart; of artifacts of
 * two engines or kinds, sources and bindings alone. `*out_count` (not NULL) is 0 when they are
 * identical. The artifacts: Borrowed during the call. Blobs must be this engine's. Thread: any.
 * Errors: E_CORRUPT, E_FORMAT, E_TOO_LARGE, E_NOMEM, E_USAGE. */
SNAPCELL_API int snapcell_artifact_compare(const void *a, size_t a_size_bytes, const void *b,
                                           size_t b_size_bytes,
                                           snapcell_difference out[SNAPCELL_DIFFERENCE_COUNT_MAX],
                                           size_t *out_count, snapcell_error *err);

/* Purpose: be the child process; called by a program that was started as one, with the
 * socket's descriptor. Returns: the process's exit status. Thread: the main one, once, before
 * anything else. Errors: sent to the parent. */
SNAPCELL_API int snapcell_compile_child(int socket_fd);

#ifdef __cplusplus
}
#endif
#endif
