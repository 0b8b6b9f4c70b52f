/* Calls to the system that fail on order. The program is linked so that its calls, those of the
 * libraries in it included, come here first (--wrap). */
#ifndef SNAPCELL_FAULTS_H
#define SNAPCELL_FAULTS_H

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_WRITE,       /* EIO */
    FAULT_FULL,        /* ENOSPC, of writing and of making room */
    FAULT_SHORT_WRITE, /* half of it is written */
    FAULT_SYNC,        /* EIO; what was written stays in the cache, as with a disk that fails */
    FAULT_READ,        /* EIO, of pread() */
    FAULT_MAP,         /* ENOMEM, of mmap() */
    FAULT_LARGE_MAP,   /* EINVAL, of mmap() of more than 1 GiB, as under valgrind */
    FAULT_OPEN,        /* EMFILE */
    FAULT_RENAME,      /* EIO */
    FAULT_MEMORY,      /* malloc() and its like, and starting a thread */
    FAULT_KINDS
} fault_kind;

extern const char *const fault_names[FAULT_KINDS];

/* From now on the `nth` call of this kind fails (from 1), and with `for_good` all later ones. */
void fault_arm(fault_kind kind, unsigned nth, bool for_good);
/* Ends it; returns whether any call failed. */
bool fault_disarm(void);

#endif
