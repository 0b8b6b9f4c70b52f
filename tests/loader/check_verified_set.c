#include "verified_set.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#define THREAD_COUNT 4
#define ENTRY_COUNT 500

static verified_set set;

static void setup(void)
{
    ck_assert_int_eq(verified_set_init(&set), 0);
}

static void teardown(void)
{
    verified_set_release(&set);
}

static verified_entry make_entry(uint32_t bucket, uint32_t number)
{
    verified_entry entry = {0};
    memcpy(entry.digest, &bucket, sizeof(bucket));
    memcpy(entry.digest + 8, &number, sizeof(number));
    memcpy(entry.checksum, &number, sizeof(number));
    return entry;
}

START_TEST(test_contains_what_was_added)
{
    verified_entry a = make_entry(1, 1), b = make_entry(2, 1);
    ck_assert(!verified_set_contains(&set, &a));
    verified_set_add(&set, &a);
    ck_assert(verified_set_contains(&set, &a));
    ck_assert(!verified_set_contains(&set, &b));
}
END_TEST

/* One bit off in checksum or digest is another artifact. */
START_TEST(test_every_byte_counts)
{
    verified_entry entry = make_entry(7, 7);
    verified_set_add(&set, &entry);
    for (size_t i = 0; i < sizeof(entry); i++) {
        verified_entry other = entry;
        ((uint8_t *)&other)[i] ^= 1;
        ck_assert(!verified_set_contains(&set, &other));
    }
    ck_assert(verified_set_contains(&set, &entry));
}
END_TEST

/* All zeros is what an empty place holds. */
START_TEST(test_zeros_are_not_in_an_empty_set)
{
    verified_entry zeros = {0};
    ck_assert(!verified_set_contains(&set, &zeros));
}
END_TEST

START_TEST(test_bucket_forgets_the_oldest)
{
    for (uint32_t i = 0; i < VERIFIED_SET_WAY_COUNT; i++) {
        verified_entry entry = make_entry(3, i);
        verified_set_add(&set, &entry);
        verified_set_add(&set, &entry); /* takes no second place */
    }
    for (uint32_t i = 0; i < VERIFIED_SET_WAY_COUNT; i++) {
        verified_entry entry = make_entry(3, i);
        ck_assert(verified_set_contains(&set, &entry));
    }
    for (uint32_t i = 0; i < VERIFIED_SET_WAY_COUNT; i++) {
        verified_entry added = make_entry(3, 100 + i), forgotten = make_entry(3, i);
        verified_set_add(&set, &added);
        ck_assert(verified_set_contains(&set, &added));
        ck_assert(!verified_set_contains(&set, &forgotten));
    }
}
END_TEST

static void *add_and_ask(void *user)
{
    uint32_t thread = (uint32_t)(uintptr_t)user;
    for (uint32_t i = 0; i < ENTRY_COUNT; i++) {
        verified_entry mine = make_entry(thread * ENTRY_COUNT + i, i);
        verified_entry shared = make_entry(100000, i % 2);
        verified_set_add(&set, &mine);
        verified_set_add(&set, &shared);
        if (!verified_set_contains(&set, &shared)) return user;
    }
    return NULL;
}

START_TEST(test_threads_may_add_and_ask)
{
    pthread_t threads[THREAD_COUNT];
    for (uintptr_t i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_and_ask, (void *)(i + 1)), 0);
    for (int i = 0; i < THREAD_COUNT; i++) {
        void *failed = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verified_set");
    TCase *tcase = tcase_create("verified_set");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_contains_what_was_added);
    tcase_add_test(tcase, test_every_byte_counts);
    tcase_add_test(tcase, test_zeros_are_not_in_an_empty_set);
    tcase_add_test(tcase, test_bucket_forgets_the_oldest);
    tcase_add_test(tcase, test_threads_may_add_and_ask);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
