/* What the compiler's tests share: a folder for files, and a runner. */
#ifndef SNAPCELL_COMPILER_FIXTURE_H
#define SNAPCELL_COMPILER_FIXTURE_H

#include <check.h>
#include <stddef.h>

#include "snapcell/compiler.h"

/* A new folder under $TMPDIR or /tmp, to be used as a checked fixture. */
void fixture_setup(void);
void fixture_teardown(void);

/* The path of `name` in the folder; valid until the test ends. */
const char *fixture_path(const char *name);
/* Writes a file into the folder and gives its path. */
const char *fixture_write(const char *name, const void *data, size_t size_bytes);
const char *fixture_write_text(const char *name, const char *text);

/* A function's place in a suite: every test of it runs in a folder of its own. */
typedef struct fixture_test {
    const TTest *test;
    int loop_end; /* 0: no loop */
} fixture_test;

/* Runs the tests, gives main()'s status. */
int fixture_run(const char *suite_name, const fixture_test *tests, size_t test_count);
#define FIXTURE_RUN(name, tests) fixture_run(name, tests, sizeof(tests) / sizeof(*tests))

/* Fails unless `code` is `expected` and the message holds `part` (NULL: any). */
void fixture_expect(int code, int expected, const snapcell_error *error, const char *part);

/* Fails unless it compiles. Owned: snapcell_compiled_free(). */
snapcell_compiled *fixture_compile(const char *path, const snapcell_compile_options *options);
/* Fails unless it does not. */
void fixture_compile_fails(const char *path, const snapcell_compile_options *options, int expected,
                           const char *part, snapcell_error *error);
/* The manifest, zero-terminated; valid until the test ends. */
const char *fixture_manifest(const snapcell_compiled *compiled);

#endif
