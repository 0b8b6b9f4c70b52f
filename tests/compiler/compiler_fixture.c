#include "compiler_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patience.h"

#define KEPT_COUNT_MAX 256

static char folder[256];
static char *kept[KEPT_COUNT_MAX]; /* texts that live until the test ends */
static size_t kept_count;

void fixture_setup(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/snapcell-compiler-XXXXXX", base == NULL ? "/tmp" : base);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void fixture_teardown(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    while (kept_count > 0)
        free(kept[--kept_count]);
}

static const char *keep(char *text)
{
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(kept_count, KEPT_COUNT_MAX);
    kept[kept_count++] = text;
    return text;
}

const char *fixture_path(const char *name)
{
    char *path;
    ck_assert_int_gt(asprintf(&path, "%s/%s", folder, name), 0);
    return keep(path);
}

const char *fixture_write(const char *name, const void *data, size_t size_bytes)
{
    const char *path = fixture_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size_bytes, file), size_bytes);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

const char *fixture_write_text(const char *name, const char *text)
{
    return fixture_write(name, text, strlen(text));
}

int fixture_run(const char *suite_name, const fixture_test *tests, size_t test_count)
{
    Suite *suite = suite_create(suite_name);
    TCase *tcase = tcase_create(suite_name);
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    for (size_t i = 0; i < test_count; i++) {
        if (tests[i].loop_end > 0)
            tcase_add_loop_test(tcase, tests[i].test, 0, tests[i].loop_end);
        else
            tcase_add_test(tcase, tests[i].test);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void fixture_expect(int code, int expected, const snapcell_error *error, const char *part)
{
    const char *message = code == SNAPCELL_OK ? "" : error->message;
    ck_assert_msg(code == expected, "expected %s, got %s: %s", snapcell_error_name(expected),
                  snapcell_error_name(code), message);
    if (part != NULL)
        ck_assert_msg(strstr(message, part) != NULL, "expected '%s' in '%s'", part, message);
}

static snapcell_compile_options patient_options(const snapcell_compile_options *given)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    if (given != NULL) options = *given;
    if (options.wall_limit_ms == 0)
        options.wall_limit_ms = patient_ms(SNAPCELL_COMPILE_WALL_LIMIT_MS_DEFAULT);
    return options;
}

snapcell_compiled *fixture_compile(const char *path, const snapcell_compile_options *options)
{
    const snapcell_compile_options patient = patient_options(options);
    snapcell_compiled *compiled = NULL;
    snapcell_error error;
    fixture_expect(snapcell_compile_file(path, &patient, &compiled, &error), SNAPCELL_OK, &error,
                   NULL);
    ck_assert_ptr_nonnull(compiled);
    return compiled;
}

void fixture_compile_fails(const char *path, const snapcell_compile_options *options, int expected,
                           const char *part, snapcell_error *error)
{
    const snapcell_compile_options patient = patient_options(options);
    snapcell_compiled *compiled = (snapcell_compiled *)folder; /* to see that it is cleared */
    int status = snapcell_compile_file(path, &patient, &compiled, error);
    fixture_expect(status, expected, error, part);
    ck_assert_ptr_null(compiled);
}

const char *fixture_manifest(const snapcell_compiled *compiled)
{
    const snapcell_artifact_info *info = snapcell_compiled_info(compiled);
    return keep(strndup(info->manifest, info->manifest_size_bytes));
}
