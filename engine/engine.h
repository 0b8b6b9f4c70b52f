/* The engine: a C header around V8. Internal: the compiler and the loader reach V8 only through
 * this.
 *
 * V8 is started once per process, by engine_start(). Each function names its thread; none lets an
 * exception out. */
#ifndef SNAPCELL_ENGINE_H
#define SNAPCELL_ENGINE_H

#include <stdbool.h>

#include "artifact_reader.h"
#include "snapcell/defaults.h"
#include "snapcell/fetch.h"
#include "snapcell/host.h"
#include "snapcell/http.h"
#include "snapcell/log.h"
#include "snapcell/note.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- The process ------------------------------------------------------------------------------ */

typedef enum engine_mode {
    ENGINE_MODE_RUN = 0, /* fresh seeds, real clock */
    /* Fixed seeds and a stopped clock: the same bundle gives the same blob. */
    ENGINE_MODE_BUILD = 1,
    /* V8 started as its documentation says, without our changes: the baseline of benchmarks. */
    ENGINE_MODE_BASELINE = 2,
} engine_mode;

/* Starts V8, once: later calls with the same mode do nothing. Thread: any.
 * Errors: E_USAGE when it was started in the other mode, E_INTERNAL. */
int engine_start(engine_mode mode, snapcell_error *err);

/* How memory is kept between isolates, for the whole process. */
typedef struct engine_page_options {
    uint64_t kept_size_bytes; /* at most this much stays mapped for the next isolate */
    bool huge_pages;          /* ask the kernel for 2 MiB pages: a little faster, more resident */
    /* Memory is zeroed in place and not returned to the kernel, for a process that maps it from a
     * checkpoint (restore/): returned pages would have the checkpoint's bytes. */
    bool zeroed_in_place;
} engine_page_options;

/* To be called before engine_start(ENGINE_MODE_RUN), whose first call fixes them. Thread: any. */
void engine_set_page_options(const engine_page_options *options);

/* Returns memory that is kept for isolates to the kernel until at most `kept_size_bytes` are
 * left. Thread: any, after engine_start(). */
void engine_trim_pages(uint64_t kept_size_bytes);

/* Has so much more memory kept for isolates, touched ahead, within the bound of
 * engine_set_page_options(). Thread: any, after engine_start(). */
void engine_populate_pages(uint64_t size_bytes);

/* Lets OpenSSL draw from the system each time, for the whole process, instead of from a generator
 * whose state a restore of memory would bring back. Thread: any. */
void engine_draw_from_system(void);

/* Says that this process never forks, but that another one may go on with its memory (restore/, an
 * image): who calls is not looked at any more. Thread: any. */
void engine_leave_process(void);

/* Takes a response for nobody: for calls that are only rehearsed. */
extern const snapcell_stream engine_dropped_stream;

/* Starts V8 to run functions, loads one of the engine's own and calls it, for nobody: the next load
 * finds in memory what it needs of the program. Thread: any. Errors: those of engine_start(),
 * engine_cell_new() and engine_cell_stream(). */
int engine_rehearse(snapcell_error *err);

/* What artifacts are bound to. Neither starts V8. Thread: any. */
snapcell_fingerprint engine_fingerprint(void);
const char *engine_v8_version(void);
const char *engine_v8_flags(void);
const char *engine_architecture(void);

/* The snapshot of the smallest function, which artifacts of this engine use as the prefix of
 * their blob. Borrowed forever. Thread: any. */
const void *engine_base_blob(size_t *size_bytes);

/* --- Sources ---------------------------------------------------------------------------------- */

/* A bundle's text in the form that V8 reads, and where its bytes come from. `data` is called when
 * V8 first needs them, on the isolate's thread, and must give the same pointer each time; the text
 * lives as long as the isolate. */
typedef struct engine_text {
    artifact_text_encoding encoding;
    size_t length; /* in code units: bytes for Latin-1, pairs of bytes for UTF-16LE */
    const void *(*data)(void *user);
    void *user;
    size_t start; /* of what `data` gives, the text begins here; in code units, too */
} engine_text;

/* A source map (JSON); `data` is called when an error is reported, and may give NULL. */
typedef struct engine_source_map {
    const char *(*data)(void *user, size_t *size_bytes); /* NULL when there is no source map */
    void *user;
} engine_source_map;

typedef struct engine_bundle {
    const char *file_name; /* as stacks show it; a base name */
    engine_text source;
    /* So many code units of it, from its start, are an ES module of their own, which the rest
     * imports. 0: there is none; always of what is built */
    size_t prelude_length;
    engine_source_map source_map;
    const snapcell_host *host; /* NULL: no host functions */
} engine_bundle;

/* --- Building --------------------------------------------------------------------------------- */

/* As snapcell_format in snapcell/compiler.h. */
typedef enum engine_format {
    ENGINE_FORMAT_AUTO = 0,
    ENGINE_FORMAT_ESM = 1,
    ENGINE_FORMAT_COMMONJS = 2,
    ENGINE_FORMAT_SCRIPT = 3,
} engine_format;

