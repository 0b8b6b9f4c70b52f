/* Folders and stores of torture programs. A failure here ends the program with a line. */
#ifndef SNAPCELL_TORTURE_STORE_H
#define SNAPCELL_TORTURE_STORE_H

#include <stddef.h>

#include "snapcell/error.h"
#include "snapcell/store.h"

#define TORTURE_FUNCTIONS_MAX 64u

/* What is not SNAPCELL_OK is the end. */
void torture_require(int status, const snapcell_error *err, const char *what);

/* The program's folder, which is removed with all in it when it exits. Borrowed. */
const char *torture_folder(void);

typedef struct torture_functions {
    char names[TORTURE_FUNCTIONS_MAX][SNAPCELL_NAME_SIZE_MAX + 1];
    size_t count;
} torture_functions;

/* Compiles FOLDER's bundles with $SNAPCELL_WORKER into a store at torture_folder(). `options`: of
 * the command. One of the examples needs a host's functions, and is not among them. */
void torture_compile_all(const char *folder, const char *options, torture_functions *out);

#endif
