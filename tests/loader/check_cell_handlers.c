/* Handlers that are called by name, and an env with JSON values. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static const fixture_function functions[] = {
    {"worker",
     "export default {\n"
     "    state: 'kept',\n"
     "    fetch() { return new Response(globalThis.seen ?? 'nothing'); },\n"
     "    async scheduled(controller, env, context) {\n"
     "        if (controller.cron === 'fail') throw new RangeError('no time');\n"
     "        if (controller.cron === 'never') controller.noRetry();\n"
     "        context.waitUntil(Promise.resolve().then(() => { globalThis.seen =\n"
     "            [this.state, controller.cron, controller.scheduledTime, env.A?.b].join(); }));\n"
     "        context.passThroughOnException();\n"
     "    },\n"
     "    async queue(batch, env, context) {\n"
     "        globalThis.seen = `${batch.queue}:${batch.messages.map(m =>\n"
     "            `${m.id}/${m.attempts}/${m.timestamp.getTime()}/${JSON.stringify(m.body)}`)}`;\n"
     "        for (const message of batch.messages) {\n"
     "            if (message.body === 'ack') message.ack();\n"
     "            if (message.body === 'retry') message.retry({ delaySeconds: 5 });\n"
     "            if (message.body === 'later') context.waitUntil(\n"
     "                new Promise(r => setTimeout(r, 1)).then(() => message.ack()));\n"
     "            if (message.body === 'all') batch.ackAll();\n"
     "            if (message.body === 'none') batch.retryAll({ delaySeconds: '7' });\n"
     "            if (message.body === 'both') { message.ack(); message.retry(); }\n"
     "        }\n"
     "    },\n"
     "    double: event => event.n * 2,\n"
     "    plain: () => undefined,\n"
     "    wait: () => new Promise(() => {}),\n"
     "    circle() { const o = {}; o.o = o; return o; },\n"
     "};\n"
     "export const named = (event, env) => ({ event, env });\n"
     "export const notCallable = 1;\n",
     NULL},
    {"class",
     "class Worker { #n = 1; fetch() { return new Response(''); } count() { return this.#n++; } }\n"
     "export default new Worker();\n",
     NULL},
    {"cron",
     "export default { scheduled(controller) { globalThis.cron = controller.cron; },\n"
     "                 read: () => globalThis.cron };\n",
     NULL},
    {"common", "module.exports = { handler: e => e, scheduled: async c => { c.noRetry(); } };\n",
     NULL},
    {"listener",
     "addEventListener('fetch', e => e.respondWith(new Response(globalThis.seen)));\n"
     "addEventListener('scheduled', e => {\n"
     "    if (e.cron === 'fail') throw new Error('no time');\n"
     "    e.waitUntil((async () => { globalThis.seen = e.type + e.cron + e.scheduledTime; })());\n"
     "});\n",
     NULL},
    {"only-listener", "addEventListener('queue', e => e.messages[0].ack());\n", NULL},
};

static snapcell_loader *loader;

static void setup(void)
{
    loader = fixture_open(NULL, NULL, NULL);
}

static void teardown(void)
{
    snapcell_loader_close(loader);
}

static const struct {
    const char *function, *handler, *event, *result;
} calls[] = {
    {"worker", "scheduled", "{\"cron\":\"* * * * *\",\"scheduledTime\":5}",
     "{\"outcome\":\"ok\",\"noRetry\":false}"},
    {"worker", "scheduled", NULL, "{\"outcome\":\"ok\",\"noRetry\":false}"},
    {"worker", "scheduled", "null", "{\"outcome\":\"ok\",\"noRetry\":false}"},
    {"worker", "scheduled", "{\"cron\":\"never\"}", "{\"outcome\":\"ok\",\"noRetry\":true}"},
    {"worker", "queue", "{\"queue\":\"q\",\"messages\":[]}",
     "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},\"explicitAcks\":[],"
     "\"retryMessages\":[]}"},
    {"worker", "queue",
     "{\"messages\":[{\"id\":\"a\",\"body\":\"ack\"},{\"id\":\"b\",\"body\":\"retry\"},"
     "{\"id\":\"c\",\"body\":\"later\"},{\"id\":\"d\",\"body\":\"both\"},{\"body\":1}]}",
     "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},"
     "\"explicitAcks\":[\"a\",\"c\"],\"retryMessages\":[{\"msgId\":\"b\",\"delaySeconds\":5},"
     "{\"msgId\":\"d\"}]}"},
    {"worker", "queue", "{\"messages\":[{\"id\":1,\"body\":\"all\"},{\"id\":2,\"body\":\"none\"}]}",
     "{\"outcome\":\"ok\",\"ackAll\":true,\"retryBatch\":{\"retry\":true,\"delaySeconds\":7},"
     "\"explicitAcks\":[],\"retryMessages\":[]}"},
    {"worker", "double", "{\"n\":21}", "42"},
    {"worker", "plain", NULL, "null"},
    {"worker", "named", "[1]", "{\"event\":[1],\"env\":{}}"},
    {"class", "count", NULL, "1"},
    {"cron", "scheduled", "{\"cron\":\"c\"}", "{\"outcome\":\"ok\",\"noRetry\":false}"},
    {"common", "scheduled", NULL, "{\"outcome\":\"ok\",\"noRetry\":true}"},
    {"common", "handler", "{\"a\":1}", "{\"a\":1}"},
    {"listener", "scheduled", "{\"cron\":\"c\"}", "{\"outcome\":\"ok\",\"noRetry\":false}"},
    {"only-listener", "queue", "{\"messages\":[{\"id\":\"m\"}]}",
     "{\"outcome\":\"ok\",\"ackAll\":false,\"retryBatch\":{\"retry\":false},"
     "\"explicitAcks\":[\"m\"],\"retryMessages\":[]}"},
};

START_TEST(test_handler_is_called)
{
    snapcell_cell *cell = fixture_load(loader, calls[_i].function, NULL);
    char *json = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    int status = snapcell_cell_call(cell, calls[_i].handler, calls[_i].event, &json, &size, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s\n%s", err.message, err.stack);
    ck_assert_str_eq(json, calls[_i].result);
    ck_assert_uint_eq(size, strlen(json));
    free(json);
    snapcell_cell_dispose(cell);
}
END_TEST

static const struct {
    const char *function, *handler, *event;
    int status;
    const char *message;
} failures[] = {
    {"worker", "nothing", NULL, SNAPCELL_E_NO_HANDLER,
     "no handler \"nothing\"; there is: named, scheduled, queue"},
    {"worker", "notCallable", NULL, SNAPCELL_E_NO_HANDLER, "notCallable"},
    {"worker", "fetch", NULL, SNAPCELL_E_NO_HANDLER, "named, scheduled, queue"},
    {"worker", "toString", NULL, SNAPCELL_E_NO_HANDLER, "toString"},
    {"worker", "constructor", NULL, SNAPCELL_E_NO_HANDLER, "constructor"},
    {"worker", "__proto__", NULL, SNAPCELL_E_NO_HANDLER, "__proto__"},
    {"worker", "", NULL, SNAPCELL_E_NO_HANDLER, "no handler \"\""},
    {"worker", NULL, NULL, SNAPCELL_E_USAGE, "name"},
    {"worker", "double", "{", SNAPCELL_E_USAGE, "not JSON"},
    {"worker", "scheduled", "{\"cron\":\"fail\"}", SNAPCELL_E_SCRIPT, "RangeError: no time"},
    {"worker", "scheduled", "{\"scheduledTime\":\"soon\"}", SNAPCELL_E_SCRIPT, "scheduledTime"},
    {"worker", "queue", "{}", SNAPCELL_E_SCRIPT, "array `messages`"},
    {"worker", "queue", "{\"messages\":[1]}", SNAPCELL_E_SCRIPT, "message 0"},
    {"worker", "circle", NULL, SNAPCELL_E_SCRIPT, "circular"},
    {"worker", "wait", NULL, SNAPCELL_E_SCRIPT, "never be settled"},
    {"listener", "scheduled", "{\"cron\":\"fail\"}", SNAPCELL_E_SCRIPT, "no time"},
    {"listener", "queue", NULL, SNAPCELL_E_NO_HANDLER, "none by name"},
};

START_TEST(test_handler_fails)
{
    snapcell_cell *cell = fixture_load(loader, failures[_i].function, NULL);
    char *json = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(
        snapcell_cell_call(cell, failures[_i].handler, failures[_i].event, &json, NULL, &err),
        failures[_i].status);
    ck_assert_msg(strstr(err.message, failures[_i].message) != NULL, "%s", err.message);
    ck_assert_ptr_null(json);
    /* The cell is as good as before. */
    int status =
        snapcell_cell_call(cell, failures[_i].handler, failures[_i].event, &json, NULL, NULL);
    ck_assert_int_eq(status, failures[_i].status);
    snapcell_cell_dispose(cell);
}
END_TEST

