/* What the harness computes, on numbers that are known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "artifact_writer.h"
#include "bench_many.h"
#include "bench_noise.h"
#include "bench_peers.h"
#include "bench_process.h"
#include "bench_random.h"
#include "bench_statistics.h"
#include "bench_subject.h"

static snapcell_error err;

/* --- Statistics --- */

START_TEST(test_statistics_of_a_hundred)
{
    uint64_t values[100];
    for (size_t i = 0; i < 100; i++)
        values[i] = 1000 - 10 * i; /* 1000, 990, ... 10: unsorted */
    bench_statistics of = bench_statistics_of(values, 100);
    ck_assert_uint_eq(of.count, 100);
    ck_assert_uint_eq(of.min, 10);
    ck_assert_uint_eq(of.p50, 500);
    ck_assert_uint_eq(of.p90, 900);
    ck_assert_uint_eq(of.p99, 990);
    ck_assert_uint_eq(of.max, 1000);
}
END_TEST

START_TEST(test_statistics_of_few)
{
    uint64_t none[1] = {7};
    bench_statistics of = bench_statistics_of(none, 0);
    ck_assert_uint_eq(of.count + of.min + of.p50 + of.p90 + of.p99 + of.max, 0);
    of = bench_statistics_of(none, 1);
    ck_assert_uint_eq(of.min, 7);
    ck_assert_uint_eq(of.p50, 7);
    ck_assert_uint_eq(of.p99, 7);
    ck_assert_uint_eq(of.max, 7);
    uint64_t three[] = {30, 10, 20};
    of = bench_statistics_of(three, 3);
    ck_assert_uint_eq(of.p50, 20);
    ck_assert_uint_eq(of.p90, 30);
    uint64_t four[] = {4, 3, 2, 1};
    ck_assert_uint_eq(bench_statistics_of(four, 4).p50, 2);
}
END_TEST

START_TEST(test_statistics_keep_large_values_apart)
{
    uint64_t values[] = {UINT64_MAX, 0, UINT64_MAX - 1};
    bench_statistics of = bench_statistics_of(values, 3);
    ck_assert(of.min == 0 && of.p50 == UINT64_MAX - 1 && of.max == UINT64_MAX);
}
END_TEST

/* --- Order --- */

#define ORDER_COUNT 7

START_TEST(test_order_is_a_permutation_and_changes)
{
    bench_random random;
    bench_random_init(&random, 42);
    size_t first_seen[ORDER_COUNT] = {0};
    for (int round = 0; round < 700; round++) {
        size_t order[ORDER_COUNT];
        bool seen[ORDER_COUNT] = {false};
        bench_random_order(&random, order, ORDER_COUNT);
        for (size_t i = 0; i < ORDER_COUNT; i++) {
            ck_assert_uint_lt(order[i], ORDER_COUNT);
            ck_assert(!seen[order[i]]);
            seen[order[i]] = true;
        }
        first_seen[order[0]]++;
    }
    /* Each is first about a hundred times: with this seed, always the same numbers. */
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        ck_assert_uint_gt(first_seen[i], 60);
        ck_assert_uint_lt(first_seen[i], 140);
    }
}
END_TEST

START_TEST(test_order_follows_the_seed)
{
    size_t one[16], same[16], other[16];
    bench_random random;
    bench_random_init(&random, 1);
    bench_random_order(&random, one, 16);
    bench_random_init(&random, 1);
    bench_random_order(&random, same, 16);
    bench_random_init(&random, 2);
    bench_random_order(&random, other, 16);
    ck_assert_mem_eq(one, same, sizeof(one));
    ck_assert_mem_ne(one, other, sizeof(one));
    /* The seed that the mixing would turn into 0 works, too. */
    bench_random_init(&random, 0x9e3779b97f4a7c15u);
    ck_assert_uint_ne(random.state, 0);
}
END_TEST

/* --- Noise --- */

START_TEST(test_noise_is_judged_by_its_worst)
{
    bench_noise_facts still = {.spin_p90_to_p50 = 1.02, .steal_percent = 0, .others_percent = 1};
    ck_assert_int_eq(bench_noise_judge(&still), BENCH_QUIET);
    bench_noise_facts facts = still;
    facts.spin_p90_to_p50 = 1.2;
    ck_assert_int_eq(bench_noise_judge(&facts), BENCH_NOISY);
    facts.steal_percent = 20;
    ck_assert_int_eq(bench_noise_judge(&facts), BENCH_UNUSABLE);
    facts = still;
    facts.others_percent = 40;
    ck_assert_int_eq(bench_noise_judge(&facts), BENCH_UNUSABLE);
    facts = still;
    facts.spin_p90_to_p50 = 2;
    ck_assert_int_eq(bench_noise_judge(&facts), BENCH_UNUSABLE);
}
END_TEST

