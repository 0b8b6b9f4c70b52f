#include "image_cache.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#define BLOB_SIZE 100000
#define IMAGE_ROOM ((uint64_t)200000) /* more than one image takes, less than two */

static image_context context;
static image_cache cache;

static void setup(void)
{
    memset(&context, 0, sizeof(context));
    buffer_pool_init(&context.buffers, 1 << 20);
    ck_assert_int_eq(image_cache_init(&cache, 3 * IMAGE_ROOM), 0);
}

static void teardown(void)
{
    image_cache_release(&cache);
    image_cache_release(&cache); /* once more is nothing */
    buffer_pool_release(&context.buffers);
}

/* A key whose first bytes choose a bucket; the last byte tells keys of one bucket apart. */
static snapcell_key make_key(uint8_t first, uint8_t last)
{
    snapcell_key key = {{first}};
    key.bytes[sizeof(key.bytes) - 1] = last;
    return key;
}

static image *make_sized(snapcell_key key, size_t size)
{
    uint8_t *bytes = calloc(1, size);
    ck_assert_ptr_nonnull(bytes);
    artifact_view view = {.blob = {bytes, size, size, ARTIFACT_CODEC_RAW}};
    view.info.key = key;
    verified_entry identity = {{0}, {0}};
    image *made = NULL;
    ck_assert_int_eq(image_new(&context, &view, &identity, NULL, &made, NULL), SNAPCELL_OK);
    free(bytes);
    return made;
}

static image *make(uint8_t first, uint8_t last)
{
    image *made = make_sized(make_key(first, last), BLOB_SIZE);
    ck_assert_uint_gt(image_size_bytes(made), IMAGE_ROOM / 2);
    ck_assert_uint_lt(image_size_bytes(made), IMAGE_ROOM);
    return made;
}

static image *find(uint8_t first, uint8_t last)
{
    snapcell_key key = make_key(first, last);
    return image_cache_find(&cache, &key);
}

static bool has(uint8_t first, uint8_t last)
{
    image *found = find(first, last);
    image_release(found);
    return found != NULL;
}

static void add_and_release(image *made)
{
    image_cache_add(&cache, made);
    image_release(made);
}

START_TEST(test_what_was_added_is_found)
{
    image *one = make(1, 0), *two = make(1, 7);
    image_cache_add(&cache, one);
    image_cache_add(&cache, two);
    ck_assert_uint_eq(image_cache_size_bytes(&cache),
                      image_size_bytes(one) + image_size_bytes(two));
    image *found = find(1, 7);
    ck_assert_ptr_eq(found, two);
    ck_assert_uint_eq(two->reference_count, 3); /* ours, the cache's, and what was found */
    image_release(found);
    ck_assert(!has(1, 8));
    ck_assert(!has(2, 0));
    image_release(one);
    image_release(two);
    ck_assert(has(1, 0));
}
END_TEST

START_TEST(test_what_was_used_longest_ago_goes)
{
    for (uint8_t i = 0; i < 4; i++)
        add_and_release(make(1, i)); /* all in one bucket */
    uint64_t size = image_cache_size_bytes(&cache);
    ck_assert_uint_le(size, 3 * IMAGE_ROOM);
    ck_assert(has(1, 0)); /* four have room, and 0 was used last now */
    add_and_release(make(2, 0));
    ck_assert(has(1, 0));
    ck_assert(!has(1, 1));
    ck_assert(has(1, 2));
    ck_assert(has(1, 3));
    ck_assert(has(2, 0));
    ck_assert_uint_eq(image_cache_size_bytes(&cache), size);
}
END_TEST

START_TEST(test_size_is_never_above_the_bound)
{
    for (unsigned i = 0; i < 200; i++) {
        snapcell_key key = make_key((uint8_t)(i * 37), (uint8_t)i);
        add_and_release(make_sized(key, 1000 + i * i * 20));
        ck_assert_uint_le(image_cache_size_bytes(&cache), 3 * IMAGE_ROOM);
    }
    ck_assert_uint_gt(image_cache_size_bytes(&cache), 0);
}
END_TEST

START_TEST(test_what_is_larger_than_all_room_is_not_kept)
{
    add_and_release(make(1, 0));
    image *large = make_sized(make_key(2, 0), 3 * IMAGE_ROOM);
    image_cache_add(&cache, large);
    ck_assert_uint_eq(large->reference_count, 1);
    image_release(large);
    ck_assert(has(1, 0));
}
END_TEST

