#include "bench_artifact.h"

#include <stdlib.h>

#include "cleanup.h"
#include "error_set.h"
#include "snapcell/store.h"

static void bench_close_store(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static void bench_artifact_cleanup(bench_artifact **artifact)
{
    bench_artifact_free(*artifact);
}

void bench_artifact_free(bench_artifact *artifact)
{
    if (!artifact) return;
    free(artifact->blob);
    free(artifact->source);
    free(artifact);
}

static const void *bench_artifact_text(void *user)
{
    const bench_artifact *artifact = user;
    return artifact->source;
}

static int bench_artifact_fetch(const char *store_path, const char *ref, void **out, size_t *size,
                                snapcell_error *err)
{
    snapcell_store *store cleanup(bench_close_store) = NULL;
    int status = snapcell_store_open(store_path, SNAPCELL_STORE_READ, &store, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_fingerprint engine = engine_fingerprint();
    snapcell_key key;
    status = snapcell_store_resolve(store, ref, &engine, &key, err);
    if (status != SNAPCELL_OK) return status;
    return snapcell_store_get(store, &key, out, size, err);
}

static int bench_section(const artifact_section *section, void **out, snapcell_error *err)
{
    /* As the loader aligns it. */
    size_t room = ((size_t)section->decoded_size_bytes + 64) / 64 * 64;
    *out = aligned_alloc(64, room);
    if (!*out) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %zu bytes", room);
    return artifact_section_decode(section, *out, err);
}

int bench_artifact_open(const char *store_path, const char *ref, bench_artifact **out,
                        snapcell_error *err)
{
    void *bytes cleanup_free = NULL;
    size_t size;
    int status = bench_artifact_fetch(store_path, ref, &bytes, &size, err);
    if (status != SNAPCELL_OK) return status;
    artifact_view view;
    status = artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, err);
    if (status != SNAPCELL_OK) return status;

    bench_artifact *made cleanup(bench_artifact_cleanup) = calloc(1, sizeof(*made));
    if (!made) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an artifact");
    made->info = view.info;
    made->info.manifest = NULL;
    status = bench_section(&view.blob, &made->blob, err);
    if (status == SNAPCELL_OK) status = bench_section(&view.source, &made->source, err);
    if (status != SNAPCELL_OK) return status;
    size_t unit = view.source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    made->bundle.file_name = made->info.file_name;
    made->bundle.source = (engine_text){
        .encoding = view.source_encoding,
        .length = (size_t)view.source.decoded_size_bytes / unit,
        .data = bench_artifact_text,
        .user = made,
    };
    *out = steal_pointer(&made);
    return SNAPCELL_OK;
}
