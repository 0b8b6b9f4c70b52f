#include "note_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The four texts lie in one block of memory, which begins with `what`. */
static bool note_copy(const snapcell_note *note, snapcell_note *out)
{
    const char *texts[] = {note->what, note->place, note->path, note->advice};
    const char **fields[] = {&out->what, &out->place, &out->path, &out->advice};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        size += strlen(texts[i]) + 1;
    char *at = malloc(size);
    if (at == NULL) return false;
    *out = *note;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        size_t text_size = strlen(texts[i]) + 1;
        memcpy(at, texts[i], text_size);
        *fields[i] = at;
        at += text_size;
    }
    return true;
}

bool note_list_add(note_list *list, const snapcell_note *note)
{
    if (list->count == NOTE_COUNT_MAX) return false;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        snapcell_note *items = realloc(list->items, capacity * sizeof(*items));
        if (items == NULL) return false;
        list->items = items;
        list->capacity = capacity;
    }
    if (!note_copy(note, &list->items[list->count])) return false;
    list->count++;
    return true;
}

static int cause_print(const snapcell_note *note, const char *before, char *out,
                       size_t capacity_bytes)
{
    bool kept = note->path[0] != '\0';
    bool placed = note->place[0] != '\0';
    return snprintf(out, capacity_bytes, "%s%s%s%s%s%s%s%s", before, note->what,
                    kept ? " is kept as `" : "", note->path, kept ? "`" : "", placed ? " (" : "",
                    note->place, placed ? ")" : "");
}

size_t note_list_causes(const note_list *list, char *out, size_t capacity_bytes)
{
    size_t causes = 0;
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        if (!list->items[i].prevents) continue;
        const char *before = causes++ == 0 ? "" : "; ";
        if (size >= capacity_bytes) continue;
        int more = cause_print(&list->items[i], before, out + size, capacity_bytes - size);
        if (more > 0) size += (size_t)more;
    }
    return causes;
}

/* "FILE:LINE:COLUMN"; the file's name may hold colons. */
static bool place_split(const char *place, snapcell_error *err)
{
    const char *column = strrchr(place, ':');
    if (column == NULL) return false;
    const char *line = memrchr(place, ':', (size_t)(column - place));
    if (line == NULL || (size_t)(line - place) >= sizeof(err->file)) return false;
    memcpy(err->file, place, (size_t)(line - place));
    err->file[line - place] = '\0';
    err->line = (uint32_t)strtoul(line + 1, NULL, 10);
    err->column = (uint32_t)strtoul(column + 1, NULL, 10);
    return true;
}

void note_list_place(const note_list *list, snapcell_error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].prevents && place_split(list->items[i].place, err)) return;
}

static bool list_prevents(const note_list *list, snapcell_note_kind kind, bool warm)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].prevents && list->items[i].warm == warm && list->items[i].kind == kind)
            return true;
    return false;
}

bool note_list_prevents_at_top_level(const note_list *list, snapcell_note_kind kind)
{
    return list_prevents(list, kind, false);
}

bool note_list_prevents_in_warm_up(const note_list *list, snapcell_note_kind kind)
{
    return list_prevents(list, kind, true);
}

void note_list_release(note_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)list->items[i].what);
    free(list->items);
    memset(list, 0, sizeof(*list));
}
