/* A loader with a trust set: what it loads, and what it refuses, wherever the cell would come from.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "artifact_checksum.h"
#include "artifact_writer.h"
#include "engine.h"
#include "fixture.h"

#define COUNT_SOURCE "let n = 0;\nglobalThis.handler = () => ++n;\n"

static const char *store_path;
static snapcell_signing_key *key;
static snapcell_signing_key *other_key;
static snapcell_trust *trust;
static char count_key[SNAPCELL_KEY_HEX_SIZE];

/* Where a cell comes from. */
typedef enum source {
    FROM_STORE,
    FROM_CACHE,
    FROM_SPARES,
    IN_PLACE,
    SOURCE_COUNT,
} source;

/* --- The store --- */

static snapcell_signing_key *make_key(const char *name)
{
    char path[128], public_path[160];
    snapcell_signing_key *made = NULL;
    snprintf(path, sizeof(path), "%s/%s", store_path, name);
    snprintf(public_path, sizeof(public_path), "%s.pub", path);
    if (snapcell_signing_key_generate(path, NULL, NULL, NULL) != SNAPCELL_OK ||
        snapcell_signing_key_open(path, &made, NULL) != SNAPCELL_OK)
        abort();
    unlink(path);
    unlink(public_path);
    return made;
}

/* What a test changes is put back by the next fixture: each test has a process of its own. */
static void put(const void *bytes, size_t size, const char *name)
{
    snapcell_store *store = NULL;
    if (snapcell_store_open(store_path, SNAPCELL_STORE_WRITE, &store, NULL) != SNAPCELL_OK ||
        snapcell_store_replace(store, bytes, size, name, NULL) != SNAPCELL_OK)
        abort();
    snapcell_store_close(store);
}

static void bind_name(const char *name, const char *key_text)
{
    snapcell_store *store = NULL;
    snapcell_key stored;
    if (snapcell_key_parse(key_text, &stored, NULL) != SNAPCELL_OK ||
        snapcell_store_open(store_path, SNAPCELL_STORE_WRITE, &store, NULL) != SNAPCELL_OK ||
        snapcell_store_name_set(store, name, &stored, NULL) != SNAPCELL_OK)
        abort();
    snapcell_store_close(store);
}

static void *get(const char *key_text, size_t *size)
{
    snapcell_store *store = NULL;
    snapcell_key stored;
    void *bytes = NULL;
    if (snapcell_key_parse(key_text, &stored, NULL) != SNAPCELL_OK ||
        snapcell_store_open(store_path, SNAPCELL_STORE_READ, &store, NULL) != SNAPCELL_OK ||
        snapcell_store_get(store, &stored, &bytes, size, NULL) != SNAPCELL_OK)
        abort();
    snapcell_store_close(store);
    return bytes;
}

static void put_signed(const void *bytes, size_t size, const snapcell_signing_key *signer,
                       const char *name, const char *tenant)
{
    void *made = NULL;
    size_t made_size = 0;
    if (snapcell_artifact_sign(bytes, size, signer, name, tenant, &made, &made_size, NULL) !=
        SNAPCELL_OK)
        abort();
    put(made, made_size, name);
    free(made);
}

/* Under the name `name`, signed unless `signer` is NULL. */
static void compile(const char *name, const snapcell_signing_key *signer, const char *tenant,
                    bool raw, char *out_key)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = name;
    options.raw = raw;
    snapcell_compiled *compiled = NULL;
    if (snapcell_compile_memory("count.js", COUNT_SOURCE, strlen(COUNT_SOURCE), NULL, 0, &options,
                                &compiled, NULL) != SNAPCELL_OK)
        abort();
    size_t size = 0;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    if (signer != NULL)
        put_signed(bytes, size, signer, name, tenant);
    else
        put(bytes, size, name);
    if (out_key != NULL) snapcell_key_format(&snapcell_compiled_info(compiled)->key, out_key);
    snapcell_compiled_free(compiled);
}