/* Whether a bundle is evaluated a second time for inspection: for what it took from the clock and
 * from random numbers, and for everything that keeps it from being a snapshot, with places. Its
 * blob is the same either way. */
typedef enum engine_survey {
    ENGINE_SURVEY_NONE = 0,
    /* When it did not become a snapshot, or its text mentions a clock or random numbers. */
    ENGINE_SURVEY_WHEN_DUE = 1,
    /* No blob: V8 ended a process that tried to make one. */
    ENGINE_SURVEY_ONLY = 2,
} engine_survey;

typedef struct engine_build_options {
    snapcell_artifact_kind kind; /* what to make */
    engine_format format;
    const snapcell_request *warm;
    size_t warm_count;
    bool clear_code; /* drop compiled functions (V8's kClear): for comparison; kept otherwise */
    uint64_t memory_limit_bytes;
    snapcell_log_fn *log; /* NULL: dropped */
    void *log_user;
    const char *function_name;
    /* Random values of crypto may be kept: they are then the same in every instance. */
    bool entropy_allowed;
    /* Not 0: they may be drawn at top level, and are others for each number, to find out whether
     * the blob depends on them. */
    uint32_t entropy_trial;
    snapcell_handler_shape shape; /* of a function; 0: detected from the bundle's exports */
    engine_survey survey;
    snapcell_note_fn *note; /* NULL: dropped */
    void *note_user;
    /* Gets V8's heap snapshot, JSON, when a blob is made of the heap. NULL: not made */
    void (*heap)(void *user, const char *text, size_t size_bytes);
    void *heap_user;
} engine_build_options;

typedef struct engine_build_result {
    void *blob; /* Owned: engine_build_result_release() */
    size_t blob_size_bytes;
    snapcell_handler_shape shape;
    engine_format format; /* what AUTO found */
    char **warnings;      /* Owned with the result */
    size_t warning_count;
    /* Where the heap's bytes are before they are serialized, as "code 123 strings 456 ..."; Owned
     * with the result. */
    char *heap;
    char *apis; /* names of the web APIs that the blob holds, separated by blanks; Owned with the
                   result */
} engine_build_result;

/* Evaluates a bundle in a fresh isolate, warms it up, and makes a blob of it. In a process started
 * with ENGINE_MODE_BUILD, or with ENGINE_MODE_BASELINE for a code cache of that mode's flags; V8
 * may abort the process on what it cannot serialize. Thread: any, one at a time. Errors: E_SCRIPT,
 * E_NO_HANDLER, E_UNSNAPSHOTABLE (the message names the cause; always of ENGINE_SURVEY_ONLY),
 * E_MEMORY_LIMIT, E_INTERNAL. */
int engine_build(const engine_bundle *bundle, const engine_build_options *options,
                 engine_build_result *out, snapcell_error *err);

void engine_build_result_release(engine_build_result *result);

/* --- Running ----------------------------------------------------------------------------- */

/* A function to be made ready. `blob` and what `bundle` points to are Borrowed until
 * engine_cell_free(). */
typedef struct engine_image {
    snapcell_artifact_kind kind;
    snapcell_handler_shape shape;
    engine_format format; /* of a `code` artifact */
    const void *blob;     /* a `code` artifact without one is compiled from its source */
    size_t blob_size_bytes;
    engine_bundle bundle;
} engine_image;

typedef struct engine_env {
    const char *name;
    const char *value;
    bool is_json; /* `value` is the text of a JSON value, not a string */
} engine_env;

/* As snapcell_overrun_fn in snapcell/loader.h. */
typedef void engine_overrun_fn(void *user, int code);

/* Called inside V8 when a call cannot continue for lack of memory. Must not return: it leaves the
 * call by a jump, after which the process's memory is restored. */
typedef void engine_exhausted_fn(void *user);

typedef struct engine_cell_options {
    const char *function_name; /* copied */
    uint64_t memory_limit_bytes;
    uint64_t response_limit_bytes; /* 0: memory_limit_bytes for a whole one, none for a streamed */
    uint32_t timer_limit;          /* 0: SNAPCELL_TIMER_LIMIT_DEFAULT */
    bool frozen_clock;
    engine_overrun_fn *overrun; /* NULL: none */
    void *overrun_user;
    engine_exhausted_fn *exhausted; /* NULL: the call ends with E_MEMORY_LIMIT, if V8 can */
    void *exhausted_user;
    uint32_t cpu_limit_ms;  /* per call; 0: none */
    uint32_t wall_limit_ms; /* per call; 0: none */
    const engine_env *env;  /* copied */
    size_t env_count;
    snapcell_log_fn *log; /* NULL: dropped */
    void *log_user;
    const snapcell_fetch_client *fetch_client; /* NULL: fetch() is rejected; Borrowed */
    bool prelude_only;                         /* engine_cell_go_on() evaluates the rest */
} engine_cell_options;

