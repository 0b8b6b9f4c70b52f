/* snapcell bench: how long cold starts take, here, against what V8 does without snapcell. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "bench_child.h"
#include "bench_sections.h"
#include "error_set.h"

enum {
    BENCH_OUT = 256,
    BENCH_QUICK,
    BENCH_SAMPLES,
    BENCH_PROCESSES,
    BENCH_MANY,
    BENCH_PEERS,
    BENCH_URL,
    BENCH_ONLY,
    BENCH_SEED,
    BENCH_COMMIT,
};

static const cli_option bench_options[] = {
    {BENCH_OUT, "out", "DIR",
     "where results.json and the run's own stores go\n"
     "(default: ./snapcell-bench)"},
    {BENCH_QUICK, "quick", NULL, "fewer samples: for a look, not for a figure"},
    {BENCH_SAMPLES, "samples", "N", "loads of a configuration (default: 300; quick: 50)"},
    {BENCH_PROCESSES, "processes", "N", "processes of a program (default: 40; quick: 8)"},
    {BENCH_MANY, "many", "N",
     "artifacts in the large store, copies of the first\n"
     "function's (default: 100000; quick: 2000; 0: none)"},
    {BENCH_PEERS, "peers", "FILE", "other runtimes, as bench/peers/prepare.mjs lists them"},
    {BENCH_URL, "url", "PATH", "what the functions are asked and warmed up with (default: /)"},
    {BENCH_ONLY, "only", "PART",
     "load, process, memory, threads, restore, launch or\nmany; "
     "repeatable"},
    {BENCH_SEED, "seed", "N", "of the random order (default: drawn, and recorded)"},
    {BENCH_COMMIT, "commit", "TEXT", "recorded with the results"},
    CLI_JSON_OPTION("print the results without the raw samples"),
    CLI_OPTIONS_END,
};

static const bench_section *const bench_sections[] = {
    &bench_section_load,    &bench_section_process, &bench_section_memory, &bench_section_threads,
    &bench_section_restore, &bench_section_launch,  &bench_section_many,
};
#define BENCH_SECTION_COUNT (sizeof(bench_sections) / sizeof(bench_sections[0]))

typedef struct bench_state {
    cli_arguments arguments;
    bench_context context;
    const char *commit;
    bool only[BENCH_SECTION_COUNT];
    bool any_only;
    bool samples_given, processes_given, many_given, seed_given;
} bench_state;

/* --- Arguments --- */

static bool bench_take_count(const char *option, const char *value, uint64_t max, uint32_t *out,
                             bool *given)
{
    uint64_t number;
    if (!cli_number(option, value, 0, max, &number)) return false;
    *out = (uint32_t)number;
    *given = true;
    return true;
}

static bool bench_take_only(bench_state *state, const char *value)
{
    for (size_t i = 0; i < BENCH_SECTION_COUNT; i++) {
        if (strcmp(bench_sections[i]->name, value) != 0) continue;
        state->only[i] = state->any_only = true;
        return true;
    }
    cli_message("--only needs load, process, memory, threads, restore, launch or many, not '%s'",
                value);
    return false;
}

static bool bench_take(void *user, int id, const char *value)
{
    bench_state *state = user;
    bench_settings *settings = &state->context.settings;
    switch (id) {
    case BENCH_OUT:
        settings->out = value;
        return true;
    case BENCH_QUICK:
        settings->quick = true;
        return true;
    case BENCH_SAMPLES:
        return bench_take_count("--samples", value, 100000, &settings->samples,
                                &state->samples_given);
    case BENCH_PROCESSES:
        return bench_take_count("--processes", value, 10000, &settings->processes,
                                &state->processes_given);
    case BENCH_MANY:
        return bench_take_count("--many", value, 10000000, &settings->many, &state->many_given);
    case BENCH_PEERS:
        settings->peers_path = value;
        return true;
    case BENCH_URL:
        settings->url = value;
        return true;
    case BENCH_ONLY:
        return bench_take_only(state, value);
    case BENCH_SEED:
        state->seed_given = true;
        return cli_number("--seed", value, 0, UINT64_MAX, &settings->seed);
    default:
        state->commit = value;
        return true;
    }
}

