/* Host functions that functions in workers call: answered by the host, whatever the policy. */
#include <stdlib.h>
#include <string.h>

#include "workers_fixture.h"

static const char source[] =
    "let kept = 0;\n"
    "export default { fetch(request) {\n"
    "  switch (new URL(request.url).pathname) {\n"
    "  case '/sum': return new Response(`${hostSum(1, 2.5)} ${hostSum(kept += 1, 1)}`);\n"
    "  case '/echo': { const bytes = new Uint8Array(500000).fill(7);\n"
    "    const got = [hostEcho(undefined), hostEcho(null), hostEcho(true), hostEcho('\\u20ac'),\n"
    "      JSON.stringify(hostEcho({ a: [1] })), new Uint8Array(hostEcho(bytes)).length];\n"
    "    return new Response(got.join()); }\n"
    "  case '/fail': try { hostFail(); } catch (error) { return new Response(error.message); }\n"
    "    break;\n"
    "  case '/large': try { hostEcho('x'.repeat(2 << 20)); } catch (error) {\n"
    "    return new Response(error.message); } break;\n"
    "  case '/huge': try { hostHuge(); } catch (error) { return new Response(error.message); }\n"
    "    break;\n"
    "  case '/stream': return new Response(new ReadableStream({ pull(c) {\n"
    "    if (kept++ < 20) c.enqueue(new TextEncoder().encode(hostSum(kept, 0) + ','));\n"
    "    else c.close(); } }));\n"
    "  }\n"
    "  return new Response('none');\n"
    "} };\n";

static int host_sum(void *user, snapcell_host_call *call)
{
    int *calls = user;
    snapcell_value sum = {.type = SNAPCELL_VALUE_NUMBER};
    ++*calls;
    sum.number = snapcell_host_argument(call, 0).number + snapcell_host_argument(call, 1).number;
    return snapcell_host_return(call, &sum, NULL);
}

static int host_echo(void *user, snapcell_host_call *call)
{
    (void)user;
    const snapcell_value given = snapcell_host_argument(call, 0);
    return snapcell_host_return(call, &given, NULL);
}

static int host_fail(void *user, snapcell_host_call *call)
{
    (void)user;
    return snapcell_host_throw(call, "as \xc3\xa9xpected");
}

static int host_huge(void *user, snapcell_host_call *call)
{
    (void)user;
    const size_t size = (size_t)17 << 20;
    snapcell_value value = {.type = SNAPCELL_VALUE_BYTES, .size_bytes = size};
    char *data = calloc(1, size + 1);
    value.data = data;
    int status = snapcell_host_return(call, &value, NULL);
    free(data);
    return status;
}

static int sum_calls;

/* Outside of a test, too. */
static snapcell_host *new_host(void)
{
    static const struct {
        const char *name;
        snapcell_host_fn *callback;
    } functions[] = {{"hostSum", host_sum},
                     {"hostEcho", host_echo},
                     {"hostFail", host_fail},
                     {"hostHuge", host_huge}};
    snapcell_host *host = NULL;
    if (snapcell_host_new(&host, NULL) != SNAPCELL_OK) abort();
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
        if (snapcell_host_add(host, functions[i].name, functions[i].callback, &sum_calls, NULL) !=
            SNAPCELL_OK)
            abort();
    return host;
}

START_TEST(test_host_functions_are_called)
{
    snapcell_host *host = new_host();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.policy = (snapcell_workers_policy)_i;
    options.host = host;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "hosted", NULL);
    sum_calls = 0;
    workers_expect(worker, "/sum", "3.5 2");
    workers_expect(worker, "/sum", _i == SNAPCELL_WORKERS_KEEP ? "3.5 3" : "3.5 2");
    ck_assert_int_eq(sum_calls, 4);
    workers_expect(worker, "/echo", ",,true,\xe2\x82\xac,{\"a\":[1]},500000");
    workers_expect(worker, "/fail", "as \xc3\xa9xpected");
    workers_expect(worker, "/large", "the arguments are too large to be handed to the host");
    workers_expect(worker, "/huge", "the host function's result is too large");
    if (_i != SNAPCELL_WORKERS_KEEP)
        workers_expect(worker, "/stream", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    snapcell_host_free(host);
}
END_TEST

START_TEST(test_another_table_is_refused)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_load(workers, "hosted", NULL, &worker, &err),
                     SNAPCELL_E_OTHER_HOST);
    snapcell_workers_close(workers);
}
END_TEST

int main(void)
{
    static const fixture_function functions[] = {{"hosted", source, NULL}};
    workers_set_store(fixture_new_store());
    snapcell_host *host = new_host();
    fixture_compile(functions, 1, host);
    snapcell_host_free(host);
    TCase *tests = tcase_create("worker_host");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, test_host_functions_are_called, SNAPCELL_WORKERS_RESTORE,
                        SNAPCELL_WORKERS_KEEP + 1);
    tcase_add_test(tests, test_another_table_is_refused);
    Suite *suite = suite_create("worker_host");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
