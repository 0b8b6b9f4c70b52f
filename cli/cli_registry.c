/* Options of registries, and progress. */
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

#define PROGRESS_MS 100.0

static void registry_on_progress(void *user, uint64_t done_size_bytes, uint64_t size_bytes)
{
    cli_registry_options *options = user;
    char done[CLI_SIZE_TEXT_SIZE];
    char size[CLI_SIZE_TEXT_SIZE];
    if (done_size_bytes == size_bytes) options->moved_size_bytes += size_bytes;
    if (options->quiet || !cli_fancy() || !options->label[0]) return;
    double now = cli_now_ms();
    if (now - options->told_ms < PROGRESS_MS && done_size_bytes < size_bytes) return;
    options->told_ms = now;
    cli_say("\r\033[K%s  %s of %s", options->label, cli_size_text(done_size_bytes, done),
            cli_size_text(size_bytes, size));
}

bool cli_registry_take(cli_registry_options *options, int id, const char *value)
{
    uint64_t number = 0;
    options->options.progress = registry_on_progress;
    options->options.user = options;
    switch (id) {
    case CLI_OPTION_PLAIN_HTTP:
        options->options.plain_http = true;
        return true;
    case CLI_OPTION_CA_FILE:
        options->options.ca_file = value;
        if (value[0]) return true;
        cli_message("--ca-file needs the path of a file of certificates");
        return false;
    case CLI_OPTION_CHUNK_KB:
        if (!cli_number("--chunk-kb", value, 1, 512 << 10, &number)) return false;
        options->options.chunk_size_bytes = (size_t)number << 10;
        return true;
    default:
        return true;
    }
}

void cli_registry_label(cli_registry_options *options, const char *label)
{
    snprintf(options->label, sizeof(options->label), "%s", label);
    options->options.progress = registry_on_progress;
    options->options.user = options;
    if (!options->quiet && cli_fancy()) cli_say("\r\033[K%s", label);
}

bool cli_registry_reference(const char *text, oci_reference *out)
{
    snapcell_error err;
    if (oci_reference_parse(text, out, &err) == SNAPCELL_OK) return true;
    cli_report(NULL, &err);
    return false;
}

int cli_registry_document(registry_client *registry, const char *repository, const char *target,
                          const oci_descriptor *expected, void **raw, oci_descriptor *descriptor,
                          oci_document *out, snapcell_error *err)
{
    char what[OCI_REPOSITORY_SIZE_MAX + OCI_TAG_SIZE_MAX + 2];
    memset(out, 0, sizeof(*out));
    snprintf(what, sizeof(what), "%s%s%s", repository, oci_digest_is_valid(target) ? "@" : ":",
             target);
    cleanup_free void *bytes = NULL;
    int status = registry_get_document(registry, repository, target, &bytes, descriptor, err);
    if (status == SNAPCELL_OK)
        status = oci_document_read(what, bytes, (size_t)descriptor->size_bytes, out, err);
    if (status != SNAPCELL_OK) return status;
    /* What it is, it says itself; the header may say less. */
    strcpy(descriptor->media_type,
           out->kind == OCI_DOCUMENT_INDEX ? OCI_TYPE_INDEX : OCI_TYPE_MANIFEST);
    if (expected && (expected->size_bytes != descriptor->size_bytes ||
                     strcmp(expected->media_type, descriptor->media_type) != 0)) {
        oci_document_release(out);
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "%s is not what its descriptor says: %s of %llu bytes", what,
                         expected->media_type, (unsigned long long)expected->size_bytes);
    }
    *raw = steal_pointer(&bytes);
    return SNAPCELL_OK;
}
