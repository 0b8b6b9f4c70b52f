#include "cell_draws.h"

#include <string.h>
#include <sys/mman.h>

#include "outer_memory.h"

/* Of some thousand values. */
#define DRAWS_FORMS_MAX ((size_t)1 << 17)
#define DRAWS_FORMS_MANY (DRAWS_FORMS_MAX / 8 * 7)

bool cell_draws_init(cell_draws *draws)
{
    *draws = (cell_draws){.forms = outer_alloc(DRAWS_FORMS_MAX * sizeof(draw_form)),
                          .table = outer_alloc(draw_search_memory_size(DRAWS_FORMS_MAX))};
    return draws->forms != NULL && draws->table != NULL;
}

void cell_draws_note(void *user, const void *value, size_t size_bytes)
{
    cell_draws *draws = user;
    if (draws->form_count + DRAW_FORMS_MAX > DRAWS_FORMS_MAX) {
        draws->is_full = true;
        return;
    }
    draws->form_count +=
        (uint32_t)draw_forms_of(value, size_bytes, draws->forms + draws->form_count);
}

bool cell_draws_are_many(const cell_draws *draws)
{
    return draws->form_count > DRAWS_FORMS_MANY;
}

typedef struct draws_user {
    draw_search search;
    bool found;
} draws_user;

static bool draws_found(void *data, size_t form)
{
    (void)form;
    ((draws_user *)data)->found = true;
    return false;
}

static bool draws_visit(void *data, const void *memory, size_t size_bytes)
{
    draws_user *user = data;
    return draw_search_in(&user->search, memory, size_bytes, draws_found, user);
}

int cell_draws_find(cell_draws *draws, checkpoint *cp, bool *found, snapcell_error *err)
{
    draws_user user = {0};
    *found = false;
    if (draws->form_count == 0) return SNAPCELL_OK;
    draw_search_init(&user.search, draws->forms, draws->form_count, draws->table);
    int status = checkpoint_each_written(cp, draws_visit, &user, err);
    *found = user.found;
    return status;
}

/* Outer memory is given back by this alone: it belongs to no file. */
static void draws_give_back(void *memory, size_t size)
{
    if (madvise(memory, size, MADV_REMOVE) != 0) explicit_bzero(memory, size);
}

void cell_draws_forget(cell_draws *draws)
{
    if (draws->form_count == 0) return;
    draws_give_back(draws->forms, DRAWS_FORMS_MAX * sizeof(draw_form));
    draws_give_back(draws->table, draw_search_memory_size(DRAWS_FORMS_MAX));
    draws->form_count = 0;
    draws->is_full = false;
}