START_TEST(test_noise_tells_what_it_saw)
{
    bench_noise noise = {0};
    bench_noise_begin(&noise);
    for (int i = 0; i < 300; i++)
        bench_noise_spin(&noise);
    json_t *facts = bench_noise_end(&noise);
    ck_assert_ptr_nonnull(facts);
    ck_assert_int_eq(json_integer_value(json_object_get(facts, "spin_count")), 300);
    const char *verdict = json_string_value(json_object_get(facts, "verdict"));
    ck_assert_int_eq(json_is_true(json_object_get(facts, "usable")),
                     strcmp(verdict, "unusable") != 0);
    /* A machine that is not quiet says why. */
    ck_assert_int_eq(json_array_size(json_object_get(facts, "reasons")) == 0,
                     strcmp(verdict, "quiet") == 0);
    json_decref(facts);
    bench_noise_release(&noise);
}
END_TEST

/* --- Many artifacts --- */

START_TEST(test_copies_have_keys_of_their_own)
{
    uint8_t blob[64] = {1, 2, 3};
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .name = "copied",
        .file_name = "copied.js",
        .blob = {blob, sizeof(blob)},
        .source = {"export {}", 9},
        .manifest = {"{}", 2},
        .codec = ARTIFACT_CODEC_RAW,
    };
    uint8_t *bytes;
    size_t size;
    ck_assert_int_eq(artifact_write(&spec, &bytes, &size, &err), SNAPCELL_OK);
    for (uint32_t i = 0; i < 100; i++) {
        snapcell_key key = bench_many_key(i), next = bench_many_key(i + 1);
        ck_assert_mem_ne(key.bytes, next.bytes, sizeof(key.bytes));
        bench_many_rekey(bytes, size, &key);
        artifact_view view;
        ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err),
                         SNAPCELL_OK);
        ck_assert_mem_eq(view.info.key.bytes, key.bytes, sizeof(key.bytes));
        ck_assert_mem_eq(view.blob.data, blob, sizeof(blob));
    }
    free(bytes);
}
END_TEST

START_TEST(test_a_disk_that_is_too_small_gets_fewer)
{
    ck_assert_uint_eq(bench_many_fitting("/", 1000, UINT64_C(1) << 50), 0);
    ck_assert_uint_eq(bench_many_fitting("/proc/no such folder", 1000, 100), 1000);
}
END_TEST

/* --- Processes --- */

#define SHELL(script) ((char *[]){"/bin/sh", "-c", script, NULL})

START_TEST(test_process_is_read_to_its_end)
{
    char *env[] = {NULL};
    bench_program program = {
        .argv = SHELL("printf hello; printf ' world'"), .env = env, .log = "/dev/null"};
    bench_sample sample;
    ck_assert_int_eq(bench_process_run(&program, &sample, &err), SNAPCELL_OK);
    ck_assert(sample.response_hash == bench_hash("hello world", 11));
    ck_assert_uint_gt(sample.total_ns, 0);
    ck_assert_uint_gt(sample.minor_faults, 0);
}
END_TEST

START_TEST(test_process_that_fails_is_an_error)
{
    char *env[] = {NULL};
    bench_sample sample;
    bench_program silent = {.argv = SHELL("exit 0"), .env = env, .log = "/dev/null"};
    ck_assert_int_eq(bench_process_run(&silent, &sample, &err), SNAPCELL_E_SCRIPT);
    ck_assert_ptr_nonnull(strstr(err.message, "printed nothing"));
    bench_program failing = {.argv = SHELL("echo partly; exit 3"), .env = env, .log = "/dev/null"};
    ck_assert_int_eq(bench_process_run(&failing, &sample, &err), SNAPCELL_E_SCRIPT);
    bench_program missing = {
        .argv = (char *[]){"/no/such/program", NULL}, .env = env, .log = "/dev/null"};
    ck_assert_int_ne(bench_process_run(&missing, &sample, &err), SNAPCELL_OK);
    ck_assert_ptr_nonnull(strstr(err.message, "/no/such/program"));
}
END_TEST

