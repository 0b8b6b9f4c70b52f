/* A function's own source map, which is read in the host when an error is reported. */
#include "source_map.h"

#include <stdlib.h>

#include "fuzz_input.h"

static void fuzz_find(const source_map *map, fuzz_input *places)
{
    for (int i = 0; i < 4; i++) {
        const uint32_t line = i < 2 ? fuzz_take_u8(places) : fuzz_take_u32(places);
        const uint32_t column = i < 2 ? fuzz_take_u8(places) : fuzz_take_u32(places);
        const char *file = NULL;
        uint32_t found_line = 0, found_column = 0;
        if (source_map_find(map, line, column, &file, &found_line, &found_column) == 0) continue;
        fuzz_require(file != NULL && found_line > 0 && found_column > 0);
        fuzz_require(strlen(file) < SIZE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    fuzz_input places = fuzz_take(&input, 20);
    char stack[128];
    (void)fuzz_take_text(&input, stack, sizeof(stack));
    source_map *map = source_map_new((const char *)input.at, input.size_bytes);
    fuzz_find(map, &places);
    char *rewritten = source_map_rewrite(map, "a.js", stack);
    fuzz_require(rewritten != NULL);
    fuzz_require(map != NULL || strcmp(rewritten, stack) == 0);
    free(rewritten);
    source_map_free(map);
    return 0;
}
