/* For a fuzzing engine (clang -fsanitize=fuzzer); its corpus is tests/corpora/artifact_reader/. */
#include <stdlib.h>
#include <string.h>

#include "artifact_checksum.h"
#include "artifact_reader.h"
#include "fuzz_input.h"

#define FUZZ_DECODED_SIZE_MAX (1u << 20)

/* Of a size that small frames reach beyond, too. */
static const uint8_t fuzz_prefix[100] = "0123456789abcdefghijklmnopqrstuvwxyz";

static void fuzz_decode(const artifact_section *section)
{
    if (section->data == NULL || section->decoded_size_bytes > FUZZ_DECODED_SIZE_MAX) return;
    uint8_t *out = malloc((size_t)section->decoded_size_bytes + 1);
    if (out == NULL) return;
    (void)artifact_section_decode_with_prefix(section, fuzz_prefix, sizeof(fuzz_prefix), out, NULL);
    free(out);
}

static void fuzz_read(const uint8_t *bytes, size_t size)
{
    artifact_view view;
    snapcell_error err;
    if (artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err) != SNAPCELL_OK) return;
    fuzz_decode(&view.blob);
    fuzz_decode(&view.source);
    fuzz_decode(&view.source_map);
    fuzz_decode(&view.manifest);
}

/* Sizes and hashes set right: what a fuzzer cannot guess, and would keep it out of the sections. */
static void fuzz_repair(uint8_t *bytes, size_t size)
{
    artifact_header *header = (artifact_header *)bytes;
    memcpy(header->magic, ARTIFACT_MAGIC, ARTIFACT_MAGIC_SIZE);
    le64_set(&header->artifact_size, size);
    const uint64_t digest_end = le64_get(header->digest_end);
    if (digest_end < sizeof(*header) || digest_end > size) le64_set(&header->digest_end, size);
    artifact_seal(bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size);
    if (size < sizeof(artifact_header)) return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL) return 0;
    memcpy(copy, data, size);
    fuzz_repair(copy, size);
    fuzz_read(copy, size);
    free(copy);
    return 0;
}
