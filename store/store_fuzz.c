/* Sequences of the store's functions in any order and with any arguments, against a model of what
 * the store must then hold. Two names in three engines, keys that begin alike, and one key that two
 * artifacts claim. */
#include <stdbool.h>
#include <stdlib.h>

#include "artifact_writer.h"
#include "fuzz_folder.h"
#include "snapcell/store.h"

#define FUZZ_KEY_COUNT 9
#define FUZZ_ARTIFACT_COUNT 10 /* the last has the key of the first */
#define FUZZ_ENGINE_COUNT 3
#define FUZZ_NAME_COUNT 2
#define FUZZ_VIEW_COUNT 3
#define FUZZ_REOPEN_MAX 2 /* an input: opening LMDB takes longer than all else together */
#define FUZZ_NONE (-1)

typedef struct fuzz_artifact {
    uint8_t *bytes;
    size_t size_bytes;
} fuzz_artifact;

static fuzz_artifact fuzz_artifacts[FUZZ_ARTIFACT_COUNT];
static snapcell_store *fuzz_store;

typedef struct fuzz_model {
    snapcell_store *store; /* NULL: not open */
    bool writable;
    int reopened;
    int held[FUZZ_KEY_COUNT];                      /* the artifact under a key */
    int names[FUZZ_NAME_COUNT][FUZZ_ENGINE_COUNT]; /* the key under a name */
    snapcell_store_view views[FUZZ_VIEW_COUNT];
    int viewed[FUZZ_VIEW_COUNT]; /* the artifact that a view shows */
} fuzz_model;

static int fuzz_key_of(int artifact)
{
    return artifact % FUZZ_KEY_COUNT;
}

static int fuzz_engine_of(int key)
{
    return key % FUZZ_ENGINE_COUNT;
}

static snapcell_fingerprint fuzz_engine(int engine)
{
    snapcell_fingerprint fingerprint;
    memset(fingerprint.bytes, engine + 1, sizeof(fingerprint.bytes));
    return fingerprint;
}

/* Three begin with each of "0000", "0001" and "0002". */
static snapcell_key fuzz_key(int key)
{
    snapcell_key made = {{0}};
    made.bytes[1] = (uint8_t)(key / 3);
    made.bytes[2] = (uint8_t)(key % 3 * 0x11);
    return made;
}

static const char *fuzz_name(int name)
{
    return name == 0 ? "first" : "00010";
}

/* --- Start --- */

static void fuzz_make_artifact(int index)
{
    static char blob[3][6000];
    memset(blob[index % 3], index, sizeof(blob[0]));
    const artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .key = fuzz_key(fuzz_key_of(index)),
        .engine = fuzz_engine(fuzz_engine_of(fuzz_key_of(index))),
        .name = "made",
        .file_name = "made.js",
        .blob = {blob[index % 3], index % 2 == 0 ? 40 : sizeof(blob[0])},
        .source = {"0", 1},
        .manifest = {"{}", 2},
    };
    fuzz_artifact *made = &fuzz_artifacts[index];
    fuzz_require(artifact_write(&spec, &made->bytes, &made->size_bytes, NULL) == SNAPCELL_OK);
}

static void fuzz_end(void)
{
    snapcell_store_close(fuzz_store);
}

static void fuzz_open(fuzz_model *model, snapcell_store_mode mode)
{
    snapcell_error err;
    const int status = snapcell_store_open(fuzz_folder, mode, &model->store, &err);
    fuzz_require(status == SNAPCELL_OK);
    model->writable = mode != SNAPCELL_STORE_READ;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (int i = 0; i < FUZZ_ARTIFACT_COUNT; i++)
        fuzz_make_artifact(i);
    fuzz_folder_make();
    (void)atexit(fuzz_end);
    fuzz_model model = {0};
    fuzz_open(&model, SNAPCELL_STORE_CREATE);
    fuzz_store = model.store;
    return 0;
}

/* --- What must come out --- */

static bool fuzz_is_named(const fuzz_model *model, int key)
{
    for (int name = 0; name < FUZZ_NAME_COUNT; name++)
        if (model->names[name][fuzz_engine_of(key)] == key) return true;
    return false;
}

static int fuzz_count_held(const fuzz_model *model)
{
    int count = 0;
    for (int key = 0; key < FUZZ_KEY_COUNT; key++)
        count += model->held[key] != FUZZ_NONE;
    return count;
}

/* How many engines a name has an artifact for; `*last` is one of the keys. */
static int fuzz_count_engines(const fuzz_model *model, int name, int *last)
{
    int count = 0;
    for (int engine = 0; engine < FUZZ_ENGINE_COUNT; engine++) {
        if (model->names[name][engine] == FUZZ_NONE) continue;
        *last = model->names[name][engine];
        count++;
    }
    return count;
}

