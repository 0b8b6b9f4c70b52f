/* A server of functions: the command `snapcell serve` without its command line. Internal: linked
 * into the program alone. */
#ifndef SNAPCELL_SERVE_H
#define SNAPCELL_SERVE_H

#include <stdbool.h>

#include "serve_config.h"
#include "snapcell/trust.h"

#define SERVE_OPTION_UNSAID UINT32_MAX

typedef struct serve_options {
    const char *store;         /* not NULL */
    const char *const *listen; /* NULL-terminated; none: the configuration's, else 127.0.0.1:8080 */
    const char *metrics;       /* NULL: the configuration's */
    const char *config;        /* a file; NULL: none */
    const char *single;        /* a function for all requests; NULL: by routes */
    int policy;                /* a snapcell_workers_policy; -1: the configuration's */
    const snapcell_trust *trust;
    /* What outweighs the configuration's source: its strings, numbers that are not 0;
     * failure_action and max_failure_percent unless SERVE_OPTION_UNSAID. Borrowed. */
    serve_source_config source;
    int (*check_source)(const char *reference, snapcell_error *err);
    /* Starts the process that follows a source. `fd`: a socket to it. Errors: E_IO, E_NOMEM. */
    int (*start_source)(void *user, const serve_source_config *source, int *fd,
                        snapcell_error *err);
    void *source_user;
    bool dev;
    bool reads_versions; /* with `dev`: from standard input (serve_versions.h) */
    bool no_sandbox;
    /* Lines for people: on standard output, where one can be answered, and on standard error.
     * `print`: false when the line does not arrive, which ends the server. */
    bool (*print)(const char *line);
    void (*warn)(const char *line);
    serve_problem_fn *problem; /* what is wrong with the configuration */
} serve_options;

/* Reads the configuration, and tells of all that is wrong with it. Errors: those of
 * serve_config_read(). */
int serve_check(const serve_options *options, snapcell_error *err);

/* Serves until a signal ends it. Errors: E_USAGE, E_IO (an address is in use), those of opening a
 * store. */
int serve_run(const serve_options *options, snapcell_error *err);

#endif
