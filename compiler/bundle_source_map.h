/* Where a bundle's source map is. Internal to the compiler. */
#ifndef SNAPCELL_BUNDLE_SOURCE_MAP_H
#define SNAPCELL_BUNDLE_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/error.h"

/* A comment `//# sourceMappingURL=URL` at the end of a source; offsets into the source. */
typedef struct bundle_map_comment {
    size_t start; /* of the comment */
    size_t end;
    size_t url_start;
    size_t url_size_bytes; /* 0: there is no such comment */
} bundle_map_comment;

bundle_map_comment bundle_map_comment_find(const char *source, size_t size_bytes);

/* True when the URL holds the map itself. */
bool bundle_map_is_inline(const char *url, size_t url_size_bytes);

/* Decodes a data: URL, in base64 or percent-encoded text. `*out`: Owned, zero-terminated; NULL when
 * it is not what it says. Errors: E_NOMEM. */
int bundle_map_decode(const char *url, size_t url_size_bytes, char **out, size_t *out_size_bytes,
                      snapcell_error *err);

/* Takes away what may come before a map's JSON: a byte order mark, and a line that begins with
 * ")]}", which keeps a map from being run as a script. `map` is zero-terminated, and stays so. */
void bundle_map_strip(char *map, size_t *size_bytes);

/* True when it is a JSON object, as a source map has to be. */
bool bundle_map_is_json(const char *map, size_t size_bytes);

#endif
