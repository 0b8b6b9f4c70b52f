/* What the engine takes of an image. */
#include <stdio.h>
#include <string.h>

#include "image.h"

/* --- Texts --- */

const void *image_source_data(void *user)
{
    image *shared = user;
    return image_text_data(&shared->source, &shared->context->buffers);
}

/* An index map (ECMA-426) of both: what the first one says of lines beyond its section does not
 * count. */
static const char maps_begin[] = "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,"
                                 "\"column\":0},\"map\":";
static const char maps_between[] = "},{\"offset\":{\"line\":%zu,\"column\":0},\"map\":";
static const char maps_end[] = "}]}";

static void image_write_maps(const image *shared, const char *base_map, size_t base_size, char *out)
{
    out = stpcpy(out, maps_begin);
    out = mempcpy(out, base_map, base_size);
    out += sprintf(out, maps_between, shared->rest_line);
    out = mempcpy(out, shared->rest_map, shared->rest_map_size_bytes);
    strcpy(out, maps_end);
}

/* When an error first needs it; without memory there is none. */
static void image_join_maps(image *shared)
{
    image_text *joined = &shared->source_map;
    if (shared->rest_map == NULL) return;
    size_t base_size;
    const char *base_map = image_source_map_data(shared->base, &base_size);
    pthread_mutex_lock(&joined->mutex);
    size_t size = sizeof(maps_begin) + sizeof(maps_between) + sizeof(maps_end) + 20 + base_size +
                  shared->rest_map_size_bytes;
    if (base_map != NULL && !atomic_load_explicit(&joined->ready, memory_order_relaxed) &&
        buffer_pool_take(&shared->context->buffers, size, &joined->decoded) == 0) {
        pool_buffer_prepare(&joined->decoded, size);
        image_write_maps(shared, base_map, base_size, joined->decoded.data);
        joined->stored.decoded_size_bytes = strlen(joined->decoded.data);
        atomic_store_explicit(&joined->ready, true, memory_order_release);
    }
    pthread_mutex_unlock(&joined->mutex);
}

const char *image_source_map_data(void *user, size_t *size_bytes)
{
    image *shared = user;
    image_join_maps(shared);
    const char *text = image_text_data(&shared->source_map, &shared->context->buffers);
    *size_bytes = text == NULL ? 0 : (size_t)shared->source_map.stored.decoded_size_bytes;
    return text;
}

/* --- The image --- */

engine_image image_for_engine(image *shared, const snapcell_host *host)
{
    size_t unit = shared->source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    engine_image given = {
        .kind = shared->info.kind,
        .shape = shared->info.shape,
        .format = (engine_format)shared->info.source_format,
        .blob = shared->blob,
        .blob_size_bytes = (size_t)shared->info.blob_size_bytes,
    };
    given.bundle.file_name = shared->info.file_name;
    given.bundle.source = (engine_text){
        .encoding = shared->source_encoding,
        .length = (size_t)shared->source.stored.decoded_size_bytes / unit,
        .data = image_source_data,
        .user = shared,
    };
    if (shared->source_map.stored.data != NULL)
        given.bundle.source_map =
            (engine_source_map){.data = image_source_map_data, .user = shared};
    given.bundle.prelude_length = shared->info.prelude_length;
    given.bundle.host = host;
    return given;
}
