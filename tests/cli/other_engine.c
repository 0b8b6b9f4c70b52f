/* Makes an artifact one for another engine: other_engine DIGIT IN OUT. For tests only. */
#include <stdio.h>
#include <string.h>

#include "artifact_writer.h"
#include "cleanup.h"

#define OTHER_SIZE_MAX ((size_t)64 << 20)

static int other_fail(const char *what)
{
    fprintf(stderr, "other_engine: %s\n", what);
    return 1;
}

/* A section's text, decoded; `*out` is Owned: free(). */
static int other_decode(const artifact_section *section, artifact_part *part, void **out)
{
    *part = (artifact_part){0};
    if (!section->data) return 0;
    *out = malloc((size_t)section->decoded_size_bytes + 1);
    if (!*out || artifact_section_decode(section, *out, NULL) != SNAPCELL_OK) return -1;
    *part = (artifact_part){.data = *out, .size_bytes = (size_t)section->decoded_size_bytes};
    return 0;
}

static int other_write(const artifact_view *view, int mark, const char *path)
{
    cleanup_free void *source = NULL;
    cleanup_free void *map = NULL;
    cleanup_free uint8_t *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_error err;
    artifact_spec spec = {
        .kind = view->info.kind,
        .shape = view->info.shape,
        .source_format = view->info.source_format,
        .name = view->info.name,
        .file_name = view->info.file_name,
        .key = view->info.key,
        .engine = view->info.engine,
        .host = view->info.host,
        .source_encoding = view->source_encoding,
        .manifest = {view->manifest.data, (size_t)view->manifest.decoded_size_bytes},
        .codec = ARTIFACT_CODEC_ZSTD,
        .level = 1,
    };
    memcpy(spec.bundle_hash, view->info.bundle_hash, sizeof(spec.bundle_hash));
    spec.key.bytes[0] ^= (uint8_t)mark;
    spec.engine.bytes[0] ^= (uint8_t)mark;
    /* Never run, so that the blob may be anything: it can be decoded by its own engine alone. */
    spec.blob = (artifact_part){view->blob.data, (size_t)view->blob.stored_size_bytes};
    if (other_decode(&view->source, &spec.source, &source) ||
        other_decode(&view->source_map, &spec.source_map, &map))
        return other_fail("a section does not decode");
    if (artifact_write(&spec, &bytes, &size_bytes, &err) != SNAPCELL_OK)
        return other_fail(err.message);
    FILE *file = fopen(path, "wb");
    if (!file) return other_fail("the output cannot be opened");
    size_t wrote = fwrite(bytes, 1, size_bytes, file);
    return fclose(file) == 0 && wrote == size_bytes ? 0 : other_fail("the output is not written");
}

int main(int argc, char **argv)
{
    if (argc != 4) return other_fail("usage: other_engine DIGIT IN OUT");
    cleanup_free void *bytes = malloc(OTHER_SIZE_MAX);
    FILE *file = fopen(argv[2], "rb");
    if (!bytes || !file) return other_fail("the input cannot be opened");
    size_t size_bytes = fread(bytes, 1, OTHER_SIZE_MAX, file);
    fclose(file);
    snapcell_error err;
    artifact_view view;
    if (artifact_read(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, &view, &err) != SNAPCELL_OK)
        return other_fail(err.message);
    return other_write(&view, argv[1][0] & 0x0f, argv[3]);
}
