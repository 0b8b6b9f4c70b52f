/* Looks for random values in memory that must not keep them: in a snapshot, or in a process whose
 * memory becomes what is restored. A value is looked for as it is, in hex, in base64, and as the
 * UUID that is made of it. Allocates nothing. Internal. */
#ifndef SNAPCELL_DRAW_SEARCH_H
#define SNAPCELL_DRAW_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of shorter values nobody could say whether they are found by chance. */
#define DRAW_SIZE_MIN 8
#define DRAW_FORM_SIZE_MAX 36
#define DRAW_FORMS_MAX 11

/* A sequence of bytes that tells of a value. */
typedef struct draw_form {
    uint8_t size_bytes; /* DRAW_SIZE_MIN at least */
    uint8_t bytes[DRAW_FORM_SIZE_MAX];
} draw_form;

/* The forms of a value: bytes, or text as of a UUID. Returns how many; 0: it is too short. */
size_t draw_forms_of(const void *value, size_t size_bytes, draw_form out[DRAW_FORMS_MAX]);

/* Any number of forms at a time. What it points to is Borrowed. */
typedef struct draw_search {
    const draw_form *forms;
    uint32_t *slots;  /* of a hash table: numbers of forms, from 1 */
    uint64_t *begins; /* bits: most places are passed over by them */
    size_t slot_mask;
} draw_search;

/* How much memory a search for so many forms takes, a multiple of 8. */
size_t draw_search_memory_size(size_t form_count);

/* `memory`: zeroed, of that size, aligned to 8. */
void draw_search_init(draw_search *search, const draw_form *forms, size_t form_count, void *memory);

/* Calls `found` with the number of a form for each place that holds it, until it returns false.
 * Returns whether it never did. */
typedef bool draw_found_fn(void *user, size_t form);
bool draw_search_in(const draw_search *search, const void *data, size_t size_bytes,
                    draw_found_fn *found, void *user);

#ifdef __cplusplus
}
#endif
#endif
