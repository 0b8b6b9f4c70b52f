/* How often a new version fails, compared with the one before it. Internal to serve/. */
#ifndef SNAPCELL_SERVE_WATCH_H
#define SNAPCELL_SERVE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct serve_watch_counts {
    uint64_t answers;
    uint64_t failures; /* of them, those with a status from 500 on */
} serve_watch_counts;

/* Of a function. */
typedef struct serve_function_watch {
    serve_watch_counts recent[2]; /* this period and the one before */
    serve_watch_counts before;    /* the version before, over its last two periods */
    bool is_new;                  /* its artifact is another one than before */
} serve_function_watch;

typedef struct serve_watch_settings {
    uint64_t period_ns; /* how long a new version is watched; 0: never */
    uint64_t answers_min;
    uint64_t failure_percent_max;
} serve_watch_settings;

/* Of the server. Zeroed watches nothing. */
typedef struct serve_watch {
    serve_watch_settings settings;
    uint64_t switched_ns; /* requests that began before it are of the version before */
    uint64_t until_ns;    /* 0: no new version is watched */
    uint64_t rotated_ns;
} serve_watch;

static inline void serve_watch_count(const serve_watch *watch, serve_function_watch *function,
                                     bool has_failed, uint64_t began_ns)
{
    if (watch->settings.period_ns == 0 || began_ns < watch->switched_ns) return;
    function->recent[0].answers++;
    function->recent[0].failures += has_failed;
}

/* At a switch, for each function: what it counted was of the version before. */
void serve_watch_switch(serve_function_watch *function);

/* Once a period, for each function. */
void serve_watch_rotate(serve_function_watch *function);

/* Whether so many more of the answers `now` are failures than of those `before` that a version is
 * to be taken back. */
bool serve_watch_is_worse(const serve_watch_settings *settings, const serve_watch_counts *now,
                          const serve_watch_counts *before);

#endif
