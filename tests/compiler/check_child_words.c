#include "child_words.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_fixture.h"

static const struct words_case {
    const char *words;
    const char *cause;
    bool of_memory;
} cases[] = {
    {"", "", false},
    {"\n\n#\n# Fatal error in ../src/snapshot/serializer.cc, line 81\n"
     "# Unknown external reference 0x55d0c0ffee00.\n# <unresolved>\n#\n#\n#\n"
     "#FailureMessage Object: 0x7ffdeadbeef0",
     "Unknown external reference (address)", false},
    {"[12:0x5555] heap\n#\n# Fatal JavaScript out of memory: Reached heap limit\n#\n",
     "Fatal JavaScript out of memory: Reached heap limit", true},
    {"\n#\n# Fatal process out of memory: Zone\n#\n", "Fatal process out of memory: Zone", true},
    {"#\n# Fatal error in , line 0\n# Fatal JavaScript invalid size error 134217734\n#\n",
     "Fatal JavaScript invalid size error 134217734", true},
    {"terminate called after throwing an instance of 'std::bad_alloc'\n  what(): std::bad_alloc",
     "terminate called after throwing an instance of 'std::bad_alloc'", true},
    {"# Fatal error in x\n#\n# \n# Check failed: a.b(c).\n", "Check failed: a.b(c)", false},
    {"==1==ERROR: AddressSanitizer: SEGV on unknown address 0x000\n",
     "==1==ERROR: AddressSanitizer: SEGV on unknown address (address)", false},
    {"a\x1b[31m\xff", "a?[31m?", false},
    {"# Fatal error in , line 0", "", false},
    {"0x", "0x", false},
    {"out of memory is what a function said\n#\n# Fatal error in x.cc, line 1\n# Check failed: "
     "a.\n",
     "Check failed: a", false},
};

START_TEST(test_cause_is_found)
{
    static const int own[] = {SIGABRT, SIGTRAP, SIGILL};
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGKILL, -1};
    char cause[CHILD_CAUSE_SIZE_MAX + 1];
    child_words_cause(cases[_i].words, cause);
    ck_assert_str_eq(cause, cases[_i].cause);
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        ck_assert_int_eq(child_ran_out_of_memory(own[i], cases[_i].words), cases[_i].of_memory);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        ck_assert(!child_ran_out_of_memory(faults[i], cases[_i].words));
}
END_TEST

START_TEST(test_cause_is_cut)
{
    char words[1000];
    char cause[CHILD_CAUSE_SIZE_MAX + 1];
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    child_words_cause(words, cause);
    ck_assert_uint_eq(strlen(cause), CHILD_CAUSE_SIZE_MAX);
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_cause_is_found, (int)(sizeof(cases) / sizeof(*cases))},
        {test_cause_is_cut, 0},
    };
    return FIXTURE_RUN("child_words", tests);
}
