/* fetch() of functions in workers: what is allowed comes, in pieces both ways; the rest does not,
 * and what a call left open never reaches the next. */
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers_fixture.h"

static const char source[] =
    "const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));\n"
    "export default { async fetch(request, env) {\n"
    "  const url = new URL(request.url);\n"
    "  const there = path => env.THERE + path;\n"
    "  switch (url.pathname) {\n"
    "  case '/text': return new Response(await (await fetch(there('/text'))).text());\n"
    "  case '/many': return new Response((await Promise.all(Array.from({ length: 20 }, (_, i) =>\n"
    "    fetch(there('/text?' + i)).then(r => r.text())))).join());\n"
    "  case '/size': { const got = await fetch(there('/big?3000000'));\n"
    "    return new Response(String((await got.arrayBuffer()).byteLength)); }\n"
    "  case '/proxy': return fetch(there('/big?2000000'));\n"
    "  case '/upload': return fetch(there('/sink'), { method: 'POST', duplex: 'half',\n"
    "    body: request.body });\n"
    "  case '/post': { const got = await fetch(there('/sink'), { method: 'POST',\n"
    "    body: 'x'.repeat(700000) }); return new Response(await got.text()); }\n"
    "  case '/refused': try { await fetch('http://192.0.2.1/'); } catch (error) {\n"
    "    return new Response(error.name + ': ' + (error.cause?.code ?? error.message)); } break;\n"
    "  case '/leave': { for (let i = 0; i < 5; i++) { const got = await "
    "fetch(there('/big?9000000'));\n"
    "      await got.body.getReader().read(); }\n"
    "    fetch(there('/never')).catch(() => {}); return new Response('left'); }\n"
    "  case '/cut': { fetch(there('/big?9000000')); fetch(there('/never'), { method: 'POST',\n"
    "      body: 'y'.repeat(500000) }).catch(() => {});\n"
    "    for (;;) { await sleep(0); await (await fetch(there('/big?400000'))).arrayBuffer(); } }\n"
    "  case '/abort': { const controller = new AbortController();\n"
    "    setTimeout(() => controller.abort(), 10);\n"
    "    try { await fetch(there('/never'), { signal: controller.signal }); } catch (error) {\n"
    "      return new Response(error.name); } break; }\n"
    "  }\n"
    "  return new Response('other');\n"
    "} };\n";

/* --- A server --- */

static bool read_line(FILE *stream, char *line, int size)
{
    return fgets(line, size, stream) != NULL;
}

static size_t skip_bytes(FILE *stream, size_t count)
{
    char buffer[4096];
    size_t done = 0;
    while (done < count) {
        size_t piece = count - done < sizeof(buffer) ? count - done : sizeof(buffer);
        size_t got = fread(buffer, 1, piece, stream);
        if (got == 0) break;
        done += got;
    }
    return done;
}

static size_t skip_chunks(FILE *stream)
{
    char line[64];
    size_t all = 0;
    while (read_line(stream, line, sizeof(line))) {
        size_t size = strtoul(line, NULL, 16);
        all += skip_bytes(stream, size);
        if (!read_line(stream, line, sizeof(line)) || size == 0) break;
    }
    return all;
}

/* What the server read of a request. */
typedef struct asked {
    char path[256];
    size_t body_size;
    bool is_chunked;
    bool waits; /* for "100 Continue" */
} asked;

static bool read_request(FILE *stream, asked *out)
{
    char line[1024];
    memset(out, 0, sizeof(*out));
    if (!read_line(stream, line, sizeof(line)) || sscanf(line, "%*s %255s", out->path) != 1)
        return false;
    while (read_line(stream, line, sizeof(line)) && strcmp(line, "\r\n") != 0) {
        if (strncasecmp(line, "content-length:", 15) == 0)
            out->body_size = strtoul(line + 15, NULL, 10);
        if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0) out->is_chunked = true;
        if (strncasecmp(line, "expect:", 7) == 0) out->waits = true;
    }
    return true;
}

