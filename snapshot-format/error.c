#include "error_set.h"
#include "process_limits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

const char *snapcell_error_name(int code)
{
    switch (code) {
#define ERROR_NAME_CASE(name, value, text)                                                         \
    case value:                                                                                    \
        return #name;
        SNAPCELL_ERROR_MAP(ERROR_NAME_CASE)
#undef ERROR_NAME_CASE
    default:
        return "E_UNKNOWN";
    }
}

const char *snapcell_error_describe(int code)
{
    switch (code) {
#define ERROR_DESCRIBE_CASE(name, value, text)                                                     \
    case value:                                                                                    \
        return text;
        SNAPCELL_ERROR_MAP(ERROR_DESCRIBE_CASE)
#undef ERROR_DESCRIBE_CASE
    default:
        return "an error code that this build does not know";
    }
}

void error_text_copy(char *out, size_t out_size_bytes, const char *text, size_t text_size_bytes)
{
    const uint8_t *in = (const uint8_t *)text;
    size_t used = 0;
    for (size_t at = 0; at < text_size_bytes;) {
        const size_t size = utf8_character_size(in + at, text_size_bytes - at);
        const size_t needed = size == 0 ? 1 : size;
        if (used + needed >= out_size_bytes) break;
        if (size == 0 || in[at] == 0) {
            out[used] = '?'; /* not UTF-8, or what would end the string early */
        } else {
            memcpy(out + used, in + at, size);
        }
        used += needed;
        at += needed;
    }
    out[used] = '\0';
}

/* A message is one line, and must not move a terminal's cursor. */
static void error_message_set(char *out, size_t out_size_bytes, const char *text)
{
    error_text_copy(out, out_size_bytes, text, strlen(text));
    for (char *at = out; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = ' ';
        /* C1, which takes two bytes. */
        if ((unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0) at[0] = at[1] = ' ';
    }
}

/* The longest message, and enough after it to see whether its last character is cut. */
#define ERROR_TEXT_SIZE (sizeof(((snapcell_error *)NULL)->message) + 4)

/* Formatted aside, because the arguments may point into the snapcell_error that is to be set. */
static void error_format(char text[ERROR_TEXT_SIZE], const char *format, va_list arguments)
{
    /* clang-tidy 14 loses sight of va_list when it reads several files in one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    if (vsnprintf(text, ERROR_TEXT_SIZE, format, arguments) < 0) text[0] = '\0';
}

static void error_reset(snapcell_error *err, int code)
{
    err->code = code;
    err->line = 0;
    err->column = 0;
    err->file[0] = '\0';
    err->stack[0] = '\0';
}

int error_set(snapcell_error *err, int code, const char *format, ...)
{
    if (err == NULL) return code;
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    error_format(text, format, arguments);
    va_end(arguments);
    error_reset(err, code);
    error_message_set(err->message, sizeof(err->message), text);
    return code;
}

static int error_code_of_errno(int code, int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return SNAPCELL_E_FULL;
    case ENOMEM:
        return SNAPCELL_E_NOMEM;
    case EROFS:
        return SNAPCELL_E_READ_ONLY;
    case ENOENT:
        return SNAPCELL_E_NOT_FOUND;
    default:
        return code;
    }
}

/* As strerror_r(), which looks for a translation, and has memory from malloc() for that since glibc
 * 2.41: while memory is being restored there is none. */
static const char *error_reason(int errnum, char *buffer, size_t size)
{
    const char *reason = strerrordesc_np(errnum);
    if (reason != NULL) return reason;
    (void)snprintf(buffer, size, "Unknown error %d", errnum);
    return buffer;
}

int error_set_errno(snapcell_error *err, int code, int errnum, const char *format, ...)
{
    code = error_code_of_errno(code, errnum);
    if (err == NULL) return code;
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    error_format(text, format, arguments);
    va_end(arguments);

    char reason_buffer[32];
    char limit[LIMIT_TEXT_SIZE];
    const char *reason = error_reason(errnum, reason_buffer, sizeof(reason_buffer));
    const char *between = limit_says_files(errnum, limit) ? ": " : "";
    error_reset(err, code);
    /* A long text is cut, the reason is not. */
    const size_t text_room =
        sizeof(err->message) - strlen(reason) - strlen(between) - strlen(limit) - strlen(": ");
    error_message_set(err->message, text_room, text);
    const size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof(err->message) - used, ": %s%s%s", reason, between,
                   limit);
    return code;
}
