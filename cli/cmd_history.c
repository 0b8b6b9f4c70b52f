/* snapcell history: what a name stood for, since when, and why. */
#include <stdlib.h>
#include <string.h>

#include "cli_history.h"
#include "error_set.h"

static const cli_option history_options[] = {
    CLI_JSON_OPTION("an array of objects: time, action, engine, from, to (keys or null), who,\n"
                    "origin (a file or reference, or null), release (or null)"),
    CLI_OPTIONS_END,
};

typedef struct history_item {
    int64_t time_s;
    size_t order; /* as they came, within a second */
    json_t *json; /* Owned */
} history_item;

typedef struct history_list {
    const char *name;
    history_item *items; /* Owned */
    size_t count;
} history_list;

static void history_list_release(history_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        json_decref(list->items[i].json);
    free(list->items);
}

static json_t *text_or_null(const char *text)
{
    return text[0] ? cli_json_text(text) : json_null();
}

static int history_add(history_list *list, int64_t time_s, json_t *json)
{
    history_item *items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items == NULL || json == NULL) {
        json_decref(json);
        return SNAPCELL_E_NOMEM;
    }
    list->items = items;
    items[list->count] = (history_item){.time_s = time_s, .order = list->count, .json = json};
    list->count++;
    return SNAPCELL_OK;
}

static json_t *history_json(const char *action, int64_t time_s, const snapcell_fingerprint *engine,
                            const snapcell_key *from, const snapcell_key *to, const char *who)
{
    char time[CLI_TIME_TEXT_SIZE];
    char text[SNAPCELL_KEY_HEX_SIZE];
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:n, s:n}", "time",
                     cli_time_text(time_s, time), "action", action, "engine",
                     cli_fingerprint_text(engine, text), "from", cli_key_json(from), "to",
                     cli_key_json(to), "who", text_or_null(who), "origin", "release");
}

static int history_take(void *user, const snapcell_history_event *event)
{
    static const char *const actions[] = {"?", "compiled", "imported", "pulled", "recompiled"};
    const bool is_known = event->action <= SNAPCELL_HISTORY_RECOMPILED;
    json_t *json = history_json(actions[is_known ? event->action : 0], event->time_s,
                                &event->engine, &event->from, &event->to, event->who);
    json_object_set_new(json, "origin", text_or_null(event->origin));
    return history_add(user, event->time_s, json);
}

static int history_take_release(void *user, const snapcell_release_event *event)
{
    history_list *list = user;
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < event->change_count; i++) {
        const snapcell_release_change *change = &event->changes[i];
        if (strcmp(change->name, list->name) != 0) continue;
        json_t *json = history_json(cli_release_action_name(event->action), event->time_s,
                                    &change->engine, &change->from, &change->to, event->who);
        json_object_set_new(json, "release", cli_json_text(event->release));
        status = history_add(list, event->time_s, json);
    }
    return status;
}

static int history_compare(const void *left, const void *right)
{
    const history_item *a = left;
    const history_item *b = right;
    if (a->time_s != b->time_s) return a->time_s < b->time_s ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static bool history_follows(const history_item *before, const history_item *item)
{
    return json_equal(json_object_get(before->json, "engine"),
                      json_object_get(item->json, "engine")) &&
           json_equal(json_object_get(before->json, "to"), json_object_get(item->json, "from"));
}

/* Times are of whole seconds: within one, a change comes after the one that it goes on from. */
static void history_sort(history_list *list)
{
    qsort(list->items, list->count, sizeof(*list->items), history_compare);
    for (size_t i = 1; i < list->count; i++) {
        size_t next = i;
        while (next < list->count && list->items[next].time_s == list->items[i].time_s &&
               !history_follows(&list->items[i - 1], &list->items[next]))
            next++;
        if (next == list->count || list->items[next].time_s != list->items[i].time_s) continue;
        const history_item moved = list->items[next];
        memmove(&list->items[i + 1], &list->items[i], (next - i) * sizeof(*list->items));
        list->items[i] = moved;
    }
}

static const char *history_text(const json_t *json, const char *member, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text ? text : otherwise;
}

static void history_print(const json_t *json)
{
    const char *release = history_text(json, "release", NULL);
    cli_print("%s  %.12s -> %.12s  %s %s  %s\n", history_text(json, "time", "?"),
              history_text(json, "from", "none"), history_text(json, "to", "none"),
              history_text(json, "action", "?"),
              release ? release : history_text(json, "origin", ""), history_text(json, "who", "?"));
}

static int history_read(snapcell_store *store, history_list *list, snapcell_error *err)
{
    int status = snapcell_history_each(store, list->name, history_take, list, err);
    if (status == SNAPCELL_OK)
        status = snapcell_release_each_event(store, history_take_release, list, err);
    if (status == SNAPCELL_E_NOMEM) return error_set(err, status, "no memory for a history");
    if (status != SNAPCELL_OK) return status;
    if (list->count == 0)
        return error_set(err, SNAPCELL_E_NOT_FOUND, "nothing is noted of '%s' in the store",
                         list->name);
    history_sort(list);
    return SNAPCELL_OK;
}

static cli_status history_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    snapcell_error err;
    history_list list cleanup(history_list_release) = {0};
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    list.name = arguments.operands[0];
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments.store, SNAPCELL_STORE_READ, &status);
    if (!store) return status;
    if (history_read(store, &list, &err) != SNAPCELL_OK) return cli_report(NULL, &err);
    if (arguments.json) cli_print_json_begin();
    for (size_t i = 0; i < list.count; i++) {
        if (arguments.json)
            cli_print_json_item(json_incref(list.items[i].json));
        else
            history_print(list.items[i].json);
    }
    if (arguments.json) cli_print_json_end();
    return CLI_DONE;
}

const cli_command cmd_history = {
    .name = "history",
    .operands = "NAME",
    .summary = "show what a name stood for, and where that came from",
    .description =
        "Prints, the oldest first, when compile, import, pull, recompile or a release made NAME\n"
        "stand for another artifact: from which key to which, out of which file, reference or\n"
        "release, and who did it. The last 50 changes of a name are kept, and of releases the\n"
        "last 1,000 events; `gc` forgets names that are gone.",
    .options = history_options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = history_main,
};
