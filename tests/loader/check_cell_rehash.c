/* A snapshot that V8 cannot rehash: it would load, and all of its instances would share one hash
 * seed. The compiler makes none; so a good one is altered where V8 says whether it can. */
#include <stdlib.h>
#include <string.h>

#include "artifact_checksum.h"
#include "artifact_reader.h"
#include "engine.h"
#include "fixture.h"

/* The second word of a blob, as V8's src/snapshot/snapshot.cc lays it out. */
#define REHASHABILITY_OFFSET 4

static const char *store_path;

static void make_store(void)
{
    store_path = fixture_new_store();
    fixture_compile_raw(&(fixture_function){"greeting", "export default () => 'hello';\n", NULL},
                        1);
}

static void set_rehashability(uint8_t value)
{
    snapcell_store *store = NULL;
    snapcell_key key;
    const snapcell_fingerprint engine = engine_fingerprint();
    void *bytes = NULL;
    size_t size;
    artifact_view view;
    if (snapcell_store_open(store_path, SNAPCELL_STORE_WRITE, &store, NULL) != SNAPCELL_OK ||
        snapcell_store_resolve(store, "greeting", &engine, &key, NULL) != SNAPCELL_OK ||
        snapcell_store_get(store, &key, &bytes, &size, NULL) != SNAPCELL_OK ||
        artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL) != SNAPCELL_OK)
        abort();
    uint8_t *word =
        (uint8_t *)bytes + (view.blob.data - (const uint8_t *)bytes) + REHASHABILITY_OFFSET;
    ck_assert_uint_le(*word, 1);
    *word = value;
    artifact_seal(bytes, size);
    if (snapcell_store_replace(store, bytes, size, "greeting", NULL) != SNAPCELL_OK) abort();
    snapcell_store_close(store);
    free(bytes);
}

START_TEST(test_what_cannot_be_rehashed_is_refused)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "greeting", "\"hello\"");
    snapcell_loader_close(loader);

    set_rehashability(0);
    loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = (void *)&loader;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_load(loader, "greeting", NULL, &cell, &err), SNAPCELL_E_CORRUPT);
    ck_assert_ptr_null(cell);
    ck_assert_msg(strstr(err.message, "hash seed") != NULL, "%s", err.message);
    snapcell_loader_close(loader);

    set_rehashability(1);
    loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "greeting", "\"hello\"");
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_rehash");
    tcase_add_test(tcase, test_what_cannot_be_rehashed_is_refused);
    return fixture_run(suite_create("cell_rehash"), tcase);
}