static int fuzz_write_code(const fuzz_model *model, int code)
{
    return model->writable ? code : SNAPCELL_E_READ_ONLY;
}

static void fuzz_require_bytes(const void *bytes, size_t size_bytes, int artifact)
{
    fuzz_require(size_bytes == fuzz_artifacts[artifact].size_bytes);
    fuzz_require(memcmp(bytes, fuzz_artifacts[artifact].bytes, size_bytes) == 0);
}

/* --- Operations --- */

typedef void fuzz_operation(fuzz_model *model, fuzz_input *input);

static void fuzz_put(fuzz_model *model, fuzz_input *input)
{
    const int artifact = fuzz_take_u8(input) % FUZZ_ARTIFACT_COUNT;
    const int name = fuzz_take_u8(input) % (FUZZ_NAME_COUNT + 1);
    const int key = fuzz_key_of(artifact);
    const bool taken = model->held[key] != FUZZ_NONE && model->held[key] != artifact;
    const int status = snapcell_store_put(model->store, fuzz_artifacts[artifact].bytes,
                                          fuzz_artifacts[artifact].size_bytes,
                                          name < FUZZ_NAME_COUNT ? fuzz_name(name) : NULL, NULL);
    fuzz_require(status == fuzz_write_code(model, taken ? SNAPCELL_E_EXISTS : SNAPCELL_OK));
    if (status != SNAPCELL_OK) return;
    model->held[key] = artifact;
    if (name < FUZZ_NAME_COUNT) model->names[name][fuzz_engine_of(key)] = key;
}

/* Bytes and names that are refused: nothing may change. */
static void fuzz_put_bad(fuzz_model *model, fuzz_input *input)
{
    char name[300];
    const fuzz_artifact *good = &fuzz_artifacts[fuzz_take_u8(input) % FUZZ_ARTIFACT_COUNT];
    const size_t at = (size_t)fuzz_take_u32(input) % good->size_bytes;
    const uint8_t change = fuzz_take_u8(input);
    (void)fuzz_take_text(input, name, sizeof(name));
    uint8_t *bytes = malloc(good->size_bytes);
    fuzz_require(bytes != NULL);
    memcpy(bytes, good->bytes, good->size_bytes);
    bytes[at] ^= (uint8_t)(change | 1);
    snapcell_error err;
    const int status = snapcell_store_put(model->store, bytes, good->size_bytes, name, &err);
    fuzz_require(status != SNAPCELL_OK && err.message[0] != '\0');
    free(bytes);
}

static void fuzz_get(fuzz_model *model, fuzz_input *input)
{
    const int key = fuzz_take_u8(input) % FUZZ_KEY_COUNT;
    const snapcell_key wanted = fuzz_key(key);
    void *bytes = NULL;
    size_t size = 0;
    const int status = snapcell_store_get(model->store, &wanted, &bytes, &size, NULL);
    const bool there = model->held[key] != FUZZ_NONE;
    fuzz_require(status == (there ? SNAPCELL_OK : SNAPCELL_E_NOT_FOUND));
    if (there) fuzz_require_bytes(bytes, size, model->held[key]);
    free(bytes);
}

static void fuzz_resolve_name(fuzz_model *model, fuzz_input *input)
{
    const int name = 0; /* the other is a prefix, too */
    const int engine = fuzz_take_u8(input) % (FUZZ_ENGINE_COUNT + 1);
    const snapcell_fingerprint wanted = fuzz_engine(engine);
    const bool any = engine == FUZZ_ENGINE_COUNT;
    int expected = FUZZ_NONE, code = SNAPCELL_OK;
    const int count = fuzz_count_engines(model, name, &expected);
    if (!any && count > 0) expected = model->names[name][engine];
    if (any && count > 1) code = SNAPCELL_E_AMBIGUOUS;
    if (!any && expected == FUZZ_NONE) code = SNAPCELL_E_OTHER_ENGINE;
    if (count == 0) code = SNAPCELL_E_NOT_FOUND;
    snapcell_key found = {{0}};
    fuzz_require(snapcell_store_resolve(model->store, fuzz_name(name), any ? NULL : &wanted, &found,
                                        NULL) == code);
    const snapcell_key key = fuzz_key(expected);
    if (code == SNAPCELL_OK) fuzz_require(memcmp(&found, &key, sizeof(key)) == 0);
}