static void write_size(FILE *stream, size_t size)
{
    char zeros[4096];
    memset(zeros, 'z', sizeof(zeros));
    fprintf(stream, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", size);
    for (size_t done = 0; done < size; done += sizeof(zeros))
        fwrite(zeros, 1, size - done < sizeof(zeros) ? size - done : sizeof(zeros), stream);
}

static void write_text(FILE *stream, const char *text)
{
    fprintf(stream, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n%s", strlen(text), text);
}

/* False: nothing more is said on this connection. */
static bool answer(FILE *in, FILE *out)
{
    asked request;
    char text[64];
    if (!read_request(in, &request)) return false;
    if (request.waits) fprintf(out, "HTTP/1.1 100 Continue\r\n\r\n");
    fflush(out);
    if (strncmp(request.path, "/never", 6) == 0) {
        sleep(60);
        return false;
    }
    size_t size = request.is_chunked ? skip_chunks(in) : skip_bytes(in, request.body_size);
    const char *query = strchr(request.path, '?');
    if (strncmp(request.path, "/big", 4) == 0) {
        write_size(out, query != NULL ? strtoul(query + 1, NULL, 10) : 0);
    } else if (strcmp(request.path, "/sink") == 0) {
        snprintf(text, sizeof(text), "%zu", size);
        write_text(out, text);
    } else {
        snprintf(text, sizeof(text), "text%.30s", query != NULL ? query : "");
        write_text(out, text);
    }
    return fflush(out) == 0;
}

static void *serve_connection(void *user)
{
    int fd = (int)(intptr_t)user;
    FILE *in = fdopen(fd, "r");
    FILE *out = fdopen(dup(fd), "w");
    while (in != NULL && out != NULL && answer(in, out))
        continue;
    if (in != NULL) fclose(in);
    if (out != NULL) fclose(out);
    return NULL;
}

static void *serve(void *user)
{
    int listener = (int)(intptr_t)user;
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return NULL;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) != 0) abort();
        pthread_detach(thread);
    }
}

static char there[64];
static char host[32];

static void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listener, 64), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(host, sizeof(host), "127.0.0.1:%u", ntohs(address.sin_port));
    snprintf(there, sizeof(there), "http://%s", host);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener), 0);
    pthread_detach(thread);
}

/* --- Tests; `_i` is the policy --- */

static snapcell_workers *workers;
static snapcell_worker *worker;

static void start_one(uint32_t wall_limit_ms)
{
    snapcell_cell_options cell = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_net_options net = SNAPCELL_NET_OPTIONS_INIT;
    snapcell_worker_options how = SNAPCELL_WORKER_OPTIONS_INIT;
    const char *const allow[] = {host};
    snapcell_error err = {0};
    cell.env = &(snapcell_env){"THERE", there};
    cell.env_count = 1;
    cell.wall_limit_ms = wall_limit_ms;
    net.allow = allow;
    net.allow_count = 1;
    net.program_path = SNAPCELL_NET;
    how.cell = &cell;
    how.net = &net;
    int status = snapcell_worker_start(workers, "fetches", &how, &worker, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
}

static void start_worker(int policy, uint32_t wall_limit_ms)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    signal(SIGPIPE, SIG_IGN); /* clients hang up on the server */
    start_server();
    options.policy = (snapcell_workers_policy)policy;
    workers = workers_open(&options);
    start_one(wall_limit_ms);
}

static void stop_worker(void)
{
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}

