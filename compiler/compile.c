#include "snapcell/compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact_reader.h"
#include "artifact_writer.h"
#include "bundle.h"
#include "cleanup.h"
#include "compile_key.h"
#include "compile_run.h"
#include "compile_settings.h"
#include "error_set.h"
#include "host_table.h"
#include "manifest.h"
#include "note_list.h"
#include "program_path.h"

struct snapcell_compiled {
    uint8_t *artifact;
    size_t artifact_size_bytes;
    snapcell_artifact_info info;
    char **warnings; /* those of the manifest first */
    size_t warning_count;
};

/* As long as an error's message, with some room for what stands before it. */
#define CAUSES_SIZE_MAX 900

/* A compile under way. Pointers are Borrowed, except for the notes. */
typedef struct compile_task {
    const bundle_file *bundle;
    const compile_recipe *recipe;
    const compile_limits *limits;
    uint32_t entropy_trial;               /* engine_build_options */
    snapcell_artifact_kind kind;          /* made, or being made */
    char fallback[CAUSES_SIZE_MAX + 300]; /* why it is not a snapshot; "" when it is */
    note_list notes;
} compile_task;

static void compiled_cleanup(snapcell_compiled **compiled)
{
    snapcell_compiled_free(*compiled);
}

static void task_cleanup(compile_task *task)
{
    note_list_release(&task->notes);
}

static int fail_nomem(const bundle_file *bundle, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_NOMEM, "no memory to compile %s", bundle->path);
}

/* --- Building --- */

static bool task_is_prevented(const compile_task *task)
{
    char none[1];
    return note_list_causes(&task->notes, none, sizeof(none)) > 0;
}

static int task_build(compile_task *task, const char *worker_path, engine_survey survey,
                      compile_product *out, snapcell_error *err)
{
    const bundle_file *bundle = task->bundle;
    const snapcell_host *host = task->recipe->host;
    const char *host_names[HOST_FUNCTION_COUNT_MAX];
    uint32_t host_count = host == NULL ? 0 : (uint32_t)host->count;
    for (uint32_t i = 0; i < host_count; i++)
        host_names[i] = host->functions[i].name;

    compile_job job = {
        .kind = task->kind,
        .format = (engine_format)task->recipe->format,
        .survey = survey,
        .entropy_allowed = task->recipe->entropy_allowed,
        .entropy_trial = task->entropy_trial,
        .shape = task->recipe->shape,
        .heap = task->limits->heap != NULL,
        .memory_limit_bytes = task->limits->memory_limit_bytes,
        .wall_limit_ms = task->limits->wall_limit_ms,
        .no_sandbox = task->limits->no_sandbox,
        .function_name = task->recipe->name,
        .file_name = bundle->file_name,
        .host_names = host_names,
        .host_name_count = host_count,
        .warm = (snapcell_request *)task->recipe->warm,
        .warm_count = (uint32_t)task->recipe->warm_count,
        .encoding = bundle->encoding,
        .text = bundle->text,
        .text_size_bytes = bundle->text_size_bytes,
        .source_map = bundle->source_map,
        .source_map_size_bytes = bundle->source_map_size_bytes,
    };
    return compile_run(worker_path, bundle->path, &job, host, task->limits, &task->notes, out, err);
}

/* V8 ended the child, so that it could not tell more: another one looks for causes. What fails
 * there fails for the first one's reason, too. */
static void task_look_for_causes(compile_task *task, const char *worker_path,
                                 const char *last_words)
{
    cleanup(compile_product_release) compile_product none = {0};
    task_build(task, worker_path, ENGINE_SURVEY_ONLY, &none, NULL);
    if (task_is_prevented(task)) return;
    snapcell_note note = {SNAPCELL_NOTE_ENGINE, true, false, 1, last_words, "", "", ""};
    note_list_add(&task->notes, &note);
}

/* --- Values that are drawn at top level --- */

/* A yes or no that hangs on a value is the same in all of them in one case of 128. */
#define ENTROPY_TRIAL_COUNT 8

static bool product_equals(const compile_product *a, const compile_product *b)
{
    const compile_result *left = &a->result, *right = &b->result;
    return left->shape == right->shape && left->format == right->format &&
           left->blob_size_bytes == right->blob_size_bytes &&
           memcmp(left->blob, right->blob, left->blob_size_bytes) == 0;
}

