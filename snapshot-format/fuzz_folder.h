/* A folder for the files of a fuzz target, which is removed when the target ends. In memory, where
 * there is such a place: the store waits for the disk after each write. In no library. */
#ifndef SNAPCELL_FUZZ_FOLDER_H
#define SNAPCELL_FUZZ_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz_input.h"

static char fuzz_folder[200];

static inline int fuzz_remove_entry(const char *path, const struct stat *facts, int type,
                                    struct FTW *walk)
{
    (void)facts;
    (void)type;
    return walk->level == 0 ? 0 : remove(path);
}

static inline void fuzz_folder_clear(void)
{
    (void)nftw(fuzz_folder, fuzz_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void fuzz_folder_remove(void)
{
    fuzz_folder_clear();
    (void)rmdir(fuzz_folder);
}

static inline void fuzz_folder_make(void)
{
    const char *place = getenv("TMPDIR");
    if (access("/dev/shm", W_OK) == 0) place = "/dev/shm";
    (void)snprintf(fuzz_folder, sizeof(fuzz_folder), "%s/snapcell-fuzz-XXXXXX",
                   place != NULL ? place : "/tmp");
    fuzz_require(mkdtemp(fuzz_folder) != NULL);
    (void)atexit(fuzz_folder_remove);
}

#endif