START_TEST(test_server_that_does_not_answer_is_an_error)
{
    char *env[] = {NULL};
    bench_sample sample;
    bench_program program = {
        .argv = SHELL("exit 0"), .env = env, .log = "/dev/null", .http = true, .url = "/"};
    ck_assert_int_eq(bench_process_run(&program, &sample, &err), SNAPCELL_E_SCRIPT);
}
END_TEST

/* --- Other runtimes --- */

START_TEST(test_peers_are_taken_or_named)
{
    json_t *peers = json_loads(
        "[{\"peer\": \"one\", \"function\": \"f\", \"argv\": [\"a\", \"b\"], \"what\": \"one 1\"},"
        " {\"peer\": \"one\", \"function\": \"g\", \"argv\": [\"a\"]},"
        " {\"peer\": \"web\", \"function\": \"f\", \"argv\": [\"w\"], \"kind\": \"http\"},"
        " {\"peer\": \"away\", \"missing\": \"not installed\"},"
        " {\"peer\": \"empty\", \"function\": \"f\", \"argv\": []}]",
        0, NULL);
    ck_assert_ptr_nonnull(peers);
    json_t *missing = json_array();
    bench_contender found[8];
    size_t count = bench_peers_for(peers, "f", false, "/dev/null", found, 8, missing);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(found[0].config, "one");
    ck_assert_str_eq(found[0].program.argv[1], "b");
    ck_assert_ptr_null(found[0].program.argv[2]);
    ck_assert(!found[0].program.http && found[1].program.http);
    ck_assert_uint_eq(json_array_size(missing), 2);
    const json_t *away = json_array_get(missing, 0);
    ck_assert_str_eq(json_string_value(json_object_get(away, "peer")), "away");
    ck_assert_str_eq(json_string_value(json_object_get(away, "reason")), "not installed");
    for (size_t i = 0; i < count; i++)
        bench_contender_release(&found[i]);

    /* Once is enough. */
    count = bench_peers_for(peers, "g", false, "/dev/null", found, 8, missing);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(json_array_size(missing), 2);
    bench_contender_release(&found[0]);
    json_decref(missing);
    json_decref(peers);
}
END_TEST

START_TEST(test_a_peer_has_its_variables_once)
{
    ck_assert_int_eq(setenv("BENCH_TEST_WORD", "from outside", 1), 0);
    ck_assert_int_eq(setenv("BENCH_TEST_WORDS", "another", 1), 0);
    json_t *argv = json_pack("[s]", "a"), *env = json_pack("{s:s}", "BENCH_TEST_WORD", "own");
    bench_contender contender = {0};
    ck_assert(bench_contender_init(&contender, argv, env));
    int own = 0, outside = 0, another = 0;
    for (char **at = contender.program.env; *at; at++) {
        own += strcmp(*at, "BENCH_TEST_WORD=own") == 0;
        outside += strcmp(*at, "BENCH_TEST_WORD=from outside") == 0;
        another += strcmp(*at, "BENCH_TEST_WORDS=another") == 0;
    }
    ck_assert(own == 1 && outside == 0 && another == 1);
    bench_contender_release(&contender);
    json_decref(argv);
    json_decref(env);
}
END_TEST

START_TEST(test_a_list_of_peers_must_be_one)
{
    json_t *peers;
    ck_assert_int_eq(bench_peers_read("/no/such/list", &peers, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "/no/such/list"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *all = tcase_create("bench");
    tcase_add_test(all, test_statistics_of_a_hundred);
    tcase_add_test(all, test_statistics_of_few);
    tcase_add_test(all, test_statistics_keep_large_values_apart);
    tcase_add_test(all, test_order_is_a_permutation_and_changes);
    tcase_add_test(all, test_order_follows_the_seed);
    tcase_add_test(all, test_noise_is_judged_by_its_worst);
    tcase_add_test(all, test_noise_tells_what_it_saw);
    tcase_add_test(all, test_copies_have_keys_of_their_own);
    tcase_add_test(all, test_a_disk_that_is_too_small_gets_fewer);
    tcase_add_test(all, test_process_is_read_to_its_end);
    tcase_add_test(all, test_process_that_fails_is_an_error);
    tcase_add_test(all, test_server_that_does_not_answer_is_an_error);
    tcase_add_test(all, test_peers_are_taken_or_named);
    tcase_add_test(all, test_a_peer_has_its_variables_once);
    tcase_add_test(all, test_a_list_of_peers_must_be_one);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
