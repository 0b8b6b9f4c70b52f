#include "serve_identity.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

/* Randomness is fetched for many ids at once. */
#define IDENTITY_POOL_SIZE 4096

static void identity_random(uint8_t *out, size_t size_bytes)
{
    static uint8_t pool[IDENTITY_POOL_SIZE];
    static size_t left;
    if (left < size_bytes) {
        ssize_t got = getrandom(pool, sizeof(pool), 0);
        left = got > 0 ? (size_t)got : 0;
        if (left < size_bytes) {
            memset(out, 0, size_bytes);
            return;
        }
    }
    left -= size_bytes;
    memcpy(out, pool + left, size_bytes);
}

static void identity_hex(char *out, size_t byte_count)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    identity_random(bytes, byte_count);
    for (size_t i = 0; i < byte_count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

void serve_identity_make(char out[SERVE_ID_SIZE])
{
    identity_hex(out, 16);
    out[32] = '\0';
}

static bool identity_is_hex(const char *text, size_t count)
{
    bool some = false; /* zeros alone are no id */
    for (size_t i = 0; i < count; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
        some |= text[i] != '0';
    }
    return some;
}

static bool identity_is_trace(const char *text)
{
    if (text == NULL || strlen(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    if (strncmp(text, "ff", 2) == 0 || (strncmp(text, "00", 2) == 0 && text[55] != '\0'))
        return false;
    return identity_is_hex(text + 3, 32) && identity_is_hex(text + 36, 16);
}

/* The lowest bit of a hex digit. */
static bool identity_is_sampled(char digit)
{
    return digit >= 'a' ? ((digit - 'a') & 1) != 0 : ((digit - '0') & 1) != 0;
}

void serve_identity_trace(const char *given, char out[SERVE_TRACE_SIZE])
{
    memcpy(out, "00-", 3);
    if (identity_is_trace(given)) {
        memcpy(out + 3, given + 3, 32);
        out[53] = '0';
        out[54] = identity_is_sampled(given[54]) ? '1' : '0'; /* the one flag that is known */
    } else {
        identity_hex(out + 3, 16);
        memcpy(out + 53, "00", 2);
    }
    out[35] = '-';
    identity_hex(out + 36, 8);
    out[52] = '-';
    out[55] = '\0';
}
