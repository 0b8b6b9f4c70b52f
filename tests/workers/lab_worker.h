/* A worker program for tests: the worker of this build, which also looks at itself. It is started
 * by the name of a symbolic link, and shares a report with who made that. */
#ifndef SNAPCELL_TESTS_LAB_WORKER_H
#define SNAPCELL_TESTS_LAB_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#define LAB_CALLS_MAX 256

/* In the file "NAME.report" next to the link; shared by all processes that are started by it. What
 * the test sets is set before a call, in a worker that waits. A process that is launched from an
 * image has what was set when that was made, and shares nothing: it ends when memory differs. */
typedef struct lab_report {
    /* Set by the test. */
    bool checks_memory;   /* compares all memory after each restore, and ends when it differs */
    bool spoils_memory;   /* alters a byte after each restore */
    bool spoils_launched; /* the same in processes that were launched from an image */
    bool pages_out;       /* has the kernel swap out what it can before each restore */
    bool watches_calls;   /* each system call passes through a handler */
    /* In which system calls are counted, and one fails; the first is before the first answer. */
    uint32_t fault_round;
    uint32_t fault_at;   /* which: from 1; 0: none */
    int32_t fault_errno; /* how it fails */
    /* Set by workers. */
    uint64_t checks;
    uint64_t pages;        /* compared */
    uint64_t paged_out;    /* that were, when the restore began */
    uint32_t faults;       /* calls that were made to fail */
    bool failed_restoring; /* the last of them was a restore's */
    /* Of the last process: the calls of that round, which goes from a message to the host to the
     * next one. */
    uint32_t call_count;
    uint16_t calls[LAB_CALLS_MAX];
    uint32_t round; /* that it is in */
    bool is_paused;
    bool is_restoring;
} lab_report;

/* --- lab_memory.c --- */

/* Before a sandbox. */
void lab_memory_open(lab_report *report);

/* --- lab_faults.c --- */

/* Has each system call of this process pass through a handler from here on. False: refused. */
bool lab_faults_begin(lab_report *report);
/* What the test's own code calls does not count, and does not fail. */
void lab_faults_pause(bool is_paused);

#endif
