/* Workers on an event loop: many on one thread, bodies in pieces both ways, and a host that nothing
 * stops. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "patience.h"
#include "workers_fixture.h"

#define MIB ((size_t)1 << 20)
#define WORKERS 12
#define CALLS_EACH 25

static const char flow_source[] =
    "let count = 0;\n"
    "const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));\n"
    "export default {\n"
    "  async fetch(request, env, context) {\n"
    "    const url = new URL(request.url);\n"
    "    const size = Number(url.searchParams.get('size'));\n"
    "    switch (url.pathname) {\n"
    "    case '/mark': return new Response(`${url.search} ${++count}`, { headers: { 'x-mark':\n"
    "      url.search } });\n"
    "    case '/pipe': return new Response(request.body);\n"
    "    case '/sum': { let sum = 0, size = 0;\n"
    "      for await (const chunk of request.body) { size += chunk.length;\n"
    "        for (const byte of chunk) sum = (sum + byte) % 65536; }\n"
    "      return new Response(`${size} ${sum}`); }\n"
    "    case '/flood': { let left = size; return new Response(new ReadableStream({ pull(c) {\n"
    "      const n = Math.min(left, 50000); left -= n;\n"
    "      if (n > 0) c.enqueue(new Uint8Array(n).fill(7)); else c.close(); } })); }\n"
    "    case '/whole': return new Response('x'.repeat(size));\n"
    "    case '/later': context.waitUntil((async () => { await sleep(30); console.log('later');\n"
    "      })()); return new Response('now');\n"
    "    case '/late-loop': context.waitUntil((async () => { await sleep(1); for (;;); })());\n"
    "      return new Response('now');\n"
    "    case '/half': return new Response(new ReadableStream({ async pull(c) {\n"
    "      c.enqueue(new Uint8Array(10)); await sleep(1); if (++count > 3) for (;;); } }));\n"
    "    case '/break': return new Response(new ReadableStream({ pull(c) {\n"
    "      if (++count > 3) c.error(new Error('broke')); else c.enqueue(new Uint8Array(10)); } "
    "}));\n"
    "    case '/hang': console.log('begun'); await sleep(3600000); break;\n"
    "    case '/body-or-error': try { return new Response(String((await request.text()).length));\n"
    "      } catch (error) { return new Response(error.name); }\n"
    "    case '/told': { const told = Promise.withResolvers();\n"
    "      request.signal.addEventListener('abort', () => told.resolve());\n"
    "      context.waitUntil(told.promise.then(() => console.log('aborted')));\n"
    "      return new Response(new ReadableStream({ async pull(c) { await sleep(1);\n"
    "        c.enqueue(new Uint8Array(1000)); } })); }\n"
    "    case '/headers': return new Response('', { headers: Array.from({ length: size },\n"
    "      (_, i) => ['x-' + i, 'y'.repeat(1000)]) });\n"
    "    }\n"
    "    return new Response('other');\n"
    "  },\n"
    "  ask(event) { return { text: 'r'.repeat(event.size) }; },\n"
    "};\n";

/* --- A call, and what came of it --- */

typedef struct seen {
    snapcell_worker *worker;
    char order[256]; /* h, b, e, l, d: one letter for each kind of event, repeats left out */
    int status;      /* of the response */
    char mark[64];   /* header x-mark */
    char body[256];  /* its beginning */
    size_t body_size;
    size_t sum;
    size_t take_at_most; /* of a piece; 0: all */
    bool takes_nothing;
    bool has_room;
    char log[256];
    bool is_done;
    int result;
    char error[1024];
} seen;

static void note(seen *call, char kind)
{
    size_t length = strlen(call->order);
    if (length > 0 && call->order[length - 1] == kind) return;
    if (length + 1 < sizeof(call->order)) call->order[length] = kind;
}

static void on_head(void *user, int status, const snapcell_header *headers, size_t count)
{
    seen *call = user;
    note(call, 'h');
    call->status = status;
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, "x-mark") == 0)
            snprintf(call->mark, sizeof(call->mark), "%s", headers[i].value);
}