static void setup(void)
{
    store_path = fixture_new_store();
    key = make_key("key");
    other_key = make_key("other");
    if (snapcell_trust_new(&trust, NULL) != SNAPCELL_OK ||
        snapcell_trust_add_key(trust, snapcell_signing_key_public(key), NULL, NULL) != SNAPCELL_OK)
        abort();
    compile("count", key, NULL, false, count_key);
    compile("raw", key, NULL, true, NULL);
    compile("unsigned", NULL, NULL, false, NULL);
    compile("others", other_key, NULL, false, NULL);
    compile("acme", key, "acme", false, NULL);
}

static void release_keys(void)
{
    snapcell_trust_free(trust);
    snapcell_signing_key_free(key);
    snapcell_signing_key_free(other_key);
}

static void teardown(void)
{
    release_keys();
    fixture_remove();
}

/* --- Loaders --- */

static snapcell_loader *open_for(source from)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.trust = trust;
    if (from == FROM_STORE || from == IN_PLACE) options.cache_size_bytes = SNAPCELL_CACHE_NONE;
    if (from == FROM_SPARES) options.spare_cells_per_function = 1;
    return fixture_open_with(&options);
}

static int load_for(snapcell_loader *loader, const char *ref, const char *tenant,
                    snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.tenant = tenant;
    int status = snapcell_cell_load(loader, ref, &options, &cell, err);
    ck_assert((status == SNAPCELL_OK) == (cell != NULL));
    snapcell_cell_dispose(cell);
    return status;
}

static int load(snapcell_loader *loader, const char *ref)
{
    return load_for(loader, ref, NULL, NULL);
}

/* Loads it, so that the next load comes from where it is to come from. */
static void warm(snapcell_loader *loader, source from)
{
    const struct timespec tick = {.tv_nsec = 2000000};
    ck_assert_int_eq(load(loader, from == IN_PLACE ? "raw" : "count"), SNAPCELL_OK);
    for (int i = 0; from == FROM_SPARES && i < 10000 && fixture_counters(loader).spares_ready == 0;
         i++)
        nanosleep(&tick, NULL);
}

/* --- What is loaded --- */

