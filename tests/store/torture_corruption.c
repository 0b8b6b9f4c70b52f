/* Damage: to artifacts, each byte and each length; to the store's file, pages of it and its end.
 * What reads a damaged file does so in a child process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"
#include "torture_report.h"

#define PAGE ((size_t)4096)
#define ARTIFACTS 120u
#define ENGINE 1

enum {
    FLIPPED,
    SHORTENED,
    NO_OTHER_BYTES,
    NO_DEATH,
    FOUND,
    NOTHING_SPOILED,
    SALVAGED,
    NO_WRONG_NAME,
    NOT_MORE,
    PROMISES
};
static torture_promise promises[PROMISES] = {
    [FLIPPED] = {"an artifact with a byte flipped is refused"},
    [SHORTENED] = {"an artifact that was cut is refused"},
    [NO_OTHER_BYTES] = {"of a damaged store no artifact passes that is not what was put"},
    [NO_DEATH] = {"a damaged store gives errors, no crash"},
    [FOUND] = {"verify finds the damage, or nothing is lost"},
    [NOTHING_SPOILED] = {"writing to a damaged store spoils nothing that was whole"},
    [SALVAGED] = {"salvage recovers each artifact whose bytes are whole"},
    [NO_WRONG_NAME] = {"salvage gives no name to another artifact"},
    [NOT_MORE] = {"salvage leaves removed what was removed"},
};

static fixture_artifact artifacts[ARTIFACTS];
static uint64_t offsets[ARTIFACTS]; /* in the file */
static uint8_t *pristine;
static size_t pristine_size;
static char data_path[128];
static char salvaged_path[128];
static uint32_t random_state;

static uint32_t below(uint32_t limit)
{
    return fixture_random(&random_state) % limit;
}

/* --- Artifacts
 * -------------------------------------------------------------------------------------------------
 */

static bool is_refused(const uint8_t *bytes, size_t size)
{
    snapcell_artifact_info info;
    snapcell_error err = {0};
    int status = snapcell_artifact_inspect(bytes, size, &info, &err);
    return (status == SNAPCELL_E_CORRUPT || status == SNAPCELL_E_FORMAT ||
            status == SNAPCELL_E_TOO_LARGE) &&
           err.message[0] != '\0';
}

static void flip_and_check(fixture_artifact *artifact, size_t at, uint8_t bits)
{
    artifact->bytes[at] ^= bits;
    torture_try(&promises[FLIPPED], is_refused(artifact->bytes, artifact->size_bytes),
                "byte %zu of %zu", at, artifact->size_bytes);
    artifact->bytes[at] ^= bits;
}

/* At the end of its memory, so that a sanitizer sees what is read past it. */
static void cut_and_check(const fixture_artifact *artifact, size_t size)
{
    uint8_t *cut = malloc(size + (size == 0));
    if (cut == NULL) abort();
    memcpy(cut, artifact->bytes, size);
    torture_try(&promises[SHORTENED], is_refused(cut, size), "%zu of %zu bytes", size,
                artifact->size_bytes);
    free(cut);
}

static void torture_artifacts(unsigned long count)
{
    fixture_artifact small = fixture_artifact_new(1, ENGINE, 300);
    fixture_artifact large = fixture_artifact_new(2, ENGINE, 200000);
    for (size_t i = 0; i < small.size_bytes; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flip_and_check(&small, i, (uint8_t)(1u << bit));
        }
        cut_and_check(&small, i);
    }
    for (unsigned long i = 0; i < count; i++) {
        flip_and_check(&large, below((uint32_t)large.size_bytes), (uint8_t)(1 + below(255)));
        cut_and_check(&large, below((uint32_t)large.size_bytes));
    }
    fixture_artifact_free(&small);
    fixture_artifact_free(&large);
}

/* --- The store
 * -------------------------------------------------------------------------------------------------
 */

static void name_of(unsigned number, char out[32])
{
    snprintf(out, 32, "function-%u", number);
}

static uint8_t *read_whole(const char *path, size_t *out_size)
{
    *out_size = (size_t)fixture_file_size(path);
    uint8_t *bytes = malloc(*out_size);
    int file = open(path, O_RDONLY);
    if (bytes == NULL || read(file, bytes, *out_size) != (ssize_t)*out_size) abort();
    close(file);
    return bytes;
}

/* Where data.mdb is mapped in this process. */
static const uint8_t *map_start(void)
{
    char line[512];
    unsigned long start = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && start == 0 && fgets(line, sizeof(line), maps) != NULL) {
        if (strstr(line, data_path) != NULL) start = strtoul(line, NULL, 16);
    }
    if (maps == NULL || start == 0) abort();
    fclose(maps);
    return (const uint8_t *)(uintptr_t)start;
}

/* Older copies lie in free pages: the one that counts is where the store sees it. */
static void find_offsets(void)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        snapcell_store_view view;
        if (snapcell_store_view_open(store, &artifacts[i].key, &view, NULL) != SNAPCELL_OK) abort();
        offsets[i] = (uint64_t)((const uint8_t *)view.bytes - map_start());
        snapcell_store_view_close(store, &view);
    }
    snapcell_store_close(store);
}