/* Whether a cell can be made or called from here: not in a child that was forked after the engine
 * was started, which has no watchdog; and only on the thread's own stack, with at least
 * SNAPCELL_STACK_SIZE_BYTES_MIN of it left. Thread: any. Errors: E_USAGE. */
int engine_check_caller(snapcell_error *err);

typedef struct engine_cell_times {
    uint64_t isolate_ns;
    uint64_t context_ns;
} engine_cell_times;

typedef struct engine_cell engine_cell;

/* Makes an isolate and a context from an image that was verified, where engine_check_caller() has
 * passed, as it must for each call. Thread: any, in parallel.
 * Errors: E_SCRIPT (top level of a `code` artifact), E_MEMORY_LIMIT, E_CPU_LIMIT, E_WALL_LIMIT,
 * E_NOMEM, E_INTERNAL. */
int engine_cell_new(const engine_image *image, const engine_cell_options *options,
                    engine_cell **out, engine_cell_times *times, snapcell_error *err);

/* Makes a cell that was kept ready, without an env, equal to one that is made now: sets its env,
 * the start of its clock, and, if it will be restored, the state of Math.random(). To be called
 * before its first call. `env`: copied. Thread: one at a time. Errors: E_TOO_LARGE, E_INTERNAL. */
int engine_cell_rebind(engine_cell *cell, const engine_env *env, size_t env_count,
                       snapcell_error *err);

/* Makes a cell of which only the prelude was evaluated one of `image`: evaluates what comes after
 * the prelude, which must be the same text in the same encoding. `image`: as for engine_cell_new();
 * the first one stays in use, too. Thread: one at a time, once. Errors: E_USAGE (it is another
 * prelude), and those of engine_cell_new(). */
int engine_cell_go_on(engine_cell *cell, const engine_image *image, snapcell_error *err);

/* Says that the cell's memory, as it is now, will be restored for each call, and each time be
 * followed by engine_cell_rebind(). Thread: one at a time. Errors: E_INTERNAL (this V8 keeps the
 * state of Math.random() in a way that is not known here). */
int engine_cell_prepare_restores(engine_cell *cell, snapcell_error *err);

/* Has the engine's own code for requests run some times, and none of the function's, so that V8 has
 * learned from it what it would learn in each call; and has V8 compile the regular expressions that
 * there are. What fails is left as it is. Thread: one at a
 * time. */
void engine_cell_rehearse(engine_cell *cell);

/* Whether the cell gave out random values of crypto since it was made, or since this was last
 * called: they would be repeated if its memory became what is restored. Thread: one at a time. */
bool engine_cell_drew(engine_cell *cell);

/* Gives `note` what crypto gives out from now on, if it can be looked for in memory
 * (draw_search.h); engine_cell_drew() is then of the rest. NULL: no more. Thread: one at a time. */
typedef void engine_note_draw_fn(void *user, const void *value, size_t size_bytes);
void engine_cell_note_draws(engine_cell *cell, engine_note_draw_fn *note, void *user);

/* Clears what only looks as if it were kept: dead objects, and buffers that engine_cell_rebind()
 * fills again; with `wholly` to the last byte. False when more may be left. Thread: one at a time.
 */
bool engine_cell_clear_leftovers(engine_cell *cell, bool wholly);

/* The memory that a cell's heap takes now. Thread: one at a time. */
size_t engine_cell_size_bytes(engine_cell *cell);

/* The hash of fixed strings with a cell's seed, for tests: if values differ, seeds do. V8
 * draws one seed for all isolates that live at a time. Thread: one at a time. */
uint64_t engine_cell_hash_probe(engine_cell *cell);

/* How many cells live in this process. Thread: any. */
uint32_t engine_cell_count(void);

/* For tests: how many may live; 0: SNAPCELL_CELLS_MAX. Thread: any. */
void engine_set_cells_max(uint32_t count_max);

/* As snapcell_cell_fetch(), snapcell_cell_stream() and snapcell_cell_invoke(). Thread: one at a
 * time. */
int engine_cell_fetch(engine_cell *cell, const snapcell_request *request, snapcell_response **out,
                      snapcell_error *err);
int engine_cell_stream(engine_cell *cell, const snapcell_request *request,
                       const snapcell_stream *stream, snapcell_error *err);
int engine_cell_invoke(engine_cell *cell, const char *event_json, char **out,
                       size_t *out_size_bytes, snapcell_error *err);

/* As snapcell_cell_call(). Thread: one at a time. */
int engine_cell_call(engine_cell *cell, const char *handler, const char *event_json, char **out,
                     size_t *out_size_bytes, snapcell_error *err);

/* NULL is allowed. Thread: one at a time, once. */
void engine_cell_free(engine_cell *cell);

#ifdef __cplusplus
}
#endif
#endif
