#include <string.h>

#include "error_set.h"
#include "hex.h"
#include "snapcell/artifact.h"

void hex_format(const uint8_t *bytes, size_t size_bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size_bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    out[2 * size_bytes] = '\0';
}

void snapcell_key_format(const snapcell_key *key, char out[SNAPCELL_KEY_HEX_SIZE])
{
    hex_format(key->bytes, sizeof(key->bytes), out);
}

void snapcell_fingerprint_format(const snapcell_fingerprint *fingerprint,
                                 char out[SNAPCELL_KEY_HEX_SIZE])
{
    hex_format(fingerprint->bytes, sizeof(fingerprint->bytes), out);
}

static int key_digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

int snapcell_key_parse(const char *text, snapcell_key *out, snapcell_error *err)
{
    snapcell_key key = {{0}};
    size_t count = 0;
    for (; text[count] != '\0'; count++) {
        const int value = key_digit_value(text[count]);
        if (value < 0 || count >= 2 * sizeof(key.bytes)) break;
        key.bytes[count / 2] = (uint8_t)(key.bytes[count / 2] << 4 | value);
    }
    if (count != 2 * sizeof(key.bytes) || text[count] != '\0') {
        return error_set(err, SNAPCELL_E_USAGE,
                         "'%.64s' is not a key: 32 hex digits are expected; `snapcell ls` lists "
                         "the keys of a store",
                         text);
    }
    *out = key;
    return SNAPCELL_OK;
}
