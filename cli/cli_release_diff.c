/* release diff: what is different between two releases, or a release and the store. */
#include <stdlib.h>
#include <string.h>

#include "cli_release.h"
#include "error_set.h"

typedef struct names_state {
    cli_names *names;
    bool no_memory;
} names_state;

static int names_add(void *user, const snapcell_release_item *item)
{
    names_state *state = user;
    cli_names *names = state->names;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 64;
        cli_name *items = realloc(names->items, capacity * sizeof(*items));
        state->no_memory = !items;
        if (!items) return 1;
        names->items = items;
        names->capacity = capacity;
    }
    cli_name *name = &names->items[names->count++];
    snprintf(name->name, sizeof(name->name), "%s", item->name);
    name->engine = item->engine;
    name->key = item->key;
    return 0;
}

int cli_release_names(snapcell_store *store, const char *release, cli_names *out,
                      snapcell_error *err)
{
    names_state state = {.names = out};
    *out = (cli_names){0};
    int status = snapcell_release_each_item(store, release, names_add, &state, err);
    if (state.no_memory) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of names");
    return status;
}

static int name_compare(const cli_name *left, const cli_name *right)
{
    int order = strcmp(left->name, right->name);
    return order ? order : memcmp(&left->engine, &right->engine, sizeof(left->engine));
}

/* `from` or `to` is NULL where there is none. */
static void diff_tell(bool json, const cli_name *from, const cli_name *to)
{
    char old[SNAPCELL_KEY_HEX_SIZE] = "";
    char new[SNAPCELL_KEY_HEX_SIZE] = "";
    char engine[SNAPCELL_KEY_HEX_SIZE];
    const cli_name *any = from ? from : to;
    if (from) cli_key_text(&from->key, old);
    if (to) cli_key_text(&to->key, new);
    cli_fingerprint_text(&any->engine, engine);
    if (json)
        cli_print_json_item(json_pack("{s:o, s:s, s:s, s:o, s:o}", "name", cli_json_text(any->name),
                                      "engine", engine, "change",
                                      !from ? "added"
                                      : to  ? "changed"
                                            : "removed",
                                      "from", from ? json_string(old) : json_null(), "to",
                                      to ? json_string(new) : json_null()));
    else if (from && to)
        cli_print("~ %s  %.12s -> %.12s\n", any->name, old, new);
    else
        cli_print("%s %s  %.12s\n", from ? "-" : "+", any->name, from ? old : new);
}

/* Both are in order. With `known_only`, what is new in `to` is passed over. */
static void diff_names(const cli_names *from, const cli_names *to, bool known_only, bool json)
{
    size_t i = 0, j = 0;
    while (i < from->count || j < to->count) {
        const cli_name *left = i < from->count ? &from->items[i] : NULL;
        const cli_name *right = j < to->count ? &to->items[j] : NULL;
        int order = !left ? 1 : !right ? -1 : name_compare(left, right);
        i += order <= 0;
        j += order >= 0;
        if (order < 0)
            diff_tell(json, left, NULL);
        else if (order > 0 && !known_only)
            diff_tell(json, NULL, right);
        else if (order == 0 && memcmp(&left->key, &right->key, sizeof(left->key)) != 0)
            diff_tell(json, left, right);
    }
}

cli_status cli_release_diff(cli_release *state)
{
    snapcell_error err;
    cli_cleanup_names cli_names from = {0};
    cli_cleanup_names cli_names to = {0};
    bool with_store = state->operand_count < 2;
    int status = cli_release_names(state->store, state->operands[0], &from, &err);
    if (status == SNAPCELL_OK)
        status = with_store ? cli_names_list(state->store, &to, &err)
                            : cli_release_names(state->store, state->operands[1], &to, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    if (state->arguments.json) cli_print_json_begin();
    diff_names(&from, &to, with_store, state->arguments.json);
    if (state->arguments.json) cli_print_json_end();
    return CLI_DONE;
}
