/* Every allocation fails once: that is E_NOMEM, and nothing leaks (a sanitizer tells). Linked with
 * --wrap for malloc, calloc and realloc. */
#include <stdbool.h>
#include <string.h>

#include "artifact_samples.h"
#include "check_run.h"
#include "error_set.h"
#include "signing_key.h"
#include "trust_set.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool armed;
static unsigned left; /* until the one that fails */

static bool allocation_fails(void)
{
    if (!armed) return false;
    if (left > 0) {
        left--;
        return false;
    }
    armed = false;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

static void arm(unsigned number)
{
    left = number;
    armed = true;
}

/* Whether the failure was still to come. */
static bool disarm(void)
{
    const bool waiting = armed;
    armed = false;
    return waiting;
}

START_TEST(test_writer_survives_every_failed_allocation)
{
    artifact_spec spec = sample_spec();
    spec.codec = (artifact_codec)_i;
    spec.prefix = (artifact_part){sample_large_prefix, sizeof(sample_large_prefix)};
    spec.level = 3;
    spec.blob = (artifact_part){sample_large_blob, sizeof(sample_large_blob)};
    unsigned failed_count = 0;
    bool done = false;
    for (unsigned number = 0; !done; number++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        snapcell_error err = {0};
        arm(number);
        const int status = artifact_write(&spec, &bytes, &size, &err);
        done = disarm();
        if (status == SNAPCELL_OK) {
            /* Not even reached, or the buffer could not be shrunk. */
            artifact_view view;
            ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err),
                             SNAPCELL_OK);
        } else {
            ck_assert_int_eq(status, SNAPCELL_E_NOMEM);
            ck_assert_int_eq(err.code, SNAPCELL_E_NOMEM);
            ck_assert_ptr_null(bytes);
            failed_count++;
        }
        free(bytes);
    }
    ck_assert_uint_ge(failed_count, _i == ARTIFACT_CODEC_RAW ? 1 : 3);
}
END_TEST

START_TEST(test_decode_survives_every_failed_allocation)
{
    const artifact_section sections[] = {
        {sample_blob_frame, sizeof(sample_blob_frame), sizeof(sample_blob), ARTIFACT_CODEC_ZSTD},
        {sample_blob_prefix_frame, sizeof(sample_blob_prefix_frame), sizeof(sample_blob),
         ARTIFACT_CODEC_ZSTD_PREFIX},
    };
    unsigned failed_count = 0;
    bool done = false;
    for (unsigned number = 0; !done; number++) {
        uint8_t out[sizeof(sample_blob)] = {0};
        snapcell_error err = {0};
        arm(number);
        const int status = artifact_section_decode_with_prefix(&sections[_i], sample_prefix,
                                                               sizeof(sample_prefix), out, &err);
        done = disarm();
        if (status == SNAPCELL_OK) {
            ck_assert_mem_eq(out, sample_blob, sizeof(out));
        } else {
            ck_assert_int_eq(status, SNAPCELL_E_NOMEM);
            failed_count++;
        }
    }
    /* The decoder; what refers to the prefix. */
    ck_assert_uint_ge(failed_count, _i == 0 ? 1 : 2);
}
END_TEST

static int sign_and_trust(const snapcell_signing_key *key, const test_sample *sample,
                          snapcell_error *err)
{
    void *made = NULL;
    size_t size = 0;
    snapcell_trust *trust = NULL;
    snapcell_trust *copy = NULL;
    int status = snapcell_artifact_sign(sample->bytes, sample->size_bytes, key, NULL, NULL, &made,
                                        &size, err);
    if (status == SNAPCELL_OK) status = snapcell_trust_new(&trust, err);
    if (status == SNAPCELL_OK)
        status = snapcell_trust_add_key(trust, snapcell_signing_key_public(key), "", err);
    if (status == SNAPCELL_OK) {
        copy = trust_copy(trust);
        if (copy == NULL) status = error_set(err, SNAPCELL_E_NOMEM, "no memory");
    }
    if (status == SNAPCELL_OK)
        status = snapcell_trust_check(copy, made, size, NULL, NULL, NULL, err);
    snapcell_trust_free(copy);
    snapcell_trust_free(trust);
    free(made);
    return status;
}

START_TEST(test_signing_survives_every_failed_allocation)
{
    static const snapcell_signing_key key = {{1, 2, 3}};
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    unsigned failed_count = 0;
    bool done = false;
    for (unsigned number = 0; !done; number++) {
        snapcell_error err = {0};
        arm(number);
        const int status = sign_and_trust(&key, &sample, &err);
        done = disarm();
        /* That key has no right public half, so that its signature is never right either. */
        ck_assert_int_eq(status, done ? SNAPCELL_E_SIGNATURE : SNAPCELL_E_NOMEM);
        failed_count += !done;
    }
    ck_assert_uint_ge(failed_count, 5);
}
END_TEST

/* A reader must not need memory: a loader checks artifacts when there is none left. */
START_TEST(test_reader_allocates_nothing)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_view view;
    arm(0);
    const int status =
        artifact_read(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &view, NULL);
    ck_assert(disarm());
    ck_assert_int_eq(status, SNAPCELL_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("artifact_memory");
    TCase *tcase = tcase_create("artifact_memory");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_writer_survives_every_failed_allocation, ARTIFACT_CODEC_RAW,
                        ARTIFACT_CODEC_ZSTD_PREFIX + 1);
    tcase_add_loop_test(tcase, test_decode_survives_every_failed_allocation, 0, 2);
    tcase_add_test(tcase, test_signing_survives_every_failed_allocation);
    tcase_add_test(tcase, test_reader_allocates_nothing);
    return check_run(suite);
}