START_TEST(test_signed_functions_load)
{
    snapcell_loader *loader = open_for((source)_i);
    const char *name = _i == IN_PLACE ? "raw" : "count";
    warm(loader, (source)_i);
    fixture_expect_load(loader, name, "1");
    fixture_expect_load(loader, _i == IN_PLACE ? name : count_key, "1");
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.load_failures, 0);
    if (_i == FROM_CACHE) ck_assert_uint_gt(counters.cache_hits, 0);
    if (_i == FROM_SPARES) ck_assert_uint_gt(counters.spare_hits, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_signed_functions_load_without_trust)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "count", "1");
    fixture_expect_load(loader, "others", "1");
    fixture_expect_load(loader, "unsigned", "1");
    fixture_expect_load(loader, "acme", "1");
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_unsigned_and_others_are_refused)
{
    snapcell_error err;
    snapcell_loader *loader = open_for((source)_i);
    for (int i = 0; i < 3; i++) { /* a refusal is not remembered as a success */
        ck_assert_int_eq(load_for(loader, "unsigned", NULL, &err), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(err.code, SNAPCELL_E_SIGNATURE);
        ck_assert_ptr_nonnull(strstr(err.message, "not signed"));
        ck_assert_int_eq(load_for(loader, "others", NULL, &err), SNAPCELL_E_SIGNATURE);
        ck_assert_ptr_nonnull(strstr(err.message, "not trusted"));
    }
    ck_assert_uint_eq(fixture_counters(loader).load_failures, 6);
    snapcell_loader_close(loader);
}
END_TEST

/* One key may be requested under several names, and be in the cache or a spare from one of them. */
START_TEST(test_names_are_bound)
{
    snapcell_error err;
    bind_name("alias", count_key);
    bind_name("unsigned", count_key); /* and in place of what was there */
    snapcell_loader *loader = open_for((source)_i);
    if (_i != IN_PLACE) warm(loader, (source)_i);
    ck_assert_int_eq(load_for(loader, "alias", NULL, &err), SNAPCELL_E_SIGNATURE);
    ck_assert_ptr_nonnull(strstr(err.message, "'alias'"));
    if (_i != IN_PLACE) warm(loader, (source)_i);
    ck_assert_int_eq(load(loader, "unsigned"), SNAPCELL_E_SIGNATURE);
    ck_assert_int_eq(load(loader, count_key), SNAPCELL_OK);
    ck_assert_int_eq(load(loader, "count"), SNAPCELL_OK);
    snapcell_loader_close(loader);
}
END_TEST

/* Otherwise someone who can remove a name could have its text found as the beginning of another
 * key. */
START_TEST(test_a_part_of_a_key_is_no_key)
{
    char part[SNAPCELL_KEY_HEX_SIZE];
    snapcell_loader *loader = open_for(FROM_CACHE);
    strcpy(part, count_key);
    part[31] = '\0';
    ck_assert_int_eq(load(loader, part), SNAPCELL_E_SIGNATURE);
    part[8] = '\0';
    ck_assert_int_eq(load(loader, part), SNAPCELL_E_SIGNATURE);
    for (char *c = count_key; *c != '\0'; c++)
        if (*c >= 'a') *c = (char)(*c - 'a' + 'A');
    ck_assert_int_eq(load(loader, count_key), SNAPCELL_OK);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_tenants_are_bound)
{
    snapcell_error err;
    snapcell_loader *loader = open_for((source)_i);
    if (_i != IN_PLACE) warm(loader, (source)_i);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(load_for(loader, "acme", "acme", NULL), SNAPCELL_OK);
        ck_assert_int_eq(load_for(loader, "acme", "acmes", NULL), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(load_for(loader, "acme", NULL, &err), SNAPCELL_E_SIGNATURE);
        ck_assert_ptr_nonnull(strstr(err.message, "tenant 'acme'"));
        ck_assert_int_eq(load_for(loader, "count", "acme", NULL), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(load_for(loader, count_key, "acme", NULL), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(load_for(loader, "count", "", NULL), SNAPCELL_OK);
    }
    snapcell_loader_close(loader);
}
END_TEST

static int load_key_for(snapcell_loader *loader, const char *ref, const char *signed_name)
{
    snapcell_cell *cell = NULL;
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.signed_name = signed_name;
    int status = snapcell_cell_load(loader, ref, &options, &cell, NULL);
    snapcell_cell_dispose(cell);
    return status;
}

START_TEST(test_key_is_bound_to_a_name)
{
    snapcell_loader *loader = open_for((source)_i);
    if (_i != IN_PLACE) warm(loader, (source)_i);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(load_key_for(loader, count_key, "count"), SNAPCELL_OK);
        ck_assert_int_eq(load_key_for(loader, count_key, "acme"), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(load_key_for(loader, count_key, ""), SNAPCELL_E_SIGNATURE);
        ck_assert_int_eq(load_key_for(loader, "count", "acme"), SNAPCELL_OK); /* not read */
    }
    snapcell_loader_close(loader);
}
END_TEST

/* --- A set that changes --- */

START_TEST(test_revocation_holds_for_what_is_kept)
{
    snapcell_loader *loader = open_for((source)_i);
    const char *name = _i == IN_PLACE ? "raw" : "count";
    snapcell_trust *later = NULL;
    warm(loader, (source)_i);
    snapcell_cell *living = fixture_load(loader, name, NULL);
    warm(loader, (source)_i);
    ck_assert_int_eq(snapcell_trust_new(&later, NULL), SNAPCELL_OK);
    snapcell_trust_add_key(later, snapcell_signing_key_public(key), NULL, NULL);
    snapcell_trust_add_key(later, snapcell_signing_key_public(other_key), NULL, NULL);
    snapcell_trust_revoke(later, snapcell_signing_key_public(key), NULL);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, later, NULL), SNAPCELL_OK);
    snapcell_trust_free(later); /* it was copied */
    ck_assert_int_eq(load(loader, name), SNAPCELL_E_SIGNATURE);
    ck_assert_int_eq(load(loader, name), SNAPCELL_E_SIGNATURE);
    ck_assert_int_eq(load(loader, "others"), SNAPCELL_OK);
    fixture_expect_result(living, "{}", "1");
    snapcell_cell_dispose(living);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, trust, NULL), SNAPCELL_OK);
    ck_assert_int_eq(load(loader, name), SNAPCELL_OK);
    ck_assert_int_eq(load(loader, "others"), SNAPCELL_E_SIGNATURE);
    snapcell_loader_close(loader);
}
END_TEST

