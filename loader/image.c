#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"

/* V8 wants its blob aligned to a pointer; SPEC.md gives raw sections more. */
#define IMAGE_BLOB_ALIGNMENT 16

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

image *image_blank(image_context *context, snapcell_error *err)
{
    image *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        error_set(err, SNAPCELL_E_NOMEM, "no memory for an image");
        return NULL;
    }
    atomic_init(&made->reference_count, 1);
    image_text_init(&made->source);
    image_text_init(&made->source_map);
    made->context = context;
    return made;
}

int image_new(image_context *context, const artifact_view *view, const verified_entry *identity,
              snapcell_store_view *place, image **out, snapcell_error *err)
{
    *out = NULL;
    image *made = image_blank(context, err);
    if (made == NULL) return SNAPCELL_E_NOMEM;
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
    image_release(shared->base);
    free(shared->rest_map);
    free(shared);
}

uint64_t image_size_bytes(const image *shared)
{
    return sizeof(*shared) + shared->memory.capacity_bytes + shared->source.decoded.capacity_bytes;
}
