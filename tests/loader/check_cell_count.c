/* How many cells a process can have: before V8 ends it, loads fail. */
#include <string.h>

#include "engine.h"
#include "fixture.h"

static const char web[] = "export default { fetch() { return new Response('web'); } };";

#define CELL_COUNT 3

START_TEST(test_loads_fail_at_the_maximum)
{
    engine_set_cells_max(CELL_COUNT);
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_loader *other = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cells[CELL_COUNT];
    for (int i = 0; i < CELL_COUNT; i++)
        cells[i] = fixture_load(i == 0 ? other : loader, "web", NULL);
    ck_assert_uint_eq(fixture_counters(loader).live_cells, CELL_COUNT - 1);
    ck_assert_uint_eq(fixture_counters(loader).process_cells, CELL_COUNT);

    snapcell_cell *more = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_load(loader, "web", NULL, &more, &err), SNAPCELL_E_NOMEM);
    ck_assert_str_eq(err.message, "3 cells live in this process, and V8 has no room for more: "
                                  "dispose of some, or use another process");
    ck_assert_ptr_null(more);
    fixture_expect_response(cells[1], "/", 200, "web"); /* those that there are work on */
    snapcell_cell_dispose(cells[0]);
    cells[0] = fixture_load(loader, "web", NULL);

    for (int i = 0; i < CELL_COUNT; i++)
        snapcell_cell_dispose(cells[i]);
    ck_assert_uint_eq(fixture_counters(loader).process_cells, 0);
    snapcell_loader_close(other);
    snapcell_loader_close(loader);
}
END_TEST

/* A load that fails gives its place back. */
START_TEST(test_failed_loads_do_not_count)
{
    engine_set_cells_max(1);
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.json_env = &(snapcell_env){"LIST", "[1,"}; /* found when the context is there */
    options.json_env_count = 1;
    for (int i = 0; i < 5; i++) {
        snapcell_cell *cell = NULL;
        ck_assert_int_eq(snapcell_cell_load(loader, "web", &options, &cell, NULL),
                         SNAPCELL_E_USAGE);
        ck_assert_uint_eq(fixture_counters(loader).process_cells, 0);
    }
    snapcell_cell_dispose(fixture_load(loader, "web", NULL));
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_counters_tell_the_maximum)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    ck_assert_uint_eq(fixture_counters(loader).process_cells_max, SNAPCELL_CELLS_MAX);
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    const fixture_function functions[] = {{"web", web, NULL}};
    fixture_new_store();
    fixture_compile(functions, 1, NULL);

    Suite *suite = suite_create("cell_count");
    TCase *tcase = tcase_create("cell_count");
    tcase_add_test(tcase, test_loads_fail_at_the_maximum);
    tcase_add_test(tcase, test_failed_loads_do_not_count);
    tcase_add_test(tcase, test_counters_tell_the_maximum);
    return fixture_run(suite, tcase);
}
