/* Each allocation of the engine's C files is made to fail: always an error, never a crash, and no
 * leak (which a sanitizer build sees). */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "failing_malloc.h"
#include "host_table.h"
#include "response.h"
#include "source_map.h"

/* Above what any of these needs: a loop that gets here does not end by itself. */
#define ALLOCATION_COUNT_MAX 2000

static int answer(void *user, snapcell_host_call *call)
{
    (void)user;
    (void)call;
    return 0;
}

START_TEST(test_host_table)
{
    long count = 0;
    for (;; count++) {
        snapcell_host *host = NULL;
        snapcell_error err = {0};
        failing_malloc_start(count);
        int status = snapcell_host_new(&host, &err);
        if (status == SNAPCELL_OK) status = snapcell_host_add(host, "a", answer, NULL, &err);
        bool hit = failing_malloc_stop();
        ck_assert_int_eq(status, hit ? SNAPCELL_E_NOMEM : SNAPCELL_OK);
        if (hit && host != NULL) ck_assert_uint_eq(host->count, 0);
        snapcell_host_free(host);
        if (!hit) break;
        ck_assert_int_eq(err.code, SNAPCELL_E_NOMEM);
    }
    ck_assert_int_eq(count, 2);
}
END_TEST

START_TEST(test_host_return_keeps_the_result_before)
{
    snapcell_host_call call = {0};
    snapcell_value value = {.type = SNAPCELL_VALUE_STRING, .data = "before", .size_bytes = 6};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_OK);
    value.data = "after.";
    failing_malloc_start(0);
    int status = snapcell_host_return(&call, &value, NULL);
    ck_assert(failing_malloc_stop());
    ck_assert_int_eq(status, SNAPCELL_E_NOMEM);
    ck_assert_str_eq(call.result.data, "before");
    free((void *)call.result.data);
}
END_TEST

START_TEST(test_response)
{
    for (long count = 0;; count++) {
        ck_assert_int_lt(count, ALLOCATION_COUNT_MAX);
        failing_malloc_start(count);
        snapcell_response *response = response_new(200, 10);
        int added = 0;
        for (; response != NULL && added < 20; added++)
            if (response_add_header(response, "name", 4, "value", 5) != 0) break;
        bool hit = failing_malloc_stop();
        if (response != NULL) {
            /* What was added before is whole. */
            ck_assert_uint_eq(snapcell_response_header_count(response), (size_t)added);
            for (int i = 0; i < added; i++)
                ck_assert_str_eq(snapcell_response_header(response, (size_t)i).value, "value");
        }
        ck_assert(hit == (response == NULL || added < 20));
        snapcell_response_free(response);
        if (!hit) break;
    }
}
END_TEST

static const char map_json[] =
    "{\"version\":3,\"sections\":["
    "{\"offset\":{\"line\":0,\"column\":0},\"map\":{\"version\":3,\"sources\":[\"a.ts\",null],"
    "\"mappings\":\"AAAA,UACA;AACA\"}},"
    "{\"offset\":{\"line\":3,\"column\":6},\"map\":{\"version\":3,\"sources\":[\"b.ts\"],"
    "\"mappings\":\"EAAA;CACA\"}}]}";

START_TEST(test_source_map)
{
    long count = 0;
    for (;; count++) {
        ck_assert_int_lt(count, ALLOCATION_COUNT_MAX);
        failing_malloc_start(count);
        source_map *map = source_map_new(map_json, sizeof(map_json) - 1);
        bool hit = failing_malloc_stop();
        ck_assert(hit == (map == NULL));
        source_map_free(map);
        if (!hit) break;
    }
    ck_assert_int_gt(count, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine_memory");
    TCase *tcase = tcase_create("engine_memory");
    tcase_add_test(tcase, test_host_table);
    tcase_add_test(tcase, test_host_return_keeps_the_result_before);
    tcase_add_test(tcase, test_response);
    tcase_add_test(tcase, test_source_map);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
