/* Lines of /proc/self/maps, right and wrong. */
#include "memory_map.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>

static int parse(const char *text, memory_mapping *out, size_t capacity)
{
    return memory_map_parse(text, strlen(text), out, capacity);
}

START_TEST(test_map_reads_what_the_kernel_writes)
{
    memory_mapping got[5];
    ck_assert_int_eq(parse("00400000-0040b000 r-xp 00001000 fe:00 247164  /usr/bin/a b\n"
                           "0040b000-0040c000 rw-p 00000000 00:00 0 \n"
                           "0040c000-0040d000 ---p 00000000 00:00 0          [heap]\n"
                           "7f0000000000-7f0000001000 rw-s 00000000 00:01 12 /memfd:x (deleted)\n"
                           "7ffd00000000-7ffd00004000 r--p 00000000 00:00 0  [vvar]\n",
                           got, 5),
                     5);
    ck_assert_uint_eq(got[0].start, 0x400000);
    ck_assert_uint_eq(got[0].end, 0x40b000);
    ck_assert_uint_eq(got[0].inode, 247164);
    ck_assert_int_eq(got[0].protection, PROT_READ | PROT_EXEC);
    ck_assert(got[0].is_private && !got[0].is_special);
    ck_assert_int_eq(got[1].protection, PROT_READ | PROT_WRITE);
    ck_assert_uint_eq(got[1].inode, 0);
    ck_assert_int_eq(got[2].protection, PROT_NONE);
    ck_assert(!got[3].is_private);
    ck_assert(got[4].is_special);
}
END_TEST

static const char *const nonsense[] = {
    "x\n",
    "00400000-0040b000 r-xp 00001000 fe:00 247164 /usr/bin/cut",
    "00400000-0040b000 rqxp 00001000 fe:00 0\n",
    "00400000 0040b000 r-xp 00001000 fe:00 0\n",
    "0040b000-00400000 r-xp 00001000 fe:00 0\n",
    "00400000-00400000 r-xp 00001000 fe:00 0\n",
    "123456789abcdef01-23456789abcdef012 r-xp 0 0:0 0\n",
    "00400000-0040b000 r-xp 00000000 00:00 0\n00408000-0040c000 r-xp 00000000 00:00 0\n",
    "\n",
};

START_TEST(test_map_refuses_nonsense)
{
    memory_mapping got[4];
    ck_assert_int_eq(parse(nonsense[_i], got, 4), -1);
}
END_TEST

START_TEST(test_map_refuses_more_than_there_is_room_for)
{
    memory_mapping got[1];
    ck_assert_int_eq(parse("00400000-0040b000 r-xp 00000000 00:00 0\n"
                           "0040b000-0040c000 r-xp 00000000 00:00 0\n",
                           got, 1),
                     -1);
    ck_assert_int_eq(parse("", got, 1), 0);
}
END_TEST

START_TEST(test_map_counts_what_the_kernel_counts)
{
    memory_mapping got[3];
    int count = parse("00400000-0040b000 r-xp 00000000 00:00 0\n"
                      "7ffd00000000-7ffd00004000 r--p 00000000 00:00 0  [vvar]\n"
                      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n",
                      got, 3);
    ck_assert_int_eq(count, 3);
    ck_assert_uint_eq(memory_map_size_bytes(got, 3), 0xb000 + 0x4000);
    ck_assert_uint_eq(memory_map_size_bytes(got, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_map");
    TCase *tests = tcase_create("lines");
    tcase_add_test(tests, test_map_reads_what_the_kernel_writes);
    tcase_add_loop_test(tests, test_map_refuses_nonsense, 0,
                        (int)(sizeof(nonsense) / sizeof(*nonsense)));
    tcase_add_test(tests, test_map_refuses_more_than_there_is_room_for);
    tcase_add_test(tests, test_map_counts_what_the_kernel_counts);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
