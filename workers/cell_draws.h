/* Random values that crypto gave out while warm-up requests were repeated: what is kept of them
 * would be the same in every instance. They are noted in outer memory, and looked for in what the
 * next checkpoint would hold. Internal to workers/. */
#ifndef SNAPCELL_CELL_DRAWS_H
#define SNAPCELL_CELL_DRAWS_H

#include "checkpoint.h"
#include "draw_search.h"

/* Lives in outer memory. */
typedef struct cell_draws {
    draw_form *forms; /* outer memory, as is what follows */
    void *table;
    uint32_t form_count;
    bool is_full; /* some value was not noted */
} cell_draws;

/* False: no memory. What is not touched costs nothing. */
bool cell_draws_init(cell_draws *draws);

/* An engine_note_draw_fn; `user`: the cell_draws. */
void cell_draws_note(void *user, const void *value, size_t size_bytes);

/* Whether there is no room for those of another round. */
bool cell_draws_are_many(const cell_draws *draws);

/* Whether memory that was written since the checkpoint has one of the values. Errors: E_INTERNAL.
 */
int cell_draws_find(cell_draws *draws, checkpoint *cp, bool *found, snapcell_error *err);

void cell_draws_forget(cell_draws *draws);

#endif
