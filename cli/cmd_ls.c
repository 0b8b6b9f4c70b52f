/* snapcell ls: what is in the store. */
#include <stdlib.h>
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

static const cli_option ls_options[] = {
    {'a', "all", NULL, "list artifacts that no name points to, too"},
    CLI_REGISTRY_OPTIONS,
    CLI_JSON_OPTION("a JSON array of objects: name (null when there is none), key,\n"
                    "kind, shape, source_bytes, snapshot_bytes, artifact_bytes,\n"
                    "engine, current (whether this program can run it), error; of a\n"
                    "registry: tag; or name, key, engine, architecture, tenant, signer,\n"
                    "digest, current"),
    CLI_OPTIONS_END,
};

typedef struct ls_row {
    cli_name entry; /* an empty name: none */
    snapcell_artifact_info info;
    char error[256]; /* "" when the artifact is sound */
} ls_row;

typedef struct ls_state {
    cli_arguments arguments;
    bool all;
    cli_registry_options registry_options;
    cli_names names;
    ls_row *rows;
    size_t row_count;
} ls_state;

static bool ls_take(void *user, int id, const char *value)
{
    ls_state *state = user;
    if (id == 'a') state->all = true;
    return cli_registry_take(&state->registry_options, id, value);
}

/* --- Gathering --- */

static bool ls_is_named(const ls_state *state, const snapcell_key *key)
{
    for (size_t i = 0; i < state->names.count; i++)
        if (memcmp(&state->names.items[i].key, key, sizeof(*key)) == 0) return true;
    return false;
}

static ls_row *ls_add_row(ls_state *state)
{
    if ((state->row_count & (state->row_count - 1)) == 0) { /* full at each power of two */
        size_t capacity = state->row_count ? 2 * state->row_count : 1;
        ls_row *rows = realloc(state->rows, capacity * sizeof(*rows));
        if (!rows) return NULL;
        state->rows = rows;
    }
    ls_row *row = &state->rows[state->row_count++];
    memset(row, 0, sizeof(*row));
    return row;
}

/* Damage is told; `snapcell verify` checks the digest, too. */
static void ls_describe(ls_row *row, const void *bytes, size_t size_bytes)
{
    snapcell_error err;
    if (snapcell_artifact_describe(bytes, size_bytes, &row->info, &err) == SNAPCELL_OK)
        row->info.source_size_bytes = cli_source_size(&row->info);
    else
        error_text_copy(row->error, sizeof(row->error), err.message, strlen(err.message));
    row->info.artifact_size_bytes = size_bytes;
    row->info.manifest = NULL; /* the view of it ends */
}

static int ls_add_unnamed(void *user, const snapcell_key *key, const void *bytes, size_t size_bytes)
{
    ls_state *state = user;
    if (ls_is_named(state, key)) return 0;
    ls_row *row = ls_add_row(state);
    if (!row) return SNAPCELL_E_NOMEM;
    row->entry.key = *key;
    ls_describe(row, bytes, size_bytes);
    row->entry.engine = row->info.engine;
    return 0;
}

static int ls_gather(ls_state *state, snapcell_store *store, snapcell_error *err)
{
    int status = cli_names_list(store, &state->names, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < state->names.count; i++) {
        snapcell_store_view view;
        ls_row *row = ls_add_row(state);
        if (!row) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the list");
        row->entry = state->names.items[i];
        status = snapcell_store_view_open(store, &row->entry.key, &view, err);
        if (status ==
            SNAPCELL_E_NOT_FOUND) { /* removed since, or a damaged store: `verify` tells */
            snprintf(row->error, sizeof(row->error), "the artifact is missing");
            status = SNAPCELL_OK;
            continue;
        }
        if (status == SNAPCELL_OK) ls_describe(row, view.bytes, view.size_bytes);
        snapcell_store_view_close(store, &view);
    }
    if (status != SNAPCELL_OK || !state->all) return status;
    status = snapcell_store_each_artifact(store, ls_add_unnamed, state, err);
    return status == SNAPCELL_E_NOMEM ? error_set(err, status, "no memory for the list") : status;
}

/* --- Printing --- */

static const char *ls_name(const ls_row *row)
{
    return row->entry.name[0] ? row->entry.name : "-";
}