/* Builds with values of its own. The bundle's console has been heard already. */
static bool task_build_trial(compile_task *task, const char *worker_path, engine_survey survey,
                             compile_product *out)
{
    const compile_limits *limits = task->limits;
    compile_limits quiet = *limits;
    quiet.log = NULL;
    if (survey == ENGINE_SURVEY_NONE) quiet.heap = NULL;
    task->limits = &quiet;
    int status = task_build(task, worker_path, survey, out, NULL);
    task->limits = limits;
    return status == SNAPCELL_OK;
}

/* Whether builds that draw other values are the same, byte for byte. `*out` is the first of them.
 */
static bool task_builds_alike(compile_task *task, const char *worker_path, compile_product *out)
{
    task->entropy_trial = 1;
    if (!task_build_trial(task, worker_path, ENGINE_SURVEY_WHEN_DUE, out)) return false;
    while (task->entropy_trial++ < ENTROPY_TRIAL_COUNT) {
        cleanup(compile_product_release) compile_product other = {0};
        if (!task_build_trial(task, worker_path, ENGINE_SURVEY_NONE, &other) ||
            !product_equals(out, &other))
            return false;
    }
    return true;
}

/* Packages try at top level whether there are random values. These do no harm when the snapshot
 * does not depend on them. False: it does; `*out` is empty. */
static bool task_forgets_draws(compile_task *task, const char *worker_path, compile_product *out)
{
    note_list notes = task->notes;
    task->notes = (note_list){0};
    bool alike = task_builds_alike(task, worker_path, out);
    task->entropy_trial = 0;
    if (alike) {
        note_list_release(&notes);
        return true;
    }
    compile_product_release(out);
    note_list_release(&task->notes);
    task->notes = notes;
    return false;
}

/* NULL when no random value keeps the function from being a snapshot. */
static const char *task_advise_on_draws(const compile_task *task)
{
    const char *advice = NULL;
    for (size_t i = 0; i < task->notes.count; i++) {
        const snapcell_note *note = &task->notes.items[i];
        if (!note->prevents || note->kind != SNAPCELL_NOTE_ENTROPY) continue;
        if (!note->warm) return "draw it in the handler";
        advice = "keep no random value of a warm-up request, leave that request out";
    }
    return advice;
}

/* A `code` artifact draws random values at each load: what was requested, or what can be had at
 * most unless one value may do for all. */
static void task_fall_back(compile_task *task, const char *causes)
{
    bool drew = note_list_prevents_in_warm_up(&task->notes, SNAPCELL_NOTE_ENTROPY);
    snprintf(task->fallback, sizeof(task->fallback),
             "compiled to a code artifact, not a snapshot: %s%s%s%s", causes, drew ? "; " : "",
             drew ? task_advise_on_draws(task) : "",
             drew ? ", or take `--entropy allow` (one value for all instances)" : "");
    task->kind = SNAPCELL_ARTIFACT_CODE;
}

static int task_refuse(const compile_task *task, const char *causes, snapcell_error *err)
{
    const char *advice = task_advise_on_draws(task);
    int status =
        error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "%s cannot become a snapshot: %s%s%s%s",
                  task->bundle->path, causes, advice ? "; " : "", advice ? advice : "",
                  advice ? ", or take `--entropy fresh` (the bundle is evaluated at each load) or "
                           "`allow` (one value for all instances)"
                         : "");
    if (err != NULL) note_list_place(&task->notes, err);
    return status;
}

/* No child, no blob: the engine compiles from source what has no code cache. */
static void task_leave_unevaluated(compile_task *task, compile_product *out)
{
    const compile_recipe *recipe = task->recipe;
    memset(out, 0, sizeof(*out));
    out->result.shape = recipe->shape == 0 ? SNAPCELL_SHAPE_FETCH : recipe->shape;
    out->result.format = (engine_format)recipe->format;
    snprintf(task->fallback, sizeof(task->fallback),
             "compiled to a code artifact that was not evaluated: for development");
    task->kind = SNAPCELL_ARTIFACT_CODE;
}

