#include "draw_search.h"

#include <string.h>

/* Enough to tell a value from any other; a buffer of which a part was used up is found by it, too.
 */
#define COMPARED_MAX ((size_t)12)
#define UUID_SIZE 16

/* --- Forms --- */

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

static size_t form_hex(uint8_t *out, const uint8_t *data, size_t size, const char *digits)
{
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = (uint8_t)digits[data[i] >> 4];
        out[2 * i + 1] = (uint8_t)digits[data[i] & 15];
    }
    return 2 * size;
}

/* Whole groups of three bytes: what follows does not change them. */
static size_t form_base64(uint8_t *out, const uint8_t *data, size_t size, const char *last)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t length = 0;
    for (size_t i = 0; i + 3 <= size; i += 3) {
        uint32_t group = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            uint32_t digit = group >> shift & 63;
            out[length++] = (uint8_t)(digit < 62 ? digits[digit] : last[digit - 62]);
        }
    }
    return length;
}

/* As UUIDs are kept without them. */
static size_t form_without_dashes(uint8_t *out, const uint8_t *data, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size && i < DRAW_FORM_SIZE_MAX; i++)
        if (data[i] != '-') out[length++] = data[i];
    return length;
}

static size_t form_dashes(uint8_t *out, const uint8_t *hex)
{
    static const uint8_t parts[] = {8, 4, 4, 4, 12};
    size_t length = 0;
    for (size_t i = 0; i < sizeof(parts); i++) {
        if (i > 0) out[length++] = '-';
        memcpy(out + length, hex, parts[i]);
        length += parts[i];
        hex += parts[i];
    }
    return length;
}

/* What is being collected. */
typedef struct form_list {
    draw_form *forms;
    size_t count;
} form_list;

static uint8_t *form_next(const form_list *list)
{
    return list->forms[list->count].bytes;
}

static void form_add(form_list *list, size_t size)
{
    list->forms[list->count].size_bytes = (uint8_t)size;
    if (size >= DRAW_SIZE_MIN) list->count++;
}

static void forms_add_hex(form_list *list, const uint8_t *data, size_t size, const char *digits)
{
    form_add(list, form_hex(form_next(list), data, size, digits));
}

/* As packages make a UUID of version 4 from bytes that were drawn: the bytes, and their text. */
static void forms_add_uuid(form_list *list, const uint8_t *data)
{
    uint8_t uuid[UUID_SIZE];
    memcpy(uuid, data, sizeof(uuid));
    uuid[6] = (uuid[6] & 0x0f) | 0x40;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
    memcpy(form_next(list), uuid, sizeof(uuid));
    form_add(list, sizeof(uuid));
    const char *const digits[] = {hex_lower, hex_upper};
    for (size_t i = 0; i < 2; i++) {
        forms_add_hex(list, uuid, sizeof(uuid), digits[i]);
        const uint8_t *hex = list->forms[list->count - 1].bytes;
        form_add(list, form_dashes(form_next(list), hex));
    }
}

size_t draw_forms_of(const void *value, size_t size_bytes, draw_form out[DRAW_FORMS_MAX])
{
    if (size_bytes < DRAW_SIZE_MIN) return 0;
    const uint8_t *data = value;
    size_t compared = size_bytes < COMPARED_MAX ? size_bytes : COMPARED_MAX;
    form_list list = {out, 0};
    memcpy(form_next(&list), data, compared);
    form_add(&list, compared);
    form_add(&list, form_without_dashes(form_next(&list), data, size_bytes));
    forms_add_hex(&list, data, compared, hex_lower);
    forms_add_hex(&list, data, compared, hex_upper);
    form_add(&list, form_base64(form_next(&list), data, compared, "+/"));
    form_add(&list, form_base64(form_next(&list), data, compared, "-_"));
    if (size_bytes >= UUID_SIZE) forms_add_uuid(&list, data);
    return list.count;
}

/* --- Searching --- */

#define BEGINS_BITS 22
#define BEGINS_SIZE ((size_t)1 << BEGINS_BITS >> 3)

static uint64_t search_window(const uint8_t *at)
{
    uint64_t window;
    memcpy(&window, at, sizeof(window));
    return window;
}

static uint64_t search_hash(uint64_t window)
{
    return window * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t search_slot_count(size_t form_count)
{
    size_t count = 64;
    while (count < 2 * form_count)
        count *= 2;
    return count;
}

size_t draw_search_memory_size(size_t form_count)
{
    return BEGINS_SIZE + search_slot_count(form_count) * sizeof(uint32_t);
}

void draw_search_init(draw_search *search, const draw_form *forms, size_t form_count, void *memory)
{
    *search = (draw_search){.forms = forms,
                            .begins = memory,
                            .slots = (uint32_t *)((uint8_t *)memory + BEGINS_SIZE),
                            .slot_mask = search_slot_count(form_count) - 1};
    for (size_t i = 0; i < form_count; i++) {
        uint64_t hash = search_hash(search_window(forms[i].bytes));
        uint64_t bit = hash >> (64 - BEGINS_BITS);
        search->begins[bit / 64] |= UINT64_C(1) << (bit % 64);
        size_t slot = (size_t)(hash >> 20) & search->slot_mask;
        while (search->slots[slot] != 0)
            slot = (slot + 1) & search->slot_mask;
        search->slots[slot] = (uint32_t)(i + 1);
    }
}

/* What the slots from that of a place on have. */
static bool search_at(const draw_search *search, uint64_t hash, const uint8_t *at, size_t left,
                      draw_found_fn *found, void *user)
{
    size_t slot = (size_t)(hash >> 20) & search->slot_mask;
    for (; search->slots[slot] != 0; slot = (slot + 1) & search->slot_mask) {
        const size_t number = search->slots[slot] - 1;
        const draw_form *form = &search->forms[number];
        if (left >= form->size_bytes && memcmp(at, form->bytes, form->size_bytes) == 0 &&
            !found(user, number))
            return false;
    }
    return true;
}

bool draw_search_in(const draw_search *search, const void *data, size_t size_bytes,
                    draw_found_fn *found, void *user)
{
    const uint8_t *bytes = data;
    for (size_t at = 0; at + DRAW_SIZE_MIN <= size_bytes; at++) {
        const uint64_t hash = search_hash(search_window(bytes + at));
        const uint64_t bit = hash >> (64 - BEGINS_BITS);
        if ((search->begins[bit / 64] >> (bit % 64) & 1) != 0 &&
            !search_at(search, hash, bytes + at, size_bytes - at, found, user))
            return false;
    }
    return true;
}
