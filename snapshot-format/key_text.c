#include "key_text.h"

#include <string.h>

#include <sodium.h>

#include "artifact_checksum.h"
#include "utf8.h"

static_assert(KEY_TEXT_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519");

/* A piece of text, which is Borrowed. */
typedef struct key_span {
    const char *data;
    size_t size_bytes;
} key_span;

static bool key_is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static void key_skip_blanks(key_span *rest)
{
    while (rest->size_bytes > 0 && key_is_blank(rest->data[0])) {
        rest->data++;
        rest->size_bytes--;
    }
}

/* Takes the next word off the line; of no bytes when there is none. */
static key_span key_next_word(key_span *rest)
{
    key_skip_blanks(rest);
    key_span word = {rest->data, 0};
    while (word.size_bytes < rest->size_bytes && !key_is_blank(word.data[word.size_bytes])) {
        word.size_bytes++;
    }
    rest->data += word.size_bytes;
    rest->size_bytes -= word.size_bytes;
    return word;
}

static bool key_word_is(key_span word, const char *text)
{
    return word.size_bytes == strlen(text) && memcmp(word.data, text, word.size_bytes) == 0;
}

/* Base64 of exactly that many bytes, padded. */
static bool key_decode(key_span word, uint8_t *out, size_t size_bytes)
{
    size_t decoded = 0;
    sodium_prepare();
    return sodium_base642bin(out, size_bytes, word.data, word.size_bytes, NULL, &decoded, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           decoded == size_bytes;
}

bool key_text_is_entry(const char *line, size_t size_bytes)
{
    key_span rest = {line, size_bytes};
    key_skip_blanks(&rest);
    return rest.size_bytes > 0 && rest.data[0] != '#';
}

/* Whether no control character is in it; '/' may be. */
static bool key_is_printable(const char *text, size_t size_bytes)
{
    for (size_t at = 0; at < size_bytes;) {
        const uint8_t *here = (const uint8_t *)text + at;
        const size_t size = utf8_character_size(here, size_bytes - at);
        if (size == 0 || (*here != '/' && !utf8_is_name(here, size))) return false;
        at += size;
    }
    return true;
}

bool key_text_is_comment(const char *text)
{
    const size_t size = strlen(text);
    return size <= SNAPCELL_KEY_COMMENT_SIZE_MAX && key_is_printable(text, size);
}

/* What cannot be shown is left out; a key is no worse for that. */
static void key_copy_comment(key_span rest, char out[SNAPCELL_KEY_COMMENT_SIZE_MAX + 1])
{
    key_skip_blanks(&rest);
    while (rest.size_bytes > 0 && key_is_blank(rest.data[rest.size_bytes - 1])) {
        rest.size_bytes--;
    }
    out[0] = '\0';
    if (rest.size_bytes > SNAPCELL_KEY_COMMENT_SIZE_MAX ||
        !key_is_printable(rest.data, rest.size_bytes))
        return;
    memcpy(out, rest.data, rest.size_bytes);
    out[rest.size_bytes] = '\0';
}

bool key_text_parse_public(const char *line, size_t size_bytes, key_text_public *out)
{
    memset(out, 0, sizeof(*out));
    key_span rest = {line, size_bytes};
    key_span word = key_next_word(&rest);
    if (key_word_is(word, KEY_TEXT_REVOKED)) {
        out->revoked = true;
        word = key_next_word(&rest);
    }
    if (key_word_is(word, KEY_TEXT_PUBLIC_TYPE)) word = key_next_word(&rest);
    if (!key_decode(word, out->public_key, sizeof(out->public_key))) return false;
    key_copy_comment(rest, out->comment);
    return true;
}

static bool key_parse_secret_line(const char *line, size_t size_bytes,
                                  uint8_t out[KEY_TEXT_SECRET_SIZE])
{
    key_span rest = {line, size_bytes};
    if (!key_word_is(key_next_word(&rest), KEY_TEXT_SECRET_TYPE)) return false;
    if (!key_decode(key_next_word(&rest), out, KEY_TEXT_SECRET_SIZE)) return false;
    uint8_t seed[crypto_sign_SEEDBYTES];
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t whole[crypto_sign_SECRETKEYBYTES];
    crypto_sign_ed25519_sk_to_seed(seed, out);
    crypto_sign_seed_keypair(public_key, whole, seed);
    const bool sound = sodium_memcmp(whole, out, sizeof(whole)) == 0;
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(whole, sizeof(whole));
    return sound;
}

bool key_text_parse_secret(const char *text, size_t size_bytes, uint8_t out[KEY_TEXT_SECRET_SIZE])
{
    bool found = false;
    const char *end = text + size_bytes;
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline != NULL ? newline : end;
        if (key_text_is_entry(line, (size_t)(line_end - line))) {
            found = !found && key_parse_secret_line(line, (size_t)(line_end - line), out);
            if (!found) break;
        }
        line = newline != NULL ? newline + 1 : end;
    }
    if (!found) sodium_memzero(out, KEY_TEXT_SECRET_SIZE);
    return found;
}
