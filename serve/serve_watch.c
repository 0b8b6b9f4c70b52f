#include "serve_watch.h"

static void watch_add(serve_watch_counts *sum, const serve_watch_counts *counts)
{
    sum->answers += counts->answers;
    sum->failures += counts->failures;
}

void serve_watch_switch(serve_function_watch *function)
{
    function->before = function->recent[0];
    watch_add(&function->before, &function->recent[1]);
    function->recent[0] = function->recent[1] = (serve_watch_counts){0};
}

void serve_watch_rotate(serve_function_watch *function)
{
    function->recent[1] = function->recent[0];
    function->recent[0] = (serve_watch_counts){0};
}

static double watch_percent(const serve_watch_counts *counts)
{
    return counts->answers > 0 ? 100.0 * (double)counts->failures / (double)counts->answers : 0;
}

bool serve_watch_is_worse(const serve_watch_settings *settings, const serve_watch_counts *now,
                          const serve_watch_counts *before)
{
    if (now->answers < settings->answers_min) return false;
    return watch_percent(now) - watch_percent(before) > (double)settings->failure_percent_max;
}
