/* Source maps (ECMA-426): from a place in a bundle to a place in the file that it was made from.
 * Internal. */
#ifndef SNAPCELL_SOURCE_MAP_H
#define SNAPCELL_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct source_map source_map;

/* Parses a source map (version 3, JSON; with or without sections, which may have sections
 * themselves). NULL when it is not one or
 * memory is short. Owned: source_map_free(). Nothing of `json` is kept. */
source_map *source_map_new(const char *json, size_t json_size_bytes);

/* Whether parsing this JSON takes no more memory than any source map of a bundle needs. It comes
 * from the function's author, and is read in processes that serve others, too. */
bool source_map_is_bounded(const char *json, size_t json_size_bytes);

/* Where line `line`, column `column` (both from 1) of the bundle came from. `*file` is Borrowed
 * from the map. Returns 1 when found, else 0 with the outputs untouched. */
int source_map_find(const source_map *map, uint32_t line, uint32_t column, const char **file,
                    uint32_t *out_line, uint32_t *out_column);

void source_map_free(source_map *map);

/* Rewrites every "FILE:LINE:COLUMN" of `stack` in which FILE is `bundle_file` through the map.
 * Returns a new zero-terminated string (Owned: free()), or NULL when memory is short. */
char *source_map_rewrite(const source_map *map, const char *bundle_file, const char *stack);

#ifdef __cplusplus
}
#endif
#endif
