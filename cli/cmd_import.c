/* snapcell import: files as artifacts. */
#include <stdlib.h>
#include <string.h>

#include "cli_history.h"
#include "cli_layout.h"
#include "error_set.h"

/* No artifact that a reader accepts is larger; see SPEC.md. */
#define IMPORT_SIZE_MAX ((size_t)2 << 30)

enum { IMPORT_OCI = 256 };

static const cli_option import_options[] = {
    {IMPORT_OCI, "oci", "DIR", "all functions of the OCI image layout DIR, or none of them"},
    {'n', "name", "NAME", "the function's name (default: the one in the artifact)"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    {'r', "replace", NULL,
     "replace an artifact that has the same key and other bytes, as after\nsigning it again"},
    CLI_JSON_OPTION("a JSON object: name, key, kind, shape, artifact_bytes, engine,\ncurrent; an "
                    "array of them with --oci or several files"),
    CLI_OPTIONS_END,
};

typedef struct import_state {
    cli_arguments arguments;
    const char *name;
    bool replace;
    const char *folder; /* of --oci */
} import_state;

static bool import_take(void *user, int id, const char *value)
{
    import_state *state = user;
    if (id == 'r') state->replace = true;
    if (id == 'n') state->name = value;
    if (id == IMPORT_OCI) state->folder = value;
    if (id != IMPORT_OCI || value[0]) return true;
    cli_message("--oci needs the path of a folder");
    return false;
}

/* A file, read and checked. */
typedef struct import_item {
    char *bytes; /* Owned */
    size_t size_bytes;
    snapcell_artifact_info info; /* points into the bytes */
} import_item;

typedef struct import_items {
    import_item *items; /* Owned */
    size_t count;
} import_items;

static void import_items_release(import_items *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].bytes);
    free(list->items);
}
#define cleanup_import_items cleanup(import_items_release)

static void import_tell(const char *name, const snapcell_artifact_info *info, json_t *list)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    bool current = cli_engine_is_this(&info->engine);
    cli_key_text(&info->key, key);
    cli_fingerprint_text(&info->engine, engine);
    if (list)
        json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:s, s:I, s:s, s:b}", "name",
                                              cli_json_text(name), "key", key, "kind",
                                              cli_kind_name(info->kind), "shape",
                                              cli_shape_name(info->shape), "artifact_bytes",
                                              (json_int_t)info->artifact_size_bytes, "engine",
                                              engine, "current", (int)current));
    else
        cli_print("imported %s  %.12s\n", name, key);
    if (!current)
        cli_message("%s is for another engine, %s; `snapcell recompile %s` makes one for this",
                    name, engine, name);
}

