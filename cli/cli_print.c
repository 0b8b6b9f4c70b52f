/* What the program says: data on standard output, messages on standard error. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* The first failure to write to standard output; stdio itself only remembers that there was one. */
static int print_errno;

static void print_failed(void)
{
    if (print_errno == 0) print_errno = errno ? errno : EIO;
}

void cli_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vprintf(format, arguments) < 0) print_failed();
    va_end(arguments);
}

void cli_write(const void *data, size_t size_bytes)
{
    if (size_bytes && fwrite(data, 1, size_bytes, stdout) != size_bytes) print_failed();
}

ptrdiff_t cli_write_some(const void *data, size_t size_bytes)
{
    /* A pipe that polls as writable takes this much without blocking. */
    ssize_t wrote = write(STDOUT_FILENO, data, size_bytes < PIPE_BUF ? size_bytes : PIPE_BUF);
    if (wrote >= 0) return wrote;
    if (errno == EINTR || errno == EAGAIN) return SNAPCELL_STREAM_LATER;
    print_failed();
    return SNAPCELL_STREAM_FAILED;
}

bool cli_flush(void)
{
    if (fflush(stdout) != 0) print_failed();
    return print_errno == 0 || print_errno == EPIPE;
}

cli_status cli_finish(cli_status status)
{
    if (cli_flush()) return status;
    cli_message("cannot write to standard output: %s", strerror(print_errno));
    return status ? status : CLI_TROUBLE;
}

/* --- Messages --- */

static FILE *print_moved; /* NULL: standard error */

static FILE *print_messages(void)
{
    return print_moved ? print_moved : stderr;
}

bool cli_messages_to(int fd)
{
    print_moved = fdopen(fd, "w");
    if (print_moved) setvbuf(print_moved, NULL, _IOLBF, 0);
    return print_moved != NULL;
}

void cli_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(print_messages(), format, arguments);
    va_end(arguments);
}

/* Text from a bundle or an artifact may hold escape sequences for the terminal; they are shown, not
 * sent. */
static void print_safely(const char *text, size_t size_bytes)
{
    size_t done = 0;
    for (size_t i = 0; i <= size_bytes; i++) {
        unsigned char c = i < size_bytes ? (unsigned char)text[i] : 0;
        if (i < size_bytes && c != 0x7f && (c >= 0x20 || c == '\t' || c == '\n')) continue;
        fwrite(text + done, 1, i - done, print_messages());
        if (i < size_bytes) fprintf(print_messages(), "\\x%02x", c);
        done = i + 1;
    }
}

void cli_message(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    flockfile(print_messages());
    fputs("snapcell: ", print_messages());
    print_safely(text, strlen(text));
    fputc('\n', print_messages());
    funlockfile(print_messages());
}

cli_status cli_usage(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    cli_message("%s", text);
    return CLI_USAGE;
}

bool cli_fancy(void)
{
    const char *term = getenv("TERM");
    return isatty(fileno(print_messages())) && term && strcmp(term, "dumb") != 0;
}

/* "Error 1 of 2: ", of an AggregateError. */
static bool names_part(const char *line)
{
    static const char digits[] = "0123456789";
    if (strncmp(line, "Error ", 6) != 0) return false;
    const char *of = line + 6 + strspn(line + 6, digits);
    if (strncmp(of, " of ", 4) != 0) return false;
    return strncmp(of + 4 + strspn(of + 4, digits), ": ", 2) == 0;
}

/* What follows the message in a stack, one line each under it. V8's stacks begin with the
 * message, which has been said. */
static void print_stack(const char *stack)
{
    bool dim = cli_fancy() && !getenv("NO_COLOR");
    bool begun = false;
    for (const char *line = stack; *line;) {
        size_t size = strcspn(line, "\n");
        size_t blanks = strspn(line, " \t");
        begun = begun || strncmp(line + blanks, "at ", 3) == 0 ||
                strncmp(line, "Caused by: ", 11) == 0 || names_part(line);
        if (begun) {
            cli_say(dim ? "\033[2m    " : "    ");
            print_safely(line + blanks, size - blanks);
            cli_say(dim ? "\033[0m\n" : "\n");
        }
        line += size + (line[size] == '\n');
    }
}

