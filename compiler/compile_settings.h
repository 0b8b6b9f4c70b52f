/* Options of a compile, checked and with their defaults filled in. Internal to the compiler. */
#ifndef SNAPCELL_COMPILE_SETTINGS_H
#define SNAPCELL_COMPILE_SETTINGS_H

#include "bundle.h"
#include "snapcell/compiler.h"

#define COMPILE_WARM_SIZE_MAX (UINT64_C(4) << 20) /* of all warm-up requests together */

/* The part of the options that decides the artifact. Pointers are Borrowed, except the name. */
typedef struct compile_recipe {
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1];
    snapcell_format format;
    snapcell_handler_shape shape; /* 0: found out */
    const snapcell_request *warm;
    size_t warm_count;
    int level; /* 0 when raw */
    bool raw;
    bool entropy_allowed;
    bool unevaluated;
    uint32_t prelude_length; /* 0: none */
    const snapcell_host *host;
} compile_recipe;

/* The part that does not. Pointers are Borrowed. */
typedef struct compile_limits {
    bool strict;
    bool no_sandbox;
    bool entropy_strict; /* random values are an error, though nothing else is */
    uint64_t memory_limit_bytes;
    uint32_t wall_limit_ms;
    const char *worker_path;
    snapcell_log_fn *log;
    void *log_user;
    snapcell_note_fn *note;
    void *note_user;
    snapcell_heap_fn *heap;
    void *heap_user;
} compile_limits;

/* The options as this library knows them; see public_struct.h. Errors: E_USAGE. */
int compile_options_read(const snapcell_compile_options *options, snapcell_compile_options *out,
                         snapcell_error *err);

/* Checks `options` (NULL: the defaults). Errors: E_USAGE. */
int compile_recipe_init(const snapcell_compile_options *options, const bundle_file *bundle,
                        compile_recipe *out, snapcell_error *err);
int compile_limits_init(const snapcell_compile_options *options, compile_limits *out,
                        snapcell_error *err);

/* A request's method and URL, with the defaults of snapcell/http.h. */
const char *compile_request_method(const snapcell_request *request);
const char *compile_request_url(const snapcell_request *request);

#endif
