#include "bundle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistr.h>
#include <xxhash.h>

#include "bundle_source_map.h"
#include "cleanup.h"
#include "error_set.h"

#define MIB (UINT64_C(1) << 20)

/* Bytes of a file, while they are read. */
typedef struct byte_buffer {
    char *data;
    size_t size_bytes;
} byte_buffer;

static void byte_buffer_release(byte_buffer *buffer)
{
    free(buffer->data);
}

void bundle_release(bundle_file *bundle)
{
    free(bundle->path);
    free(bundle->text);
    free(bundle->source_map);
    memset(bundle, 0, sizeof(*bundle));
}

/* --- Reading files --- */

static int file_open(const char *path, int *fd, size_t *size_hint, snapcell_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open %s", path);
    struct stat status;
    if (fstat(*fd, &status) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot look at %s", path);
    if (S_ISDIR(status.st_mode))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s is a directory; expected a file with a JavaScript bundle", path);
    *size_hint = S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 0;
    return SNAPCELL_OK;
}

static int file_too_large(const char *path, uint64_t size_max, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_TOO_LARGE, "%s is larger than %" PRIu64 " MiB", path,
                     size_max / MIB);
}

static bool buffer_reserve(byte_buffer *buffer, size_t *capacity)
{
    if (buffer->size_bytes + 1 < *capacity) return true;
    char *grown = realloc(buffer->data, *capacity * 2);
    if (grown == NULL) return false;
    buffer->data = grown;
    *capacity *= 2;
    return true;
}

/* Reads to the end, so that pipes work; the size that the file system tells is only a hint. */
static int file_read(const char *path, uint64_t size_max, byte_buffer *out, snapcell_error *err)
{
    cleanup_close int fd = -1;
    size_t hint = 0;
    int status = file_open(path, &fd, &hint, err);
    if (status != SNAPCELL_OK) return status;
    if (hint > size_max) return file_too_large(path, size_max, err);

    size_t capacity = hint + 4096;
    out->data = malloc(capacity);
    if (out->data == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to read %s", path);
    for (;;) {
        if (!buffer_reserve(out, &capacity))
            return error_set(err, SNAPCELL_E_NOMEM, "no memory to read %s", path);
        ssize_t count = read(fd, out->data + out->size_bytes, capacity - out->size_bytes - 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
        if (count == 0) break;
        out->size_bytes += (size_t)count;
        if (out->size_bytes > size_max) return file_too_large(path, size_max, err);
    }
    out->data[out->size_bytes] = '\0';
    return SNAPCELL_OK;
}

/* --- Text --- */

static int text_check(const char *path, const char *source, size_t size_bytes, snapcell_error *err)
{
    if (size_bytes == 0)
        return error_set(err, SNAPCELL_E_USAGE, "%s is empty; expected a JavaScript bundle", path);
    const char *nul = memchr(source, 0, size_bytes);
    if (nul != NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s is not JavaScript text: there is a zero byte at offset %zu", path,
                         (size_t)(nul - source));
    const uint8_t *bad = u8_check((const uint8_t *)source, size_bytes);
    if (bad != NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s is not JavaScript text in UTF-8: bad byte 0x%02x at offset %zu", path,
                         *bad, (size_t)((const char *)bad - source));
    return SNAPCELL_OK;
}

/* All characters are below U+0100 when no byte begins a longer one: 0xC3 is the last that does. */
static bool text_is_latin1(const uint8_t *source, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (source[i] >= 0xc4) return false;
    return true;
}

static size_t text_to_latin1(const uint8_t *source, size_t size_bytes, uint8_t *out)
{
    size_t size = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        if (source[i] < 0x80) {
            out[size++] = source[i];
        } else {
            out[size++] = (uint8_t)((source[i] & 0x03) << 6 | (source[i + 1] & 0x3f));
            i++;
        }
    }
    return size;
}

/* `source` is valid UTF-8, so that a character's second byte is always there. */
static int text_convert(bundle_file *bundle, const uint8_t *source, size_t size_bytes,
                        snapcell_error *err)
{
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "u8_to_u16 gives the host's order");
    if (text_is_latin1(source, size_bytes)) {
        bundle->encoding = ARTIFACT_TEXT_LATIN1;
        uint8_t *text = malloc(size_bytes + 1);
        bundle->text = text;
        if (text != NULL) bundle->text_size_bytes = text_to_latin1(source, size_bytes, text);
    } else {
        bundle->encoding = ARTIFACT_TEXT_UTF16LE;
        size_t length = 0;
        bundle->text = u8_to_u16(source, size_bytes, NULL, &length);
        bundle->text_size_bytes = length * 2;
    }
    if (bundle->text != NULL) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOMEM, "no memory for the text of %s", bundle->path);
}

