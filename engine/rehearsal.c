/* A load and a call of the engine's own function, so that the next ones find warm what all loads
 * have in common: the program's pages, malloc()'s memory, the page pool. */
#include <string.h>

#include "base_blob.h"
#include "base_functions.h"
#include "cleanup.h"
#include "engine.h"
#include "error_set.h"

static const char rehearsal_text[] = BASE_FUNCTION_OF_MANY_APIS;

static const void *rehearsal_source(void *user)
{
    return user;
}

static bool dropped_whole(void *user, const snapcell_response *response)
{
    (void)user;
    (void)response;
    return true;
}

static ptrdiff_t dropped_write(void *user, const void *data, size_t size_bytes)
{
    (void)user;
    (void)data;
    return (ptrdiff_t)size_bytes;
}

const snapcell_stream engine_dropped_stream = {
    .struct_size = sizeof(snapcell_stream), .write = dropped_write, .whole = dropped_whole};

/* The second snapshot of the base blob, which has more in it. V8 wants it aligned. Owned: free().
 */
static void *rehearsal_copy_blob(size_t *size_bytes)
{
    size_t whole_bytes;
    const unsigned char *whole = engine_base_blob(&whole_bytes);
    *size_bytes = whole_bytes - (size_t)engine_base_blob_first_size;
    void *copy = malloc(*size_bytes);
    if (copy != NULL) memcpy(copy, whole + engine_base_blob_first_size, *size_bytes);
    return copy;
}

static int rehearsal_load(const void *blob, size_t size_bytes, engine_cell **out,
                          snapcell_error *err)
{
    const engine_image image = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .format = ENGINE_FORMAT_ESM,
        .blob = blob,
        .blob_size_bytes = size_bytes,
        .bundle = {.file_name = "base.js",
                   .source = {.encoding = ARTIFACT_TEXT_LATIN1,
                              .length = sizeof(rehearsal_text) - 1,
                              .data = rehearsal_source,
                              .user = (void *)(uintptr_t)rehearsal_text}},
    };
    const engine_cell_options options = {.function_name = "base",
                                         .memory_limit_bytes = SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT};
    engine_cell_times times;
    return engine_cell_new(&image, &options, out, &times, err);
}

static int rehearsal_call(engine_cell *cell, snapcell_error *err)
{
    const snapcell_request request = SNAPCELL_REQUEST_INIT;
    return engine_cell_stream(cell, &request, &engine_dropped_stream, err);
}

int engine_rehearse(snapcell_error *err)
{
    size_t size_bytes;
    engine_cell *cell = NULL;
    int status = engine_start(ENGINE_MODE_RUN, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free void *blob = rehearsal_copy_blob(&size_bytes);
    if (blob == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a rehearsal");
    status = rehearsal_load(blob, size_bytes, &cell, err);
    if (status == SNAPCELL_OK) status = rehearsal_call(cell, err);
    engine_cell_free(cell);
    return status;
}
