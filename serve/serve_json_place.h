/* Where a value stands in a JSON text: jansson does not keep that. Internal to serve/. */
#ifndef SNAPCELL_SERVE_JSON_PLACE_H
#define SNAPCELL_SERVE_JSON_PLACE_H

#include <stddef.h>

/* A step into a value: of an object a key, of an array an index. */
typedef struct serve_json_step {
    const struct serve_json_step *parent; /* NULL: the outermost value */
    const char *key;                      /* NULL: `index` counts */
    size_t index;
} serve_json_step;

typedef struct serve_json_place {
    size_t line; /* from 1 */
    size_t column;
} serve_json_place;

/* Where the value at `step` begins; with `of_key`, where its key does. `text` must be JSON. `step`:
 * NULL for the outermost value. */
serve_json_place serve_json_find(const char *text, size_t size_bytes, const serve_json_step *step,
                                 int of_key);

#endif
