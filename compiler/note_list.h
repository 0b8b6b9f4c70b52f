/* Notes that are kept. Internal to the compiler. */
#ifndef SNAPCELL_NOTE_LIST_H
#define SNAPCELL_NOTE_LIST_H

#include <stddef.h>

#include "snapcell/error.h"
#include "snapcell/note.h"

#define NOTE_COUNT_MAX 1000 /* far more than the engine sends */

/* Zeroed is empty. `items` and their texts are Owned: note_list_release(). */
typedef struct note_list {
    snapcell_note *items;
    size_t count;
    size_t capacity;
} note_list;

/* Keeps a copy. False when memory is short, or the list is full. */
bool note_list_add(note_list *list, const snapcell_note *note);

/* Those that keep the function from being a snapshot, as "A (FILE:1:2); B is kept as `b`", cut to
 * what `out` holds. Returns how many there are. */
size_t note_list_causes(const note_list *list, char *out, size_t capacity_bytes);

/* Puts the place of the first cause that has one into `err`. */
void note_list_place(const note_list *list, snapcell_error *err);

/* Whether one of `kind` keeps the function from being a snapshot, and is not of a warm-up. */
bool note_list_prevents_at_top_level(const note_list *list, snapcell_note_kind kind);

/* The same of a warm-up. */
bool note_list_prevents_in_warm_up(const note_list *list, snapcell_note_kind kind);

void note_list_release(note_list *list);

#endif
