#include "bench_progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "bench.h"
#include "cli.h"
#include "monotonic.h"

#define BENCH_SHOW_EVERY_NS 100000000u         /* on a terminal */
#define BENCH_SHOW_EVERY_PLAIN_NS 10000000000u /* in a log */

void bench_progress_plan(bench_progress *progress, uint64_t estimated_ms)
{
    progress->planned_ms += estimated_ms;
}

uint64_t bench_progress_left_ms(const bench_progress *progress, uint64_t elapsed_ms)
{
    if (progress->done_ms >= progress->planned_ms) return 0;
    uint64_t left_ms = progress->planned_ms - progress->done_ms;
    if (progress->done_ms == 0) return left_ms;
    return (uint64_t)((double)elapsed_ms * (double)left_ms / (double)progress->done_ms);
}

static void bench_progress_show(bench_progress *progress, const char *what, uint64_t now_ns)
{
    uint64_t left_s =
        (bench_progress_left_ms(progress, (now_ns - progress->start_ns) / 1000000) + 500) / 1000;
    uint64_t percent = progress->planned_ms ? 100 * progress->done_ms / progress->planned_ms : 100;
    char line[256];
    int width =
        snprintf(line, sizeof(line), "bench: %3" PRIu64 " %%, %" PRIu64 ":%02" PRIu64 " left, %s",
                 percent < 100 ? percent : 100, left_s / 60, left_s % 60, what);
    if (!cli_fancy()) {
        cli_say("%s\n", line);
        return;
    }
    int blanks = progress->width > width ? progress->width - width : 0;
    cli_say("\r%s%*s", line, blanks, "");
    progress->width = width;
}

void bench_progress_step(bench_progress *progress, uint64_t estimated_ms, const char *format, ...)
{
    uint64_t now_ns = monotonic_now_ns();
    if (progress->start_ns == 0) progress->start_ns = now_ns;
    progress->done_ms += estimated_ms;
    uint64_t every_ns = cli_fancy() ? BENCH_SHOW_EVERY_NS : BENCH_SHOW_EVERY_PLAIN_NS;
    if (progress->shown_ns != 0 && now_ns - progress->shown_ns < every_ns) return;
    progress->shown_ns = now_ns;
    char what[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    bench_progress_show(progress, what, now_ns);
}

void bench_progress_end(bench_progress *progress)
{
    if (cli_fancy() && progress->width > 0) cli_say("\r%*s\r", progress->width, "");
    progress->width = 0;
}