/* The artifact is signed again in the store, under the same key. */
START_TEST(test_rotation)
{
    snapcell_loader *loader = open_for((source)_i);
    if (_i != IN_PLACE) warm(loader, (source)_i);
    size_t size = 0;
    void *bytes = get(count_key, &size);
    put_signed(bytes, size, other_key, "count", NULL);
    ck_assert_int_eq(load(loader, "count"), SNAPCELL_E_SIGNATURE);
    snapcell_trust_add_key(trust, snapcell_signing_key_public(other_key), NULL, NULL);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, trust, NULL), SNAPCELL_OK);
    fixture_expect_load(loader, "count", "1");
    put(bytes, size, NULL); /* and back: the old key is trusted still */
    fixture_expect_load(loader, "count", "1");
    free(bytes);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_trust_can_only_be_replaced)
{
    snapcell_error err;
    snapcell_loader *loader = open_for(FROM_CACHE);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, NULL, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(load(loader, "unsigned"), SNAPCELL_E_SIGNATURE);
    snapcell_loader_close(loader);
    loader = fixture_open(NULL, NULL, NULL);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, trust, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(load(loader, "unsigned"), SNAPCELL_OK);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_no_keys_is_no_trust)
{
    snapcell_trust *none = NULL;
    ck_assert_int_eq(snapcell_trust_new(&none, NULL), SNAPCELL_OK);
    snapcell_loader *loader = open_for(FROM_CACHE);
    ck_assert_int_eq(snapcell_loader_set_trust(loader, none, NULL), SNAPCELL_OK);
    ck_assert_int_eq(load(loader, "count"), SNAPCELL_E_SIGNATURE);
    snapcell_loader_close(loader);
    snapcell_trust_free(none);
}
END_TEST

static void *load_often(void *user)
{
    for (int i = 0; i < 100; i++) {
        int status = load_for(user, i % 2 ? "count" : "others", NULL, NULL);
        if (status != SNAPCELL_OK && status != SNAPCELL_E_SIGNATURE) return user;
    }
    return NULL;
}

START_TEST(test_sets_are_replaced_while_others_load)
{
    pthread_t threads[3];
    snapcell_trust *both = NULL;
    snapcell_loader *loader = open_for((source)_i);
    ck_assert_int_eq(snapcell_trust_new(&both, NULL), SNAPCELL_OK);
    snapcell_trust_add_key(both, snapcell_signing_key_public(other_key), NULL, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, load_often, loader), 0);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(snapcell_loader_set_trust(loader, i % 2 ? trust : both, NULL),
                         SNAPCELL_OK);
    for (int i = 0; i < 3; i++) {
        void *failed = loader;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    snapcell_loader_close(loader);
    snapcell_trust_free(both);
}
END_TEST

/* --- Nothing reaches zstd or V8: this would end the process --- */

