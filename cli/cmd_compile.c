/* snapcell compile: bundles in, artifacts in the store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_history.h"
#include "error_set.h"

/* What is compiled is put when this much waits, or all is done: one transaction for a command, but
 * not all of its memory. */
#define COMPILE_WAITING_SIZE_MAX ((size_t)256 << 20)

enum {
    COMPILE_WARM = 256,
    COMPILE_LEVEL,
    COMPILE_RAW,
    COMPILE_FORMAT,
    COMPILE_SHAPE,
    COMPILE_STRICT,
    COMPILE_ENTROPY,
    COMPILE_EXPLAIN,
    COMPILE_HEAP,
    COMPILE_UNEVALUATED,
    COMPILE_PRELUDE,
    COMPILE_NO_SYNC,
};

static const cli_option compile_options[] = {
    {'n', "name", "NAME", "the function's name, with one FILE (default: the file's stem)"},
    {COMPILE_WARM, "warm", "REQ",
     "run the handler on this request at build time, so that its\n"
     "code and state are in the snapshot; repeatable. REQ is a URL\n"
     "path (/hello) or a JSON file {url, method, headers, body}.\n"
     "Workers may run it any number of times more, to get hot"},
    {COMPILE_FORMAT, "format", "auto|esm|commonjs|script",
     "auto (default), esm, commonjs or script"},
    {COMPILE_SHAPE, "shape", "auto|fetch|event",
     "what an exported function is: fetch (takes a Request), event\n"
     "(takes an event) or auto (default): fetch where the exports say\n"
     "so, as `config.runtime: \"edge\"` does"},
    {COMPILE_LEVEL, "level", "N", "zstd's level, 1 to 19"},
    {COMPILE_RAW, "raw", NULL, "store uncompressed"},
    {COMPILE_STRICT, "strict", NULL,
     "a function that V8 cannot snapshot is an error; without this\n"
     "it becomes a `code` artifact, evaluated at each load"},
    {COMPILE_ENTROPY, "entropy", "error|fresh|allow",
     "random values of crypto that stay from top level: error (default),\n"
     "fresh (a `code` artifact, which draws them at each load), or\n"
     "allow (the snapshot keeps them, the same in every instance, and\n"
     "what a warm-up leaves behind)"},
    {COMPILE_EXPLAIN, "explain", NULL,
     "show what is in the snapshot, or everything that keeps the\n"
     "function from being one: where it is made and kept, and what to do"},
    {COMPILE_HEAP, "heap-snapshot", "OUT",
     "write what is in the snapshot to the file OUT, with one FILE: a\n"
     "heap snapshot, as Chrome's developer tools read it"},
    {COMPILE_UNEVALUATED, "unevaluated", NULL,
     "a `code` artifact at once, without evaluating the bundle: for\n"
     "development. Needs --format; --shape auto means fetch"},
    {COMPILE_PRELUDE, "prelude-length", "N",
     "with --unevaluated: the bundle's first N UTF-16 code units are\n"
     "a module that the rest imports as snapcell:prelude"},
    {COMPILE_NO_SYNC, "no-sync", NULL,
     "do not wait until the disk has what is put: a machine that stops\n"
     "may leave a store that is damaged"},
    CLI_COMPILE_JOBS_OPTION,
    CLI_SIGN_OPTION("sign each artifact with this secret key; one that is there,\n"
                    "and is not signed so, is compiled again and replaced"),
    CLI_TENANT_OPTION("with --sign: sign for TENANT"),
    CLI_COMPILE_OPTIONS,
    CLI_JSON_OPTION("one JSON object a line for each bundle: name, key, kind, shape,\n"
                    "source_bytes, snapshot_bytes, artifact_bytes, compile_ms,\n"
                    "cached, warnings; or name, file, error {code, message, file,\n"
                    "line, column, stack}; with --explain, also explain {causes,\n"
                    "uses, apis, heap, warm}"),
    CLI_OPTIONS_END,
};

