/* Where the program is that is started as a worker. Internal. */
#ifndef SNAPCELL_WORKER_PATH_H
#define SNAPCELL_WORKER_PATH_H

#include "snapcell/error.h"

/* Finds the `snapcell` program: `given` (of the options), else $SNAPCELL_WORKER, else the running
 * program when it is `snapcell` with this library inside, else beside this library or in ../bin
 * or ../../bin from it, else the running program when it is `snapcell`, else on $PATH. `*out`:
 * Owned, free(). Errors: E_INTERNAL (there is none), E_NOMEM. Thread: any. */
int worker_path_find(const char *given, char **out, snapcell_error *err);

#endif
