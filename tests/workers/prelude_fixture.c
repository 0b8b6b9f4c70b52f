#include "prelude_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

snapcell_workers *prelude_workers;
version prelude_first;

snapcell_compile_options prelude_options(const char *name, const char *prelude)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = name;
    options.unevaluated = true;
    options.format = SNAPCELL_FORMAT_ESM;
    options.prelude_length = (uint32_t)strlen(prelude);
    return options;
}

version prelude_make(const char *prelude, const char *rest, const char *source_map)
{
    version made = {0};
    char source[4096];
    snapcell_error err = {0};
    const snapcell_compile_options options = prelude_options("f", prelude);
    snprintf(source, sizeof(source), "%s%s", prelude, rest);
    int status = snapcell_compile_memory("f.js", source, strlen(source), source_map,
                                         source_map == NULL ? 0 : strlen(source_map), &options,
                                         &made.compiled, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    made.bytes = snapcell_compiled_artifact(made.compiled, &made.size_bytes);
    snapcell_key_format(&snapcell_compiled_info(made.compiled)->key, made.ref);
    fixture_put(made.bytes, made.size_bytes, NULL);
    return made;
}

void prelude_release(version *made)
{
    snapcell_compiled_free(made->compiled);
}

void prelude_setup(void)
{
    workers_set_store(fixture_new_store());
    prelude_first =
        prelude_make(PRELUDE,
                     "import { add } from 'snapcell:prelude';\n"
                     "export default { fetch: () => new Response(`first ${add()}`) };\n",
                     NULL);
    prelude_workers = workers_open(NULL);
}

void prelude_teardown(void)
{
    prelude_release(&prelude_first);
    snapcell_workers_close(prelude_workers);
    workers_expect_no_children();
    fixture_remove();
}

snapcell_worker *prelude_start(const char *ref, bool prelude_only, uint32_t cpu_limit_ms)
{
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    snapcell_cell_options cell = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_worker *worker = NULL;
    cell.cpu_limit_ms = cpu_limit_ms;
    options.cell = &cell;
    options.prelude_only = prelude_only;
    ck_assert_int_eq(snapcell_worker_start(prelude_workers, ref, &options, &worker, NULL),
                     SNAPCELL_OK);
    return worker;
}

snapcell_worker_state prelude_advance(snapcell_worker *worker)
{
    struct pollfd polled = {.fd = snapcell_worker_fd(worker), .events = POLLIN};
    poll(&polled, 1, 20);
    return snapcell_worker_advance(worker, NULL);
}

snapcell_worker *prelude_start_waiting(const char *ref)
{
    snapcell_worker *worker = prelude_start(ref, true, 0);
    while (prelude_advance(worker) == SNAPCELL_WORKER_STARTING &&
           snapcell_worker_timeout_ms(worker) >= 0)
        continue; /* it waits for as long as it takes */
    return worker;
}

void prelude_expect_end(snapcell_worker *worker, int code, const char *says)
{
    snapcell_error err = {0};
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        prelude_advance(worker);
    ck_assert_int_eq(snapcell_worker_advance(worker, &err), SNAPCELL_WORKER_ENDED);
    ck_assert_msg(err.code == code && strstr(err.message, says) != NULL, "%s", err.message);
    snapcell_worker_free(worker);
}

void prelude_become_ready(snapcell_worker *worker)
{
    snapcell_error err = {0};
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        prelude_advance(worker);
    ck_assert_msg(snapcell_worker_advance(worker, NULL) == SNAPCELL_WORKER_READY, "%s",
                  err.message);
}
