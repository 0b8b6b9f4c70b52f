/* Free memory, which keeps nothing of what was there. */
#include "free_memory.h"

#include <check.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack_call.h"

#define BLOCKS 4000
#define PATTERN 0x5aa55aa5deadbeefULL
#define STACK_SIZE ((size_t)256 << 10)

/* Of the whole heap, as it lies before the break. */
static size_t count_patterns(const uint64_t *from)
{
    size_t count = 0;
    for (const uint64_t *at = from; at + 1 <= (const uint64_t *)sbrk(0); at++)
        count += *at == PATTERN;
    return count;
}

static void fill(void *block, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i += 8)
        memcpy((char *)block + i, &(uint64_t){PATTERN}, 8);
}

/* Sizes from a few bytes to some hundred KiB. */
static size_t size_of(unsigned number)
{
    static const size_t scales[] = {24, 100, 500, 1500, 6000, 30000};
    return scales[number % 6] + number * 37 % scales[number % 6];
}

START_TEST(test_what_was_freed_is_zeroed_and_the_rest_is_not)
{
    static void *blocks[BLOCKS];
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TOP_PAD, 32 << 20);
    uint64_t *first = sbrk(0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(size_of(i));
        ck_assert_ptr_nonnull(blocks[i]);
        fill(blocks[i], size_of(i));
        if ((uint64_t *)blocks[i] < first) first = blocks[i];
    }
    size_t kept = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (i % 7 == 0)
            kept += size_of(i) / 8;
        else
            free(blocks[i]);
    }
    void *end = sbrk(0);
    ck_assert_uint_gt(count_patterns(first), kept);
    free_memory_hold();
    ck_assert_uint_eq(count_patterns(first), kept);
    ck_assert_ptr_eq(sbrk(0), end);
    for (unsigned i = 0; i < BLOCKS; i += 7)
        free(blocks[i]);
    free_memory_hold();
    ck_assert_uint_eq(count_patterns(first), 0);
}
END_TEST

START_TEST(test_what_comes_next_lies_together)
{
    static char *blocks[BLOCKS];
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TOP_PAD, 32 << 20);
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(size_of(i));
    for (unsigned i = 1; i < BLOCKS; i += 2)
        free(blocks[i]);
    free_memory_hold();
    char *lowest = (char *)UINTPTR_MAX;
    char *highest = NULL;
    size_t total = 0;
    for (unsigned i = 1; i < BLOCKS; i += 2) {
        blocks[i] = malloc(size_of(i));
        if (blocks[i] < lowest) lowest = blocks[i];
        if (blocks[i] > highest) highest = blocks[i];
        total += size_of(i) + 32;
    }
    ck_assert_uint_lt((size_t)(highest - lowest), total);
    ck_assert(lowest > blocks[BLOCKS - 2]);

    free_memory_release();
    char *again = malloc(size_of(1));
    for (unsigned i = 0; i < BLOCKS && again > lowest; i++)
        again = malloc(size_of(1)); /* what was freed last comes first */
    ck_assert(again < lowest);
}
END_TEST

static void soil(void *user)
{
    (void)user;
    volatile unsigned char deep[100000];
    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = 0x5a;
}

static size_t count_soiled(const unsigned char *stack)
{
    size_t count = 0;
    for (size_t i = 0; i < STACK_SIZE; i++)
        count += stack[i] == 0x5a;
    return count;
}

START_TEST(test_a_stack_is_cleared_below_its_top)
{
    unsigned char *stack = aligned_alloc(4096, STACK_SIZE);
    ck_assert_ptr_nonnull(stack);
    memset(stack, 0, STACK_SIZE);
    unsigned char *top = stack + STACK_SIZE - 4096 - 64;
    top[0] = 0x5a; /* of a caller that waits */
    stack_call(top, soil, NULL);
    ck_assert_uint_gt(count_soiled(stack), 90000);
    free_stack_clear(top, (size_t)(top - stack));
    ck_assert_uint_eq(count_soiled(stack), 1);
    free(stack);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("free_memory");
    TCase *tests = tcase_create("free_memory");
    tcase_add_test(tests, test_what_was_freed_is_zeroed_and_the_rest_is_not);
    tcase_add_test(tests, test_what_comes_next_lies_together);
    tcase_add_test(tests, test_a_stack_is_cleared_below_its_top);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