/* --- The bundle --- */

static int bundle_check_name(const bundle_file *bundle, snapcell_error *err)
{
    const char *name = bundle->file_name;
    size_t size = strlen(name);
    if (size == 0 || size > SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX)
        return error_set(err, SNAPCELL_E_USAGE,
                         "the bundle's file name has %zu bytes; 1 to %d can be kept", size,
                         SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX);
    if (u8_check((const uint8_t *)name, size) != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "the bundle's file name is not UTF-8: rename it");
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(err, SNAPCELL_E_USAGE,
                             "the bundle's file name holds control characters: rename it");
    return SNAPCELL_OK;
}

static int bundle_set_path(bundle_file *bundle, const char *path, snapcell_error *err)
{
    bundle->path = strdup(path);
    if (bundle->path == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a file name");
    const char *slash = strrchr(bundle->path, '/');
    bundle->file_name = slash == NULL ? bundle->path : slash + 1;
    return bundle_check_name(bundle, err);
}

/* Takes `map` over where it is a source map; else says why there will be none. */
static void bundle_take_map(bundle_file *bundle, char **map, size_t size_bytes, const char *where)
{
    if (*map != NULL) bundle_map_strip(*map, &size_bytes);
    if (*map != NULL && bundle_map_is_json(*map, size_bytes)) {
        bundle->source_map = steal_pointer(map);
        bundle->source_map_size_bytes = size_bytes;
        return;
    }
    snprintf(bundle->warning, sizeof(bundle->warning),
             "the source map %.100s is not used: it is not a JSON object", where);
}

static int bundle_set_map(bundle_file *bundle, const void *map, size_t size_bytes,
                          snapcell_error *err)
{
    if (size_bytes > BUNDLE_SOURCE_MAP_SIZE_MAX)
        return file_too_large("the source map", BUNDLE_SOURCE_MAP_SIZE_MAX, err);
    cleanup_free char *copy = malloc(size_bytes + 1);
    if (copy == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a source map");
    memcpy(copy, map, size_bytes);
    copy[size_bytes] = '\0';
    bundle_take_map(bundle, &copy, size_bytes, "given with the bundle");
    return SNAPCELL_OK;
}

static int bundle_set_inline_map(bundle_file *bundle, const char *url, size_t url_size_bytes,
                                 snapcell_error *err)
{
    cleanup_free char *map = NULL;
    size_t map_size = 0;
    int status = bundle_map_decode(url, url_size_bytes, &map, &map_size, err);
    if (status == SNAPCELL_OK) bundle_take_map(bundle, &map, map_size, "in the bundle");
    return status;
}

/* `source` is changed: an inline source map is cut out. Sets what the file's bytes alone decide. */
static int bundle_set_source(bundle_file *bundle, char *source, size_t size_bytes,
                             bool keep_inline_map, bundle_map_comment *comment, snapcell_error *err)
{
    int status = text_check(bundle->path, source, size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(source, size_bytes));
    memcpy(bundle->hash, canonical.digest, sizeof(bundle->hash));
    bundle->size_bytes = size_bytes;

    *comment = bundle_map_comment_find(source, size_bytes);
    const char *url = source + comment->url_start;
    if (comment->url_size_bytes > 0 && bundle_map_is_inline(url, comment->url_size_bytes)) {
        if (keep_inline_map)
            status = bundle_set_inline_map(bundle, url, comment->url_size_bytes, err);
        if (status != SNAPCELL_OK) return status;
        memmove(source + comment->start, source + comment->end, size_bytes - comment->end);
        size_bytes -= comment->end - comment->start;
    }
    static const char mark[] = "\xef\xbb\xbf";
    size_t skip = size_bytes >= 3 && memcmp(source, mark, 3) == 0 ? 3 : 0;
    return text_convert(bundle, (const uint8_t *)source + skip, size_bytes - skip, err);
}

/* --- A map next to the bundle --- */

/* The file next to the bundle that `url` names. A URL with a slash is not followed: what a bundle
 * says must not reach files elsewhere. NULL when there is none or memory is short. */
static char *map_path_from_url(const bundle_file *bundle, const char *url, size_t url_size_bytes)
{
    if (url_size_bytes == 0 || memchr(url, '/', url_size_bytes) != NULL ||
        memchr(url, ':', url_size_bytes) != NULL)
        return NULL;
    int folder_size = (int)(bundle->file_name - bundle->path);
    char *path;
    if (asprintf(&path, "%.*s%.*s", folder_size, bundle->path, (int)url_size_bytes, url) < 0)
        return NULL;
    return path;
}

static bool file_is_there(const char *path)
{
    struct stat status;
    return path != NULL && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static int bundle_read_map(bundle_file *bundle, const char *url, size_t url_size_bytes,
                           snapcell_error *err)
{
    cleanup_free char *named = map_path_from_url(bundle, url, url_size_bytes);
    cleanup_free char *adjacent = NULL;
    if (asprintf(&adjacent, "%s.map", bundle->path) < 0) {
        adjacent = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a file name");
    }
    const char *path = file_is_there(named) ? named : adjacent;
    if (!file_is_there(path)) return SNAPCELL_OK;

    cleanup(byte_buffer_release) byte_buffer map = {0};
    snapcell_error why;
    if (file_read(path, BUNDLE_SOURCE_MAP_SIZE_MAX, &map, &why) != SNAPCELL_OK) {
        snprintf(bundle->warning, sizeof(bundle->warning), "the source map is not used: %.180s",
                 why.message);
        return SNAPCELL_OK;
    }
    bundle_take_map(bundle, &map.data, map.size_bytes, path);
    return SNAPCELL_OK;
}

/* --- Where bundles come from --- */

static int bundle_read_parts(const char *path, bundle_file *bundle, snapcell_error *err)
{
    int status = bundle_set_path(bundle, path, err);
    if (status != SNAPCELL_OK) return status;
    cleanup(byte_buffer_release) byte_buffer source = {0};
    status = file_read(path, BUNDLE_SIZE_MAX, &source, err);
    if (status != SNAPCELL_OK) return status;
    bundle_map_comment comment;
    status = bundle_set_source(bundle, source.data, source.size_bytes, true, &comment, err);
    if (status != SNAPCELL_OK || bundle->source_map != NULL || bundle->warning[0] != '\0')
        return status;
    return bundle_read_map(bundle, source.data + comment.url_start, comment.url_size_bytes, err);
}

int bundle_read(const char *path, bundle_file *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    int status = bundle_read_parts(path, out, err);
    if (status != SNAPCELL_OK) bundle_release(out);
    return status;
}

int bundle_from_memory(const char *path, const void *source, size_t source_size_bytes,
                       const void *source_map, size_t source_map_size_bytes, bundle_file *out,
                       snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    if (source_size_bytes > BUNDLE_SIZE_MAX) return file_too_large(path, BUNDLE_SIZE_MAX, err);
    cleanup_free char *copy = malloc(source_size_bytes + 1);
    if (copy == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %s", path);
    if (source_size_bytes > 0) memcpy(copy, source, source_size_bytes);
    copy[source_size_bytes] = '\0';

    int status = bundle_set_path(out, path, err);
    bundle_map_comment comment;
    if (status == SNAPCELL_OK)
        status = bundle_set_source(out, copy, source_size_bytes, source_map == NULL, &comment, err);
    if (status == SNAPCELL_OK && source_map != NULL)
        status = bundle_set_map(out, source_map, source_map_size_bytes, err);
    if (status != SNAPCELL_OK) bundle_release(out);
    return status;
}

static int section_copy(const artifact_section *section, void **out, size_t *out_size_bytes,
                        snapcell_error *err)
{
    uint8_t *data = malloc(section->decoded_size_bytes + 1);
    if (data == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a section of %" PRIu64 " bytes",
                         section->decoded_size_bytes);
    int status = artifact_section_decode(section, data, err);
    if (status != SNAPCELL_OK) {
        free(data);
        return status;
    }
    data[section->decoded_size_bytes] = '\0';
    *out = data;
    *out_size_bytes = section->decoded_size_bytes;
    return SNAPCELL_OK;
}

int bundle_from_artifact(const artifact_view *view, uint64_t size_bytes, bundle_file *out,
                         snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    int status = bundle_set_path(out, view->info.file_name, err);
    if (status == SNAPCELL_OK)
        status = section_copy(&view->source, &out->text, &out->text_size_bytes, err);
    if (status == SNAPCELL_OK && view->source_map.data != NULL) {
        void *map = NULL;
        status = section_copy(&view->source_map, &map, &out->source_map_size_bytes, err);
        out->source_map = map;
    }
    if (status != SNAPCELL_OK) {
        bundle_release(out);
        return status;
    }
    out->encoding = view->source_encoding;
    out->size_bytes = size_bytes;
    memcpy(out->hash, view->info.bundle_hash, sizeof(out->hash));
    return SNAPCELL_OK;
}