/* Short ones in leaves, long ones in pages of their own, and free pages from those removed. */
static void make_store(void)
{
    snapcell_error err;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        char name[32];
        name_of(i, name);
        artifacts[i] = fixture_artifact_new(i, ENGINE, i % 4 == 0 ? 9000 + i * 50 : 200 + i * 9);
        if (fixture_put(store, 1000 + i, ENGINE, 5000, "passing", &err) != SNAPCELL_OK ||
            snapcell_store_put(store, artifacts[i].bytes, artifacts[i].size_bytes, name, &err) !=
                SNAPCELL_OK ||
            snapcell_store_remove_name(store, "passing", &err) != SNAPCELL_OK)
            abort();
    }
    snapcell_store_close(store);
    pristine = read_whole(data_path, &pristine_size);
    find_offsets();
}

typedef struct findings {
    bool whole[ARTIFACTS]; /* read back, by name */
    bool other;            /* bytes that pass their check, but were never put */
    bool spoiled;
    bool verified;
} findings;

/* Whether it reads as it was put; bytes that pass and are others are noted. */
static bool reads_back(snapcell_store *store, unsigned number, findings *out)
{
    char name[32];
    void *bytes = NULL;
    size_t size = 0;
    snapcell_key key;
    snapcell_artifact_info info;
    const snapcell_fingerprint engine = fixture_engine(ENGINE);
    name_of(number, name);
    if (snapcell_store_resolve(store, name, &engine, &key, NULL) != SNAPCELL_OK ||
        snapcell_store_get(store, &key, &bytes, &size, NULL) != SNAPCELL_OK)
        return false;
    const bool same =
        size == artifacts[number].size_bytes && memcmp(bytes, artifacts[number].bytes, size) == 0;
    if (!same && snapcell_artifact_inspect(bytes, size, &info, NULL) == SNAPCELL_OK &&
        memcmp(&info.key, &key, sizeof(key)) == 0 &&
        memcmp(&key, &artifacts[number].key, sizeof(key)) == 0)
        out->other = true;
    free(bytes);
    return same;
}

static void read_all(findings *out, bool *whole)
{
    snapcell_store *store = NULL;
    if (snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, NULL) != SNAPCELL_OK)
        return;
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        whole[i] = reads_back(store, i, out);
    }
    out->verified =
        snapcell_store_check(store, NULL) == SNAPCELL_OK && fixture_count_whole(store) == ARTIFACTS;
    snapcell_store_close(store);
}

static void write_some(findings *out)
{
    snapcell_error err;
    snapcell_store *store = NULL;
    bool still[ARTIFACTS] = {0};
    if (snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &store, NULL) != SNAPCELL_OK)
        return;
    for (uint32_t i = 0; i < 5; i++) {
        fixture_put(store, 2000 + i, ENGINE, 100 + i * 4000, "another", &err);
        snapcell_store_remove_name(store, "another", &err);
    }
    snapcell_store_gc(store, NULL, &err);
    snapcell_store_close(store);
    read_all(out, still);
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        out->spoiled |= out->whole[i] && !still[i];
    }
}

static int use_damaged(void *argument)
{
    findings *out = argument;
    read_all(out, out->whole);
    const bool verified = out->verified;
    write_some(out);
    out->verified = verified;
    return 0;
}

/* --- Damage
 * -------------------------------------------------------------------------------------------------
 */

typedef struct damaged_file {
    uint8_t *bytes; /* the file, damaged */
    size_t size;
    char text[100];
} damaged_file;

static void damage_page(damaged_file *damage, size_t page)
{
    uint8_t *at = damage->bytes + page * PAGE;
    const uint32_t kind = below(5);
    static const char *const kinds[] = {"random", "zero", "as another one", "a bit flipped",
                                        "some bytes random"};
    snprintf(damage->text, sizeof(damage->text), "page %zu of %zu: %s", page, damage->size / PAGE,
             kinds[kind]);
    const size_t start = kind == 4 ? below(PAGE - 16) : 0;
    const size_t end = kind == 4 ? start + 1 + below(16) : PAGE;
    if (kind == 1) memset(at, 0, PAGE);
    if (kind == 2) memcpy(at, damage->bytes + below((uint32_t)(damage->size / PAGE)) * PAGE, PAGE);
    /* Mostly where a page says what it is. */
    if (kind == 3) at[below(2) == 0 ? below(64) : below(PAGE)] ^= (uint8_t)(1u << below(8));
    for (size_t i = start; (kind == 0 || kind == 4) && i < end; i++) {
        at[i] = (uint8_t)below(256);
    }
}

/* Which artifacts' bytes are as they were. */
static bool is_untouched(const damaged_file *damage, unsigned number)
{
    const size_t end = offsets[number] + artifacts[number].size_bytes;
    return end <= damage->size && memcmp(damage->bytes + offsets[number], artifacts[number].bytes,
                                         artifacts[number].size_bytes) == 0;
}

