/* Small artifacts for the tests, good ones and one for each defect, built from SPEC.md without the
 * writer. */
#ifndef SNAPCELL_ARTIFACT_SAMPLES_H
#define SNAPCELL_ARTIFACT_SAMPLES_H

#include "artifact_layout.h"
#include "artifact_writer.h"

#define SAMPLE_SECTION_COUNT_MAX 40
#define SAMPLE_SIZE_MAX 16384

typedef struct sample_section {
    uint16_t type;
    uint8_t flags;
    uint8_t codec;
    const void *data;
    size_t stored_size_bytes;
    uint64_t decoded_size_bytes;
} sample_section;

typedef struct test_sample {
    sample_section sections[SAMPLE_SECTION_COUNT_MAX];
    size_t section_count;
    uint8_t kind;
    uint8_t source_encoding;
    _Alignas(16) uint8_t bytes[SAMPLE_SIZE_MAX];
    size_t size_bytes;
} test_sample;

/* What the good samples hold. */
extern const char sample_name[];
extern const char sample_file_name[];
extern const char sample_source[];
extern const char sample_source_map[];
extern const char sample_manifest[];
extern const uint8_t sample_blob[40];
extern const uint8_t sample_blob_frame[49]; /* a zstd frame that holds sample_blob */
extern const uint8_t sample_large_blob[4096];
extern const uint8_t sample_large_prefix[3000];    /* begins as sample_large_blob does */
extern const uint8_t sample_prefix[100];           /* sample_blob lies in it at byte 20 */
extern const uint8_t sample_blob_prefix_frame[16]; /* codec 2: sample_blob, after sample_prefix */

/* A signature section over the good raw sample: for its name, by the key of 32 bytes of 01. */
extern const uint8_t sample_signature[117];

void sample_init(test_sample *sample); /* the good raw one, in parts */
sample_section *sample_find(test_sample *sample, uint16_t type);
void sample_add(test_sample *sample, sample_section section); /* keeps the types in order */
void sample_remove(test_sample *sample, uint16_t type);
void sample_layout(test_sample *sample); /* the parts into bytes */
void sample_seal(test_sample *sample);   /* checksum and digest, over whatever is there */

/* The same content as sample_init()'s, for the writer. */
artifact_spec sample_spec(void);

typedef struct sample_case {
    const char *name; /* begins with the rule, "r09-..."; "good-..." when there is no defect */
    int code;         /* what artifact_read() gives */
    int decode_code;  /* what decoding the blob gives then */
} sample_case;

extern const size_t sample_case_count;
const sample_case *sample_case_make(size_t index, test_sample *out);

#endif