/* A snapshot, or what comes closest to it. */
static int task_build_best(compile_task *task, compile_product *out, snapcell_error *err)
{
    if (task->recipe->unevaluated) {
        task_leave_unevaluated(task, out);
        return SNAPCELL_OK;
    }
    cleanup_free char *worker_path = NULL;
    int status = program_path_find(task->limits->worker_path, &worker_path, err);
    if (status != SNAPCELL_OK) return status;

    snapcell_error why;
    task->kind = SNAPCELL_ARTIFACT_SNAPSHOT;
    status = task_build(task, worker_path, ENGINE_SURVEY_WHEN_DUE, out, &why);
    if (status != SNAPCELL_E_UNSNAPSHOTABLE) {
        if (status != SNAPCELL_OK && err != NULL) *err = why;
        return status;
    }
    if (note_list_prevents_at_top_level(&task->notes, SNAPCELL_NOTE_ENTROPY) &&
        task_forgets_draws(task, worker_path, out))
        return SNAPCELL_OK;
    if (!task_is_prevented(task)) task_look_for_causes(task, worker_path, why.message);
    char causes[CAUSES_SIZE_MAX];
    note_list_causes(&task->notes, causes, sizeof(causes));
    if (task->limits->strict ||
        (task->limits->entropy_strict &&
         note_list_prevents_at_top_level(&task->notes, SNAPCELL_NOTE_ENTROPY)))
        return task_refuse(task, causes, err);
    task_fall_back(task, causes);
    return task_build(task, worker_path, ENGINE_SURVEY_NONE, out, err);
}

/* What a `code` artifact took from the clock or from random numbers, it takes again at each load.
 */
static void task_tell_notes(const compile_task *task)
{
    if (task->limits->note == NULL) return;
    bool is_prevented = task_is_prevented(task);
    for (size_t i = 0; i < task->notes.count; i++)
        if (task->notes.items[i].prevents == is_prevented)
            task->limits->note(task->limits->note_user, &task->notes.items[i]);
}

/* --- Warnings --- */

static bool warning_add(snapcell_compiled *compiled, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) return false;
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    compiled->warnings[compiled->warning_count++] = copy;
    return true;
}

/* Those that the manifest holds are decided by the key; that of the bundle's map is not. */
static int warnings_collect(const compile_task *task, const compile_result *result,
                            snapcell_compiled *compiled, size_t *kept_count, snapcell_error *err)
{
    compiled->warnings = calloc(result->warning_count + 2u, sizeof(*compiled->warnings));
    bool done = compiled->warnings != NULL;
    if (done && task->fallback[0] != '\0') done = warning_add(compiled, task->fallback);
    for (uint32_t i = 0; done && i < result->warning_count; i++)
        done = warning_add(compiled, result->warnings[i]);
    *kept_count = compiled->warning_count;
    if (done && task->bundle->warning[0] != '\0')
        done = warning_add(compiled, task->bundle->warning);
    return done ? SNAPCELL_OK : fail_nomem(task->bundle, err);
}

/* --- The artifact --- */

static int task_manifest(const compile_task *task, const compile_result *result,
                         const snapcell_compiled *compiled, size_t warning_count, char **out,
                         size_t *out_size_bytes, snapcell_error *err)
{
    manifest_facts facts = {
        .kind = task->kind,
        .shape = result->shape,
        .format = (snapcell_source_format)result->format,
        .warnings = (const char *const *)compiled->warnings,
        .warning_count = warning_count,
        .apis = result->apis,
        .heap = result->heap,
        .notes = &task->notes,
    };
    return manifest_write(task->bundle, task->recipe, &facts, out, out_size_bytes, err);
}

