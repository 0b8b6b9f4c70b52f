/* release create, activate, rollback, rm, pin, keep. */
#include <stdlib.h>
#include <string.h>

#include "cli_functions.h"
#include "cli_release.h"
#include "error_set.h"

static void release_tell(const cli_release *state, const char *what, const char *release)
{
    if (state->arguments.json)
        cli_print_json(json_pack("{s:o, s:s}", "release", cli_json_text(release), "done", what));
    else
        cli_print("%s %s\n", what, release);
}

/* --- create --- */

/* Of the references, else of all names in the store. */
static int create_find(const cli_release *state, cli_departures *out, snapcell_error *err)
{
    cli_cleanup_names cli_names names = {0};
    if (state->operand_count > 1)
        return cli_departures_find(state->store, state->operands + 1,
                                   (size_t)state->operand_count - 1, out, err);
    *out = (cli_departures){0};
    int status = cli_names_list(state->store, &names, err);
    if (status != SNAPCELL_OK) return status;
    out->items = calloc(names.count + 1, sizeof(*out->items));
    if (!out->items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of functions");
    for (; out->count < names.count; out->count++) {
        cli_departure *item = &out->items[out->count];
        snprintf(item->name, sizeof(item->name), "%s", names.items[out->count].name);
        item->key = names.items[out->count].key;
    }
    return SNAPCELL_OK;
}

static int create_make(const cli_release *state, const cli_departures *found, snapcell_error *err)
{
    const char *release = state->operands[0];
    cleanup_free snapcell_release_item *items = calloc(found->count + 1, sizeof(*items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a release");
    for (size_t i = 0; i < found->count; i++)
        items[i] =
            (snapcell_release_item){.name = found->items[i].name, .key = found->items[i].key};
    int status =
        snapcell_release_create(state->store, release, state->who, items, found->count, err);
    if (status == SNAPCELL_OK && state->pin)
        status = snapcell_release_pin(state->store, release, true, err);
    if (status == SNAPCELL_OK && state->activate)
        status = snapcell_release_activate(state->store, release, state->who, err);
    return status;
}

cli_status cli_release_create(cli_release *state)
{
    snapcell_error err;
    cli_cleanup_departures cli_departures found = {0};
    int status = create_find(state, &found, &err);
    if (status == SNAPCELL_OK) status = create_make(state, &found, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    if (state->arguments.json)
        cli_print_json(json_pack(
            "{s:o, s:I, s:b, s:b}", "release", cli_json_text(state->operands[0]), "functions",
            (json_int_t)found.count, "active", (int)state->activate, "pinned", (int)state->pin));
    else
        cli_print("%s %s  (%zu artifact%s)\n", state->activate ? "activated" : "created",
                  state->operands[0], found.count, found.count == 1 ? "" : "s");
    return CLI_DONE;
}

/* --- The others --- */

cli_status cli_release_activate(cli_release *state)
{
    snapcell_error err;
    if (snapcell_release_activate(state->store, state->operands[0], state->who, &err) !=
        SNAPCELL_OK)
        return cli_report(NULL, &err);
    release_tell(state, "activated", state->operands[0]);
    return CLI_DONE;
}

cli_status cli_release_rollback(cli_release *state)
{
    snapcell_error err;
    char release[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    if (snapcell_release_rollback(state->store, state->who, release, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    release_tell(state, "activated", release);
    return CLI_DONE;
}

cli_status cli_release_rm(cli_release *state)
{
    snapcell_error err;
    if (snapcell_release_remove(state->store, state->operands[0], state->who, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    release_tell(state, "removed", state->operands[0]);
    return CLI_DONE;
}

static cli_status release_set_pin(const cli_release *state, bool pinned)
{
    snapcell_error err;
    if (snapcell_release_pin(state->store, state->operands[0], pinned, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    release_tell(state, pinned ? "pinned" : "unpinned", state->operands[0]);
    return CLI_DONE;
}

cli_status cli_release_pin(cli_release *state)
{
    return release_set_pin(state, true);
}

cli_status cli_release_unpin(cli_release *state)
{
    return release_set_pin(state, false);
}

cli_status cli_release_keep(cli_release *state)
{
    snapcell_error err;
    snapcell_release_policy policy = state->policy;
    int status = state->has_policy ? snapcell_release_policy_set(state->store, &policy, &err)
                                   : snapcell_release_policy_get(state->store, &policy, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    unsigned long long days = policy.keep_seconds / CLI_DAY_SECONDS;
    if (state->arguments.json)
        cli_print_json(json_pack("{s:I, s:I}", "count", (json_int_t)policy.keep_count, "days",
                                 (json_int_t)days));
    else if (policy.keep_count == 0 && policy.keep_seconds == 0)
        cli_print("gc keeps all releases\n");
    else
        cli_print("gc keeps the %u newest releases and those of the last %llu days, in addition to "
                  "what is active, pinned, or active before\n",
                  policy.keep_count, days);
    return CLI_DONE;
}