cli_status cli_report(const char *subject, const snapcell_error *err)
{
    const char *message = err->message[0] ? err->message : snapcell_error_describe(err->code);
    flockfile(print_messages());
    if (err->file[0] && err->line) {
        print_safely(err->file, strlen(err->file));
        fprintf(print_messages(), ":%u:%u: ", err->line, err->column);
        print_safely(message, strlen(message));
        fputc('\n', print_messages());
    } else if (subject && !strstr(message, subject)) {
        cli_message("%s: %s", subject, message);
    } else {
        cli_message("%s", message);
    }
    print_stack(err->stack);
    funlockfile(print_messages());
    return cli_status_of(err->code);
}

void cli_console(void *user, snapcell_log_level level, const char *function_name, const char *text,
                 size_t text_size_bytes)
{
    (void)level;
    (void)function_name;
    const char *prefix = (const char *)user;
    flockfile(print_messages());
    if (prefix) fprintf(print_messages(), "%s: ", prefix);
    fwrite(text, 1, text_size_bytes, print_messages());
    fputc('\n', print_messages());
    funlockfile(print_messages());
}

/* --- JSON --- */

static void print_json(json_t *value, const char *before)
{
    cleanup_free char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(value);
    if (!text) {
        errno = ENOMEM;
        print_failed();
        return;
    }
    cli_print("%s%s", before, text);
}

void cli_print_json(json_t *value)
{
    print_json(value, "");
    cli_print("\n");
}

static bool print_json_first;

void cli_print_json_begin(void)
{
    cli_print("[");
    print_json_first = true;
}

void cli_print_json_item(json_t *item)
{
    print_json(item, print_json_first ? "\n" : ",\n");
    print_json_first = false;
}

void cli_print_json_end(void)
{
    cli_print("%s]\n", print_json_first ? "" : "\n");
}

/* How many bytes from `text` are one well-formed character; 0 when they are none. */
static size_t print_utf8_size(const unsigned char *text)
{
    unsigned char lead = text[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead > 0xf4) return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f)) return 0;
    if ((lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f)) return 0;
    return size;
}

json_t *cli_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value) return value;
    cleanup_free char *clean = malloc(3 * strlen(text) + 1);
    if (!clean) return NULL;
    size_t used = 0;
    while (*text) {
        size_t size = print_utf8_size((const unsigned char *)text);
        memcpy(clean + used, size ? text : "\xef\xbf\xbd", size ? size : 3);
        used += size ? size : 3;
        text += size ? size : 1;
    }
    return json_stringn(clean, used);
}

/* --- Words and figures --- */

const char *cli_size_text(uint64_t size_bytes, char out[CLI_SIZE_TEXT_SIZE])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (size_bytes < 1000) {
        snprintf(out, CLI_SIZE_TEXT_SIZE, "%u B", (unsigned)size_bytes);
        return out;
    }
    double value = (double)size_bytes / 1000.0;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1000.0;
        unit++;
    }
    snprintf(out, CLI_SIZE_TEXT_SIZE, "%.1f %s", value, units[unit]);
    return out;
}

const char *cli_hex(const uint8_t *bytes, size_t size_bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size_bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size_bytes] = '\0';
    return out;
}

const char *cli_key_text(const snapcell_key *key, char out[SNAPCELL_KEY_HEX_SIZE])
{
    snapcell_key_format(key, out);
    return out;
}

const char *cli_fingerprint_text(const snapcell_fingerprint *fingerprint,
                                 char out[SNAPCELL_KEY_HEX_SIZE])
{
    snapcell_fingerprint_format(fingerprint, out);
    return out;
}

const char *cli_kind_name(snapcell_artifact_kind kind)
{
    return kind == SNAPCELL_ARTIFACT_SNAPSHOT ? "snapshot" : "code";
}

const char *cli_shape_name(snapcell_handler_shape shape)
{
    return shape == SNAPCELL_SHAPE_FETCH ? "fetch" : "json";
}

size_t cli_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void cli_print_padded(const char *text, size_t width)
{
    size_t used = cli_text_width(text);
    cli_print("%s%*s", text, used < width ? (int)(width - used) : 0, "");
}