typedef struct compile_state {
    cli_arguments arguments;
    snapcell_compile_options options; /* the same for each bundle, except for its name */
    const char *name;
    const char **warm_texts;
    size_t warm_count;
    cli_warm *warms;
    snapcell_request *requests;
    size_t jobs;
    bool no_sync;
    bool explain;
    const char *heap_file; /* of --heap-snapshot, else NULL */
    char *heap;            /* its content */
    size_t heap_size_bytes;

    char **names; /* by file, as are the next two */
    cli_result *results;
    snapcell_compiled **compiled; /* waits to be put */
    size_t put_count;             /* so many results have been put and reported */
    size_t waiting_size_bytes;
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    cli_status status;

    snapcell_signing_key *key;  /* of --sign, else NULL */
    snapcell_trust *key_trust;  /* that key alone */
    pthread_mutex_t store_lock; /* for opening it */
    snapcell_store *store;
} compile_state;

/* --- Arguments --- */

static bool compile_take_format(compile_state *state, const char *value)
{
    static const char *const names[] = {"auto", "esm", "commonjs", "script", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        state->options.format = (snapcell_format)i;
        return true;
    }
    cli_message("--format must be auto, esm, commonjs or script, not '%s'", value);
    return false;
}

static bool compile_take_shape(compile_state *state, const char *value)
{
    static const char *const names[] = {"auto", "fetch", "event", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        state->options.shape = (snapcell_handler_shape)i;
        return true;
    }
    cli_message("--shape must be auto, fetch or event, not '%s'", value);
    return false;
}

static bool compile_take_entropy(compile_state *state, const char *value)
{
    static const char *const names[] = {"error", "fresh", "allow", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        state->options.entropy = (snapcell_entropy)i;
        return true;
    }
    cli_message("--entropy must be error, fresh or allow, not '%s'", value);
    return false;
}

static bool compile_take_level(compile_state *state, const char *value)
{
    uint64_t number = 0;
    if (!cli_number("--level", value, 1, 19, &number)) return false;
    state->options.level = (int)number;
    return true;
}

static bool compile_take_prelude(compile_state *state, const char *value)
{
    uint64_t number = 0;
    if (!cli_number("--prelude-length", value, 1, UINT32_MAX, &number)) return false;
    state->options.prelude_length = (uint32_t)number;
    return true;
}

static bool compile_take(void *user, int id, const char *value)
{
    compile_state *state = user;
    switch (id) {
    case 'n':
        state->name = value;
        return true;
    case COMPILE_WARM:
        state->warm_texts[state->warm_count++] = value;
        return true;
    case COMPILE_FORMAT:
        return compile_take_format(state, value);
    case COMPILE_SHAPE:
        return compile_take_shape(state, value);
    case COMPILE_LEVEL:
        return compile_take_level(state, value);
    case COMPILE_RAW:
        state->options.raw = true;
        return true;
    case COMPILE_STRICT:
        state->options.strict = true;
        return true;
    case COMPILE_ENTROPY:
        return compile_take_entropy(state, value);
    case COMPILE_UNEVALUATED:
        state->options.unevaluated = true;
        return true;
    case COMPILE_PRELUDE:
        return compile_take_prelude(state, value);
    case COMPILE_NO_SYNC:
        state->no_sync = true;
        return true;
    case COMPILE_EXPLAIN:
        state->explain = true;
        return true;
    case COMPILE_HEAP:
        state->heap_file = value;
        return true;
    default:
        return cli_compile_take(&state->options, &state->jobs, id, value);
    }
}

static int compile_read_warms(compile_state *state, snapcell_error *err)
{
    state->warms = calloc(state->warm_count + 1, sizeof(*state->warms));
    state->requests = calloc(state->warm_count + 1, sizeof(*state->requests));
    if (!state->warms || !state->requests)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the warm-up requests");
    for (size_t i = 0; i < state->warm_count; i++) {
        int status = cli_warm_init(&state->warms[i], state->warm_texts[i], err);
        if (status != SNAPCELL_OK) return status;
        state->requests[i] = state->warms[i].request;
    }
    state->options.warm = state->warm_count ? state->requests : NULL;
    state->options.warm_count = state->warm_count;
    return SNAPCELL_OK;
}

