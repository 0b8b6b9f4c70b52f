/* snapcell salvage: what is intact in a damaged store, into a new one. */
#include "cli.h"

static const cli_option salvage_options[] = {
    {'t', "to", "DIR", "the new store, which is created and must be empty"},
    CLI_JSON_OPTION(
        "a JSON object: damaged, complete, artifacts, names and releases (arrays\nof objects: key, "
        "name, release, lost, guessed), lost_records,\nrecords_complete"),
    CLI_OPTIONS_END,
};

typedef struct salvage_state {
    cli_arguments arguments;
    const char *to;
    json_t *artifacts; /* with --json; Owned, as is the next */
    json_t *names;
    json_t *releases;
} salvage_state;

static bool salvage_take(void *user, int id, const char *value)
{
    (void)id;
    salvage_state *state = user;
    state->to = value;
    return true;
}

static void salvage_tell_json(const salvage_state *state, const snapcell_salvage_item *item)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    cli_key_text(&item->key, key);
    if (item->release)
        json_array_append_new(state->releases,
                              json_pack("{s:o, s:b}", "release", cli_json_text(item->release),
                                        "lost", (int)item->lost));
    else if (item->name)
        json_array_append_new(state->names,
                              json_pack("{s:s, s:o, s:b, s:b}", "key", key, "name",
                                        cli_json_text(item->name), "lost", (int)item->lost,
                                        "guessed", (int)item->guessed));
    else
        json_array_append_new(state->artifacts,
                              json_pack("{s:s, s:b}", "key", key, "lost", (int)item->lost));
}

static void salvage_tell(void *user, const snapcell_salvage_item *item)
{
    const salvage_state *state = user;
    char key[SNAPCELL_KEY_HEX_SIZE];
    if (state->arguments.json) {
        salvage_tell_json(state, item);
        return;
    }
    if (item->release) {
        cli_print("%s  release %s\n", item->lost ? "lost" : "ok  ", item->release);
        return;
    }
    cli_print("%s  %s", item->lost ? "lost" : "ok  ", cli_key_text(&item->key, key));
    if (item->name) cli_print("  %s%s", item->name, item->guessed ? " (a guess)" : "");
    cli_print("\n");
}

static cli_status salvage_report(const salvage_state *state, const snapcell_salvage_result *result)
{
    cli_message("%s: recovered %llu artifacts and %llu names into %s%s", state->arguments.store,
                (unsigned long long)result->artifact_count, (unsigned long long)result->name_count,
                state->to, result->damaged ? "" : "; the old file's structure is sound");
    if (result->name_guessed_count)
        cli_message("%llu of the names are guesses: what the artifacts were compiled as",
                    (unsigned long long)result->name_guessed_count);
    if (!result->complete)
        cli_message("the lists of what there was are damaged: more may be lost than is known");
    if (result->artifact_lost_count || result->name_lost_count)
        cli_message("lost %llu artifacts and %llu names: compile them again",
                    (unsigned long long)result->artifact_lost_count,
                    (unsigned long long)result->name_lost_count);
    const bool lost_records = result->release_lost_count || result->record_lost_count;
    if (lost_records)
        cli_message("lost %llu releases, for want of their artifacts, and %llu records of releases "
                    "and histories",
                    (unsigned long long)result->release_lost_count,
                    (unsigned long long)result->record_lost_count);
    if (!result->records_complete)
        cli_message("the list of releases and histories is damaged: more may be lost");
    return !result->complete || !result->records_complete || lost_records ||
                   result->artifact_lost_count || result->name_lost_count
               ? CLI_TROUBLE
               : CLI_DONE;
}

static cli_status salvage_run(salvage_state *state)
{
    snapcell_error err;
    snapcell_salvage_result result;
    if (!state->to) return cli_usage("salvage needs --to DIR, where the new store goes");
    state->artifacts = json_array();
    state->names = json_array();
    state->releases = json_array();
    int status = snapcell_store_salvage(state->arguments.store, state->to, salvage_tell, state,
                                        &result, &err);
    if (state->arguments.json && status == SNAPCELL_OK)
        cli_print_json(json_pack(
            "{s:b, s:b, s:O, s:O, s:O, s:I, s:b}", "damaged", (int)result.damaged, "complete",
            (int)result.complete, "artifacts", state->artifacts, "names", state->names, "releases",
            state->releases, "lost_records", (json_int_t)result.record_lost_count,
            "records_complete", (int)result.records_complete));
    cli_flush();
    return status == SNAPCELL_OK ? salvage_report(state, &result)
                                 : cli_report(state->arguments.store, &err);
}

static cli_status salvage_main(const cli_command *command, int argc, char **argv)
{
    salvage_state state = {0};
    cli_status status;
    if (!cli_parse(command, argc, argv, salvage_take, &state, &state.arguments, &status))
        return status;
    status = salvage_run(&state);
    json_decref(state.artifacts);
    json_decref(state.names);
    json_decref(state.releases);
    return status;
}

const cli_command cmd_salvage = {
    .name = "salvage",
    .operands = "",
    .summary = "recover what is intact in a damaged store",
    .description =
        "Searches a store's file, however damaged, for artifacts, names, releases and histories,\n"
        "and puts what is intact into the new store that --to names; of releases those whose\n"
        "artifacts are all there. The old store is not changed. Prints a line for each artifact,\n"
        "name and release. The exit status is 3 if something was, or may have\n"
        "been, lost.",
    .options = salvage_options,
    .run = salvage_main,
};