static json_t *ls_row_json(const ls_row *row)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    bool bad = row->error[0] != '\0';
    return json_pack("{s:o, s:s, s:s?, s:s?, s:I, s:I, s:I, s:s, s:b, s:o}", "name",
                     row->entry.name[0] ? cli_json_text(row->entry.name) : json_null(), "key",
                     cli_key_text(&row->entry.key, key), "kind",
                     bad ? NULL : cli_kind_name(row->info.kind), "shape",
                     bad ? NULL : cli_shape_name(row->info.shape), "source_bytes",
                     (json_int_t)row->info.source_size_bytes, "snapshot_bytes",
                     (json_int_t)row->info.blob_size_bytes, "artifact_bytes",
                     (json_int_t)row->info.artifact_size_bytes, "engine",
                     cli_fingerprint_text(&row->entry.engine, engine), "current",
                     (int)cli_engine_is_this(&row->entry.engine), "error",
                     bad ? cli_json_text(row->error) : json_null());
}

static void ls_print_row(const ls_row *row, size_t name_width)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    char size[CLI_SIZE_TEXT_SIZE];
    bool bad = row->error[0] != '\0';
    cli_print_padded(ls_name(row), name_width);
    cli_print("  %.12s  %-8s  %-5s  %9s  ", cli_key_text(&row->entry.key, key),
              bad ? "damaged" : cli_kind_name(row->info.kind),
              bad ? "-" : cli_shape_name(row->info.shape),
              cli_size_text(row->info.artifact_size_bytes, size));
    if (cli_engine_is_this(&row->entry.engine))
        cli_print("this\n");
    else
        cli_print("other (%.12s)\n", cli_fingerprint_text(&row->entry.engine, engine));
}

static void ls_print(const ls_state *state)
{
    size_t width = strlen("NAME");
    for (size_t i = 0; i < state->row_count; i++) {
        size_t row_width = cli_text_width(ls_name(&state->rows[i]));
        if (row_width > width) width = row_width;
    }
    if (state->row_count > 0) {
        cli_print_padded("NAME", width);
        cli_print("  %-12s  %-8s  %-5s  %9s  %s\n", "KEY", "KIND", "SHAPE", "SIZE", "ENGINE");
    }
    for (size_t i = 0; i < state->row_count; i++)
        ls_print_row(&state->rows[i], width);
}

static void ls_print_json(const ls_state *state)
{
    cli_print_json_begin();
    for (size_t i = 0; i < state->row_count; i++)
        cli_print_json_item(ls_row_json(&state->rows[i]));
    cli_print_json_end();
}

static cli_status ls_run(ls_state *state)
{
    cli_status status;
    snapcell_error err;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(state->arguments.store, SNAPCELL_STORE_READ, &status);
    if (!store) return status;
    if (ls_gather(state, store, &err) != SNAPCELL_OK)
        return cli_report(state->arguments.store, &err);
    if (state->arguments.json)
        ls_print_json(state);
    else
        ls_print(state);
    for (size_t i = 0; i < state->row_count; i++) {
        if (!state->rows[i].error[0]) continue;
        cli_message("%s: %s", ls_name(&state->rows[i]), state->rows[i].error);
        status = CLI_REFUSED;
    }
    return status;
}

static cli_status ls_choose(ls_state *state)
{
    if (state->arguments.operand_count == 0) return ls_run(state);
    const char *operand = state->arguments.operands[0];
    if (!oci_reference_is(operand))
        return cli_usage("ls takes no '%s'; see `snapcell ls --help`", operand);
    if (state->all) return cli_usage("--all is for a store, not for a registry");
    return cli_registry_ls(&state->arguments, &state->registry_options);
}

static cli_status ls_main(const cli_command *command, int argc, char **argv)
{
    ls_state state = {0};
    cli_status status;
    if (cli_parse(command, argc, argv, ls_take, &state, &state.arguments, &status))
        status = ls_choose(&state);
    cli_names_release(&state.names);
    free(state.rows);
    return status;
}

const cli_command cmd_ls = {
    .name = "ls",
    .operands = "[oci://HOST/REPOSITORY[:TAG|@DIGEST]]",
    .summary = "list the functions in the store, or what a registry has",
    .description =
        "Lists names in byte order, with a line for each engine that a name has an artifact for.\n"
        "KEY shows the first 12 digits, which work as a REF. ENGINE is `this` if this program can\n"
        "run the artifact; `snapcell recompile` makes the missing ones.\n"
        "Of a repository lists the tags; of a tag or digest, the functions.",
    .options = ls_options,
    .operand_count_max = 1,
    .run = ls_main,
};
