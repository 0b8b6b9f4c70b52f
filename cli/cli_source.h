/* The process of `serve --source` that follows a tag of a registry: it looks at the tag, pulls, and
 * writes to the store. The server tells it what is to become of a release. */
#ifndef SNAPCELL_CLI_SOURCE_H
#define SNAPCELL_CLI_SOURCE_H

#include <sys/types.h>

#include "cli_registry.h"
#include "serve.h"
#include "serve_source_message.h"

/* What is known of the source, and outlasts the process: in the store's folder. */
typedef struct cli_source_state {
    char digest[SERVE_SOURCE_DIGEST_SIZE]; /* of the document that is served; "": none */
    char release[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    char refused[SERVE_SOURCE_DIGEST_SIZE]; /* of the one that was refused last; "": none */
    char reason[SERVE_SOURCE_TEXT_SIZE];
} cli_source_state;

/* What the server starts it with. Borrowed by the process to its end. */
typedef struct cli_source {
    const serve_source_config *config;
    const cli_arguments *arguments;
    const snapcell_trust *trust;
    bool no_sandbox;
    oci_reference reference;
    char who[SNAPCELL_RELEASE_WHO_SIZE_MAX + 1]; /* in the store's history */
    cli_source_state state;
} cli_source;

/* A serve_options.check_source. */
int cli_source_check(const char *reference, snapcell_error *err);

/* Starts the process. `fd`: the server's end of a socket. Errors: E_IO, E_USAGE (the reference). */
int cli_source_start(const cli_source *settings, const serve_source_config *config, int *fd,
                     snapcell_error *err);

/* --- One look at the registry (cli_source_pull.c) --- */

/* What came of one: CHECKED, PULLED, REFUSED, or FAILED, where `wait_ms` is what the registry
 * wants, or 0. */
void cli_source_pull(const cli_source *source, serve_source_message *out);

/* --- The state (cli_source_state.c) --- */

/* Empty when there is none for this source and engine, or it cannot be read. */
void cli_source_state_read(const cli_source *source, cli_source_state *out);

/* Errors: those of cli_write_file(). */
int cli_source_state_write(const cli_source *source, snapcell_error *err);

#endif
