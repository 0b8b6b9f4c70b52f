#include "image.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "artifact_writer.h"

#define BLOB_SIZE 70001
#define THREAD_COUNT 4

static const char source_latin1[] = "export default { fetch() { return new Response('caf\xe9') } }";
static const char map_json[] = "{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"AAAA\"}";

static uint8_t blob[BLOB_SIZE];

static image_context context;

static void setup(void)
{
    memset(&context, 0, sizeof(context));
    buffer_pool_init(&context.buffers, 1 << 20);
}

static void teardown(void)
{
    buffer_pool_release(&context.buffers);
}

static const verified_entry identity = {{1}, {2}};

static artifact_spec make_spec(artifact_codec codec)
{
    for (size_t i = 0; i < sizeof(blob); i++)
        blob[i] = (uint8_t)(i * i / 255);
    return (artifact_spec){
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .key = {{1, 2, 3}},
        .name = "hello",
        .file_name = "hello.js",
        .blob = {blob, sizeof(blob)},
        .source = {source_latin1, sizeof(source_latin1) - 1},
        .source_encoding = ARTIFACT_TEXT_LATIN1,
        .source_map = {map_json, sizeof(map_json) - 1},
        .manifest = {"{}", 2},
        .codec = codec,
        .level = 3,
    };
}

/* The artifact's bytes are scrubbed and freed at once: an image must not need them. */
static image *make_image(const artifact_spec *spec)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    ck_assert_msg(artifact_write(spec, &bytes, &size, &err) == SNAPCELL_OK, "%s", err.message);
    artifact_view view;
    ck_assert_msg(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err) == SNAPCELL_OK,
                  "%s", err.message);
    image *made = NULL;
    int status = image_new(&context, &view, &identity, NULL, &made, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    ck_assert_ptr_nonnull(made);
    memset(bytes, 0xee, size);
    free(bytes);
    return made;
}

static const artifact_codec codecs[] = {ARTIFACT_CODEC_RAW, ARTIFACT_CODEC_ZSTD};

START_TEST(test_engine_gets_what_was_written)
{
    artifact_spec spec = make_spec(codecs[_i]);
    image *made = make_image(&spec);
    snapcell_host *host = NULL;
    ck_assert_int_eq(snapcell_host_new(&host, NULL), SNAPCELL_OK);
    engine_image given = image_for_engine(made, host);

    ck_assert_int_eq(given.kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_int_eq(given.shape, SNAPCELL_SHAPE_FETCH);
    ck_assert_int_eq(given.format, ENGINE_FORMAT_ESM);
    ck_assert_uint_eq(given.blob_size_bytes, sizeof(blob));
    ck_assert_mem_eq(given.blob, blob, sizeof(blob));
    ck_assert_uint_eq((uintptr_t)given.blob % 64, 0);
    ck_assert_str_eq(given.bundle.file_name, "hello.js");
    ck_assert_ptr_eq(given.bundle.host, host);

    ck_assert_int_eq(given.bundle.source.encoding, ARTIFACT_TEXT_LATIN1);
    ck_assert_uint_eq(given.bundle.source.length, sizeof(source_latin1) - 1);
    const void *text = given.bundle.source.data(given.bundle.source.user);
    ck_assert_mem_eq(text, source_latin1, sizeof(source_latin1));
    ck_assert_ptr_eq(given.bundle.source.data(given.bundle.source.user), text);

    size_t map_size = 0;
    const char *map = given.bundle.source_map.data(given.bundle.source_map.user, &map_size);
    ck_assert_uint_eq(map_size, sizeof(map_json) - 1);
    ck_assert_mem_eq(map, map_json, map_size);
    snapcell_host_free(host);
    image_release(made);
}
END_TEST

START_TEST(test_info_has_no_pointer_into_the_artifact)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    image *made = make_image(&spec);
    ck_assert_ptr_null(made->info.manifest);
    ck_assert_uint_eq(made->info.manifest_size_bytes, 0);
    ck_assert_str_eq(made->info.name, "hello");
    ck_assert_mem_eq(&made->info.key, &spec.key, sizeof(spec.key));
    image_release(made);
}
END_TEST

START_TEST(test_length_of_utf16_is_in_code_units)
{
    artifact_spec spec = make_spec(codecs[_i]);
    static const uint16_t text[] = {'a', 0x20ac, 0xd83d, 0xde00, ';'};
    spec.source = (artifact_part){text, sizeof(text)};
    spec.source_encoding = ARTIFACT_TEXT_UTF16LE;
    image *made = make_image(&spec);
    engine_text source = image_for_engine(made, NULL).bundle.source;
    ck_assert_int_eq(source.encoding, ARTIFACT_TEXT_UTF16LE);
    ck_assert_uint_eq(source.length, 5);
    ck_assert_uint_eq((uintptr_t)source.data(source.user) % 2, 0);
    ck_assert_mem_eq(source.data(source.user), text, sizeof(text));
    image_release(made);
}
END_TEST

START_TEST(test_no_source_map_is_no_callback)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    spec.source_map = (artifact_part){NULL, 0};
    image *made = make_image(&spec);
    ck_assert(image_for_engine(made, NULL).bundle.source_map.data == NULL);
    image_release(made);
}
END_TEST

/* Texts wait until they are requested: that is what keeps them off the path of a load. */
START_TEST(test_texts_are_decoded_on_demand)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    image *made = make_image(&spec);
    ck_assert(!made->source.ready);
    ck_assert(!made->source_map.ready);
    engine_text source = image_for_engine(made, NULL).bundle.source;
    (void)source.data(source.user);
    ck_assert(made->source.ready);
    ck_assert(!made->source_map.ready);
    image_release(made);
}
END_TEST

