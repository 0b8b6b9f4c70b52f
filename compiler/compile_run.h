/* One job done by one child. Internal to the compiler. */
#ifndef SNAPCELL_COMPILE_RUN_H
#define SNAPCELL_COMPILE_RUN_H

#include "compile_protocol.h"
#include "compile_settings.h"
#include "note_list.h"

/* What a child made; Owned: compile_product_release(). */
typedef struct compile_product {
    compile_result result; /* points into `body` */
    void *body;
} compile_product;

/* Has `job` done by a child at `worker_path`; `path` names the bundle in messages, and stands for
 * its base name in places of script errors. The child's notes are added to `notes`. Host functions
 * and log run on the calling thread. Errors: as snapcell_compile_file(); E_UNSNAPSHOTABLE, whose
 * message is the bare cause, the same on every machine, also when the child crashed while it made
 * a snapshot. */
int compile_run(const char *worker_path, const char *path, const compile_job *job,
                const snapcell_host *host, const compile_limits *limits, note_list *notes,
                compile_product *out, snapcell_error *err);

void compile_product_release(compile_product *product);

#endif
