/* Keys as lines of text: a type, base64, a comment. Internal.
 *
 *     snapcell-ed25519 PUBLIC-KEY COMMENT
 *     @revoked snapcell-ed25519 PUBLIC-KEY COMMENT
 *     snapcell-ed25519-secret SECRET-KEY COMMENT
 */
#ifndef SNAPCELL_KEY_TEXT_H
#define SNAPCELL_KEY_TEXT_H

#include "snapcell/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KEY_TEXT_PUBLIC_TYPE SNAPCELL_PUBLIC_KEY_TYPE
#define KEY_TEXT_SECRET_TYPE "snapcell-ed25519-secret"
#define KEY_TEXT_REVOKED "@revoked"

#define KEY_TEXT_SECRET_SIZE 64 /* libsodium's: the seed, and the public key after it */

/* What a line of a trust file says. */
typedef struct key_text_public {
    uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE];
    bool revoked;
    char comment[SNAPCELL_KEY_COMMENT_SIZE_MAX + 1]; /* cut to fit */
} key_text_public;

/* Whether a line holds a key at all: not when it is blank, or begins with '#'. */
bool key_text_is_entry(const char *line, size_t size_bytes);

/* Reads a public key's line, without its line end. The type may be left out. False when it is none.
 */
bool key_text_parse_public(const char *line, size_t size_bytes, key_text_public *out);

/* Finds the line of a secret key in a file's text, and reads it. False when there is not one, or it
 * is damaged: the public half does not belong to the other. `out` is wiped then. */
bool key_text_parse_secret(const char *text, size_t size_bytes, uint8_t out[KEY_TEXT_SECRET_SIZE]);

/* Whether it can follow a key: one line, of printable UTF-8. */
bool key_text_is_comment(const char *text);

#ifdef __cplusplus
}
#endif
#endif
