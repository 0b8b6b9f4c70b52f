#include "image_rest.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"

static size_t image_count_lines(const image *base, const void *text)
{
    size_t count = 0;
    size_t length = base->info.prelude_length;
    if (base->source_encoding == ARTIFACT_TEXT_UTF16LE) {
        for (size_t i = 0; i < length; i++)
            count += ((const uint16_t *)text)[i] == '\n';
    } else {
        for (size_t i = 0; i < length; i++)
            count += ((const char *)text)[i] == '\n';
    }
    return count;
}

static int image_join_texts(image *made, const void *prelude, size_t prelude_size,
                            const image_rest *rest, snapcell_error *err)
{
    image_text *text = &made->source;
    text->stored = (artifact_section){.codec = ARTIFACT_CODEC_RAW,
                                      .stored_size_bytes = prelude_size + rest->text_size_bytes,
                                      .decoded_size_bytes = prelude_size + rest->text_size_bytes};
    if (buffer_pool_take(&made->context->buffers, image_text_room(text), &text->decoded) != 0)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the function's source");
    pool_buffer_prepare(&text->decoded, image_text_room(text));
    text->stored.data = text->decoded.data;
    char *end = mempcpy(text->decoded.data, prelude, prelude_size);
    end = mempcpy(end, rest->text, rest->text_size_bytes);
    memset(end, 0, 2);
    atomic_store_explicit(&text->ready, true, memory_order_release);
    return SNAPCELL_OK;
}

/* A rest without a map must not be found by what the other one says of these lines. */
static int image_keep_map(image *made, const image_rest *rest, snapcell_error *err)
{
    static const char none[] = "{\"version\":3,\"sources\":[],\"mappings\":\"\"}";
    const char *map = rest->source_map != NULL ? rest->source_map : none;
    size_t size = rest->source_map != NULL ? rest->source_map_size_bytes : sizeof(none) - 1;
    if (made->base->source_map.stored.data == NULL) return SNAPCELL_OK;
    made->rest_map = malloc(size + 1);
    if (made->rest_map == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a map");
    memcpy(made->rest_map, map, size);
    made->rest_map_size_bytes = size;
    made->source_map.stored.data = (const uint8_t *)made->rest_map; /* there is one */
    return SNAPCELL_OK;
}

static size_t image_prelude_size(const image *shared)
{
    size_t unit = shared->source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    return shared->info.prelude_length * unit;
}

int image_hash_prelude(image *shared, uint8_t out[IMAGE_HASH_SIZE], snapcell_error *err)
{
    static_assert(IMAGE_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
    const void *text = image_source_data(shared);
    if (text == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the function's source");
    crypto_hash_sha256(out, text, image_prelude_size(shared));
    return SNAPCELL_OK;
}

static int image_fill_with_rest(image *made, const image_rest *rest, snapcell_error *err)
{
    image *base = made->base;
    const void *text = image_source_data(base);
    if (text == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the function's source");
    made->rest_line = image_count_lines(base, text);
    int status = image_join_texts(made, text, image_prelude_size(base), rest, err);
    return status == SNAPCELL_OK ? image_keep_map(made, rest, err) : status;
}

int image_new_with_rest(image *base, const image_rest *rest, image **out, snapcell_error *err)
{
    *out = NULL;
    if (base->info.prelude_length == 0 || base->source_encoding != rest->encoding)
        return error_set(err, SNAPCELL_E_USAGE,
                         "the text is for another prelude: it has none, or another encoding");
    image *made = image_blank(base->context, err);
    if (made == NULL) return SNAPCELL_E_NOMEM;
    made->base = image_retain(base);
    made->info = base->info;
    made->source_encoding = base->source_encoding;
    int status = image_fill_with_rest(made, rest, err);
    if (status == SNAPCELL_OK)
        *out = made;
    else
        image_release(made);
    return status;
}
