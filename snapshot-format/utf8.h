/* UTF-8, as Unicode defines it: no overlong forms, no surrogates. Internal. */
#ifndef SNAPCELL_UTF8_H
#define SNAPCELL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many bytes the character at the start of `text` takes; 0 when there is none. */
size_t utf8_character_size(const uint8_t *text, size_t size_bytes);

/* Whether the text can stand as a name, on a terminal and in a path's last part: UTF-8 without
 * control characters (C0, DEL, C1) and without '/'. */
bool utf8_is_name(const uint8_t *text, size_t size_bytes);

#ifdef __cplusplus
}
#endif
#endif