static void fuzz_resolve_text(fuzz_model *model, fuzz_input *input)
{
    char ref[300];
    snapcell_key found;
    snapcell_error err;
    const int status = snapcell_store_resolve(model->store, fuzz_take_text(input, ref, sizeof(ref)),
                                              NULL, &found, &err);
    fuzz_require(status == SNAPCELL_OK || err.message[0] != '\0');
    if (status != SNAPCELL_OK) return;
    void *bytes = NULL;
    size_t size;
    fuzz_require(snapcell_store_get(model->store, &found, &bytes, &size, NULL) == SNAPCELL_OK);
    free(bytes);
}

static void fuzz_view_open(fuzz_model *model, fuzz_input *input)
{
    const int view = fuzz_take_u8(input) % FUZZ_VIEW_COUNT;
    const int key = fuzz_take_u8(input) % FUZZ_KEY_COUNT;
    const snapcell_key wanted = fuzz_key(key);
    if (model->viewed[view] != FUZZ_NONE) return;
    const int status = snapcell_store_view_open(model->store, &wanted, &model->views[view], NULL);
    fuzz_require(status == (model->held[key] != FUZZ_NONE ? SNAPCELL_OK : SNAPCELL_E_NOT_FOUND));
    model->viewed[view] = model->held[key];
}

/* What a view shows stays the same, whatever was written since. */
static void fuzz_view_close_one(fuzz_model *model, int view)
{
    snapcell_store_view *open = &model->views[view];
    if (model->viewed[view] != FUZZ_NONE)
        fuzz_require_bytes(open->bytes, open->size_bytes, model->viewed[view]);
    snapcell_store_view_close(model->store, open);
    model->viewed[view] = FUZZ_NONE;
}

static void fuzz_view_close(fuzz_model *model, fuzz_input *input)
{
    fuzz_view_close_one(model, fuzz_take_u8(input) % FUZZ_VIEW_COUNT);
}

static void fuzz_name_set(fuzz_model *model, fuzz_input *input)
{
    const int name = fuzz_take_u8(input) % FUZZ_NAME_COUNT;
    const int key = fuzz_take_u8(input) % FUZZ_KEY_COUNT;
    const snapcell_key wanted = fuzz_key(key);
    const bool there = model->held[key] != FUZZ_NONE;
    const int status = snapcell_store_name_set(model->store, fuzz_name(name), &wanted, NULL);
    fuzz_require(status == fuzz_write_code(model, there ? SNAPCELL_OK : SNAPCELL_E_NOT_FOUND));
    if (status == SNAPCELL_OK) model->names[name][fuzz_engine_of(key)] = key;
}

static void fuzz_remove_name(fuzz_model *model, fuzz_input *input)
{
    const int name = fuzz_take_u8(input) % FUZZ_NAME_COUNT;
    int last;
    const bool there = fuzz_count_engines(model, name, &last) > 0;
    const int status = snapcell_store_remove_name(model->store, fuzz_name(name), NULL);
    fuzz_require(status == fuzz_write_code(model, there ? SNAPCELL_OK : SNAPCELL_E_NOT_FOUND));
    for (int engine = 0; status == SNAPCELL_OK && engine < FUZZ_ENGINE_COUNT; engine++) {
        const int key = model->names[name][engine];
        model->names[name][engine] = FUZZ_NONE;
        if (key != FUZZ_NONE && !fuzz_is_named(model, key)) model->held[key] = FUZZ_NONE;
    }
}

static void fuzz_remove_key(fuzz_model *model, int key)
{
    const snapcell_key wanted = fuzz_key(key);
    const bool there = model->held[key] != FUZZ_NONE;
    const int status = snapcell_store_remove(model->store, &wanted, NULL);
    fuzz_require(status == fuzz_write_code(model, there ? SNAPCELL_OK : SNAPCELL_E_NOT_FOUND));
    if (status != SNAPCELL_OK) return;
    model->held[key] = FUZZ_NONE;
    for (int name = 0; name < FUZZ_NAME_COUNT; name++)
        if (model->names[name][fuzz_engine_of(key)] == key)
            model->names[name][fuzz_engine_of(key)] = FUZZ_NONE;
}

static void fuzz_remove(fuzz_model *model, fuzz_input *input)
{
    fuzz_remove_key(model, fuzz_take_u8(input) % FUZZ_KEY_COUNT);
}

static void fuzz_gc(fuzz_model *model, fuzz_input *input)
{
    (void)input;
    snapcell_store_gc_result result = {0};
    const int status = snapcell_store_gc(model->store, &result, NULL);
    fuzz_require(status == fuzz_write_code(model, SNAPCELL_OK));
    if (status != SNAPCELL_OK) return;
    uint64_t removed = 0;
    for (int key = 0; key < FUZZ_KEY_COUNT; key++) {
        if (model->held[key] == FUZZ_NONE || fuzz_is_named(model, key)) continue;
        model->held[key] = FUZZ_NONE;
        removed++;
    }
    fuzz_require(result.removed_count == removed);
}

