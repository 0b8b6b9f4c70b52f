/* What a tag of a registry stands for, fetched and checked. */
#ifndef SNAPCELL_CLI_PULL_H
#define SNAPCELL_CLI_PULL_H

#include "cli_registry.h"

/* Pointers are Borrowed. */
typedef struct cli_pull {
    oci_reference reference;
    registry_client *registry;
    cli_registry_options *registry_options;
    snapcell_store *store;  /* what it has is not fetched; NULL when there is none yet */
    cli_arrivals *arrivals; /* what came */
    bool all_engines;
    oci_facts first; /* of the first function */
    bool has_first;
} cli_pull;

/* Fetches what a reference stands for, each digest and artifact checked. `out`: the document's
 * descriptor. Errors: those of the registry's client, E_CORRUPT, E_FORMAT, E_OTHER_ENGINE,
 * E_SIGNATURE, E_NOT_FOUND (nothing of snapcell's), E_USAGE (a name for several functions). */
int cli_pull_fetch(cli_pull *pull, oci_descriptor *out, snapcell_error *err);

#endif