static size_t on_body(void *user, const void *data, size_t size)
{
    seen *call = user;
    if (call->takes_nothing) return 0;
    note(call, 'b');
    if (call->take_at_most != 0 && size > call->take_at_most) size = call->take_at_most;
    for (size_t i = 0; i < size; i++) {
        if (call->body_size + i < sizeof(call->body) - 1)
            call->body[call->body_size + i] = ((const char *)data)[i];
        call->sum = (call->sum + ((const unsigned char *)data)[i]) % 65536;
    }
    call->body_size += size;
    return size;
}

static void on_end(void *user)
{
    note(user, 'e');
}

static void on_room(void *user)
{
    seen *call = user;
    call->has_room = true;
}

static void on_log(void *user, snapcell_log_level level, const char *text, size_t size)
{
    (void)level;
    seen *call = user;
    note(call, 'l');
    if (size + strlen(call->log) + 2 < sizeof(call->log)) strcat(strcat(call->log, text), ";");
}

static void on_done(void *user, int status, const snapcell_error *error)
{
    seen *call = user;
    note(call, 'd');
    ck_assert(!call->is_done);
    ck_assert_int_eq(error == NULL, status == SNAPCELL_OK);
    call->is_done = true;
    call->result = status;
    if (error != NULL) snprintf(call->error, sizeof(call->error), "%s", error->message);
}

static const snapcell_worker_events events_to_see = {
    .struct_size = sizeof(snapcell_worker_events),
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .room = on_room,
    .log = on_log,
    .done = on_done,
};

static void begin(snapcell_worker *worker, const snapcell_worker_task *task, seen *call)
{
    snapcell_worker_events events = events_to_see;
    snapcell_error err = {0};
    events.user = call;
    call->worker = worker;
    int status = snapcell_worker_call_start(worker, task, &events, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
}

static void begin_get(snapcell_worker *worker, const char *url, bool streams_body, seen *call)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
    request.url = url;
    task.request = &request;
    task.streams_body = streams_body;
    begin(worker, &task, call);
}

/* --- The simplest loop --- */

static void wait_once(const snapcell_worker *worker)
{
    int fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    ck_assert_int_eq(epoll_ctl(fd, EPOLL_CTL_ADD, snapcell_worker_fd(worker), &event), 0);
    epoll_wait(fd, &event, 1, snapcell_worker_timeout_ms(worker));
    close(fd);
}

static snapcell_worker_state run_while(snapcell_worker *worker, snapcell_worker_state state,
                                       snapcell_error *err)
{
    while (snapcell_worker_advance(worker, err) == state)
        wait_once(worker);
    return snapcell_worker_advance(worker, err);
}

static snapcell_worker *start(snapcell_workers *workers, const snapcell_cell_options *limits)
{
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    options.cell = limits;
    options.logs = true;
    int status = snapcell_worker_start(workers, "flow", &options, &worker, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    return worker;
}

static snapcell_worker *start_ready(snapcell_workers *workers, const snapcell_cell_options *limits)
{
    snapcell_error err = {0};
    snapcell_worker *worker = start(workers, limits);
    ck_assert_int_eq(snapcell_worker_advance(worker, &err), SNAPCELL_WORKER_STARTING);
    ck_assert_int_eq(run_while(worker, SNAPCELL_WORKER_STARTING, &err), SNAPCELL_WORKER_READY);
    ck_assert_int_eq(snapcell_worker_timeout_ms(worker), -1);
    return worker;
}

static void finish(seen *call)
{
    snapcell_error err = {0};
    run_while(call->worker, SNAPCELL_WORKER_CALLING, &err);
    ck_assert(call->is_done);
}

static snapcell_workers *open_with(snapcell_workers_policy policy)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.policy = policy;
    return workers_open(&options);
}

/* --- Tests; `_i` is the policy --- */