static int fuzz_count_artifact(void *user, const snapcell_key *key, const void *bytes, size_t size)
{
    snapcell_artifact_info info;
    fuzz_require(snapcell_artifact_inspect(bytes, size, &info, NULL) == SNAPCELL_OK);
    fuzz_require(memcmp(&info.key, key, sizeof(*key)) == 0);
    (*(uint64_t *)user)++;
    return 0;
}

static int fuzz_count_name(void *user, const snapcell_store_name *entry)
{
    fuzz_require(strcmp(entry->name, fuzz_name(0)) == 0 || strcmp(entry->name, fuzz_name(1)) == 0);
    (*(uint64_t *)user)++;
    return 0;
}

static void fuzz_list(fuzz_model *model, fuzz_input *input)
{
    (void)input;
    uint64_t artifacts = 0, names = 0, expected = 0;
    snapcell_store_stat stat;
    snapcell_store *store = model->store;
    fuzz_require(snapcell_store_each_artifact(store, fuzz_count_artifact, &artifacts, NULL) == 0);
    fuzz_require(snapcell_store_each_name(store, fuzz_count_name, &names, NULL) == 0);
    fuzz_require(snapcell_store_stat_get(store, &stat, NULL) == SNAPCELL_OK);
    int last;
    for (int name = 0; name < FUZZ_NAME_COUNT; name++)
        expected += (uint64_t)fuzz_count_engines(model, name, &last);
    fuzz_require(artifacts == (uint64_t)fuzz_count_held(model) && names == expected);
    fuzz_require(stat.artifact_count == artifacts && stat.name_count == names);
}

static void fuzz_close(fuzz_model *model)
{
    for (int view = 0; view < FUZZ_VIEW_COUNT; view++)
        fuzz_view_close_one(model, view);
    snapcell_store_close(model->store);
    model->store = NULL;
}

static void fuzz_reopen(fuzz_model *model, fuzz_input *input)
{
    const snapcell_store_mode mode = (snapcell_store_mode)(fuzz_take_u8(input) % 3);
    if (model->reopened++ >= FUZZ_REOPEN_MAX) return;
    fuzz_close(model);
    fuzz_open(model, mode);
}

/* A second handle of the same store, of any mode, next to the first. One that writes waits for
 * seconds until no view is open. */
static void fuzz_open_twice(fuzz_model *model, fuzz_input *input)
{
    snapcell_store_mode mode = (snapcell_store_mode)(fuzz_take_u8(input) % 3);
    for (int view = 0; view < FUZZ_VIEW_COUNT; view++)
        if (model->viewed[view] != FUZZ_NONE) mode = SNAPCELL_STORE_READ;
    snapcell_store *second = NULL;
    const int status = snapcell_store_open(fuzz_folder, mode, &second, NULL);
    fuzz_require(status == SNAPCELL_OK && second != NULL);
    snapcell_store_close(second);
}

static fuzz_operation *const fuzz_operations[] = {
    fuzz_put,          fuzz_put,       fuzz_put_bad,    fuzz_get,      fuzz_resolve_name,
    fuzz_resolve_text, fuzz_view_open, fuzz_view_close, fuzz_name_set, fuzz_remove_name,
    fuzz_remove,       fuzz_gc,        fuzz_list,       fuzz_reopen,   fuzz_open_twice,
};

/* Empty and open for writing, as the next input expects it. */
static void fuzz_empty(fuzz_model *model)
{
    for (int view = 0; view < FUZZ_VIEW_COUNT; view++)
        fuzz_view_close_one(model, view);
    if (!model->writable) {
        fuzz_close(model);
        fuzz_open(model, SNAPCELL_STORE_WRITE);
    }
    for (int key = 0; key < FUZZ_KEY_COUNT; key++)
        if (model->held[key] != FUZZ_NONE) fuzz_remove_key(model, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    fuzz_model model = {0};
    memset(model.held, FUZZ_NONE, sizeof(model.held));
    memset(model.names, FUZZ_NONE, sizeof(model.names));
    memset(model.viewed, FUZZ_NONE, sizeof(model.viewed));
    /* Open from one input to the next, which saves most of the time. */
    model.store = fuzz_store;
    model.writable = true;
    while (input.size_bytes > 0)
        fuzz_operations[fuzz_take_u8(&input) %
                        (sizeof(fuzz_operations) / sizeof(*fuzz_operations))](&model, &input);
    fuzz_list(&model, &input);
    fuzz_empty(&model);
    fuzz_store = model.store;
    return 0;
}
