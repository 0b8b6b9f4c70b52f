/* Each allocation on the way from a reference to a decoded image is made to fail: E_NOMEM, never a
 * crash, and no leak (which a sanitizer build sees). */
#include <stdlib.h>
#include <string.h>

#include "artifact_writer.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "loader_state.h"

#define KEY "eeee0000000000000000000000000001"
#define ALLOCATION_COUNT_MAX 1000

static void make_store(void)
{
    static char blob[30000]; /* small enough for malloc() */
    memset(blob, 'b', sizeof(blob));
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .engine = engine_fingerprint(),
        .host = snapcell_host_fingerprint(NULL),
        .name = "short",
        .file_name = "short.js",
        .blob = {blob, sizeof(blob)},
        .source = {blob, sizeof(blob)},
        .source_map = {"{}", 2},
        .manifest = {"{}", 2},
        .codec = ARTIFACT_CODEC_ZSTD,
        .level = 3,
    };
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (snapcell_key_parse(KEY, &spec.key, NULL) != SNAPCELL_OK ||
        artifact_write(&spec, &bytes, &size, NULL) != SNAPCELL_OK)
        abort();
    fixture_new_store();
    fixture_put(bytes, size, "short");
    free(bytes);
}

static int load_image(snapcell_loader *loader, image **out, snapcell_error *err)
{
    snapcell_timings timings = {0};
    cell_reading reading = {0};
    const snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    *out = NULL;
    int status = cell_reading_open(loader, "short", &options, &timings, &reading, err);
    if (status == SNAPCELL_OK) status = cell_image_load(loader, &reading, &timings, out, err);
    cell_reading_release(&reading);
    return status;
}

START_TEST(test_image_load_with_little_memory)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    long count = 0;
    for (;; count++) {
        ck_assert_int_lt(count, ALLOCATION_COUNT_MAX);
        image *made = NULL;
        snapcell_error err = {0};
        failing_malloc_start(count);
        int status = load_image(loader, &made, &err);
        bool hit = failing_malloc_stop();
        ck_assert_msg(status == (hit ? SNAPCELL_E_NOMEM : SNAPCELL_OK), "after %ld: %s: %s", count,
                      snapcell_error_name(status), err.message);
        ck_assert((made == NULL) == (status != SNAPCELL_OK));
        image_release(made);
        if (!hit) break;
        ck_assert_int_eq(err.code, SNAPCELL_E_NOMEM);
    }
    ck_assert_int_gt(count, 2); /* the image, its memory, room for its source: at the least */
    snapcell_loader_close(loader);
}
END_TEST

/* The decoder's memory is missing when V8 asks for the source: it gets a text, of zeros. */
START_TEST(test_source_without_memory_for_a_decoder)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    image *made = NULL;
    ck_assert_int_eq(load_image(loader, &made, NULL), SNAPCELL_OK);
    engine_bundle bundle = image_for_engine(made, NULL).bundle;
    failing_malloc_start(0);
    const char *text = bundle.source.data(bundle.source.user);
    size_t size = 1;
    const char *map = bundle.source_map.data(bundle.source_map.user, &size);
    failing_malloc_stop();
    ck_assert_ptr_nonnull(text);
    ck_assert(text[0] == '\0' || text[0] == 'b');
    ck_assert_ptr_null(map);
    ck_assert_uint_eq(size, 0);
    /* A map is requested again with the next error, and is there then. */
    map = bundle.source_map.data(bundle.source_map.user, &size);
    ck_assert_str_eq(map, "{}");
    ck_assert_uint_eq(size, 2);
    image_release(made);
    snapcell_loader_close(loader);
}
END_TEST

/* The set is what it was when it could not be replaced. */
START_TEST(test_trust_with_little_memory)
{
    static const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE] = {1};
    snapcell_trust *trust = NULL;
    ck_assert_int_eq(snapcell_trust_new(&trust, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_trust_add_key(trust, public_key, NULL, NULL), SNAPCELL_OK);
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.trust = trust;
    snapcell_loader *loader = fixture_open_with(&options);
    const snapcell_trust *before = loader->trust;
    long count = 0;
    for (;; count++) {
        snapcell_error err = {0};
        failing_malloc_start(count);
        int status = snapcell_loader_set_trust(loader, trust, &err);
        bool hit = failing_malloc_stop();
        ck_assert_int_eq(status, hit ? SNAPCELL_E_NOMEM : SNAPCELL_OK);
        if (!hit) break;
        ck_assert_ptr_eq(loader->trust, before);
        ck_assert_uint_eq(snapcell_trust_count(loader->trust), 1);
    }
    ck_assert_int_ge(count, 2);
    ck_assert_ptr_ne(loader->trust, before);
    snapcell_trust_free(trust);
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("image_memory");
    tcase_add_test(tcase, test_image_load_with_little_memory);
    tcase_add_test(tcase, test_source_without_memory_for_a_decoder);
    tcase_add_test(tcase, test_trust_with_little_memory);
    return fixture_run(suite_create("image_memory"), tcase);
}