static uint8_t *write_garbage(artifact_codec codec, size_t *size)
{
    static char blob[3000] = "garbage, not a snapshot";
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_JSON,
        .source_format = SNAPCELL_SOURCE_SCRIPT,
        .key = {{1, 2, 3}},
        .engine = engine_fingerprint(),
        .host = snapcell_host_fingerprint(NULL),
        .name = "garbage",
        .file_name = "garbage.js",
        .blob = {blob, sizeof(blob)},
        .source = {"garbage", 7},
        .manifest = {"{}", 2},
        .codec = codec,
        .level = 3,
    };
    uint8_t *bytes = NULL;
    if (artifact_write(&spec, &bytes, size, NULL) != SNAPCELL_OK) abort();
    return bytes;
}

START_TEST(test_garbage_is_refused_before_it_is_decoded)
{
    size_t size = 0;
    uint8_t *bytes = write_garbage(_i ? ARTIFACT_CODEC_ZSTD : ARTIFACT_CODEC_RAW, &size);
    put(bytes, size, "garbage");
    snapcell_loader *loader = open_for(FROM_STORE);
    ck_assert_int_eq(load(loader, "garbage"), SNAPCELL_E_SIGNATURE);
    put_signed(bytes, size, other_key, "garbage", NULL);
    ck_assert_int_eq(load(loader, "garbage"), SNAPCELL_E_SIGNATURE);
    ck_assert_uint_eq(fixture_counters(loader).decoded_size_bytes, 0);
    snapcell_loader_close(loader);
    free(bytes);
}
END_TEST

/* A signature of the right key that was made for something else. */
START_TEST(test_altered_signatures_are_refused)
{
    size_t size = 0;
    uint8_t *bytes = get(count_key, &size);
    snapcell_loader *loader = open_for((source)_i);
    if (_i != IN_PLACE) warm(loader, (source)_i);
    for (size_t back = 1; back <= 48 + 5 + 64; back += 13) {
        bytes[size - back] ^= 4;
        artifact_checksum(bytes, size, ((artifact_header *)bytes)->checksum);
        put(bytes, size, NULL);
        int status = load(loader, "count");
        ck_assert(status == SNAPCELL_E_SIGNATURE || status == SNAPCELL_E_FORMAT);
        bytes[size - back] ^= 4;
    }
    snapcell_loader_close(loader);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cell_trust");
    TCase *tcase = tcase_create("cell_trust");
    setup();
    tcase_add_loop_test(tcase, test_signed_functions_load, 0, SOURCE_COUNT);
    tcase_add_test(tcase, test_signed_functions_load_without_trust);
    tcase_add_loop_test(tcase, test_unsigned_and_others_are_refused, 0, SOURCE_COUNT);
    tcase_add_test(tcase, test_a_part_of_a_key_is_no_key);
    tcase_add_loop_test(tcase, test_tenants_are_bound, 0, SOURCE_COUNT);
    tcase_add_loop_test(tcase, test_key_is_bound_to_a_name, 0, SOURCE_COUNT);
    tcase_add_loop_test(tcase, test_revocation_holds_for_what_is_kept, 0, SOURCE_COUNT);
    tcase_add_test(tcase, test_trust_can_only_be_replaced);
    tcase_add_test(tcase, test_no_keys_is_no_trust);
    tcase_add_loop_test(tcase, test_sets_are_replaced_while_others_load, 0, SOURCE_COUNT);
    tcase_add_loop_test(tcase, test_garbage_is_refused_before_it_is_decoded, 0, 2);
    int status = fixture_run(suite, tcase);
    release_keys();

    /* These change the store. */
    Suite *changing = suite_create("cell_trust_changing");
    TCase *changes = tcase_create("cell_trust_changing");
    tcase_add_checked_fixture(changes, setup, teardown);
    tcase_add_loop_test(changes, test_names_are_bound, 0, SOURCE_COUNT);
    tcase_add_loop_test(changes, test_rotation, 0, SOURCE_COUNT);
    tcase_add_loop_test(changes, test_altered_signatures_are_refused, 0, SOURCE_COUNT);
    int status_changing = fixture_run(changing, changes);
    fixture_remove();
    return status != 0 ? status : status_changing;
}
