/* A finished snapshot is loaded once where it was made; one that cannot be is none. The linker
 * leads engine_cell_new() through here. */
#include <stdio.h>

#include "check_run.h"
#include "engine.h"
#include "error_set.h"

int __real_engine_cell_new(const engine_image *image, const engine_cell_options *options,
                           engine_cell **out, engine_cell_times *times, snapcell_error *err);
int __wrap_engine_cell_new(const engine_image *image, const engine_cell_options *options,
                           engine_cell **out, engine_cell_times *times, snapcell_error *err);

static bool load_fails;
static uint64_t loaded_size_bytes;

int __wrap_engine_cell_new(const engine_image *image, const engine_cell_options *options,
                           engine_cell **out, engine_cell_times *times, snapcell_error *err)
{
    loaded_size_bytes = image->blob_size_bytes;
    if (!load_fails) return __real_engine_cell_new(image, options, out, times, err);
    *out = NULL;
    return error_set(err, SNAPCELL_E_INTERNAL, "as the test wants");
}

static const void *source_data(void *user)
{
    return user;
}

static void take_note(void *user, const snapcell_note *note)
{
    if (note->prevents && note->kind == SNAPCELL_NOTE_ENGINE)
        snprintf(user, sizeof(((snapcell_error *)0)->message), "%s", note->what);
}

static int build(char *note, engine_build_result *out, snapcell_error *err)
{
    static char source[] = "export default { fetch() { return new Response('') } }";
    const engine_bundle bundle = {
        .file_name = "small.js",
        .source = {ARTIFACT_TEXT_LATIN1, sizeof(source) - 1, source_data, source},
    };
    const engine_build_options options = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .format = ENGINE_FORMAT_ESM,
        .memory_limit_bytes = (uint64_t)256 << 20,
        .function_name = "small",
        .survey = ENGINE_SURVEY_WHEN_DUE,
        .note = take_note,
        .note_user = note,
    };
    ck_assert_int_eq(engine_start(ENGINE_MODE_BUILD, err), SNAPCELL_OK);
    return engine_build(&bundle, &options, out, err);
}

START_TEST(test_a_snapshot_is_loaded_once)
{
    snapcell_error err = {0};
    char note[sizeof(err.message)] = "";
    engine_build_result result;
    ck_assert_int_eq(build(note, &result, &err), SNAPCELL_OK);
    ck_assert_uint_eq(loaded_size_bytes, result.blob_size_bytes);
    ck_assert_str_eq(note, "");
    engine_build_result_release(&result);
}
END_TEST

START_TEST(test_what_does_not_load_is_no_snapshot)
{
    static const char cause[] = "the snapshot cannot be loaded: as the test wants";
    snapcell_error err = {0};
    char note[sizeof(err.message)] = "";
    engine_build_result result;
    load_fails = true;
    ck_assert_int_eq(build(note, &result, &err), SNAPCELL_E_UNSNAPSHOTABLE);
    ck_assert_str_eq(err.message, cause);
    ck_assert_str_eq(note, cause);
    ck_assert_ptr_null(result.blob);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trial_load");
    TCase *tcase = tcase_create("trial_load");
    tcase_add_test(tcase, test_a_snapshot_is_loaded_once);
    tcase_add_test(tcase, test_what_does_not_load_is_no_snapshot);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
