// What the pinned V8, which was compiled on Debian 13, expects of the system's libraries and what
// Debian 12's do not have. Where they have it, this file is empty, and the definitions are weak: a
// static library that was built on Debian 12 can be linked on Debian 13, too.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream> // NOLINT: see SetUpStreams()
#include <string>

// Hidden, so that a program that is linked with it does not define them for its shared libraries.
#define SNAPCELL_SYSTEM extern "C" __attribute__((weak, visibility("hidden")))

// C23's functions read binary numbers ("0b1") in base 0 and 2, these do not. V8 parses no such text
// with them.
#if !__GLIBC_PREREQ(2, 38)

SNAPCELL_SYSTEM long __isoc23_strtol(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

SNAPCELL_SYSTEM unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}

SNAPCELL_SYSTEM long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return strtoll(text, end, base);
}

SNAPCELL_SYSTEM unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return strtoull(text, end, base);
}

SNAPCELL_SYSTEM __attribute__((format(scanf, 2, 3))) int __isoc23_sscanf(const char *text,
                                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsscanf(text, format, arguments);
    va_end(arguments);
    return count;
}

SNAPCELL_SYSTEM __attribute__((format(scanf, 2, 3))) int __isoc23_fscanf(FILE *file,
                                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vfscanf(file, format, arguments);
    va_end(arguments);
    return count;
}

#endif

#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE < 13

// Never called: <iostream> names it so that the library which has std::cout is linked. That of
// libstdc++ 13 sets it up by itself; for an older one, including <iostream> here does.
SNAPCELL_SYSTEM void SetUpStreams() asm("_ZSt21ios_base_library_initv");

SNAPCELL_SYSTEM void SetUpStreams() {}

// basic_string::_M_replace_cold(), a private member that libstdc++ 13 made a function of its own:
// puts the `size` bytes at `from`, which lie in the string itself, replacing the
// `replaced_size` bytes at `at`. `tail_size` bytes follow those. There is room for the result.
SNAPCELL_SYSTEM void ReplaceInString(std::string *, char *at, size_t replaced_size,
                                     const char *from, size_t size, size_t tail_size) //
    asm("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE15_M_replace_coldEPcmPKcmm");

SNAPCELL_SYSTEM void ReplaceInString(std::string *, char *at, size_t replaced_size,
                                     const char *from, size_t size, size_t tail_size)
{
    const char *tail = at + replaced_size;
    if (size <= replaced_size) {
        memmove(at, from, size);
        memmove(at + size, tail, tail_size);
        return;
    }
    // The tail moves first, and takes with it what of the new bytes lies in it.
    size_t before_tail = 0;
    if (from < tail) before_tail = static_cast<size_t>(tail - from);
    if (before_tail > size) before_tail = size;
    memmove(at + size, tail, tail_size);
    memmove(at, from, before_tail);
    memcpy(at + before_tail, from + before_tail + (size - replaced_size), size - before_tail);
}

#endif
