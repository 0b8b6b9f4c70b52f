#include "torture_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_TOLD_MAX 20

static unsigned long torture_number(const char *text, const char *option)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "%s takes a number, not '%s'\n", option, text);
        exit(2);
    }
    return number;
}

torture_options torture_arguments(int argc, char **argv, unsigned long count_default)
{
    torture_options options = {.count = count_default, .seed = 20240607};
    for (int i = 1; i < argc; i += 2) {
        const bool is_count = strcmp(argv[i], "--count") == 0;
        if (i + 1 == argc || (!is_count && strcmp(argv[i], "--seed") != 0)) {
            fprintf(stderr, "usage: %s [--count N] [--seed S]\n", argv[0]);
            exit(2);
        }
        const unsigned long number = torture_number(argv[i + 1], argv[i]);
        if (is_count)
            options.count = number;
        else
            options.seed = (uint32_t)number | 1; /* the generator stays at 0 */
    }
    return options;
}

bool torture_try(torture_promise *promise, bool kept, const char *format, ...)
{
    va_list arguments;
    promise->tries++;
    if (kept || ++promise->failures > FAILURES_TOLD_MAX) return kept;
    fprintf(stderr, "failed: %s: ", promise->text);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return kept;
}

void torture_progress(unsigned long done, unsigned long count)
{
    if (count >= 200 && done % (count / 10) == 0) fprintf(stderr, "%lu of %lu\n", done, count);
}

int torture_report(const torture_promise *promises, size_t count)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        const torture_promise *promise = &promises[i];
        const unsigned long failures = promise->tries == 0 ? 1 : promise->failures;
        printf("%s\t%lu\t%lu\n", promise->text, promise->tries, failures);
        if (failures > 0) status = EXIT_FAILURE;
    }
    return status;
}