/* The last part of the path, without its last extension. Owned: free(). */
static char *compile_stem(const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strrchr(base, '.');
    return strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

static int compile_compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two bundles under one name would leave the second alone, silently. */
static int compile_check_names(const compile_state *state, size_t count, snapcell_error *err)
{
    cleanup_free char **sorted = malloc((count + 1) * sizeof(*sorted));
    if (!sorted) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the list of names");
    memcpy(sorted, state->names, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compile_compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            return error_set(err, SNAPCELL_E_USAGE,
                             "two files give the name '%s'; compile them one by one with --name",
                             sorted[i]);
    return SNAPCELL_OK;
}

static int compile_make_names(compile_state *state, snapcell_error *err)
{
    size_t count = (size_t)state->arguments.operand_count;
    if ((state->name || state->heap_file) && count > 1)
        return error_set(err, SNAPCELL_E_USAGE, "--%s goes with one file, not with %zu",
                         state->name ? "name" : "heap-snapshot", count);
    state->names = calloc(count + 1, sizeof(*state->names));
    state->results = calloc(count + 1, sizeof(*state->results));
    state->compiled = calloc(count + 1, sizeof(snapcell_compiled *));
    if (!state->names || !state->results || !state->compiled)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for %zu bundles", count);
    for (size_t i = 0; i < count; i++) {
        const char *file = state->arguments.operands[i];
        if (!file[0]) return error_set(err, SNAPCELL_E_USAGE, "a FILE cannot be empty");
        if (strcmp(file, "-") == 0 && !state->name)
            return error_set(err, SNAPCELL_E_USAGE, "a bundle from standard input needs a --name");
        state->names[i] = state->name ? strdup(state->name) : compile_stem(file);
        if (!state->names[i]) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a name");
        int status = snapcell_name_check(state->names[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return compile_check_names(state, count, err);
}

/* --- One bundle --- */

/* The store is made by the first put: where nothing compiles, nothing is left behind. */
static int compile_store(compile_state *state, snapcell_store_mode mode, snapcell_store **out,
                         snapcell_error *err)
{
    int status = SNAPCELL_OK;
    pthread_mutex_lock(&state->store_lock);
    cli_guard_store(state->arguments.store);
    if (!state->store) {
        status = snapcell_store_open(state->arguments.store, mode, &state->store, err);
        if (status == SNAPCELL_OK) snapcell_store_set_sync(state->store, !state->no_sync);
    }
    *out = state->store;
    pthread_mutex_unlock(&state->store_lock);
    return status;
}

/* Whether what is there was signed as this compile would sign it. What was not is compiled
 * again: a signer vouches for where it came from, and only the store says where that is. */
static bool compile_is_vouched(const compile_state *state, const cli_result *result,
                               const snapcell_store_view *view)
{
    const char *tenant = state->arguments.tenant ? state->arguments.tenant : "";
    return !state->key || snapcell_trust_check(state->key_trust, view->bytes, view->size_bytes,
                                               result->name, tenant, NULL, NULL) == SNAPCELL_OK;
}

static bool compile_draws_at_top_level(const snapcell_artifact_info *info)
{
    json_t *manifest = cli_manifest(info);
    size_t index;
    json_t *note;
    bool draws = false;
    json_array_foreach(json_object_get(manifest, "notes"), index, note)
    {
        const char *kind = json_string_value(json_object_get(note, "kind"));
        draws |= kind != NULL && strcmp(kind, "entropy") == 0 &&
                 json_is_true(json_object_get(note, "prevents")) &&
                 !json_is_true(json_object_get(note, "warm"));
    }
    json_decref(manifest);
    return draws;
}

/* Strictness is not part of the key: what was stored as a fallback may now be an error. */
static bool compile_would_refuse(const compile_state *state, const snapcell_artifact_info *info)
{
    if (info->kind != SNAPCELL_ARTIFACT_CODE) return false;
    return state->options.strict ||
           (state->options.entropy == SNAPCELL_ENTROPY_ERROR && compile_draws_at_top_level(info));
}

/* Whether the key is in the store, sound. */
static int compile_find(compile_state *state, cli_result *result, bool *found, snapcell_error *err)
{
    snapcell_store *store = NULL;
    snapcell_store_view view;
    *found = false;
    int status = compile_store(state, SNAPCELL_STORE_WRITE, &store, err);
    if (status == SNAPCELL_E_NOT_FOUND) return SNAPCELL_OK;
    if (status == SNAPCELL_OK) status = snapcell_store_view_open(store, &result->key, &view, err);
    if (status == SNAPCELL_E_NOT_FOUND) return SNAPCELL_OK;
    if (status != SNAPCELL_OK) return status;
    snapcell_artifact_info info;
    status = snapcell_artifact_inspect(view.bytes, view.size_bytes, &info, err);
    if (status == SNAPCELL_OK) cli_result_take_info(result, &info);
    bool vouched = compile_is_vouched(state, result, &view);
    bool refused = status == SNAPCELL_OK && compile_would_refuse(state, &info);
    snapcell_store_view_close(store, &view);
    if (state->key && !vouched) return SNAPCELL_OK; /* sound or not: it is replaced */
    if (status != SNAPCELL_OK) {
        char key[SNAPCELL_KEY_HEX_SIZE];
        snapcell_error cause = *err;
        return error_set(err, status,
                         "the artifact in the store is bad (%s); `snapcell rm %s` makes "
                         "way for a new one",
                         cause.message, cli_key_text(&result->key, key));
    }
    *found = !refused;
    return SNAPCELL_OK;
}

/* What can be read just once cannot have its key computed before it is compiled. */
static bool compile_is_stream(const char *path)
{
    struct stat there;
    if (strcmp(path, "-") == 0) return true;
    return stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
}

static int compile_stream(const char *path, const snapcell_compile_options *options,
                          snapcell_compiled **out, snapcell_error *err)
{
    cleanup_free char *source = NULL;
    size_t size_bytes = 0;
    const char *base = strrchr(path, '/');
    const char *file_name = strcmp(path, "-") == 0 ? "stdin.js" : base ? base + 1 : path;
    int status = cli_read_file(path, CLI_BODY_SIZE_MAX, &source, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    return snapcell_compile_memory(file_name, source, size_bytes, NULL, 0, options, out, err);
}

static void compile_keep_heap(void *user, const char *text, size_t size_bytes)
{
    compile_state *state = user;
    free(state->heap);
    state->heap = malloc(size_bytes + 1);
    state->heap_size_bytes = size_bytes;
    if (state->heap) memcpy(state->heap, text, size_bytes);
}

static int compile_write_heap(const compile_state *state, snapcell_error *err)
{
    if (!state->heap_file) return SNAPCELL_OK;
    if (!state->heap)
        return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE,
                         "there is no heap to write to %s: the function is no snapshot",
                         state->heap_file);
    return cli_write_file(state->heap_file, state->heap, state->heap_size_bytes, true, err);
}

static int compile_make(cli_result *result, const snapcell_compile_options *options,
                        snapcell_compiled **out, snapcell_error *err)
{
    cli_result_release(result); /* of what the store has and is not wanted */
    int status = compile_is_stream(result->subject)
                     ? compile_stream(result->subject, options, out, err)
                     : snapcell_compile_file(result->subject, options, out, err);
    if (status == SNAPCELL_OK) cli_result_take_compiled(result, *out);
    return status;
}

static int compile_one(compile_state *state, cli_result *result, snapcell_compiled **out,
                       const snapcell_compile_options *options, snapcell_error *err)
{
    if (compile_is_stream(result->subject) || state->heap_file)
        return compile_make(result, options, out, err);
    int status = snapcell_compile_key(result->subject, options, &result->key, err);
    if (status == SNAPCELL_OK) status = compile_find(state, result, &result->cached, err);
    if (status != SNAPCELL_OK || result->cached) return status;
    return compile_make(result, options, out, err);
}

static void compile_work(void *user, size_t index)
{
    compile_state *state = user;
    cli_result *result = &state->results[index];
    result->name = state->names[index];
    result->subject = state->arguments.operands[index];
    snapcell_compile_options options = state->options;
    options.name = result->name;
    options.log_user = state->names[index];
    options.note = cli_explain_note;
    options.note_user = result;
    options.heap = state->heap_file ? compile_keep_heap : NULL;
    options.heap_user = state;
    result->explain = state->explain;
    double start_ms = cli_now_ms();
    result->code = compile_one(state, result, &state->compiled[index], &options, &result->error);
    result->compile_ms = cli_now_ms() - start_ms;
}

/* --- Putting --- */

typedef struct compile_puts {
    snapcell_store_item *items; /* Owned, as are the next two and what `owned` lists */
    void **owned;
    size_t *results; /* whose items they are */
    size_t count;
} compile_puts;

static void compile_puts_release(compile_puts *puts)
{
    for (size_t i = 0; puts->owned && i < puts->count; i++)
        free(puts->owned[i]);
    free(puts->items);
    free(puts->owned);
    free(puts->results);
}

/* An item of each that did not fail, up to `end`. */
static bool compile_puts_fill(compile_state *state, size_t end, compile_puts *puts)
{
    const size_t most = end - state->put_count + 1;
    puts->items = calloc(most, sizeof(*puts->items));
    puts->owned = calloc(most, sizeof(*puts->owned));
    puts->results = calloc(most, sizeof(*puts->results));
    if (!puts->items || !puts->owned || !puts->results) return false;
    for (size_t i = state->put_count; i < end; i++) {
        cli_result *result = &state->results[i];
        snapcell_store_item *item = &puts->items[puts->count];
        const cli_signer signer = {state->key, result->name, state->arguments.tenant};
        if (result->code == SNAPCELL_OK && !result->cached)
            result->code = cli_compiled_item(state->compiled[i], &signer, result, item,
                                             &puts->owned[puts->count], &result->error);
        if (result->code != SNAPCELL_OK) continue;
        item->name = result->name;
        item->origin = result->subject;
        item->key = result->key;
        puts->results[puts->count++] = i;
    }
    return true;
}

static int compile_put(compile_state *state, const compile_puts *puts, size_t first, size_t count,
                       snapcell_error *err)
{
    snapcell_store *store = NULL;
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    options.replace = state->key != NULL;
    options.action = SNAPCELL_HISTORY_COMPILED;
    options.who = state->who;
    if (count == 0) return SNAPCELL_OK;
    int status = compile_store(state, SNAPCELL_STORE_CREATE, &store, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_put_items(store, puts->items + first, count, &options, err);
    return status;
}

/* All in one transaction; if one of them stands in its way, each in one of its own. */
static void compile_put_all(compile_state *state, size_t end)
{
    snapcell_error err;
    compile_puts puts = {0};
    if (!compile_puts_fill(state, end, &puts)) {
        for (size_t i = state->put_count; i < end; i++)
            state->results[i].code =
                error_set(&state->results[i].error, SNAPCELL_E_NOMEM, "no memory to put it");
    } else if (compile_put(state, &puts, 0, puts.count, &err) != SNAPCELL_OK) {
        for (size_t i = 0; i < puts.count; i++) {
            cli_result *result = &state->results[puts.results[i]];
            result->code = compile_put(state, &puts, i, 1, &result->error);
        }
    }
    compile_puts_release(&puts);
}

/* Puts what waits, then tells of it: what is told of is in the store. */
static void compile_flush(compile_state *state, size_t end)
{
    compile_put_all(state, end);
    for (size_t i = state->put_count; i < end; i++) {
        cli_result *result = &state->results[i];
        if (result->code == SNAPCELL_OK) result->code = compile_write_heap(state, &result->error);
        state->status = cli_worse(state->status, cli_result_print(result, state->arguments.json));
        snapcell_compiled_free(state->compiled[i]);
        state->compiled[i] = NULL;
    }
    state->put_count = end;
    state->waiting_size_bytes = 0;
}

static void compile_done(void *user, size_t index)
{
    compile_state *state = user;
    const cli_result *result = &state->results[index];
    if (result->code == SNAPCELL_OK && !result->cached)
        state->waiting_size_bytes += (size_t)result->artifact_size_bytes;
    if (index + 1 == (size_t)state->arguments.operand_count ||
        state->waiting_size_bytes >= COMPILE_WAITING_SIZE_MAX)
        compile_flush(state, index + 1);
}

static const char *compile_label(void *user, size_t index)
{
    const compile_state *state = user;
    return state->names[index];
}

/* --- The command --- */

/* Before anything is compiled, so that no work is wasted. */
static int compile_open_key(compile_state *state, snapcell_error *err)
{
    const cli_arguments *arguments = &state->arguments;
    if (arguments->tenant && !arguments->sign)
        return error_set(err, SNAPCELL_E_USAGE, "--tenant says whom to sign for; give --sign, too");
    int status = cli_signing_key_open(arguments, &state->key, err);
    if (status == SNAPCELL_OK && state->key)
        status = cli_trust_of_key(state->key, &state->key_trust, err);
    return status;
}

static cli_status compile_run(compile_state *state)
{
    snapcell_error err;
    int status = compile_make_names(state, &err);
    if (status == SNAPCELL_OK) status = compile_open_key(state, &err);
    if (status == SNAPCELL_OK) status = compile_read_warms(state, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_who(state->who);
    cli_batch batch = {
        .count = (size_t)state->arguments.operand_count,
        .jobs = state->jobs ? state->jobs : cli_cpu_count(),
        .work = compile_work,
        .print = compile_done,
        .label = compile_label,
        .user = state,
    };
    if (cli_batch_run(&batch)) return state->status;
    cli_message("no memory for %zu bundles", batch.count);
    return CLI_TROUBLE;
}

static void compile_release(compile_state *state)
{
    size_t count = state->names ? (size_t)state->arguments.operand_count : 0;
    for (size_t i = 0; i < count; i++) {
        free(state->names[i]);
        if (state->results) cli_result_release(&state->results[i]);
        if (state->compiled) snapcell_compiled_free(state->compiled[i]);
    }
    for (size_t i = 0; state->warms && i < state->warm_count; i++)
        cli_warm_release(&state->warms[i]);
    free(state->names);
    free(state->results);
    free(state->compiled);
    free(state->warms);
    free(state->requests);
    free(state->warm_texts);
    free(state->heap);
    snapcell_store_close(state->store);
    snapcell_trust_free(state->key_trust);
    snapcell_signing_key_free(state->key);
    pthread_mutex_destroy(&state->store_lock);
}

static cli_status compile_main(const cli_command *command, int argc, char **argv)
{
    compile_state state = {
        .options = SNAPCELL_COMPILE_OPTIONS_INIT,
        .warm_texts = calloc((size_t)argc + 1, sizeof(*state.warm_texts)),
        .store_lock = PTHREAD_MUTEX_INITIALIZER,
    };
    cli_status status = CLI_TROUBLE;
    state.options.log = cli_console;
    if (!state.warm_texts)
        cli_message("no memory for the command line");
    else if (cli_parse(command, argc, argv, compile_take, &state, &state.arguments, &status))
        status = compile_run(&state);
    compile_release(&state);
    return status;
}

const cli_command cmd_compile = {
    .name = "compile",
    .operands = "FILE...",
    .summary = "compile bundles and put them into the store",
    .description =
        "Compiles each FILE (- is standard input), a JavaScript bundle, into a snapshot and\n"
        "puts it into the store under its name. The store is made when it is missing. A bundle\n"
        "that is in the store already, for this engine and with these options, is not compiled\n"
        "again. All are put in one transaction, when the last is compiled, and then told of. A\n"
        "bundle that fails does not stop the others; the exit status is then that of the worst\n"
        "failure.",
    .options = compile_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = compile_main,
};
