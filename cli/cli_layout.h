/* export --oci and import --oci: functions in an OCI image layout. */
#ifndef SNAPCELL_CLI_LAYOUT_H
#define SNAPCELL_CLI_LAYOUT_H

#include "cli_functions.h"

/* Writes the functions that the operands stand for into the layout `folder`: a tag for each name.
 */
cli_status cli_layout_export(const cli_arguments *arguments, const char *folder, bool force,
                             bool has_artifact_type);

/* Puts all functions of the layout `folder` into the store. */
cli_status cli_layout_import(const cli_arguments *arguments, const char *folder, const char *name,
                             bool replace);

#endif