static void bench_set_defaults(bench_state *state)
{
    bench_settings *settings = &state->context.settings;
    if (!state->samples_given || settings->samples == 0)
        settings->samples = settings->quick ? 50 : 300;
    if (!state->processes_given || settings->processes == 0)
        settings->processes = settings->quick ? 8 : 40;
    if (!state->many_given) settings->many = settings->quick ? 2000 : 100000;
    if (!settings->out) settings->out = "snapcell-bench";
    if (!settings->url) settings->url = "/";
    if (!state->commit) state->commit = "unknown";
    if (!state->seed_given && getrandom(&settings->seed, 4, 0) != 4)
        settings->seed = (uint64_t)time(NULL);
}

/* --- The run --- */

static int bench_take_functions(bench_state *state, snapcell_error *err)
{
    bench_context *context = &state->context;
    size_t count = (size_t)state->arguments.operand_count;
    context->functions = calloc(count, sizeof(*context->functions));
    if (!context->functions) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the functions");
    for (size_t i = 0; i < count; i++) {
        bench_function *function = &context->functions[i];
        function->path = state->arguments.operands[i];
        const char *slash = strrchr(function->path, '/');
        const char *base = slash ? slash + 1 : function->path;
        int size = (int)strcspn(base, ".");
        snprintf(function->name, sizeof(function->name), "%.*s", size, base);
    }
    context->function_count = count;
    return SNAPCELL_OK;
}

static int bench_make_folders(bench_context *context, snapcell_error *err)
{
    const char *out = context->settings.out;
    if (mkdir(out, 0755) != 0 && errno != EEXIST)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "making the folder %s", out);
    snprintf(context->store, sizeof(context->store), "%s/bench-store", out);
    snprintf(context->cold_store, sizeof(context->cold_store), "%s/bench-store-cold", out);
    int longest = snprintf(context->cold_raw_store, sizeof(context->cold_raw_store),
                           "%s/bench-store-cold-raw", out);
    if (longest < (int)sizeof(context->cold_raw_store)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "--out is too long");
}

static void bench_begin_results(bench_state *state, int argc, char **argv)
{
    const bench_settings *settings = &state->context.settings;
    json_t *words = json_array();
    for (int i = 0; i < argc; i++)
        json_array_append_new(words, cli_json_text(argv[i]));
    char started[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &utc);
    state->context.results = json_pack(
        "{s:s, s:s, s:o, s:b, s:I, s:i, s:i, s:o, s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[]}",
        "schema", "snapcell-bench-1", "started", started, "command", words, "quick",
        settings->quick, "seed", (json_int_t)settings->seed, "samples", (int)settings->samples,
        "processes", (int)settings->processes, "environment", bench_environment_json(state->commit),
        "functions", "series", "memory", "throughput", "workers", "launches", "missing",
        "warnings");
}

static int bench_measure(bench_state *state, snapcell_error *err)
{
    bench_context *context = &state->context;
    bench_random_init(&context->random, context->settings.seed);
    for (size_t i = 0; i < BENCH_SECTION_COUNT; i++)
        if (!state->any_only || state->only[i]) bench_sections[i]->plan(context);
    bench_noise_begin(&context->noise);
    int status = bench_prepare(context, err);
    for (size_t i = 0; i < BENCH_SECTION_COUNT && status == SNAPCELL_OK; i++)
        if (!state->any_only || state->only[i]) status = bench_sections[i]->run(context, err);
    bench_progress_end(&context->progress);
    if (status == SNAPCELL_OK)
        json_object_set_new(context->results, "noise", bench_noise_end(&context->noise));
    return status;
}

