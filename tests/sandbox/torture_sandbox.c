/* Tries each system call that the sandbox takes away, many times: torture_sandbox --count N. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"

static const snapcell_sandbox_options options[] = {
    {.struct_size = sizeof(snapcell_sandbox_options), .violation = SNAPCELL_SANDBOX_KILL},
    {.struct_size = sizeof(snapcell_sandbox_options), .violation = SNAPCELL_SANDBOX_DENY},
};
static const char *const promises[] = {
    "a forbidden system call ends the process",
    "a forbidden system call fails where that is requested",
};

/* Every call, `count` times; the number of those that were let through. */
static unsigned long torture(const snapcell_sandbox_options *with, unsigned long count)
{
    unsigned long failures = 0;
    for (unsigned long i = 0; i < count; i++) {
        for (size_t j = 0; j < attempt_count; j++) {
            if (attempt_is_held(&attempts[j], with)) continue;
            failures++;
            fprintf(stderr, "%s was let through\n", attempts[j].name);
        }
        if (i % 10 == 9) fprintf(stderr, "%lu of %lu\r", i + 1, count);
    }
    return failures;
}

int main(int argc, char **argv)
{
    unsigned long count = 1;
    if (argc == 3 && strcmp(argv[1], "--count") == 0)
        count = strtoul(argv[2], NULL, 10);
    else if (argc != 1)
        return fprintf(stderr, "usage: torture_sandbox [--count N]\n"), 2;
    unsigned long failures = 0;
    attempts_prepare();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        unsigned long failed = torture(&options[i], count);
        printf("%s\t%lu\t%lu\n", promises[i], count * attempt_count, failed);
        failures += failed;
    }
    return failures == 0 ? 0 : 1;
}
