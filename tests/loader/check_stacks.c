/* Stacks that are small, or not their threads' own. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fixture.h"

#define KIB ((size_t)1 << 10)

/* Sanitizers take several times the stack. */
#if defined(__SANITIZE_ADDRESS__)
#define STACKS_ARE_TRIED 0
#else
#define STACKS_ARE_TRIED 1
#endif

/* What goes deep: in JavaScript, and in builtins that are written in C++. */
static const char deep[] =
    "const tries = {\n"
    "  calls() { const down = n => 1 + down(n + 1); return down(0); },\n"
    "  parse() { return JSON.parse('['.repeat(1e6)); },\n"
    "  stringify() { let deep = []; for (let i = 0; i < 1e6; i++) deep = [deep];\n"
    "    return JSON.stringify(deep); },\n"
    "  source() { return new Function('return ' + '('.repeat(1e5) + ')'.repeat(1e5))(); },\n"
    "  regexp() { return new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('a'); },\n"
    "  sort() { const down = () => [2, 1].sort(down); return down(); },\n"
    "  proxy() { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x; },\n"
    "  flat() { let deep = []; for (let i = 0; i < 1e6; i++) deep = [deep];\n"
    "    return deep.flat(Infinity); },\n"
    "  clone() { let deep = []; for (let i = 0; i < 1e6; i++) deep = [deep];\n"
    "    return structuredClone(deep); },\n"
    "};\n"
    "export default { fetch(request) {\n"
    "  const name = new URL(request.url).pathname.slice(1);\n"
    "  if (!name) { let sum = 0; for (let i = 0; i < 1e6; i++) sum += i % 7;\n"
    "    return new Response(String(sum)); }\n"
    "  try { tries[name](); return new Response('returned'); }\n"
    "  catch (error) { return new Response(error.name); }\n"
    "} };";

static const char *const paths[] = {"/calls", "/parse", "/stringify", "/source", "/regexp",
                                    "/sort",  "/proxy", "/flat",      "/clone"};
#define PATH_COUNT (sizeof(paths) / sizeof(paths[0]))

static void expect_deep(snapcell_cell *cell, const char *path)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = path;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_fetch(cell, &request, &response, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s: %s", path, err.message);
    const char *body = snapcell_response_body(response, NULL);
    ck_assert_msg(strcmp(body, "RangeError") == 0 || strcmp(body, "SyntaxError") == 0 ||
                      strcmp(body, "returned") == 0,
                  "%s: %s", path, body);
    if (strcmp(path, "/calls") == 0) ck_assert_str_eq(body, "RangeError");
    snapcell_response_free(response);
}

static void use_everything(snapcell_loader *loader)
{
    snapcell_cell *cell = fixture_load(loader, "deep", NULL);
    fixture_expect_response(cell, "/", 200, "2999997");
    for (size_t i = 0; i < PATH_COUNT; i++)
        expect_deep(cell, paths[i]);
    fixture_expect_response(cell, "/", 200, "2999997");
    snapcell_cell_dispose(cell);
}

static int load_status(snapcell_loader *loader, snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    int status = snapcell_cell_load(loader, "deep", NULL, &cell, err);
    snapcell_cell_dispose(cell);
    return status;
}

/* --- Coroutines --- */

static ucontext_t coroutine;
static ucontext_t caller;

static void run_on(void *stack, size_t size, void (*body)(void))
{
    ck_assert_int_eq(getcontext(&coroutine), 0);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = size;
    coroutine.uc_link = &caller;
    makecontext(&coroutine, body, 0);
    ck_assert_int_eq(swapcontext(&caller, &coroutine), 0);
}

static snapcell_loader *shared;
static snapcell_cell *shared_cell;

static void body_that_is_refused(void)
{
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(load_status(shared, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "not its thread's own"));
    ck_assert_int_eq(snapcell_loader_seal(shared, "deep", NULL, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_cell_fetch(shared_cell, NULL, &response, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "not its thread's own"));
    ck_assert_ptr_null(response);
}

static void run_coroutine(size_t size)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    run_on(memory, size, body_that_is_refused);
    munmap(memory, size);
}

/* Of whatever size: V8's collector reads from there to where the thread's own stack begins. */
static void *refuse_coroutines(void *unused)
{
    (void)unused;
    run_coroutine(64 * KIB);
    run_coroutine(512 * KIB);
    run_coroutine(64 * KIB * KIB);
    return NULL;
}

START_TEST(test_stacks_of_coroutines_are_refused)
{
    shared = fixture_open(NULL, NULL, NULL);
    shared_cell = fixture_load(shared, "deep", NULL);
    refuse_coroutines(NULL);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, refuse_coroutines, NULL), 0);
    pthread_join(thread, NULL);
    fixture_expect_response(shared_cell, "/", 200, "2999997"); /* and nothing is lost */
    snapcell_cell_dispose(shared_cell);
    snapcell_loader_close(shared);
}
END_TEST

/* --- Threads --- */

typedef struct small_thread {
    snapcell_loader *loader;
    bool tries;
    int status;
    snapcell_error err;
} small_thread;

static void *small_thread_main(void *user)
{
    small_thread *self = user;
    if (self->tries)
        use_everything(self->loader);
    else
        self->status = load_status(self->loader, &self->err);
    return NULL;
}

static void run_thread(small_thread *self, size_t size)
{
    pthread_attr_t attributes;
    pthread_t thread;
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, size), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, small_thread_main, self), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

START_TEST(test_threads_with_too_small_a_stack_are_refused)
{
    static const size_t sizes[] = {64 * KIB, 128 * KIB, 256 * KIB};
    small_thread self = {.loader = fixture_open(NULL, NULL, NULL)};
    run_thread(&self, sizes[_i]);
    ck_assert_int_eq(self.status, SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(self.err.message, "bytes of stack are left"));
    snapcell_loader_close(self.loader);
}
END_TEST

START_TEST(test_threads_with_a_small_stack_work)
{
    static const size_t sizes[] = {320 * KIB, 512 * KIB, 2048 * KIB};
    small_thread self = {.loader = fixture_open(NULL, NULL, NULL), .tries = STACKS_ARE_TRIED};
    run_thread(&self, sizes[_i]);
    snapcell_loader_close(self.loader);
}
END_TEST

int main(void)
{
    const fixture_function functions[] = {{"deep", deep, NULL}};
    fixture_new_store();
    fixture_compile(functions, 1, NULL);

    Suite *suite = suite_create("stacks");
    TCase *tcase = tcase_create("stacks");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_stacks_of_coroutines_are_refused);
    tcase_add_loop_test(tcase, test_threads_with_too_small_a_stack_are_refused, 0, 3);
    tcase_add_loop_test(tcase, test_threads_with_a_small_stack_work, 0, 3);
    return fixture_run(suite, tcase);
}
