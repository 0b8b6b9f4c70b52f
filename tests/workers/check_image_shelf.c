/* Images in memory: within a bound, the least recently used one goes first. */
#include "image_shelf.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static image_key key_of(uint8_t number)
{
    image_key key = {{0}};
    key.bytes[0] = number;
    key.bytes[IMAGE_KEY_SIZE - 1] = number;
    return key;
}

static int put(image_shelf *shelf, uint8_t number, uint64_t size_bytes)
{
    image_key key = key_of(number);
    int fd = memfd_create("image", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    const shelf_image image = {
        .key = key, .fd = fd, .size_bytes = size_bytes, .made_ns = number, .used_ns = number};
    return image_shelf_put(shelf, &image) ? fd : -1;
}

static shelf_image *find(image_shelf *shelf, uint8_t number)
{
    image_key key = key_of(number);
    return image_shelf_find(shelf, &key, 100 + number);
}

START_TEST(test_the_least_recently_used_goes_first)
{
    image_shelf shelf = {.size_bytes_max = 100};
    int first = put(&shelf, 1, 40);
    int second = put(&shelf, 2, 40);
    ck_assert(first >= 0 && second >= 0);
    ck_assert_int_eq(find(&shelf, 1)->fd, first); /* now the most recently used */
    ck_assert_int_ge(put(&shelf, 3, 30), 0);
    ck_assert_ptr_null(find(&shelf, 2));
    ck_assert_int_lt(fcntl(second, F_GETFD), 0);
    ck_assert_ptr_nonnull(find(&shelf, 1));
    ck_assert_uint_eq(find(&shelf, 3)->made_ns, 3);
    ck_assert_uint_eq(shelf.size_bytes, 70);
    ck_assert_int_ge(put(&shelf, 4, 100), 0);
    ck_assert_ptr_null(find(&shelf, 1));
    ck_assert_ptr_null(find(&shelf, 3));
    ck_assert_uint_eq(shelf.size_bytes, 100);
    image_shelf_clear(&shelf);
    ck_assert_uint_eq(shelf.size_bytes, 0);
    ck_assert_ptr_null(shelf.newest);
}
END_TEST

START_TEST(test_what_has_no_room_is_not_kept)
{
    image_shelf shelf = {.size_bytes_max = 100};
    ck_assert_int_ge(put(&shelf, 1, 60), 0);
    ck_assert_int_eq(put(&shelf, 2, 101), -1);
    ck_assert_ptr_nonnull(find(&shelf, 1));
    ck_assert_ptr_null(find(&shelf, 2));
    image_shelf_clear(&shelf);
}
END_TEST

START_TEST(test_one_image_a_key)
{
    image_shelf shelf = {.size_bytes_max = 100};
    int before = put(&shelf, 1, 60);
    int now = put(&shelf, 1, 50);
    ck_assert_int_ge(now, 0);
    ck_assert_int_lt(fcntl(before, F_GETFD), 0);
    ck_assert_int_eq(find(&shelf, 1)->fd, now);
    ck_assert_uint_eq(shelf.size_bytes, 50);
    image_key key = key_of(1);
    image_shelf_drop(&shelf, &key);
    image_shelf_drop(&shelf, &key);
    ck_assert_ptr_null(find(&shelf, 1));
    ck_assert_uint_eq(shelf.size_bytes, 0);
}
END_TEST

/* Without it, functions that take turns would take down each other's images, and profit from none.
 */
START_TEST(test_what_is_used_less_than_all_is_not_admitted)
{
    image_shelf shelf = {.size_bytes_max = 100};
    ck_assert(image_shelf_admits(&shelf, 0));
    ck_assert_int_ge(put(&shelf, 1, 40), 0);
    ck_assert(image_shelf_admits(&shelf, 0)); /* there is room for one more */
    ck_assert_int_ge(put(&shelf, 2, 40), 0);
    ck_assert(!image_shelf_admits(&shelf, 0));
    ck_assert(!image_shelf_admits(&shelf, 1));
    ck_assert(image_shelf_admits(&shelf, 2)); /* the first one was used before that */
    ck_assert_ptr_nonnull(find(&shelf, 1));   /* at 101 */
    ck_assert(!image_shelf_admits(&shelf, 2));
    ck_assert(image_shelf_admits(&shelf, 3));
    ck_assert_uint_eq(shelf.count, 2);
    image_shelf_clear(&shelf);
    ck_assert_uint_eq(shelf.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_shelf");
    TCase *tcase = tcase_create("image_shelf");
    tcase_add_test(tcase, test_the_least_recently_used_goes_first);
    tcase_add_test(tcase, test_what_has_no_room_is_not_kept);
    tcase_add_test(tcase, test_one_image_a_key);
    tcase_add_test(tcase, test_what_is_used_less_than_all_is_not_admitted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