static void call(snapcell_cell *cell, const char *handler, const char *event)
{
    char *json = NULL;
    ck_assert_int_eq(snapcell_cell_call(cell, handler, event, &json, NULL, NULL), SNAPCELL_OK);
    free(json);
}

START_TEST(test_handlers_see_what_they_are_given)
{
    static const snapcell_env json_env[] = {{"A", "{\"b\":[1,2]}"}};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.json_env = json_env;
    options.json_env_count = 1;
    snapcell_cell *cell = fixture_load(loader, "worker", &options);
    call(cell, "scheduled", "{\"cron\":\"*\",\"scheduledTime\":\"1970-01-01T00:00:01Z\"}");
    fixture_expect_response(cell, "/", 200, "kept,*,1000,1,2");
    call(cell, "queue",
         "{\"queue\":\"q\",\"messages\":[{\"id\":\"a\",\"timestamp\":7,"
         "\"attempts\":3,\"body\":{\"x\":1}}]}");
    fixture_expect_response(cell, "/", 200, "q:a/3/7/{\"x\":1}");
    snapcell_cell_dispose(cell);

    cell = fixture_load(loader, "listener", NULL);
    call(cell, "scheduled", "{\"cron\":\"*\",\"scheduledTime\":5}");
    fixture_expect_response(cell, "/", 200, "scheduled*5");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_function_with_named_handlers_alone)
{
    snapcell_cell *cell = fixture_load(loader, "cron", NULL);
    char *json = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &json, NULL, &err), SNAPCELL_E_SCRIPT);
    ck_assert_msg(strstr(err.message, "called by name alone: it has scheduled") != NULL, "%s",
                  err.message);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_json_env)
{
    static const snapcell_env env[] = {{"S", "{\"b\":1}"}};
    static const snapcell_env json_env[] = {
        {"O", "{\"b\":[null]}"}, {"N", " 1.5 "}, {"T", "\"text\""}, {"Z", "null"}};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env = env;
    options.env_count = 1;
    options.json_env = json_env;
    options.json_env_count = 4;
    snapcell_cell *cell = fixture_load(loader, "worker", &options);
    char *json = NULL;
    ck_assert_int_eq(snapcell_cell_call(cell, "named", "0", &json, NULL, NULL), SNAPCELL_OK);
    ck_assert_str_eq(json, "{\"event\":0,\"env\":{\"S\":\"{\\\"b\\\":1}\",\"O\":{\"b\":[null]},"
                           "\"N\":1.5,\"T\":\"text\",\"Z\":null}}");
    free(json);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_bad_json_env_is_refused)
{
    static const snapcell_env bad[] = {{"A", "{"}}, without_name[] = {{NULL, "1"}};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    options.json_env_count = 1;
    ck_assert_int_eq(snapcell_cell_load(loader, "worker", &options, &cell, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "json_env is NULL"));
    options.json_env = without_name;
    ck_assert_int_eq(snapcell_cell_load(loader, "worker", &options, &cell, &err), SNAPCELL_E_USAGE);
    options.json_env = bad;
    ck_assert_int_eq(snapcell_cell_load(loader, "worker", &options, &cell, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "env.A is not JSON"));
    ck_assert_ptr_null(cell);
}
END_TEST

int main(void)
{
    fixture_new_store();
    fixture_compile(functions, sizeof(functions) / sizeof(*functions), NULL);
    TCase *tcase = tcase_create("cell_handlers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_handler_is_called, 0, (int)(sizeof(calls) / sizeof(*calls)));
    tcase_add_loop_test(tcase, test_handler_fails, 0, (int)(sizeof(failures) / sizeof(*failures)));
    tcase_add_test(tcase, test_handlers_see_what_they_are_given);
    tcase_add_test(tcase, test_function_with_named_handlers_alone);
    tcase_add_test(tcase, test_json_env);
    tcase_add_test(tcase, test_bad_json_env_is_refused);
    return fixture_run(suite_create("cell_handlers"), tcase);
}
