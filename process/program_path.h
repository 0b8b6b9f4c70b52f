/* Where the program is that is started as a child. Internal. */
#ifndef SNAPCELL_PROGRAM_PATH_H
#define SNAPCELL_PROGRAM_PATH_H

#include "snapcell/error.h"

/* Finds the `snapcell` program: `given` (of the options), else $SNAPCELL_WORKER, else the running
 * program when it is `snapcell` with this library inside, else next to this library or in ../bin
 * or ../../bin from it, else the running program when it is `snapcell`, else on $PATH. `*out`:
 * Owned, free(). Errors: E_INTERNAL (there is none), E_NOMEM. Thread: any. */
int program_path_find(const char *given, char **out, snapcell_error *err);

#endif
