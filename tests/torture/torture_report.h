/* What torture programs in C share: their arguments, their count of promises, their report. */
#ifndef SNAPCELL_TORTURE_REPORT_H
#define SNAPCELL_TORTURE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct torture_options {
    unsigned long count;
    uint32_t seed;
} torture_options;

/* Reads `--count N` and `--seed S`; ends the process with a line when there is anything else. */
torture_options torture_arguments(int argc, char **argv, unsigned long count_default);

typedef struct torture_promise {
    const char *text;
    unsigned long tries;
    unsigned long failures;
} torture_promise;

/* Counts a try; one that failed is told of on standard error. Returns `kept`. */
bool torture_try(torture_promise *promise, bool kept, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Every so often, a line on standard error. */
void torture_progress(unsigned long done, unsigned long count);

/* Prints a line a promise. Returns the exit status: a promise that was never tried has failed. */
int torture_report(const torture_promise *promises, size_t count);

#endif
