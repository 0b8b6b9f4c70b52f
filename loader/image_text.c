#include "image_text.h"

#include <string.h>

void image_text_init(image_text *text)
{
    pthread_mutex_init(&text->mutex, NULL);
}

void image_text_release(image_text *text, buffer_pool *buffers)
{
    pthread_mutex_destroy(&text->mutex);
    buffer_pool_give(buffers, &text->decoded);
}

size_t image_text_room(const image_text *text)
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

const char *image_text_data(image_text *text, buffer_pool *buffers)
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