static void expect_mark(const seen *call, const char *mark, int count)
{
    char expected[128];
    snprintf(expected, sizeof(expected), "?%s %d", mark, count);
    ck_assert_str_eq(call->body, expected);
    ck_assert_str_eq(call->mark + 1, mark);
    ck_assert_str_eq(call->order, "hbed");
    ck_assert_int_eq(call->status, 200);
    ck_assert_int_eq(call->result, SNAPCELL_OK);
}

START_TEST(test_many_workers_on_one_loop)
{
    int files = workers_count_open_files();
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *of[WORKERS];
    seen seens[WORKERS] = {0};
    int calls[WORKERS] = {0};
    int loop = epoll_create1(0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        of[i] = start(workers, NULL);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        ck_assert_int_eq(epoll_ctl(loop, EPOLL_CTL_ADD, snapcell_worker_fd(of[i]), &event), 0);
    }
    for (int finished = 0; finished < WORKERS;) {
        struct epoll_event came[WORKERS];
        int count = epoll_wait(loop, came, WORKERS, (int)patient_ms(10000));
        if (count < 0 && errno == EINTR) continue;
        ck_assert_int_gt(count, 0);
        for (int j = 0; j < count; j++) {
            uint32_t i = came[j].data.u32;
            char url[64];
            char mark[32];
            snapcell_error err = {0};
            snapcell_worker_state state = snapcell_worker_advance(of[i], &err);
            ck_assert_msg(state != SNAPCELL_WORKER_ENDED, "%s", err.message);
            if (state != SNAPCELL_WORKER_READY || calls[i] > CALLS_EACH) continue;
            snprintf(mark, sizeof(mark), "%u-%d", i, calls[i] - 1);
            if (calls[i] > 0)
                expect_mark(&seens[i], mark, _i == SNAPCELL_WORKERS_KEEP ? calls[i] : 1);
            if (calls[i]++ == CALLS_EACH) {
                finished++;
                continue;
            }
            snprintf(url, sizeof(url), "/mark?%u-%d", i, calls[i] - 1);
            seens[i] = (seen){0};
            begin_get(of[i], url, false, &seens[i]);
        }
    }
    for (int i = 0; i < WORKERS; i++)
        snapcell_worker_free(of[i]);
    snapcell_workers_close(workers);
    workers_expect_no_children();
    close(loop);
    ck_assert_int_eq(workers_count_open_files(), files);
}
END_TEST

static unsigned char pattern_at(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

/* Pushes `size` bytes into a call, as far as there is room, and lets the worker advance. */
static size_t push_body(seen *call, size_t size, const unsigned char *data)
{
    size_t most = 0;
    size_t at = 0;
    snapcell_error err;
    while (!call->is_done) {
        while (at < size) {
            size_t taken = snapcell_worker_send_body(call->worker, data + at, size - at);
            if (taken == 0) break;
            at += taken;
            if (at - call->body_size > most) most = at - call->body_size;
            if (at == size) snapcell_worker_end_body(call->worker, true);
        }
        call->has_room = false;
        if (snapcell_worker_advance(call->worker, &err) == SNAPCELL_WORKER_CALLING &&
            !call->has_room)
            wait_once(call->worker);
    }
    return most;
}

START_TEST(test_bodies_stream_both_ways)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    size_t size = 6 * MIB + 5;
    unsigned char *data = malloc(size);
    size_t sum = 0;
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = pattern_at(i);
        sum = (sum + data[i]) % 65536;
    }
    for (int round = 0; round < 2; round++) {
        seen piped = {0};
        begin_get(worker, "/pipe", true, &piped);
        /* The response began before the request's end. */
        ck_assert_uint_lt(push_body(&piped, size, data), size / 2);
        ck_assert_uint_eq(piped.body_size, size);
        ck_assert_uint_eq(piped.sum, sum);
        ck_assert_int_eq(piped.result, SNAPCELL_OK);
        seen summed = {0};
        char expected[64];
        snprintf(expected, sizeof(expected), "%zu %zu", size, sum);
        begin_get(worker, "/sum", true, &summed);
        push_body(&summed, size, data);
        ck_assert_str_eq(summed.body, expected);
    }
    free(data);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* 0 where a sanitizer has the memory. */
