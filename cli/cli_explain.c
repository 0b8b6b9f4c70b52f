/* compile --explain: what is in a snapshot, or what keeps a function from being one. */
#include <string.h>

#include "cli.h"

/* --- As JSON --- */

static json_t *explain_pick(const json_t *notes, bool prevents)
{
    json_t *picked = json_array();
    size_t index;
    json_t *note;
    json_array_foreach(notes, index, note)
    {
        if (json_is_true(json_object_get(note, "prevents")) != prevents) continue;
        json_t *copy = json_copy(note);
        json_object_del(copy, "prevents");
        json_array_append_new(picked, copy);
    }
    return picked;
}

static json_t *explain_field(const json_t *manifest, const char *key)
{
    json_t *value = json_object_get(manifest, key);
    return value ? json_incref(value) : json_null();
}

json_t *cli_explain_json(const cli_result *result)
{
    const json_t *options = json_object_get(result->manifest, "options");
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "causes", explain_pick(result->notes, true), "uses",
        explain_pick(result->notes, false), "apis", explain_field(result->manifest, "apis"), "heap",
        explain_field(result->manifest, "heap"), "warm", explain_field(options, "warm"));
}

/* --- For people --- */

static const char *explain_text(const json_t *note, const char *key)
{
    const char *text = json_string_value(json_object_get(note, key));
    return text ? text : "";
}

/* The place, then what is there; the places are in a column of their own. */
static void explain_print_place(const json_t *note, size_t width)
{
    const char *place = explain_text(note, "place");
    cli_print("    ");
    cli_print_padded(place[0] ? place : "-", width);
    cli_print("  %s", explain_text(note, "what"));
}

static size_t explain_width(const json_t *notes)
{
    size_t width = 1;
    size_t index;
    json_t *note;
    json_array_foreach(notes, index, note)
    {
        size_t this_width = cli_text_width(explain_text(note, "place"));
        if (this_width > width) width = this_width;
    }
    return width;
}

static void explain_print_causes(const json_t *causes)
{
    size_t index;
    json_t *note;
    size_t width = explain_width(causes);
    cli_print("  cannot be a snapshot:\n");
    json_array_foreach(causes, index, note)
    {
        const char *path = explain_text(note, "path");
        const char *advice = explain_text(note, "advice");
        explain_print_place(note, width);
        if (path[0]) cli_print(", kept as `%s`", path);
        cli_print("\n");
        if (!advice[0]) continue;
        cli_print("    ");
        cli_print_padded("", width);
        cli_print("  -> %s\n", advice);
    }
}

static void explain_print_uses(const json_t *uses)
{
    if (json_array_size(uses) == 0) return;
    size_t index;
    json_t *note;
    size_t width = explain_width(uses);
    cli_print("  done while it was built, the same in every instance where it is kept:\n");
    json_array_foreach(uses, index, note)
    {
        json_int_t count = json_integer_value(json_object_get(note, "count"));
        bool warm = json_is_true(json_object_get(note, "warm"));
        explain_print_place(note, width);
        if (count > 1) cli_print(", %lld times", (long long)count);
        cli_print(warm ? ", in a warm-up request\n" : "\n");
    }
}

static void explain_print_heap(json_t *heap)
{
    const char *kind;
    json_t *bytes;
    const char *before = "";
    char size[CLI_SIZE_TEXT_SIZE];
    cli_print("  objects   ");
    json_object_foreach(heap, kind, bytes)
    {
        cli_print("%s%s %s", before, kind,
                  cli_size_text((uint64_t)json_integer_value(bytes), size));
        before = ", ";
    }
    cli_print("\n");
}

static void explain_print_list(const char *label, const json_t *list, const char *key)
{
    size_t index;
    json_t *item;
    cli_print("  %-9s ", label);
    json_array_foreach(list, index, item)
    {
        const char *text = key ? explain_text(item, key) : json_string_value(item);
        cli_print("%s%s", index ? ", " : "", text ? text : "");
    }
    cli_print(json_array_size(list) ? "\n" : "none\n");
}

void cli_explain_print(const cli_result *result)
{
    json_t *facts = cli_explain_json(result);
    const json_t *causes = json_object_get(facts, "causes");
    if (json_array_size(causes) > 0) {
        explain_print_causes(causes);
    } else if (result->code == SNAPCELL_OK) {
        explain_print_list("web APIs", json_object_get(facts, "apis"), NULL);
        explain_print_list("warm-up", json_object_get(facts, "warm"), "url");
        explain_print_heap(json_object_get(facts, "heap"));
        explain_print_uses(json_object_get(facts, "uses"));
    }
    json_decref(facts);
}

/* --- Collecting --- */

void cli_explain_note(void *user, const snapcell_note *note)
{
    static const char *const kinds[] = {"",       "entropy", "random", "clock",
                                        "object", "timer",   "engine"};
    cli_result *result = user;
    if (!result->notes) result->notes = json_array();
    json_t *json = json_pack("{s:s, s:b, s:b, s:o, s:I}", "kind", kinds[note->kind], "prevents",
                             (int)note->prevents, "warm", (int)note->warm, "what",
                             cli_json_text(note->what), "count", (json_int_t)note->count);
    if (note->place[0]) json_object_set_new(json, "place", cli_json_text(note->place));
    if (note->path[0]) json_object_set_new(json, "path", cli_json_text(note->path));
    if (note->advice[0]) json_object_set_new(json, "advice", cli_json_text(note->advice));
    json_array_append_new(result->notes, json);
}