START_TEST(test_same_key_replaces)
{
    image *one = make(1, 0), *other = make(1, 0);
    image_cache_add(&cache, one);
    image_cache_add(&cache, other);
    ck_assert_uint_eq(one->reference_count, 1);
    ck_assert(!one->cached);
    image *found = find(1, 0);
    ck_assert_ptr_eq(found, other);
    ck_assert_uint_eq(image_cache_size_bytes(&cache), image_size_bytes(other));
    image_release(found);
    image_release(other);
    image_cache_remove(&cache, one); /* no longer there: nothing to do */
    ck_assert(has(1, 0));
    image_release(one);
}
END_TEST

START_TEST(test_removed_image_lives_on_with_its_users)
{
    image *one = make(1, 0);
    image_cache_add(&cache, one);
    image_cache_remove(&cache, one);
    image_cache_remove(&cache, one);
    ck_assert(!has(1, 0));
    ck_assert_uint_eq(image_cache_size_bytes(&cache), 0);
    ck_assert_uint_eq(one->reference_count, 1);
    ck_assert_uint_eq(*(const uint8_t *)one->blob, 0);
    image_release(one);
}
END_TEST

START_TEST(test_no_cache_keeps_nothing)
{
    image_cache_release(&cache);
    ck_assert_int_eq(image_cache_init(&cache, 0), 0);
    image *one = make(1, 0);
    image_cache_add(&cache, one);
    ck_assert_uint_eq(one->reference_count, 1);
    ck_assert(!has(1, 0));
    image_release(one);
}
END_TEST

/* The last use frees it: its memory is back in the pool. */
START_TEST(test_evicted_image_is_freed_with_its_last_use)
{
    image *one = make(1, 0);
    image_cache_add(&cache, one);
    image_release(one);
    one = find(1, 0);
    for (uint8_t i = 1; i < 8; i++)
        add_and_release(make(1, i));
    ck_assert(!has(1, 0));
    ck_assert_uint_eq(one->reference_count, 1);
    const void *memory = one->memory.data;
    unsigned before = context.buffers.count;
    image_release(one);
    ck_assert_uint_eq(context.buffers.count, before + 1);
    ck_assert_ptr_eq(context.buffers.kept[before].data, memory);
}
END_TEST

static void *find_and_add(void *user)
{
    (void)user;
    for (unsigned i = 0; i < 300; i++) {
        snapcell_key key = make_key((uint8_t)(i % 3), (uint8_t)(i % 7));
        image *found = image_cache_find(&cache, &key);
        if (found == NULL) {
            uint8_t bytes[70000] = {0};
            artifact_view view = {
                .blob = {bytes, sizeof(bytes), sizeof(bytes), ARTIFACT_CODEC_RAW}};
            view.info.key = key;
            verified_entry identity = {{0}, {0}};
            if (image_new(&context, &view, &identity, NULL, &found, NULL) != SNAPCELL_OK)
                return "no memory";
            image_cache_add(&cache, found);
        }
        if (memcmp(&found->info.key, &key, sizeof(key)) != 0) return "another key's image";
        if (i % 11 == 0) image_cache_remove(&cache, found);
        image_release(found);
    }
    return NULL;
}

START_TEST(test_threads_share_the_cache)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, find_and_add, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *failure = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failure), 0);
        ck_assert_msg(failure == NULL, "%s", (const char *)failure);
    }
    ck_assert_uint_le(image_cache_size_bytes(&cache), 3 * IMAGE_ROOM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_cache");
    TCase *tcase = tcase_create("image_cache");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_what_was_added_is_found);
    tcase_add_test(tcase, test_what_was_used_longest_ago_goes);
    tcase_add_test(tcase, test_size_is_never_above_the_bound);
    tcase_add_test(tcase, test_what_is_larger_than_all_room_is_not_kept);
    tcase_add_test(tcase, test_same_key_replaces);
    tcase_add_test(tcase, test_removed_image_lives_on_with_its_users);
    tcase_add_test(tcase, test_no_cache_keeps_nothing);
    tcase_add_test(tcase, test_evicted_image_is_freed_with_its_last_use);
    tcase_add_test(tcase, test_threads_share_the_cache);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
