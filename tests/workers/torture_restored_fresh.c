/* What must be fresh in each instance that a worker restores: torture_restored_fresh --count N
 * calls workers so often in all, and compares what their instances drew, their clocks and the
 * memory that they were given. In each tier and with and without a sandbox there are two workers:
 * one repeats a warm-up before its checkpoint, the other is restored as it was loaded. */
#include "fixture.h"
#include "restore_torture.h"
#include "torture_draws.h"

enum { ONE = DRAWS_PROMISES, PROMISES };
static torture_promise promises[PROMISES] = {
    DRAWS_PROMISES_OF("calls"),
    [ONE] = {"one process serves all calls of a worker"},
};

/* Looking through a megabyte takes longer than all else. */
#define LARGE_EVERY 64

typedef struct subject {
    snapcell_worker *worker;
    int process_id;
} subject;

static subject subject_load(snapcell_workers *workers, const char *name)
{
    snapcell_worker *worker = restore_load(workers, name, NULL);
    return (subject){worker, snapcell_worker_process_id(worker)};
}

static void call(const subject *of, bool is_large)
{
    draws_call(of->worker, is_large);
    torture_try(&promises[ONE], snapcell_worker_process_id(of->worker) == of->process_id,
                "another");
}

static void try_variant(const char *store, const restore_variant *variant, unsigned long count)
{
    snapcell_workers *workers = restore_open(store, variant);
    const subject subjects[] = {subject_load(workers, "loaded"), subject_load(workers, "hot")};
    for (unsigned long i = 0; i < count; i++) {
        call(&subjects[i % 2], i / 2 % LARGE_EVERY == 0);
        torture_progress(i + 1, count);
    }
    snapcell_worker_free(subjects[0].worker);
    snapcell_worker_free(subjects[1].worker);
    snapcell_workers_close(workers);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 600);
    const char *store = fixture_new_store();
    const unsigned long count = 1 + options.count / RESTORE_VARIANTS;
    draws_begin(promises, count * RESTORE_VARIANTS);
    fixture_compile(&(fixture_function){"loaded", draws_source, NULL}, 1, NULL);
    fixture_compile_warm(&(fixture_function){"hot", draws_source, NULL}, 1, "/warm");
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_variant(store, &restore_variants[i], count);
    fixture_remove();
    draws_end();
    return torture_report(promises, PROMISES);
}