static void remove_salvaged(void)
{
    char path[160];
    static const char *const names[] = {"/data.mdb", "/lock.mdb", ""};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", salvaged_path, names[i]);
        remove(path);
    }
}

static void check_salvaged(const damaged_file *damage, const snapcell_salvage_result *result)
{
    snapcell_store *store = NULL;
    const snapcell_fingerprint engine = fixture_engine(ENGINE);
    int status = snapcell_store_open(salvaged_path, SNAPCELL_STORE_READ, &store, NULL);
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        char name[32];
        void *bytes = NULL;
        size_t size = 0;
        snapcell_key key;
        name_of(i, name);
        const bool got =
            status == SNAPCELL_OK &&
            snapcell_store_get(store, &artifacts[i].key, &bytes, &size, NULL) == SNAPCELL_OK;
        const bool same =
            got && size == artifacts[i].size_bytes && memcmp(bytes, artifacts[i].bytes, size) == 0;
        /* Of a damaged one, an older copy may have been found. */
        if (got || is_untouched(damage, i))
            torture_try(&promises[SALVAGED], same, "%s: artifact %u", damage->text, i);
        free(bytes);
        if (status != SNAPCELL_OK ||
            snapcell_store_resolve(store, name, &engine, &key, NULL) != SNAPCELL_OK)
            continue;
        torture_try(&promises[NO_WRONG_NAME], memcmp(&key, &artifacts[i].key, sizeof(key)) == 0,
                    "%s: %s", damage->text, name);
    }
    /* What was removed stays so, as long as the lists of what is there can be read. */
    if (status == SNAPCELL_OK && result->complete) {
        torture_try(&promises[NOT_MORE],
                    result->artifact_count + result->artifact_lost_count == ARTIFACTS, "%s: %llu",
                    damage->text, (unsigned long long)result->artifact_count);
    }
    if (status == SNAPCELL_OK) snapcell_store_close(store);
}

static void salvage_damaged(const damaged_file *damage)
{
    snapcell_error err;
    snapcell_salvage_result result;
    fixture_write_file(data_path, damage->bytes, damage->size);
    int status = snapcell_store_salvage(fixture_store, salvaged_path, NULL, NULL, &result, &err);
    /* Where both first pages are lost and no artifact is left, there is nothing to begin with. */
    if (status != SNAPCELL_OK && status != SNAPCELL_E_NOT_A_STORE)
        torture_try(&promises[SALVAGED], false, "%s: %s", damage->text, err.message);
    check_salvaged(damage, &result);
    remove_salvaged();
}

static void use_and_judge(const damaged_file *damage)
{
    findings *found =
        mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) abort();
    unsigned whole = 0;
    char path[160];
    snprintf(path, sizeof(path), "%s/lock.mdb", fixture_store);
    remove(path);
    fixture_write_file(data_path, damage->bytes, damage->size);
    const int ended = fixture_run(use_damaged, found);
    for (unsigned i = 0; i < ARTIFACTS; i++) {
        whole += found->whole[i];
    }
    torture_try(&promises[NO_DEATH], ended == 0, "%s: %d", damage->text, ended);
    torture_try(&promises[NO_OTHER_BYTES], !found->other, "%s", damage->text);
    torture_try(&promises[FOUND], !found->verified || whole == ARTIFACTS, "%s: %u of %u are there",
                damage->text, whole, ARTIFACTS);
    torture_try(&promises[NOTHING_SPOILED], !found->spoiled, "%s", damage->text);
    munmap(found, sizeof(*found));
}

static void try_damage(damaged_file *damage)
{
    use_and_judge(damage);
    salvage_damaged(damage);
    memcpy(damage->bytes, pristine, pristine_size);
}

static void torture_store(unsigned long count)
{
    damaged_file damage = {.bytes = malloc(pristine_size), .size = pristine_size};
    if (damage.bytes == NULL) abort();
    memcpy(damage.bytes, pristine, pristine_size);
    const size_t pages = pristine_size / PAGE;
    for (unsigned long i = 0; i < count; i++) {
        const uint32_t first = below((uint32_t)pages);
        const uint32_t some = below(8) == 0 ? 1 + below(6) : 1;
        for (size_t page = first; page < first + some && page < pages; page++) {
            damage_page(&damage, page);
        }
        try_damage(&damage);
        torture_progress(i, count);
    }
    /* Every length of whole pages, as far as the count goes. */
    const size_t step = count >= pages ? 1 : pages / (count + 1) + 1;
    for (size_t page = 0; page < pages; page += step) {
        damage.size = page * PAGE;
        snprintf(damage.text, sizeof(damage.text), "cut to %zu of %zu pages", page, pages);
        try_damage(&damage);
    }
    free(damage.bytes);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 100);
    random_state = options.seed;
    fixture_setup_fast();
    snprintf(data_path, sizeof(data_path), "%s/data.mdb", fixture_store);
    snprintf(salvaged_path, sizeof(salvaged_path), "%s/salvaged", fixture_directory);
    torture_artifacts(options.count);
    make_store();
    torture_store(options.count);
    fixture_teardown();
    return torture_report(promises, PROMISES);
}
