/* What the commands that speak with registries share. */
#ifndef SNAPCELL_CLI_REGISTRY_H
#define SNAPCELL_CLI_REGISTRY_H

#include "cli_functions.h"
#include "registry.h"

enum { CLI_OPTION_PLAIN_HTTP = 950, CLI_OPTION_CA_FILE, CLI_OPTION_CHUNK_KB };

#define CLI_REGISTRY_OPTIONS                                                                       \
    {CLI_OPTION_PLAIN_HTTP, "plain-http", NULL, "the registry has no TLS"},                        \
    {                                                                                              \
        CLI_OPTION_CA_FILE, "ca-file", "FILE",                                                     \
            "trust the certificates in FILE, as those of a registry's own\nauthority"              \
    }
#define CLI_CHUNK_OPTION                                                                           \
    {                                                                                              \
        CLI_OPTION_CHUNK_KB, "chunk-kb", "N",                                                      \
            "upload what is larger than N KiB in pieces of that size\n(default: 8192)"             \
    }

typedef struct cli_registry_options {
    registry_options options;
    char label[80]; /* of what moves, for the progress line */
    double told_ms; /* when it was shown last */
    bool quiet;     /* nothing is shown */
    uint64_t moved_size_bytes;
} cli_registry_options;

/* Takes an option of the above. Returns false after a message when its value is not allowed. */
bool cli_registry_take(cli_registry_options *options, int id, const char *value);

/* Shows progress on a terminal, as of `label`; an empty one clears the line. */
void cli_registry_label(cli_registry_options *options, const char *label);

/* A reference on a command line. False after a message. */
bool cli_registry_reference(const char *text, oci_reference *out);

/* A document of a registry, read; `what` is put before messages. `raw`: Owned, free(). Errors: as
 * registry_get_document() and oci_document_read(), E_CORRUPT when it is not what `expected` (NULL:
 * anything) says. Release both on success. */
int cli_registry_document(registry_client *registry, const char *repository, const char *target,
                          const oci_descriptor *expected, void **raw, oci_descriptor *descriptor,
                          oci_document *out, snapcell_error *err);

/* Of ls: the tags of a repository; the functions of a tag or digest. */
cli_status cli_registry_ls(const cli_arguments *arguments, cli_registry_options *options);

#endif