static int task_write(const compile_task *task, const snapcell_key *key,
                      const compile_result *result, const char *manifest,
                      size_t manifest_size_bytes, snapcell_compiled *compiled, snapcell_error *err)
{
    const bundle_file *bundle = task->bundle;
    const compile_recipe *recipe = task->recipe;
    /* A code cache has nothing in common with a snapshot. */
    artifact_codec codec =
        task->kind == SNAPCELL_ARTIFACT_SNAPSHOT ? ARTIFACT_CODEC_ZSTD_PREFIX : ARTIFACT_CODEC_ZSTD;
    size_t base_blob_size;
    const void *base_blob = engine_base_blob(&base_blob_size);
    artifact_spec spec = {
        .kind = task->kind,
        .shape = result->shape,
        .source_format = (snapcell_source_format)result->format,
        .key = *key,
        .engine = engine_fingerprint(),
        .host = snapcell_host_fingerprint(recipe->host),
        .name = recipe->name,
        .file_name = bundle->file_name,
        .blob = {result->blob, result->blob_size_bytes},
        .source = {bundle->text, bundle->text_size_bytes},
        .source_encoding = bundle->encoding,
        .prelude_length = recipe->prelude_length,
        .source_map = {bundle->source_map, bundle->source_map_size_bytes},
        .manifest = {manifest, manifest_size_bytes},
        .prefix = {base_blob, base_blob_size},
        .codec = recipe->raw ? ARTIFACT_CODEC_RAW : codec,
        .level = recipe->level,
    };
    memcpy(spec.bundle_hash, bundle->hash, sizeof(spec.bundle_hash));
    int status = artifact_write(&spec, &compiled->artifact, &compiled->artifact_size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    return snapcell_artifact_inspect(compiled->artifact, compiled->artifact_size_bytes,
                                     &compiled->info, err);
}

static int task_finish(const compile_task *task, const snapcell_key *key,
                       const compile_result *result, snapcell_compiled **out, snapcell_error *err)
{
    cleanup(compiled_cleanup) snapcell_compiled *compiled = calloc(1, sizeof(*compiled));
    if (compiled == NULL) return fail_nomem(task->bundle, err);
    size_t warning_count;
    int status = warnings_collect(task, result, compiled, &warning_count, err);
    if (status != SNAPCELL_OK) return status;

    cleanup_free char *manifest = NULL;
    size_t manifest_size;
    status = task_manifest(task, result, compiled, warning_count, &manifest, &manifest_size, err);
    if (status == SNAPCELL_OK)
        status = task_write(task, key, result, manifest, manifest_size, compiled, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&compiled);
    return status;
}

static int compile_bundle(const bundle_file *bundle, const snapcell_compile_options *options,
                          snapcell_compiled **out, snapcell_error *err)
{
    compile_recipe recipe;
    compile_limits limits;
    int status = compile_recipe_init(options, bundle, &recipe, err);
    if (status == SNAPCELL_OK) status = compile_limits_init(options, &limits, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_key key;
    status = compile_key(bundle, &recipe, &key, err);
    if (status != SNAPCELL_OK) return status;

    cleanup(task_cleanup)
        compile_task task = {.bundle = bundle, .recipe = &recipe, .limits = &limits};
    cleanup(compile_product_release) compile_product product = {0};
    status = task_build_best(&task, &product, err);
    if (status == SNAPCELL_OK || status == SNAPCELL_E_UNSNAPSHOTABLE) task_tell_notes(&task);
    if (status != SNAPCELL_OK) return status;
    return task_finish(&task, &key, &product.result, out, err);
}

/* --- The public functions --- */

static int fail_null(const char *what, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_USAGE, "%s is NULL", what);
}

int snapcell_compile_file(const char *path, const snapcell_compile_options *options,
                          snapcell_compiled **out, snapcell_error *err)
{
    if (out == NULL) return fail_null("where the compile goes", err);
    *out = NULL;
    if (path == NULL) return fail_null("the bundle's path", err);
    cleanup(bundle_release) bundle_file bundle = {0};
    int status = bundle_read(path, &bundle, err);
    return status == SNAPCELL_OK ? compile_bundle(&bundle, options, out, err) : status;
}

int snapcell_compile_memory(const char *file_name, const void *source, size_t source_size_bytes,
                            const void *source_map, size_t source_map_size_bytes,
                            const snapcell_compile_options *options, snapcell_compiled **out,
                            snapcell_error *err)
{
    if (out == NULL) return fail_null("where the compile goes", err);
    *out = NULL;
    if (file_name == NULL) return fail_null("the bundle's file name", err);
    if (source == NULL && source_size_bytes > 0) return fail_null("the bundle's source", err);
    cleanup(bundle_release) bundle_file bundle = {0};
    int status = bundle_from_memory(file_name, source, source_size_bytes, source_map,
                                    source_map_size_bytes, &bundle, err);
    return status == SNAPCELL_OK ? compile_bundle(&bundle, options, out, err) : status;
}

int snapcell_compile_key(const char *path, const snapcell_compile_options *options,
                         snapcell_key *out, snapcell_error *err)
{
    if (path == NULL || out == NULL) return fail_null("the bundle's path or the key", err);
    cleanup(bundle_release) bundle_file bundle = {0};
    int status = bundle_read(path, &bundle, err);
    if (status != SNAPCELL_OK) return status;
    compile_recipe recipe;
    status = compile_recipe_init(options, &bundle, &recipe, err);
    return status == SNAPCELL_OK ? compile_key(&bundle, &recipe, out, err) : status;
}

/* What an artifact was compiled with becomes options again. */
static void options_from_manifest(const manifest_recipe *recipe, const artifact_view *view,
                                  snapcell_compile_options *out)
{
    out->name = view->info.name;
    out->format = recipe->format;
    out->shape = recipe->shape;
    out->level = recipe->level;
    out->raw = recipe->raw;
    out->entropy = recipe->entropy_allowed ? SNAPCELL_ENTROPY_ALLOW : SNAPCELL_ENTROPY_FRESH;
    out->warm = recipe->warm.requests;
    out->warm_count = recipe->warm.count;
    /* Its modules are not one bundle. */
    out->prelude_length = view->info.prelude_length;
    out->unevaluated = view->info.prelude_length > 0;
}

static int recompile_options(const snapcell_compile_options *given, snapcell_compile_options *out,
                             snapcell_error *err)
{
    compile_limits limits;
    int status = compile_limits_init(given, &limits, err);
    return status == SNAPCELL_OK ? compile_options_read(given, out, err) : status;
}

/* `path`: NULL for the artifact's own source. */
static int compile_again(const void *bytes, size_t size_bytes, const char *path,
                         const snapcell_compile_options *options, snapcell_compiled **out,
                         snapcell_error *err)
{
    if (out == NULL) return fail_null("where the compile goes", err);
    *out = NULL;
    if (bytes == NULL) return fail_null("the artifact", err);
    artifact_view view;
    int status = artifact_read(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, &view, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_compile_options merged;
    status = recompile_options(options, &merged, err);
    if (status != SNAPCELL_OK) return status;

    cleanup(manifest_recipe_release) manifest_recipe recipe = {0};
    status = manifest_read(view.info.manifest, view.info.manifest_size_bytes, &recipe, err);
    if (status != SNAPCELL_OK) return status;
    cleanup(bundle_release) bundle_file bundle = {0};
    status = path == NULL ? bundle_from_artifact(&view, recipe.bundle_size_bytes, &bundle, err)
                          : bundle_read(path, &bundle, err);
    if (status != SNAPCELL_OK) return status;
    bundle.file_name = view.info.file_name;
    options_from_manifest(&recipe, &view, &merged);
    return compile_bundle(&bundle, &merged, out, err);
}

int snapcell_recompile(const void *bytes, size_t size_bytes,
                       const snapcell_compile_options *options, snapcell_compiled **out,
                       snapcell_error *err)
{
    return compile_again(bytes, size_bytes, NULL, options, out, err);
}

int snapcell_rebuild(const void *bytes, size_t size_bytes, const char *path,
                     const snapcell_compile_options *options, snapcell_compiled **out,
                     snapcell_error *err)
{
    if (path == NULL) return fail_null("the bundle's path", err);
    return compile_again(bytes, size_bytes, path, options, out, err);
}

/* --- What was made --- */

const void *snapcell_compiled_artifact(const snapcell_compiled *compiled, size_t *size_bytes)
{
    *size_bytes = compiled->artifact_size_bytes;
    return compiled->artifact;
}

const snapcell_artifact_info *snapcell_compiled_info(const snapcell_compiled *compiled)
{
    return &compiled->info;
}

const char *snapcell_compiled_name(const snapcell_compiled *compiled)
{
    return compiled->info.name;
}

size_t snapcell_compiled_warning_count(const snapcell_compiled *compiled)
{
    return compiled->warning_count;
}

const char *snapcell_compiled_warning(const snapcell_compiled *compiled, size_t index)
{
    return index < compiled->warning_count ? compiled->warnings[index] : NULL;
}

void snapcell_compiled_free(snapcell_compiled *compiled)
{
    if (compiled == NULL) return;
    for (size_t i = 0; i < compiled->warning_count; i++)
        free(compiled->warnings[i]);
    free(compiled->warnings);
    free(compiled->artifact);
    free(compiled);
}
