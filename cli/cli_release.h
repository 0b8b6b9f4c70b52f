/* The parts of the command release. */
#ifndef SNAPCELL_CLI_RELEASE_H
#define SNAPCELL_CLI_RELEASE_H

#include "cli.h"
#include "snapcell/release.h"

#define CLI_DAY_SECONDS UINT64_C(86400)

typedef struct cli_release {
    cli_arguments arguments;
    char **operands; /* after the word that says what to do */
    int operand_count;
    bool activate;
    bool pin;
    bool history;
    bool has_policy;
    snapcell_release_policy policy;
    char who[SNAPCELL_RELEASE_WHO_SIZE_MAX + 1];
    snapcell_store *store; /* Owned */
} cli_release;

/* --- cli_release_change.c --- */

cli_status cli_release_create(cli_release *state);
cli_status cli_release_activate(cli_release *state);
cli_status cli_release_rollback(cli_release *state);
cli_status cli_release_rm(cli_release *state);
cli_status cli_release_pin(cli_release *state);
cli_status cli_release_unpin(cli_release *state);
cli_status cli_release_keep(cli_release *state);

/* --- cli_release_ls.c --- */

cli_status cli_release_ls(cli_release *state);

/* --- cli_release_diff.c --- */

cli_status cli_release_diff(cli_release *state);

/* What a release holds, held in memory. Errors: as snapcell_release_each_item(). Release with
 * cli_names_release(), on failure, too. */
int cli_release_names(snapcell_store *store, const char *release, cli_names *out,
                      snapcell_error *err);

#endif