static size_t allocated_bytes(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

/* The function waits for a slow reader; its host keeps no more than the window. */
START_TEST(test_a_slow_reader)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    seen slow = {.takes_nothing = true};
    snapcell_error err;
    begin_get(worker, "/flood?size=20000000", false, &slow);
    for (int i = 0; i < 50; i += slow.order[0] != '\0') { /* from its head on */
        ck_assert_int_eq(snapcell_worker_advance(worker, &err), SNAPCELL_WORKER_CALLING);
        usleep(2000);
    }
    ck_assert_str_eq(slow.order, "h");
    slow.takes_nothing = false;
    slow.take_at_most = 5000;
    const size_t before = allocated_bytes();
    size_t most = 0;
    while (!slow.is_done) {
        snapcell_worker_advance(worker, &err);
        if (allocated_bytes() > most) most = allocated_bytes();
    }
    ck_assert_uint_lt(most, before + 4 * MIB);
    ck_assert_uint_eq(slow.body_size, 20000000);
    ck_assert_str_eq(slow.order, "hbed");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_whole_answers_of_any_size)
{
    static const size_t sizes[] = {0, 1, 65536, 262144, 262145, 3000000};
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char text[64];
        seen whole = {0};
        snprintf(text, sizeof(text), "/whole?size=%zu", sizes[i]);
        begin_get(worker, text, false, &whole);
        finish(&whole);
        ck_assert_uint_eq(whole.body_size, sizes[i]);
        ck_assert_str_eq(whole.order, sizes[i] > 0 ? "hbed" : "hed");
        seen asked = {0};
        snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
        task.kind = SNAPCELL_WORKER_CALL_HANDLER;
        task.handler = "ask";
        snprintf(text, sizeof(text), "{\"size\":%zu}", sizes[i]);
        task.event_json = text;
        begin(worker, &task, &asked);
        finish(&asked);
        ck_assert_uint_eq(asked.body_size, sizes[i] + strlen("{\"text\":\"\"}"));
        ck_assert_str_eq(asked.order, "bed");
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_the_response_comes_before_later_work)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_cell_options limits = SNAPCELL_CELL_OPTIONS_INIT;
    limits.cpu_limit_ms = patient_ms(100);
    snapcell_worker *worker = start_ready(workers, &limits);
    seen later = {0};
    begin_get(worker, "/later", false, &later);
    finish(&later);
    ck_assert_str_eq(later.order, "hbeld");
    ck_assert_str_eq(later.log, "later;");
    /* Of a limit that it hits then, the response is no part. */
    seen loop = {0};
    begin_get(worker, "/late-loop", false, &loop);
    finish(&loop);
    ck_assert_str_eq(loop.order, "hbed");
    ck_assert_str_eq(loop.body, "now");
    ck_assert_int_eq(loop.result, SNAPCELL_E_CPU_LIMIT);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_responses_that_break_off)
{
    static const struct {
        const char *url;
        int result;
    } cases[] = {{"/half", SNAPCELL_E_CPU_LIMIT}, {"/break", SNAPCELL_E_SCRIPT}};
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_cell_options limits = SNAPCELL_CELL_OPTIONS_INIT;
    limits.cpu_limit_ms = patient_ms(100);
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker = start_ready(workers, &limits);
        seen broken = {0};
        begin_get(worker, cases[i].url, false, &broken);
        finish(&broken);
        ck_assert_str_eq(broken.order, "hbd"); /* no end */
        ck_assert_int_eq(broken.result, cases[i].result);
        seen next = {0};
        begin_get(worker, "/mark?next", false, &next);
        finish(&next);
        ck_assert_str_eq(next.order, "hbed");
        snapcell_worker_free(worker);
    }
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_call_is_cancelled)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    seen hung = {0};
    snapcell_error err = {0};
    begin_get(worker, "/hang", true, &hung);
    unsigned char byte = 1;
    ck_assert_uint_eq(snapcell_worker_send_body(worker, &byte, 1), 1);
    while (hung.log[0] == '\0') {
        wait_once(worker);
        snapcell_worker_advance(worker, &err);
    }
    snapcell_worker_cancel(worker);
    finish(&hung);
    ck_assert_int_eq(hung.result, SNAPCELL_E_CANCELLED);
    ck_assert_uint_eq(snapcell_worker_send_body(worker, &byte, 1), 1); /* dropped */
    if (_i == SNAPCELL_WORKERS_RESTORE && snapcell_restore_probe() != SNAPCELL_RESTORE_NONE) {
        seen next = {0};
        begin_get(worker, "/mark?next", false, &next);
        finish(&next);
        expect_mark(&next, "next", 1);
    } else {
        ck_assert_int_eq(snapcell_worker_advance(worker, &err), SNAPCELL_WORKER_ENDED);
        ck_assert_int_eq(err.code, SNAPCELL_E_CANCELLED);
        snapcell_worker_events events = events_to_see;
        ck_assert_int_eq(snapcell_worker_call_start(worker, NULL, &events, &err), SNAPCELL_E_USAGE);
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_reader_goes_away)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    seen told = {0};
    snapcell_error err;
    begin_get(worker, "/told", false, &told);
    while (told.body_size < 3000) {
        wait_once(worker);
        snapcell_worker_advance(worker, &err);
    }
    snapcell_worker_abandon(worker);
    finish(&told);
    ck_assert_str_eq(told.order, "hbld");
    ck_assert_str_eq(told.log, "aborted;");
    ck_assert_int_eq(told.result, SNAPCELL_OK);
    seen next = {0};
    begin_get(worker, "/mark?next", false, &next);
    finish(&next);
    ck_assert_int_eq(next.result, SNAPCELL_OK);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_sender_goes_away)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start_ready(workers, NULL);
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        seen got = {0};
        begin_get(worker, "/body-or-error", true, &got);
        ck_assert_uint_eq(snapcell_worker_send_body(worker, "12345", 5), 5);
        snapcell_worker_end_body(worker, is_whole == 1);
        finish(&got);
        ck_assert_str_eq(got.body, is_whole ? "5" : "TypeError");
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_what_is_refused)
{
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = start(workers, NULL);
    snapcell_worker_events events = events_to_see;
    snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_error err = {0};
    /* Not ready. */
    ck_assert_int_eq(snapcell_worker_call_start(worker, NULL, &events, &err), SNAPCELL_E_USAGE);
    run_while(worker, SNAPCELL_WORKER_STARTING, &err);
    task.request = &request;
    request.url = "\xff";
    ck_assert_int_eq(snapcell_worker_call_start(worker, &task, &events, &err), SNAPCELL_E_USAGE);
    request.url = "/";
    request.body = "b";
    request.body_size_bytes = 1;
    task.streams_body = true;
    ck_assert_int_eq(snapcell_worker_call_start(worker, &task, &events, &err), SNAPCELL_E_USAGE);
    task.kind = SNAPCELL_WORKER_CALL_HANDLER;
    ck_assert_int_eq(snapcell_worker_call_start(worker, &task, &events, &err), SNAPCELL_E_USAGE);
    task.kind = (snapcell_worker_call_kind)9;
    ck_assert_int_eq(snapcell_worker_call_start(worker, &task, &events, &err), SNAPCELL_E_USAGE);
    seen many = {0};
    begin_get(worker, "/headers?size=2000", false, &many);
    ck_assert_int_eq(snapcell_worker_call_start(worker, NULL, &events, &err), SNAPCELL_E_USAGE);
    finish(&many);
    ck_assert_int_eq(many.result, SNAPCELL_E_TOO_LARGE);
    ck_assert_str_eq(many.order, "d");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_starts_that_fail)
{
    int files = workers_count_open_files();
    snapcell_workers *workers = open_with((snapcell_workers_policy)_i);
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_start(workers, NULL, NULL, &worker, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(worker);
    ck_assert_int_eq(snapcell_worker_start(workers, "absent", NULL, &worker, &err), SNAPCELL_OK);
    ck_assert_int_eq(run_while(worker, SNAPCELL_WORKER_STARTING, &err), SNAPCELL_WORKER_ENDED);
    ck_assert_int_eq(err.code, SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(snapcell_worker_timeout_ms(worker), -1);
    ck_assert_int_eq(snapcell_worker_process_id(worker), 0);
    snapcell_worker_free(worker);
    worker = start(workers, NULL); /* freed before it is ready */
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
    ck_assert_int_eq(workers_count_open_files(), files);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which has no checkpoints */

/* With the policy RESTORE: its process is the one that was made ready, and each call finds a fresh
 * instance there. */
START_TEST(test_one_that_is_wanted_soon)
{
    snapcell_workers_options group = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    snapcell_worker *worker = NULL;
    snapcell_workers_counts counts;
    snapcell_error err = {0};
    group.prepare_soon = true;
    snapcell_workers *workers = workers_open(&group);
    ck_assert_int_eq(snapcell_workers_prepare(workers, NULL), SNAPCELL_OK);
    snapcell_worker_free(start_ready(workers, NULL)); /* leaves it alone */
    int files = workers_count_open_files();
    options.soon = true;
    ck_assert_int_eq(snapcell_worker_start(workers, "flow", &options, &worker, &err), SNAPCELL_OK);
    ck_assert_int_eq(run_while(worker, SNAPCELL_WORKER_STARTING, &err), SNAPCELL_WORKER_READY);
    ck_assert_int_eq(snapcell_worker_get_origin(worker), SNAPCELL_WORKER_FROM_ARTIFACT);
    ck_assert_int_le(workers_count_open_files(), files + 1); /* no process was started for it */
    for (int i = 0; i < 3; i++) {
        seen call = {0};
        begin_get(worker, "/mark?soon", false, &call);
        finish(&call);
        expect_mark(&call, "soon", 1);
    }
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    ck_assert_uint_eq(counts.starts, 2);
    ck_assert_uint_eq(counts.restores, 0);
    ck_assert_uint_eq(counts.fallbacks, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

#endif

int main(void)
{
    static const fixture_function functions[] = {{"flow", flow_source, NULL}};
    workers_set_store(fixture_new_store());
    fixture_compile(functions, 1, NULL);
    TCase *tests = tcase_create("worker_async");
    tcase_set_timeout(tests, 20);
    const int first = SNAPCELL_WORKERS_RESTORE;
    const int last = SNAPCELL_WORKERS_KEEP + 1;
    tcase_add_loop_test(tests, test_many_workers_on_one_loop, first, last);
    tcase_add_loop_test(tests, test_bodies_stream_both_ways, first, last);
    tcase_add_loop_test(tests, test_a_slow_reader, first, last);
    tcase_add_loop_test(tests, test_whole_answers_of_any_size, first, last);
    tcase_add_loop_test(tests, test_the_response_comes_before_later_work, first, last);
    tcase_add_loop_test(tests, test_responses_that_break_off, first, last);
    tcase_add_loop_test(tests, test_a_call_is_cancelled, first, last);
    tcase_add_loop_test(tests, test_a_reader_goes_away, first, last);
    tcase_add_loop_test(tests, test_a_sender_goes_away, first, last);
    tcase_add_loop_test(tests, test_what_is_refused, first, last);
    tcase_add_loop_test(tests, test_starts_that_fail, first, last);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, test_one_that_is_wanted_soon);
#endif
    Suite *suite = suite_create("worker_async");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