START_TEST(test_what_is_allowed_comes)
{
    start_worker(_i, 0);
    int pid = 0;
    for (int i = 0; i < 3; i++) {
        workers_expect(worker, "/text", "text");
        workers_expect(worker, "/many",
                       "text?0,text?1,text?2,text?3,text?4,text?5,text?6,text?7,text?8,text?9,"
                       "text?10,text?11,text?12,text?13,text?14,text?15,text?16,text?17,text?18,"
                       "text?19");
        workers_expect(worker, "/size", "3000000");
        workers_expect(worker, "/post", "700000");
        workers_expect(worker, "/abort", "AbortError");
        workers_expect(worker, "/refused", "TypeError: EACCES");
        if (i == 0) pid = snapcell_worker_process_id(worker);
        ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    }
    stop_worker();
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
/* Its connection comes with its LOAD, and not with the image. */
START_TEST(test_a_launched_worker_fetches)
{
    snapcell_workers_counts counts = {0};
    start_worker(SNAPCELL_WORKERS_RESTORE, 0);
    for (int i = 0; i < 1000 && counts.launches < 3; i++) {
        workers_expect(worker, "/text", "text");
        workers_expect(worker, "/size", "3000000");
        workers_expect(worker, "/text", "text");
        workers_expect(worker, "/refused", "TypeError: EACCES");
        snapcell_worker_free(worker);
        start_one(0);
        snapcell_workers_counters(workers, &counts, sizeof(counts));
    }
    ck_assert_uint_eq(counts.launches, 3);
    workers_expect(worker, "/text", "text");
    ck_assert_uint_eq(counts.deaths, 0);
    stop_worker();
}
END_TEST
#endif

typedef struct flow {
    size_t sent;
    size_t size;
    size_t got;
    char text[64];
} flow;

static ptrdiff_t flow_read(void *user, void *buffer, size_t size)
{
    flow *flow_of = user;
    size_t left = flow_of->size - flow_of->sent;
    if (size > left) size = left;
    memset(buffer, 'b', size);
    flow_of->sent += size;
    return (ptrdiff_t)size;
}

static ptrdiff_t flow_write(void *user, const void *data, size_t size)
{
    flow *flow_of = user;
    if (flow_of->got + size < sizeof(flow_of->text))
        memcpy(flow_of->text + flow_of->got, data, size);
    flow_of->got += size;
    return (ptrdiff_t)size;
}

START_TEST(test_bodies_pass_through)
{
    start_worker(_i, 0);
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_error err = {0};
    stream.write = flow_write;
    for (int i = 0; i < 2; i++) {
        flow down = {0};
        stream.user = &down;
        stream.read = NULL;
        request.url = "/proxy";
        ck_assert_int_eq(snapcell_worker_stream(worker, &request, &stream, &err), SNAPCELL_OK);
        ck_assert_uint_eq(down.got, 2000000);
        flow up = {.size = 3000001};
        stream.user = &up;
        stream.read = flow_read;
        request.url = "/upload";
        int status = snapcell_worker_stream(worker, &request, &stream, &err);
        ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
        ck_assert_str_eq(up.text, "3000001");
    }
    stop_worker();
}
END_TEST

/* What is open at a call's end, or when it is cut, is of no consequence for those after it. */
START_TEST(test_what_is_left_open)
{
    start_worker(_i, 500);
    for (int i = 0; i < 2; i++) {
        if (_i != SNAPCELL_WORKERS_KEEP) workers_expect(worker, "/leave", "left");
        workers_expect(worker, "/text", "text");
        workers_expect_failure(worker, "/cut", SNAPCELL_E_WALL_LIMIT, "500 ms");
        workers_expect(worker, "/size", "3000000");
    }
    stop_worker();
}
END_TEST

START_TEST(test_hosts_that_are_none)
{
    const char *const allow[] = {"a b"};
    snapcell_net_options net = SNAPCELL_NET_OPTIONS_INIT;
    snapcell_worker_options how = SNAPCELL_WORKER_OPTIONS_INIT;
    snapcell_error err = {0};
    workers = workers_open(NULL);
    net.allow = allow;
    net.allow_count = 1;
    how.net = &net;
    ck_assert_int_eq(snapcell_worker_start(workers, "fetches", &how, &worker, &err),
                     SNAPCELL_E_USAGE);
    net.allow = NULL;
    ck_assert_int_eq(snapcell_worker_start(workers, "fetches", &how, &worker, &err),
                     SNAPCELL_E_USAGE);
    /* Without the program a fetch is rejected, and the worker goes on. */
    net.allow_count = 0;
    net.program_path = "/nonexistent/snapcell-net";
    ck_assert_int_eq(snapcell_worker_start(workers, "fetches", &how, &worker, &err), SNAPCELL_OK);
    workers_expect_failure(worker, "/text", SNAPCELL_E_SCRIPT, "");
    workers_expect(worker, "/", "other");
    stop_worker();
}
END_TEST

int main(void)
{
    static const fixture_function functions[] = {{"fetches", source, NULL}};
    workers_set_store(fixture_new_store());
    fixture_compile(functions, 1, NULL);
    TCase *tests = tcase_create("worker_fetch");
    tcase_set_timeout(tests, 60);
    const int first = SNAPCELL_WORKERS_RESTORE;
    const int last = SNAPCELL_WORKERS_KEEP + 1;
    tcase_add_loop_test(tests, test_what_is_allowed_comes, first, last);
    tcase_add_loop_test(tests, test_bodies_pass_through, first, last);
    tcase_add_loop_test(tests, test_what_is_left_open, first, last);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, test_a_launched_worker_fetches);
#endif
    tcase_add_test(tests, test_hosts_that_are_none);
    Suite *suite = suite_create("worker_fetch");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
