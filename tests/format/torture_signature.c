/* Alters signed artifacts of the examples, byte by byte: torture_signature FOLDER [--count N],
 * where FOLDER holds bundles. N bytes of each artifact are altered, evenly spread, or all of them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "artifact_checksum.h"
#include "signing_key.h"
#include "snapcell/compiler.h"

#define EXAMPLE_COUNT_MAX 64

typedef struct example {
    char name[64];
    uint8_t *bytes; /* signed */
    size_t size;
} example;

typedef struct tally {
    const char *promise;
    unsigned long tries;
    unsigned long failures;
} tally;

enum { ALTERED, RESEALED, CUT, MOVED, TALLY_COUNT };

static tally tallies[TALLY_COUNT] = {
    [ALTERED] = {"a signed artifact with a byte altered is refused", 0, 0},
    [RESEALED] = {"so it is when its hashes are made to fit", 0, 0},
    [CUT] = {"a signed artifact that is cut is refused", 0, 0},
    [MOVED] = {"a signature is refused on every other artifact", 0, 0},
};
static snapcell_signing_key key;
static snapcell_trust *trust;
static example examples[EXAMPLE_COUNT_MAX];
static size_t example_count;

/* --- The examples --- */

static void require(int code, const snapcell_error *err, const char *what)
{
    if (code == SNAPCELL_OK) return;
    fprintf(stderr, "torture_signature: %s: %s\n", what, err->message);
    exit(3);
}

static void make_trust(void)
{
    snapcell_error err;
    uint8_t seed[crypto_sign_SEEDBYTES] = {7};
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    crypto_sign_seed_keypair(public_key, key.secret, seed);
    require(snapcell_trust_new(&trust, &err), &err, "a trust set");
    require(snapcell_trust_add_key(trust, public_key, NULL, &err), &err, "a trust set");
}

static void add_example(const char *folder, const char *file)
{
    char path[1024];
    snapcell_error err;
    snapcell_compiled *compiled = NULL;
    example *made = &examples[example_count];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    snprintf(made->name, sizeof(made->name), "%s", file);
    int status = snapcell_compile_file(path, NULL, &compiled, &err);
    if (status == SNAPCELL_E_SCRIPT) { /* one is for a host with functions of its own */
        fprintf(stderr, "left out: %s: %s\n", file, err.message);
        return;
    }
    require(status, &err, path);
    example_count++;
    size_t size = 0;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    void *signed_bytes = NULL;
    require(
        snapcell_artifact_sign(bytes, size, &key, NULL, "tenant", &signed_bytes, &made->size, &err),
        &err, path);
    made->bytes = signed_bytes;
    snapcell_compiled_free(compiled);
}

static void add_examples(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *ending = strrchr(entries[i]->d_name, '.');
        if (ending != NULL && strcmp(ending, ".js") == 0 && example_count < EXAMPLE_COUNT_MAX)
            add_example(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* --- Tries --- */

static bool is_accepted(const uint8_t *bytes, size_t size)
{
    return snapcell_trust_check(trust, bytes, size, NULL, NULL, NULL, NULL) == SNAPCELL_OK;
}

static void count_try(tally *of, bool refused, const example *at, size_t place)
{
    of->tries++;
    if (refused) return;
    of->failures++;
    fprintf(stderr, "%s: not so for %s at byte %zu\n", of->promise, at->name, place);
}

/* As someone would who has no key. */
static void reseal(uint8_t *bytes, size_t size)
{
    artifact_header *header = (artifact_header *)bytes;
    const uint64_t end = le64_get(header->digest_end);
    if (end >= sizeof(*header) && end <= size)
        artifact_seal(bytes, size);
    else
        artifact_checksum(bytes, size, header->checksum);
}

static void torture_byte(const example *of, uint8_t *copy, size_t place)
{
    const size_t hashes = offsetof(artifact_header, checksum);
    const uint8_t flip = (uint8_t)(1u << (place % 8));
    copy[place] ^= flip;
    count_try(&tallies[ALTERED], !is_accepted(copy, of->size), of, place);
    if (place < hashes || place >= ARTIFACT_DIGEST_START) {
        reseal(copy, of->size);
        count_try(&tallies[RESEALED], !is_accepted(copy, of->size), of, place);
        memcpy(copy, of->bytes, sizeof(artifact_header));
    }
    copy[place] = of->bytes[place];
    count_try(&tallies[CUT], !is_accepted(copy, place), of, place);
}

static void torture_moved(const example *of, uint8_t *copy)
{
    const artifact_header *header = (const artifact_header *)of->bytes;
    const size_t start = (size_t)le64_get(header->digest_end);
    for (size_t i = 0; i < example_count; i++) {
        const example *from = &examples[i];
        const size_t from_start =
            (size_t)le64_get(((const artifact_header *)from->bytes)->digest_end);
        /* Of another size it would not even fit the table; the 64 bytes of the signature do. */
        if (from == of) continue;
        const size_t tail = from->size - from_start == of->size - start ? of->size - start : 64;
        memcpy(copy + of->size - tail, from->bytes + from->size - tail, tail);
        reseal(copy, of->size);
        count_try(&tallies[MOVED], !is_accepted(copy, of->size), of, i);
        memcpy(copy, of->bytes, of->size);
    }
}

static void torture_example(const example *of, unsigned long count)
{
    uint8_t *copy = malloc(of->size);
    if (copy == NULL) exit(3);
    memcpy(copy, of->bytes, of->size);
    if (!is_accepted(copy, of->size)) {
        fprintf(stderr, "torture_signature: %s is refused as it is\n", of->name);
        exit(3);
    }
    const double step = count < of->size ? (double)of->size / (double)count : 1;
    for (double place = 0; place < (double)of->size; place += step)
        torture_byte(of, copy, (size_t)place);
    for (size_t back = 1; back <= 128; back++) /* the signature, whole */
        torture_byte(of, copy, of->size - back);
    torture_moved(of, copy);
    free(copy);
}

int main(int argc, char **argv)
{
    unsigned long count = 100;
    if (argc == 4 && strcmp(argv[2], "--count") == 0)
        count = strtoul(argv[3], NULL, 10);
    else if (argc != 2)
        return fprintf(stderr, "usage: torture_signature FOLDER [--count N]\n"), 2;
    make_trust();
    add_examples(argv[1]);
    for (size_t i = 0; i < example_count; i++) {
        fprintf(stderr, "%s, %zu bytes\n", examples[i].name, examples[i].size);
        torture_example(&examples[i], count);
    }
    unsigned long failures = example_count == 0;
    for (size_t i = 0; i < TALLY_COUNT; i++) {
        printf("%s\t%lu\t%lu\n", tallies[i].promise, tallies[i].tries, tallies[i].failures);
        failures += tallies[i].failures;
    }
    for (size_t i = 0; i < example_count; i++)
        free(examples[i].bytes);
    snapcell_trust_free(trust);
    return failures == 0 ? 0 : 1;
}
