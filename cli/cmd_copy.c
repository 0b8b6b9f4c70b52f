/* snapcell copy: from one registry, or repository, to another, by digest. */
#include <stdlib.h>
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

#define COPY_DEPTH_MAX 4

static const cli_option copy_options[] = {
    CLI_REGISTRY_OPTIONS,
    CLI_CHUNK_OPTION,
    CLI_JSON_OPTION("a JSON object: from, to, digest, blobs, copied_blobs, copied_bytes"),
    CLI_OPTIONS_END,
};

typedef struct copy_state {
    cli_arguments arguments;
    cli_registry_options registry_options;
    oci_reference from;
    oci_reference to;
    registry_client *source;      /* Owned */
    registry_client *destination; /* Owned */
    bool same_registry;
    size_t blob_count;
    size_t copied_count;
    uint64_t copied_size_bytes;
} copy_state;

static bool copy_take(void *user, int id, const char *value)
{
    copy_state *state = user;
    return cli_registry_take(&state->registry_options, id, value);
}

static int copy_blob(copy_state *state, const oci_descriptor *blob, snapcell_error *err)
{
    bool there = false;
    cleanup_free void *bytes = NULL;
    state->blob_count++;
    int status = registry_has_blob(state->destination, state->to.repository, blob, &there, err);
    if (status == SNAPCELL_OK && !there && state->same_registry)
        status = registry_mount_blob(state->destination, state->to.repository, blob,
                                     state->from.repository, &there, err);
    if (status != SNAPCELL_OK || there) return status;
    cli_registry_label(&state->registry_options, blob->digest);
    status = registry_get_blob(state->source, state->from.repository, blob, &bytes, err);
    if (status == SNAPCELL_OK)
        status = registry_put_blob(state->destination, state->to.repository, blob, bytes, err);
    if (status != SNAPCELL_OK) return status;
    state->copied_count++;
    state->copied_size_bytes += blob->size_bytes;
    return SNAPCELL_OK;
}

static int copy_document(copy_state *state, const char *target, const oci_descriptor *expected,
                         const char *to, int depth, oci_descriptor *out, snapcell_error *err);

static int copy_parts(copy_state *state, const oci_document *document, int depth,
                      snapcell_error *err)
{
    int status = SNAPCELL_OK;
    oci_descriptor unused;
    for (size_t i = 0; status == SNAPCELL_OK && i < document->index.count; i++) {
        const oci_descriptor *part = &document->index.entries[i].document;
        status = copy_document(state, part->digest, part, part->digest, depth + 1, &unused, err);
    }
    if (document->kind == OCI_DOCUMENT_INDEX || status != SNAPCELL_OK) return status;
    status = copy_blob(state, &document->manifest.config, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < document->manifest.layer_count; i++)
        status = copy_blob(state, &document->manifest.layers[i], err);
    return status;
}

/* What it refers to first: a registry refuses a document of which parts are missing. */
static int copy_document(copy_state *state, const char *target, const oci_descriptor *expected,
                         const char *to, int depth, oci_descriptor *out, snapcell_error *err)
{
    cleanup_free void *raw = NULL;
    oci_document cleanup_oci_document document = {0};
    if (depth > COPY_DEPTH_MAX)
        return error_set(err, SNAPCELL_E_CORRUPT, "there are indexes more than %d levels deep",
                         COPY_DEPTH_MAX);
    int status = cli_registry_document(state->source, state->from.repository, target, expected,
                                       &raw, out, &document, err);
    if (status == SNAPCELL_OK) status = copy_parts(state, &document, depth, err);
    if (status == SNAPCELL_OK)
        status = registry_put_document(state->destination, state->to.repository, to, out, raw, err);
    return status;
}

static int copy_all(copy_state *state, oci_descriptor *out, snapcell_error *err)
{
    const registry_options *options = &state->registry_options.options;
    const char *target = oci_reference_target(&state->from);
    const char *to = state->to.tag[0] ? state->to.tag : target;
    state->same_registry = strcmp(state->from.host, state->to.host) == 0;
    int status = registry_open(state->from.host, options, &state->source, err);
    if (status == SNAPCELL_OK)
        status = registry_open(state->to.host, options, &state->destination, err);
    return status == SNAPCELL_OK ? copy_document(state, target, NULL, to, 0, out, err) : status;
}

static void copy_tell(const copy_state *state, const oci_descriptor *document)
{
    char from[OCI_REFERENCE_TEXT_SIZE];
    char to[OCI_REFERENCE_TEXT_SIZE];
    char size[CLI_SIZE_TEXT_SIZE];
    oci_reference_format(&state->from, from);
    oci_reference_format(&state->to, to);
    if (state->arguments.json)
        cli_print_json(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "from", from, "to", to, "digest",
                                 document->digest, "blobs", (json_int_t)state->blob_count,
                                 "copied_blobs", (json_int_t)state->copied_count, "copied_bytes",
                                 (json_int_t)state->copied_size_bytes));
    else
        cli_print("copied %s  %s  (%zu of %zu blobs, %s)\n", to, document->digest,
                  state->copied_count, state->blob_count,
                  cli_size_text(state->copied_size_bytes, size));
}

static cli_status copy_run(copy_state *state)
{
    snapcell_error err;
    oci_descriptor document;
    const cli_arguments *arguments = &state->arguments;
    if (!cli_registry_reference(arguments->operands[0], &state->from) ||
        !cli_registry_reference(arguments->operands[1], &state->to))
        return CLI_USAGE;
    if (state->to.digest[0])
        return cli_usage("copy goes to a tag, or to the digest that the source has; '%s' is "
                         "neither",
                         arguments->operands[1]);
    int status = copy_all(state, &document, &err);
    cli_registry_label(&state->registry_options, "");
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    copy_tell(state, &document);
    return CLI_DONE;
}

static cli_status copy_main(const cli_command *command, int argc, char **argv)
{
    copy_state state = {0};
    cli_status status;
    if (cli_parse(command, argc, argv, copy_take, &state, &state.arguments, &status))
        status = copy_run(&state);
    registry_close(state.source);
    registry_close(state.destination);
    return status;
}

const cli_command cmd_copy = {
    .name = "copy",
    .operands = "oci://HOST/REPOSITORY[:TAG|@DIGEST] oci://HOST/REPOSITORY[:TAG]",
    .summary = "copy between registries, by digest",
    .description =
        "Copies what a tag or a digest stands for, with all that it refers to, byte by byte: it\n"
        "keeps its digest. Blobs that are there are not copied again; within a registry they are\n"
        "mounted. Without TAG it keeps the tag, or is known by its digest alone.",
    .options = copy_options,
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = copy_main,
};