/* V8 cannot be told that its source is gone: a section that does not decode is a text of zeros. */
START_TEST(test_source_that_does_not_decode_is_zeros)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    static char long_source[5000];
    memset(long_source, 'a', sizeof(long_source));
    spec.source = (artifact_part){long_source, sizeof(long_source)};
    image *made = make_image(&spec);
    ck_assert_int_eq(made->source.stored.codec, ARTIFACT_CODEC_ZSTD);
    memset((void *)made->source.stored.data, 0, (size_t)made->source.stored.stored_size_bytes);
    engine_text source = image_for_engine(made, NULL).bundle.source;
    const char *text = source.data(source.user);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < sizeof(long_source); i++)
        ck_assert_int_eq(text[i], 0);
    image_release(made);
}
END_TEST

START_TEST(test_blob_that_does_not_decode_is_corrupt)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    uint8_t *bytes = NULL;
    size_t size = 0;
    ck_assert_int_eq(artifact_write(&spec, &bytes, &size, NULL), SNAPCELL_OK);
    artifact_view view;
    ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL), SNAPCELL_OK);
    ck_assert_int_eq(view.blob.codec, ARTIFACT_CODEC_ZSTD);
    view.blob.stored_size_bytes -= 1;
    image *made = (image *)&view;
    ck_assert_int_eq(image_new(&context, &view, &identity, NULL, &made, NULL), SNAPCELL_E_CORRUPT);
    ck_assert_ptr_null(made);
    free(bytes);
}
END_TEST

START_TEST(test_blob_that_has_no_room_is_no_memory)
{
    artifact_view view = {.blob = {(const uint8_t *)"", 0, (uint64_t)1 << 46, ARTIFACT_CODEC_RAW}};
    image *made = (image *)&view;
    snapcell_error err;
    ck_assert_int_eq(image_new(&context, &view, &identity, NULL, &made, &err), SNAPCELL_E_NOMEM);
    ck_assert_int_eq(err.code, SNAPCELL_E_NOMEM);
    ck_assert_ptr_null(made);
}
END_TEST

/* What an image leaves in its memory is not seen by the next one, which may be smaller. */
START_TEST(test_memory_of_another_image_is_not_seen)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    static uint8_t large[BLOB_SIZE + 4000];
    memset(large, 'x', sizeof(large));
    spec.blob = (artifact_part){large, sizeof(large)};
    image *first = make_image(&spec);
    const void *memory = first->blob;
    size_t capacity = first->memory.capacity_bytes;
    image_release(first);

    spec = make_spec(ARTIFACT_CODEC_ZSTD);
    image *second = make_image(&spec);
    ck_assert_ptr_eq(second->blob, memory); /* or there is nothing to be seen here */
    const uint8_t *bytes = second->blob;
    ck_assert_mem_eq(bytes, blob, sizeof(blob));
    size_t used = second->memory.written_size_bytes;
    ck_assert_uint_lt(used, sizeof(large));
    for (size_t i = used; i < capacity; i++)
        ck_assert_uint_eq(bytes[i], 0);
    const uint8_t *padding = bytes + sizeof(blob);
    for (; (uintptr_t)padding % 64 != 0; padding++)
        ck_assert_uint_eq(*padding, 0);
    image_release(second);
}
END_TEST

START_TEST(test_image_lives_until_the_last_release)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    image *made = make_image(&spec);
    ck_assert_ptr_eq(image_retain(made), made);
    ck_assert_ptr_eq(image_retain(made), made);
    image_release(made);
    image_release(made);
    ck_assert_mem_eq(made->blob, blob, sizeof(blob));
    image_release(made);
    image_release(NULL);
}
END_TEST

typedef struct sharing {
    image *shared;
    const void *source;
} sharing;

static void *ask_and_release(void *user)
{
    sharing *sharer = user;
    engine_text source = image_for_engine(sharer->shared, NULL).bundle.source;
    sharer->source = source.data(source.user);
    image_release(sharer->shared);
    return NULL;
}

START_TEST(test_threads_share_one_text)
{
    artifact_spec spec = make_spec(ARTIFACT_CODEC_ZSTD);
    image *made = make_image(&spec);
    pthread_t threads[THREAD_COUNT];
    sharing sharers[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        sharers[i] = (sharing){.shared = image_retain(made)};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_and_release, &sharers[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_ptr_eq(sharers[i].source, sharers[0].source);
    }
    ck_assert_mem_eq(sharers[0].source, source_latin1, sizeof(source_latin1));
    image_release(made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *tcase = tcase_create("image");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_engine_gets_what_was_written, 0, 2);
    tcase_add_test(tcase, test_info_has_no_pointer_into_the_artifact);
    tcase_add_loop_test(tcase, test_length_of_utf16_is_in_code_units, 0, 2);
    tcase_add_test(tcase, test_no_source_map_is_no_callback);
    tcase_add_test(tcase, test_texts_are_decoded_on_demand);
    tcase_add_test(tcase, test_source_that_does_not_decode_is_zeros);
    tcase_add_test(tcase, test_blob_that_does_not_decode_is_corrupt);
    tcase_add_test(tcase, test_blob_that_has_no_room_is_no_memory);
    tcase_add_test(tcase, test_memory_of_another_image_is_not_seen);
    tcase_add_test(tcase, test_image_lives_until_the_last_release);
    tcase_add_test(tcase, test_threads_share_one_text);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
