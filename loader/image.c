#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"

#define IMAGE_BLOB_ALIGNMENT 64

/* --- Texts: the source and its map --- */

static int image_text_init(image_text *text, const artifact_section *section)
{
    if (section->data == NULL) return 0;
    /* One byte more, so that no size of 0 asks for nothing. */
    uint8_t *copy = malloc((size_t)section->stored_size_bytes + 1);
    if (copy == NULL) return -1;
    memcpy(copy, section->data, (size_t)section->stored_size_bytes);
    text->stored = *section;
    text->stored.data = copy;
    return 0;
}

static void image_text_release(image_text *text)
{
    pthread_mutex_destroy(&text->mutex);
    free((void *)text->stored.data);
    free(text->decoded);
}

/* Room for the decoded text; two bytes of zero behind it end a string of either width. */
static char *image_text_allocate(const image_text *text)
{
    return malloc((size_t)text->stored.decoded_size_bytes + 2);
}

static void image_text_decode(image_text *text)
{
    size_t size = (size_t)text->stored.decoded_size_bytes;
    /* What was verified decodes; but memory for the decoder may be short, and V8 cannot be told. */
    if (artifact_section_decode(&text->stored, text->decoded, NULL) != SNAPCELL_OK)
        memset(text->decoded, 0, size);
    memset(text->decoded + size, 0, 2);
}

/* The decoded text, from the first call on the same pointer. NULL when there is no such section or
 * no room for it. */
static const char *image_text_data(image_text *text)
{
    if (atomic_load_explicit(&text->ready, memory_order_acquire)) return text->decoded;
    if (text->stored.data == NULL) return NULL;
    pthread_mutex_lock(&text->mutex);
    if (!atomic_load_explicit(&text->ready, memory_order_relaxed)) {
        if (text->decoded == NULL) text->decoded = image_text_allocate(text);
        if (text->decoded != NULL) {
            image_text_decode(text);
            atomic_store_explicit(&text->ready, true, memory_order_release);
        }
    }
    pthread_mutex_unlock(&text->mutex);
    return text->decoded;
}

static const void *image_source_data(void *user)
{
    image *shared = user;
    return image_text_data(&shared->source);
}

static const char *image_source_map_data(void *user, size_t *size_bytes)
{
    image *shared = user;
    const char *text = image_text_data(&shared->source_map);
    *size_bytes = text == NULL ? 0 : (size_t)shared->source_map.stored.decoded_size_bytes;
    return text;
}

/* --- The image --- */

static int image_decode_blob(image *shared, const artifact_view *view, snapcell_error *err)
{
    size_t size = (size_t)view->blob.decoded_size_bytes; /* which the reader has capped */
    size_t room = (size + IMAGE_BLOB_ALIGNMENT) / IMAGE_BLOB_ALIGNMENT * IMAGE_BLOB_ALIGNMENT;
    shared->blob = aligned_alloc(IMAGE_BLOB_ALIGNMENT, room);
    if (shared->blob == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a snapshot of %zu bytes", size);
    /* The engine was compared with this one's: its base blob is the prefix. */
    size_t prefix_size;
    const void *prefix = engine_base_blob(&prefix_size);
    return artifact_section_decode_with_prefix(&view->blob, prefix, prefix_size, shared->blob, err);
}

/* The room for the source is taken at once: later, V8 could not be told that there is none. */
static int image_copy_texts(image *shared, const artifact_view *view, snapcell_error *err)
{
    shared->source_encoding = view->source_encoding;
    if (image_text_init(&shared->source, &view->source) == 0 &&
        image_text_init(&shared->source_map, &view->source_map) == 0) {
        if (shared->source.stored.data == NULL) return SNAPCELL_OK;
        shared->source.decoded = image_text_allocate(&shared->source);
        if (shared->source.decoded != NULL) return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_NOMEM, "no memory for the function's source");
}

int image_new(const artifact_view *view, image **out, snapcell_error *err)
{
    *out = NULL;
    image *made = calloc(1, sizeof *made);
    if (made == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an image");
    atomic_init(&made->reference_count, 1);
    pthread_mutex_init(&made->source.mutex, NULL);
    pthread_mutex_init(&made->source_map.mutex, NULL);
    made->info = view->info;
    made->info.manifest = NULL;
    made->info.manifest_size_bytes = 0;

    int status = image_decode_blob(made, view, err);
    if (status == SNAPCELL_OK) status = image_copy_texts(made, view, err);
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
    image_text_release(&shared->source);
    image_text_release(&shared->source_map);
    free(shared->blob);
    free(shared);
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
    given.bundle.host = host;
    return given;
}