static int bench_write_results(const bench_context *context, snapcell_error *err)
{
    char path[4200];
    snprintf(path, sizeof(path), "%s/results.json", context->settings.out);
    char *text cleanup_free = json_dumps(context->results, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (!text) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the results");
    return cli_write_file(path, text, strlen(text), true, err);
}

/* --- What a person reads --- */

static double bench_ms(const json_t *statistics, const char *name)
{
    return (double)json_integer_value(json_object_get(statistics, name)) / 1e6;
}

static void bench_print_series(const json_t *series)
{
    const json_t *total = json_object_get(json_object_get(series, "statistics"), "total_ns");
    char function[24], config[24];
    snprintf(function, sizeof(function), "%s",
             json_string_value(json_object_get(series, "function")));
    snprintf(config, sizeof(config), "%s", json_string_value(json_object_get(series, "config")));
    cli_print("%-16s %-20s %9.3f %9.3f %9.3f %9.3f %9.3f\n", function, config,
              bench_ms(total, "min"), bench_ms(total, "p50"), bench_ms(total, "p90"),
              bench_ms(total, "p99"), bench_ms(total, "max"));
}

static void bench_print_texts(const json_t *texts, const char *before, const char *between)
{
    for (size_t i = 0; i < json_array_size(texts); i++)
        cli_print("%s%s", i == 0 ? before : between, json_string_value(json_array_get(texts, i)));
}

static void bench_print_table(const bench_context *context)
{
    cli_print("%-16s %-20s %9s %9s %9s %9s %9s  (ms)\n", "function", "configuration", "min", "p50",
              "p90", "p99", "max");
    const json_t *all = json_object_get(context->results, "series");
    for (size_t i = 0; i < json_array_size(all); i++)
        bench_print_series(json_array_get(all, i));
    const json_t *noise = json_object_get(context->results, "noise");
    cli_print("\nThis run is %s", json_string_value(json_object_get(noise, "verdict")));
    bench_print_texts(json_object_get(noise, "reasons"), ": ", "; ");
    bench_print_texts(json_object_get(context->results, "warnings"), ".\n", ".\n");
    cli_print(".\nAll samples are in %s/results.json.\n", context->settings.out);
}

static void bench_print_json(const bench_context *context)
{
    json_t *brief = json_deep_copy(context->results);
    const json_t *all = json_object_get(brief, "series");
    for (size_t i = 0; i < json_array_size(all); i++)
        json_object_del(json_array_get(all, i), "samples");
    cli_print_json(brief);
}

static void bench_release(bench_state *state)
{
    free(state->context.functions);
    bench_noise_release(&state->context.noise);
    json_decref(state->context.results);
}

static cli_status bench_main(const cli_command *command, int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], BENCH_CHILD_WORD) == 0) return bench_child(argv[2]);
    bench_state state cleanup(bench_release) = {0};
    cli_status exit_status;
    if (!cli_parse(command, argc, argv, bench_take, &state, &state.arguments, &exit_status))
        return exit_status;
    bench_set_defaults(&state);
    bench_begin_results(&state, argc, argv);
    snapcell_error err;
    int status = bench_take_functions(&state, &err);
    if (status == SNAPCELL_OK) status = bench_make_folders(&state.context, &err);
    if (status == SNAPCELL_OK) status = bench_measure(&state, &err);
    if (status == SNAPCELL_OK) status = bench_write_results(&state.context, &err);
    if (status != SNAPCELL_OK) return cli_report("bench", &err);
    if (state.arguments.json)
        bench_print_json(&state.context);
    else
        bench_print_table(&state.context);
    return CLI_DONE;
}

const cli_command cmd_bench = {
    .name = "bench",
    .operands = "FILE...",
    .summary = "measure cold starts of bundled functions",
    .description =
        "Compiles each bundle into stores of its own under --out (--store is not used), and times\n"
        "loads from them: in a warm process, compressed, raw, and with the store's pages on the\n"
        "disk alone; in fresh processes; on 1 to 8 threads; from a store with many artifacts; in\n"
        "sandboxed workers that restore, reload or keep a cell, or are launched from an image; and "
        "what memory a live cell "
        "takes.\n"
        "For comparison it times V8 on its default platform: from the source, with a code cache,\n"
        "and from a snapshot that is already in memory.\n"
        "Configurations take turns in random order. bench/run adds other runtimes and a report;\n"
        "bench/README.md says what each figure means.",
    .options = bench_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = bench_main,
};
