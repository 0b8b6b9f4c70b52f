/* Stores for tests: a temporary folder, artifacts in it. A failure here ends the test. */
#ifndef SNAPCELL_TESTS_LOADER_FIXTURE_H
#define SNAPCELL_TESTS_LOADER_FIXTURE_H

#include <check.h>

#include "snapcell/compiler.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"

/* Makes an empty store in a new folder and gives its path, which stays the same until
 * fixture_remove(). */
const char *fixture_new_store(void);

/* Removes the folder, and all in it. */
void fixture_remove(void);

/* Puts an artifact under a name, which may be NULL. */
void fixture_put(const void *bytes, size_t size_bytes, const char *name);

/* A function to compile. */
typedef struct fixture_function {
    const char *name;
    const char *source;
    const char *source_map; /* NULL: none */
} fixture_function;

/* Compiles functions into the store; `host` may be NULL. */
void fixture_compile(const fixture_function *functions, size_t count, const snapcell_host *host);

/* The same, warmed up by "GET `url`". */
void fixture_compile_warm(const fixture_function *functions, size_t count, const char *url);

/* The same, uncompressed. */
void fixture_compile_raw(const fixture_function *functions, size_t count);

/* Removes a name and its artifact, in a process of its own: this one may have views open. */
void fixture_remove_name(const char *name);

/* Puts `count` artifacts that take pages which are free, in a process of its own, too. */
void fixture_fill(unsigned count);

/* Puts what the function `with` is under the key and name of the function `name`: other bytes under
 * the same key, as after removing it and compiling it with another compressor. */
void fixture_replace(const char *name, const char *with);

/* A loader of the store; `host` and `log` may be NULL. Close it with snapcell_loader_close(). */
snapcell_loader *fixture_open(const snapcell_host *host, snapcell_log_fn *log, void *log_user);

/* A loader of the store with options, whose store_path is set. */
snapcell_loader *fixture_open_with(snapcell_loader_options *options);

/* Loads what must load. */
snapcell_cell *fixture_load(snapcell_loader *loader, const char *ref,
                            const snapcell_cell_options *options);

/* Calls a cell of shape FETCH with "GET `url`" and compares status and body. */
void fixture_expect_response(snapcell_cell *cell, const char *url, int http_status,
                             const char *body);

/* Loads, calls with "{}", compares the result and disposes. */
void fixture_expect_load(snapcell_loader *loader, const char *ref, const char *result);

/* Calls a cell of shape JSON and compares the result. */
void fixture_expect_result(snapcell_cell *cell, const char *event, const char *result);

snapcell_counters fixture_counters(const snapcell_loader *loader);

typedef struct fixture_expected {
    const char *ref;
    const char *result;
} fixture_expected;

#define FIXTURE_THREADS 4

/* In each of FIXTURE_THREADS threads at once, `rounds` times: loads each of `expected`, calls it
 * with
 * "{}", compares the result and disposes. */
void fixture_load_in_threads(snapcell_loader *loader, const fixture_expected *expected,
                             size_t count, unsigned rounds);

/* Runs a suite of one test case and gives main's status. */
int fixture_run(Suite *suite, TCase *tcase);

#endif
