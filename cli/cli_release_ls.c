/* release ls: releases, what one holds, what happened. */
#include <string.h>

#include "cli_history.h"
#include "cli_release.h"

static int ls_release(void *user, const snapcell_release_info *info)
{
    const cli_release *state = user;
    char created[CLI_TIME_TEXT_SIZE];
    cli_time_text(info->created_s, created);
    if (state->arguments.json)
        cli_print_json_item(
            json_pack("{s:o, s:s, s:o, s:I, s:b, s:b, s:b}", "release", cli_json_text(info->name),
                      "created", created, "who", cli_json_text(info->who), "functions",
                      (json_int_t)info->item_count, "active", (int)info->active, "previous",
                      (int)info->previous, "pinned", (int)info->pinned));
    else
        cli_print("%s %s  %s  %zu artifact%s  %s%s\n", info->active ? "*" : " ", info->name,
                  created, info->item_count, info->item_count == 1 ? "" : "s", info->who,
                  info->pinned ? "  pinned" : "");
    return 0;
}

static int ls_item(void *user, const snapcell_release_item *item)
{
    const cli_release *state = user;
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    bool current = cli_engine_is_this(&item->engine);
    cli_key_text(&item->key, key);
    cli_fingerprint_text(&item->engine, engine);
    if (state->arguments.json)
        cli_print_json_item(json_pack("{s:o, s:s, s:s, s:b}", "name", cli_json_text(item->name),
                                      "key", key, "engine", engine, "current", (int)current));
    else
        cli_print("%s  %.12s  %s\n", item->name, key, current ? "this" : engine);
    return 0;
}

/* --- History --- */

static json_t *changes_json(const snapcell_release_event *event, const char *name)
{
    char engine[SNAPCELL_KEY_HEX_SIZE];
    json_t *list = json_array();
    for (size_t i = 0; i < event->change_count; i++) {
        const snapcell_release_change *change = &event->changes[i];
        if (name && strcmp(change->name, name) != 0) continue;
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:o, s:o}", "name", cli_json_text(change->name), "engine",
                            cli_fingerprint_text(&change->engine, engine), "from",
                            cli_key_json(&change->from), "to", cli_key_json(&change->to)));
    }
    return list;
}

static void change_print(const json_t *change)
{
    const char *from = json_string_value(json_object_get(change, "from"));
    const char *to = json_string_value(json_object_get(change, "to"));
    cli_print("    %s  %.12s -> %.12s\n", json_string_value(json_object_get(change, "name")),
              from ? from : "none", to ? to : "none");
}

/* With a function's name, only what concerns it. */
static int ls_event(void *user, const snapcell_release_event *event)
{
    const cli_release *state = user;
    const char *name = state->operand_count > 0 ? state->operands[0] : NULL;
    char time[CLI_TIME_TEXT_SIZE];
    size_t i;
    json_t *change;
    json_t *changes = changes_json(event, name);
    cli_time_text(event->time_s, time);
    if (name && json_array_size(changes) == 0) {
        json_decref(changes);
        return 0;
    }
    if (state->arguments.json) {
        cli_print_json_item(json_pack("{s:s, s:s, s:o, s:o, s:o, s:O}", "time", time, "action",
                                      cli_release_action_name(event->action), "release",
                                      cli_json_text(event->release), "from",
                                      event->from[0] ? cli_json_text(event->from) : json_null(),
                                      "who", cli_json_text(event->who), "changes", changes));
    } else {
        cli_print("%s  %s %s  %s\n", time, cli_release_action_name(event->action), event->release,
                  event->who);
        json_array_foreach(changes, i, change)
        {
            change_print(change);
        }
    }
    json_decref(changes);
    return 0;
}

cli_status cli_release_ls(cli_release *state)
{
    snapcell_error err;
    const char *release = state->operand_count > 0 ? state->operands[0] : NULL;
    if (state->arguments.json) cli_print_json_begin();
    int status;
    if (state->history)
        status = snapcell_release_each_event(state->store, ls_event, state, &err);
    else if (release)
        status = snapcell_release_each_item(state->store, release, ls_item, state, &err);
    else
        status = snapcell_release_each(state->store, ls_release, state, &err);
    if (state->arguments.json) cli_print_json_end();
    return status == SNAPCELL_OK ? CLI_DONE : cli_report(NULL, &err);
}
