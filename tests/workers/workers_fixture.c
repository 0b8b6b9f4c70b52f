#include "workers_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "patience.h"

static const char web_source[] =
    "let count = 0;\n"
    "export default {\n"
    "  async fetch(request, env) {\n"
    "    switch (new URL(request.url).pathname) {\n"
    "    case '/': return new Response('fine');\n"
    "    case '/count': return new Response(String(++count));\n"
    "    case '/env': return new Response(`${env.NAME} ${env.LIST?.[1]}`);\n"
    "    case '/echo': return new Response(await request.arrayBuffer(), { status: 201,\n"
    "      headers: { 'x-method': request.method, 'x-given': request.headers.get('x-given') } });\n"
    "    case '/log': console.log('said \\u00e9'); console.error('wrong');\n"
    "      return new Response('logged');\n"
    "    case '/long-log': console.log('\\u00e9'.repeat(1 << 20)); return new Response('logged');\n"
    "    case '/throw': throw new TypeError('no');\n"
    "    case '/hang': console.log('begun'); await new Promise(r => setTimeout(r, 3600000)); "
    "break;\n"
    "    case '/loop': console.log('begun'); for (;;);\n"
    "    case '/native': { const needle = 'a'.repeat(1e6) + 'c';\n"
    "      return new Response(String(('a'.repeat(2e7) + 'b').lastIndexOf(needle))); }\n"
    "    case '/fatal': 'a'.repeat(2 ** 28).split(''); break;\n"
    "    case '/grow': { const kept = []; for (;;) kept.push({ a: [1, 2, 3], b: 'x' + kept.length "
    "}); "
    "}\n"
    "    case '/large': return new Response('x'.repeat(3 << 20));\n"
    "    case '/net': try { await fetch('http://localhost/'); } catch (e) {\n"
    "      return new Response(e.name); }\n"
    "    }\n"
    "    return new Response('survived');\n"
    "  },\n"
    "  ask(event, env) { return { about: event.about, name: env.NAME }; },\n"
    "};\n";

static const char json_source[] = "export default event => ({ got: event.a ?? 'none' });\n";

void workers_fixture_compile(void)
{
    static const fixture_function functions[] = {{"web", web_source, NULL},
                                                 {"json", json_source, NULL}};
    fixture_compile(functions, 2, NULL);
}

static const char *workers_store_path;

snapcell_workers *workers_open(const snapcell_workers_options *options)
{
    snapcell_workers_options given = SNAPCELL_WORKERS_OPTIONS_INIT;
    if (options != NULL) given = *options;
    snapcell_workers *workers = NULL;
    snapcell_error err = {0};
    if (given.store_path == NULL) given.store_path = workers_store_path;
    if (given.start_limit_ms == 0)
        given.start_limit_ms = patient_ms(SNAPCELL_START_LIMIT_MS_DEFAULT);
    if (given.grace_ms == 0) given.grace_ms = patient_ms(SNAPCELL_GRACE_MS_DEFAULT);
    int status = snapcell_workers_open(&given, &workers, &err);
    ck_assert_msg(status == SNAPCELL_OK, "open: %s", err.message);
    return workers;
}

void workers_set_store(const char *path)
{
    workers_store_path = path;
}

snapcell_worker *workers_load(snapcell_workers *workers, const char *ref,
                              const snapcell_cell_options *options)
{
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    int status = snapcell_worker_load(workers, ref, options, &worker, &err);
    ck_assert_msg(status == SNAPCELL_OK, "load %s: %s", ref, err.message);
    return worker;
}

void workers_expect(snapcell_worker *worker, const char *url, const char *body)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    request.url = url;
    int status = snapcell_worker_fetch(worker, &request, &response, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s: %s", url, err.message);
    ck_assert_int_eq(snapcell_response_status(response), 200);
    ck_assert_str_eq(snapcell_response_body(response, NULL), body);
    snapcell_response_free(response);
}

void workers_expect_failure(snapcell_worker *worker, const char *url, int code, const char *message)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = (void *)1;
    snapcell_error err = {0};
    request.url = url;
    int status = snapcell_worker_fetch(worker, &request, &response, &err);
    ck_assert_msg(status == code && err.code == code, "%s: %s: %s", url,
                  snapcell_error_name(status), err.message);
    ck_assert_ptr_null(response);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s: %s", url, err.message);
}

void workers_expect_no_children(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

int workers_count_open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}