/* Reads a file and checks it, for the name that it will have. */
static int import_read(const import_state *state, const snapcell_trust *trust, const char *file,
                       import_item *out, snapcell_error *err)
{
    int status = cli_read_file(file, IMPORT_SIZE_MAX, &out->bytes, &out->size_bytes, err);
    if (status == SNAPCELL_OK)
        status = snapcell_artifact_describe(out->bytes, out->size_bytes, &out->info, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free char *name = strdup(state->name ? state->name : out->info.name);
    if (!name) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a name");
    return cli_artifact_check(&state->arguments, trust, out->bytes, out->size_bytes, name,
                              &out->info, err);
}

/* Two files for one name and engine: one of them would go under. */
static int import_check_names(const import_items *list, const snapcell_artifact_info *info,
                              snapcell_error *err)
{
    for (size_t i = 0; i + 1 < list->count; i++) {
        const snapcell_artifact_info *other = &list->items[i].info;
        if (strcmp(other->name, info->name) == 0 &&
            memcmp(&other->engine, &info->engine, sizeof(info->engine)) == 0 &&
            memcmp(&other->key, &info->key, sizeof(info->key)) != 0)
            return error_set(err, SNAPCELL_E_USAGE,
                             "another file has the name '%s', too: import one of them with --name",
                             info->name);
    }
    return SNAPCELL_OK;
}

/* All of them; each that is refused is told of. */
static cli_status import_read_all(const import_state *state, import_items *list)
{
    snapcell_error err;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    cli_status exit_status = CLI_DONE;
    const size_t count = (size_t)state->arguments.operand_count;
    list->items = calloc(count, sizeof(*list->items));
    if (!list->items) {
        cli_message("no memory for %zu files", count);
        return CLI_TROUBLE;
    }
    if (cli_trust_open(&state->arguments, &trust, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    while (list->count < count) {
        const char *file = state->arguments.operands[list->count];
        import_item *item = &list->items[list->count++];
        int status = import_read(state, trust, file, item, &err);
        if (status == SNAPCELL_OK) status = import_check_names(list, &item->info, &err);
        if (status != SNAPCELL_OK) exit_status = cli_worse(exit_status, cli_report(file, &err));
    }
    return exit_status;
}

static int import_put(const import_state *state, snapcell_store *store, const import_items *list,
                      snapcell_error *err)
{
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    cleanup_free snapcell_store_item *items = calloc(list->count + 1, sizeof(*items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %zu files", list->count);
    for (size_t i = 0; i < list->count; i++) {
        const import_item *item = &list->items[i];
        items[i].bytes = item->bytes;
        items[i].size_bytes = item->size_bytes;
        items[i].name = state->name ? state->name : item->info.name;
        items[i].origin = state->arguments.operands[i];
    }
    cli_who(who);
    options.replace = state->replace;
    options.action = SNAPCELL_HISTORY_IMPORTED;
    options.who = who;
    return snapcell_store_put_items(store, items, list->count, &options, err);
}

static void import_tell_all(const import_state *state, const import_items *list)
{
    json_t *json = state->arguments.json ? json_array() : NULL;
    for (size_t i = 0; i < list->count; i++) {
        const snapcell_artifact_info *info = &list->items[i].info;
        import_tell(state->name ? state->name : info->name, info, json);
    }
    if (json && list->count == 1)
        cli_print_json(json_incref(json_array_get(json, 0)));
    else if (json)
        cli_print_json(json_incref(json));
    json_decref(json);
}

/* In one transaction, or not at all. */
static cli_status import_run(const import_state *state)
{
    snapcell_error err;
    import_items cleanup_import_items list = {0};
    cli_status exit_status = import_read_all(state, &list);
    if (exit_status != CLI_DONE) return exit_status;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(state->arguments.store, SNAPCELL_STORE_CREATE, &exit_status);
    if (!store) return exit_status;
    if (import_put(state, store, &list, &err) != SNAPCELL_OK)
        return cli_report(list.count == 1 ? state->arguments.operands[0] : NULL, &err);
    import_tell_all(state, &list);
    return CLI_DONE;
}

static cli_status import_choose(const import_state *state)
{
    snapcell_error err;
    const cli_arguments *arguments = &state->arguments;
    if (state->folder && arguments->operand_count > 0)
        return cli_usage("'%s' is one too many: snapcell import [OPTIONS] --oci DIR",
                         arguments->operands[0]);
    if (!state->folder && arguments->operand_count < 1)
        return cli_usage("import needs more: snapcell import [OPTIONS] FILE...");
    if (state->name && arguments->operand_count > 1)
        return cli_usage("--name goes with one file, not with %d", arguments->operand_count);
    if (state->name && snapcell_name_check(state->name, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    return state->folder ? cli_layout_import(arguments, state->folder, state->name, state->replace)
                         : import_run(state);
}

static cli_status import_main(const cli_command *command, int argc, char **argv)
{
    import_state state = {0};
    cli_status status;
    if (!cli_parse(command, argc, argv, import_take, &state, &state.arguments, &status))
        return status;
    return import_choose(&state);
}

const cli_command cmd_import = {
    .name = "import",
    .operands = "FILE... | --oci DIR",
    .summary = "put artifacts from a file or an OCI layout into the store",
    .description =
        "Reads artifacts that `export` wrote (- is standard input), checks them, and puts them "
        "into\n"
        "the store, which is made when it is missing: all of them in one transaction, or, if one\n"
        "is refused, none. The checks find damage; with --trust they\n"
        "find malice, too: without it a snapshot is as trusted as a program, so import only what\n"
        "you would run.",
    .options = import_options,
    .operand_count_min = 0,
    .operand_count_max = -1,
    .run = import_main,
};
