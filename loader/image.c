#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"

/* V8 wants its blob aligned to a pointer; SPEC.md gives raw sections more. */
#define IMAGE_BLOB_ALIGNMENT 16

/* --- Texts: the source and its map --- */

static void image_text_release(image_text *text, buffer_pool *buffers)
{
    pthread_mutex_destroy(&text->mutex);
    buffer_pool_give(buffers, &text->decoded);
}

static size_t image_text_room(const image_text *text)
{
    return (size_t)text->stored.decoded_size_bytes + 2; /* zeros end a string of either width */
}

static void image_text_decode(image_text *text)
{
    size_t size = (size_t)text->stored.decoded_size_bytes;
    char *data = text->decoded.data;
    pool_buffer_prepare(&text->decoded, image_text_room(text));
    /* What was verified decodes; but memory for the decoder may be short, and V8 cannot be told. */
    if (artifact_section_decode(&text->stored, data, NULL) != SNAPCELL_OK) memset(data, 0, size);
    memset(data + size, 0, 2);
}

/* The decoded text, from the first call on the same pointer. NULL when there is no such section or
 * no room for it. */
static const char *image_text_data(image_text *text, buffer_pool *buffers)
{
    if (atomic_load_explicit(&text->ready, memory_order_acquire)) return text->decoded.data;
    if (text->stored.data == NULL) return NULL;
    pthread_mutex_lock(&text->mutex);
    if (!atomic_load_explicit(&text->ready, memory_order_relaxed) &&
        (text->decoded.data != NULL ||
         buffer_pool_take(buffers, image_text_room(text), &text->decoded) == 0)) {
        image_text_decode(text);
        atomic_store_explicit(&text->ready, true, memory_order_release);
    }
    pthread_mutex_unlock(&text->mutex);
    return text->decoded.data;
}

static const void *image_source_data(void *user)
{
    image *shared = user;
    return image_text_data(&shared->source, &shared->context->buffers);
}

static const char *image_source_map_data(void *user, size_t *size_bytes)
{
    image *shared = user;
    const char *text = image_text_data(&shared->source_map, &shared->context->buffers);
    *size_bytes = text == NULL ? 0 : (size_t)shared->source_map.stored.decoded_size_bytes;
    return text;
}

/* --- In place --- */

static bool image_take_place(image_context *context)
{
    uint32_t count = atomic_load_explicit(&context->place_count, memory_order_relaxed);
    do {
        if (count >= context->place_count_max) return false;
    } while (!atomic_compare_exchange_weak_explicit(&context->place_count, &count, count + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* Runs the image from the store's own pages, if its blob is stored as V8 reads it. */
static bool image_settle_in_place(image *made, const artifact_view *view,
                                  snapcell_store_view *place)
{
    if (place == NULL || view->blob.codec != ARTIFACT_CODEC_RAW || view->blob.data == NULL ||
        (uintptr_t)view->blob.data % IMAGE_BLOB_ALIGNMENT != 0 || !image_take_place(made->context))
        return false;
    made->place = *place;
    *place = (snapcell_store_view){0};
    made->blob = view->blob.data;
    made->source.stored = view->source;
    made->source_map.stored = view->source_map;
    return true;
}

static void image_leave_place(image *shared)
{
    if (!image_is_in_place(shared)) return;
    snapcell_store_view_close(shared->context->store, &shared->place);
    atomic_fetch_sub_explicit(&shared->context->place_count, 1, memory_order_relaxed);
}

bool image_is_in_place(const image *shared)
{
    return shared->place.bytes != NULL;
}

/* --- In memory --- */

static size_t image_align(size_t size_bytes)
{
    return (size_bytes + (BUFFER_POOL_ALIGNMENT - 1)) & ~(size_t)(BUFFER_POOL_ALIGNMENT - 1);
}

/* Copies a section as it is stored to `*offset` of the image's memory. */
static void image_copy_text(const image *made, const artifact_section *section, image_text *text,
                            size_t *offset)
{
    if (section->data == NULL) return;
    uint8_t *copy = (uint8_t *)made->memory.data + *offset;
    memcpy(copy, section->data, (size_t)section->stored_size_bytes);
    *offset += (size_t)section->stored_size_bytes;
    text->stored = *section;
    text->stored.data = copy;
}

/* One buffer takes the blob, decoded, and after it the texts, which are small, as they are: the
 * store's pages need not stay pinned for them. */
static int image_settle_in_memory(image *made, const artifact_view *view, snapcell_error *err)
{
    size_t blob_size = (size_t)view->blob.decoded_size_bytes; /* the reader has capped all sizes */
    size_t offset = image_align(blob_size);
    size_t size = offset + (size_t)view->source.stored_size_bytes +
                  (size_t)view->source_map.stored_size_bytes;
    if (buffer_pool_take(&made->context->buffers, size, &made->memory) != 0)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a snapshot of %zu bytes", size);
    pool_buffer_prepare(&made->memory, size);
    char *blob = made->memory.data;
    made->blob = blob;
    memset(blob + blob_size, 0, offset - blob_size);
    image_copy_text(made, &view->source, &made->source, &offset);
    image_copy_text(made, &view->source_map, &made->source_map, &offset);
    /* The engine was compared with this one's: its base blob is the prefix. */
    size_t prefix_size;
    const void *prefix = engine_base_blob(&prefix_size);
    return artifact_section_decode_with_prefix(&view->blob, prefix, prefix_size, blob, err);
}

/* --- The image --- */

static int image_settle(image *made, const artifact_view *view, snapcell_store_view *place,
                        snapcell_error *err)
{
    if (!image_settle_in_place(made, view, place)) {
        int status = image_settle_in_memory(made, view, err);
        if (status != SNAPCELL_OK) return status;
    }
    /* Room for the source is taken at once: later, V8 could not be told that there is none. Memory
     * it takes once it is touched. */
    if (made->source.stored.data == NULL ||
        buffer_pool_take(&made->context->buffers, image_text_room(&made->source),
                         &made->source.decoded) == 0)
        return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOMEM, "no memory for the function's source");
}

int image_new(image_context *context, const artifact_view *view, const verified_entry *identity,
              snapcell_store_view *place, image **out, snapcell_error *err)
{
    *out = NULL;
    image *made = calloc(1, sizeof(*made));
    if (made == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an image");
    atomic_init(&made->reference_count, 1);
    pthread_mutex_init(&made->source.mutex, NULL);
    pthread_mutex_init(&made->source_map.mutex, NULL);
    made->context = context;
    made->identity = *identity;
    made->info = view->info;
    made->info.manifest = NULL;
    made->info.manifest_size_bytes = 0;
    made->source_encoding = view->source_encoding;

    int status = image_settle(made, view, place, err);
    if (status != SNAPCELL_OK) {
        image_release(made);
        return status;
    }
    *out = made;
    return SNAPCELL_OK;
}

image *image_retain(image *shared)
{
    atomic_fetch_add_explicit(&shared->reference_count, 1, memory_order_relaxed);
    return shared;
}

void image_release(image *shared)
{
    if (shared == NULL) return;
    if (atomic_fetch_sub_explicit(&shared->reference_count, 1, memory_order_acq_rel) != 1) return;
    image_text_release(&shared->source, &shared->context->buffers);
    image_text_release(&shared->source_map, &shared->context->buffers);
    buffer_pool_give(&shared->context->buffers, &shared->memory);
    image_leave_place(shared);
    free(shared);
}

uint64_t image_size_bytes(const image *shared)
{
    return sizeof(*shared) + shared->memory.capacity_bytes + shared->source.decoded.capacity_bytes;
}

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
