#include "note_list.h"

#include <stdio.h>
#include <string.h>

#include "compiler_fixture.h"

static const snapcell_note timer = {SNAPCELL_NOTE_TIMER, true, false,    1, "a timer is pending",
                                    "dir:x/a.ts:3:9",    "",   "stop it"};
static const snapcell_note object = {SNAPCELL_NOTE_OBJECT, true, false,          1,
                                     "an object",          "",   "globalThis.a", ""};
static const snapcell_note clock_use = {SNAPCELL_NOTE_CLOCK, false, true, 2, "Date()",
                                        "b.js:1:1",          "",    ""};

START_TEST(test_notes_are_copied)
{
    note_list list = {0};
    char what[] = "Date.now()";
    snapcell_note note = clock_use;
    note.what = what;
    for (int i = 0; i < 100; i++)
        ck_assert(note_list_add(&list, &note));
    memset(what, 'x', sizeof(what) - 1);
    ck_assert_uint_eq(list.count, 100);
    ck_assert_str_eq(list.items[99].what, "Date.now()");
    ck_assert_str_eq(list.items[99].place, "b.js:1:1");
    ck_assert(list.items[99].warm && !list.items[99].prevents);
    note_list_release(&list);
    ck_assert_ptr_null(list.items);
}
END_TEST

START_TEST(test_a_list_has_an_end)
{
    note_list list = {0};
    for (size_t i = 0; i < NOTE_COUNT_MAX; i++)
        ck_assert(note_list_add(&list, &timer));
    ck_assert(!note_list_add(&list, &timer));
    note_list_release(&list);
}
END_TEST

START_TEST(test_causes_are_told_together)
{
    note_list list = {0};
    char text[200];
    ck_assert_uint_eq(note_list_causes(&list, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "");
    note_list_add(&list, &clock_use);
    note_list_add(&list, &object);
    note_list_add(&list, &timer);
    ck_assert_uint_eq(note_list_causes(&list, text, sizeof(text)), 2);
    ck_assert_str_eq(text,
                     "an object is kept as `globalThis.a`; a timer is pending (dir:x/a.ts:3:9)");
    ck_assert(note_list_prevents_at_top_level(&list, SNAPCELL_NOTE_TIMER));
    ck_assert(!note_list_prevents_at_top_level(&list, SNAPCELL_NOTE_CLOCK));
    note_list_release(&list);
}
END_TEST

/* Of any capacity, what fits is written, and all are counted. */
START_TEST(test_causes_are_cut)
{
    note_list list = {0};
    for (int i = 0; i < 3; i++)
        note_list_add(&list, &object);
    for (size_t capacity = 1; capacity < 120; capacity++) {
        char text[121];
        memset(text, 'x', sizeof(text));
        ck_assert_uint_eq(note_list_causes(&list, text, capacity), 3);
        ck_assert_uint_lt(strlen(text), capacity);
        ck_assert_int_eq(text[capacity], 'x');
    }
    note_list_release(&list);
}
END_TEST

START_TEST(test_place_of_the_first_cause)
{
    note_list list = {0};
    snapcell_error error = {0};
    note_list_add(&list, &clock_use);
    note_list_add(&list, &object);
    note_list_place(&list, &error);
    ck_assert_str_eq(error.file, "");
    note_list_add(&list, &timer);
    note_list_place(&list, &error);
    ck_assert_str_eq(error.file, "dir:x/a.ts");
    ck_assert_uint_eq(error.line, 3);
    ck_assert_uint_eq(error.column, 9);
    note_list_release(&list);
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_notes_are_copied, 0},         {test_a_list_has_an_end, 0},
        {test_causes_are_told_together, 0}, {test_causes_are_cut, 0},
        {test_place_of_the_first_cause, 0},
    };
    return FIXTURE_RUN("note_list", tests);
}
