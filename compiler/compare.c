/* How two artifacts differ, in the terms of what decides an artifact. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact_signature.h"
#include "blob_map.h"
#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "snapcell/compiler.h"

/* Two artifacts, and what was found so far. */
typedef struct compare_task {
    artifact_view views[2];
    snapcell_difference *out;
    size_t count;
} compare_task;

/* A section of both, decoded. */
typedef struct compare_bytes {
    uint8_t *data[2]; /* Owned */
    size_t size_bytes[2];
} compare_bytes;

static void bytes_release(compare_bytes *bytes)
{
    free(bytes->data[0]);
    free(bytes->data[1]);
}

static snapcell_difference *task_add(compare_task *task, const char *what)
{
    snapcell_difference *difference = &task->out[task->count++];
    *difference = (snapcell_difference){.what = what};
    return difference;
}

static int bytes_decode(const artifact_section *a, const artifact_section *b, compare_bytes *out,
                        snapcell_error *err)
{
    const artifact_section *sections[] = {a, b};
    size_t prefix_size;
    const void *prefix = engine_base_blob(&prefix_size);
    for (size_t i = 0; i < 2; i++) {
        if (sections[i]->data == NULL) continue;
        out->size_bytes[i] = (size_t)sections[i]->decoded_size_bytes;
        out->data[i] = malloc(out->size_bytes[i] + 1);
        if (out->data[i] == NULL)
            return error_set(err, SNAPCELL_E_NOMEM, "no memory to compare %zu bytes",
                             out->size_bytes[i]);
        int status = artifact_section_decode_with_prefix(sections[i], prefix, prefix_size,
                                                         out->data[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

/* Adds what differs in a section; NULL when nothing does. */
static snapcell_difference *task_add_bytes(compare_task *task, const char *what,
                                           const compare_bytes *bytes)
{
    size_t sizes[] = {bytes->size_bytes[0], bytes->size_bytes[1]};
    size_t common = sizes[0] < sizes[1] ? sizes[0] : sizes[1];
    size_t longer = sizes[0] < sizes[1] ? sizes[1] : sizes[0];
    size_t first = common;
    size_t count = longer - common;
    for (size_t i = common; i > 0; i--) {
        if (bytes->data[0][i - 1] == bytes->data[1][i - 1]) continue;
        first = i - 1;
        count++;
    }
    if (count == 0) return NULL;
    snapcell_difference *difference = task_add(task, what);
    difference->offset = first;
    difference->count = count;
    difference->size_bytes[0] = sizes[0];
    difference->size_bytes[1] = sizes[1];
    return difference;
}

/* The line of the source in which the first difference is; both texts agree up to it. */
static void source_detail(const compare_task *task, const compare_bytes *bytes,
                          snapcell_difference *difference)
{
    size_t unit = task->views[0].source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    uint64_t line = 1;
    for (size_t i = 0; i + unit <= difference->offset; i += unit)
        line += bytes->data[0][i] == '\n' && (unit == 1 || bytes->data[0][i + 1] == 0);
    snprintf(difference->detail, sizeof(difference->detail),
             "another source: the first difference is in line %" PRIu64, line);
}

static int compare_source(compare_task *task, snapcell_error *err)
{
    cleanup(bytes_release) compare_bytes bytes = {0};
    int status = bytes_decode(&task->views[0].source, &task->views[1].source, &bytes, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_difference *difference = task_add_bytes(task, "source", &bytes);
    if (difference != NULL) {
        source_detail(task, &bytes, difference);
    } else if (memcmp(task->views[0].info.bundle_hash, task->views[1].info.bundle_hash,
                      sizeof(task->views[0].info.bundle_hash)) != 0) {
        difference = task_add(task, "bundle");
        snprintf(difference->detail, sizeof(difference->detail),
                 "the file differs in what V8 does not see: a byte order mark, or an inline source "
                 "map");
    }
    return SNAPCELL_OK;
}

static int compare_source_map(compare_task *task, snapcell_error *err)
{
    cleanup(bytes_release) compare_bytes bytes = {0};
    int status = bytes_decode(&task->views[0].source_map, &task->views[1].source_map, &bytes, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_difference *difference = task_add_bytes(task, "source map", &bytes);
    if (difference != NULL)
        snprintf(difference->detail, sizeof(difference->detail), "%s",
                 bytes.data[1] == NULL   ? "there is none now"
                 : bytes.data[0] == NULL ? "there was none"
                                         : "another source map");
    return SNAPCELL_OK;
}

static int compare_blob(compare_task *task, snapcell_error *err)
{
    cleanup(bytes_release) compare_bytes bytes = {0};
    int status = bytes_decode(&task->views[0].blob, &task->views[1].blob, &bytes, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_difference *difference = task_add_bytes(task, "blob", &bytes);
    if (difference == NULL) return SNAPCELL_OK;
    /* That counts and checksums in the header differ says nothing. */
    size_t at = difference->offset;
    while (at < BLOB_MAP_CHECKSUMS_END && at + 1 < bytes.size_bytes[0] &&
           at + 1 < bytes.size_bytes[1])
        at++;
    while (at + 1 < bytes.size_bytes[0] && at + 1 < bytes.size_bytes[1] &&
           bytes.data[0][at] == bytes.data[1][at])
        at++;
    const char *part = task->views[0].info.kind == SNAPCELL_ARTIFACT_SNAPSHOT
                           ? blob_map_part(bytes.data[0], bytes.size_bytes[0], at)
                           : "the code cache";
    snprintf(difference->detail, sizeof(difference->detail), "first at byte %zu, in %s", at, part);
    return SNAPCELL_OK;
}

static void compare_manifest(compare_task *task)
{
    const artifact_view *a = &task->views[0];
    const artifact_view *b = &task->views[1];
    compare_bytes bytes = {{(uint8_t *)a->info.manifest, (uint8_t *)b->info.manifest},
                           {a->info.manifest_size_bytes, b->info.manifest_size_bytes}};
    snapcell_difference *difference = task_add_bytes(task, "manifest", &bytes);
    if (difference == NULL) return;
    size_t from = difference->offset < 20 ? 0 : (size_t)difference->offset - 20;
    int size = (int)(bytes.size_bytes[1] - from < 60 ? bytes.size_bytes[1] - from : 60);
    if (from > bytes.size_bytes[1]) size = 0;
    snprintf(difference->detail, sizeof(difference->detail), "now, from a little before: %.*s",
             size, b->info.manifest + from);
}

/* False when the engines differ: then nothing else can be expected to be the same. */
static bool compare_bindings(compare_task *task)
{
    const snapcell_artifact_info *a = &task->views[0].info;
    const snapcell_artifact_info *b = &task->views[1].info;
    char was[SNAPCELL_KEY_HEX_SIZE];
    char is[SNAPCELL_KEY_HEX_SIZE];
    bool engine_same = memcmp(&a->engine, &b->engine, sizeof(a->engine)) == 0;
    if (!engine_same) {
        snapcell_fingerprint_format(&a->engine, was);
        snapcell_fingerprint_format(&b->engine, is);
        snapcell_difference *difference = task_add(task, "engine");
        snprintf(difference->detail, sizeof(difference->detail), "made by engine %s, now by %s",
                 was, is);
    }
    if (memcmp(&a->host, &b->host, sizeof(a->host)) != 0)
        snprintf(task_add(task, "host")->detail, sizeof(task->out->detail),
                 "other host functions than it was built against");
    if (engine_same && a->kind != b->kind)
        snprintf(task_add(task, "kind")->detail, sizeof(task->out->detail),
                 "one is a snapshot, the other a code artifact");
    return engine_same && a->kind == b->kind;
}

int snapcell_artifact_compare(const void *a, size_t a_size_bytes, const void *b,
                              size_t b_size_bytes,
                              snapcell_difference out[SNAPCELL_DIFFERENCE_COUNT_MAX],
                              size_t *out_count, snapcell_error *err)
{
    if (a == NULL || b == NULL || out == NULL || out_count == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "an artifact or an output pointer is NULL");
    *out_count = 0;
    compare_task task = {.out = out};
    int status = artifact_read(a, a_size_bytes, ARTIFACT_CHECK_DIGEST, &task.views[0], err);
    if (status == SNAPCELL_OK)
        status = artifact_read(b, b_size_bytes, ARTIFACT_CHECK_DIGEST, &task.views[1], err);
    if (status != SNAPCELL_OK) return status;
    /* They cover all but themselves and the checksum. */
    uint8_t digests[2][ARTIFACT_DIGEST_SIZE];
    status = artifact_digest_unsigned(&task.views[0], a, a_size_bytes, digests[0], err);
    if (status == SNAPCELL_OK)
        status = artifact_digest_unsigned(&task.views[1], b, b_size_bytes, digests[1], err);
    if (status != SNAPCELL_OK || memcmp(digests[0], digests[1], sizeof(digests[0])) == 0)
        return status;
    bool comparable = compare_bindings(&task);
    status = compare_source(&task, err);
    if (status == SNAPCELL_OK) status = compare_source_map(&task, err);
    if (status == SNAPCELL_OK && comparable) status = compare_blob(&task, err);
    if (status == SNAPCELL_OK && comparable) compare_manifest(&task);
    if (task.count == 0)
        snprintf(task_add(&task, "encoding")->detail, sizeof(out->detail),
                 "the same contents, compressed or laid out in another way");
    *out_count = status == SNAPCELL_OK ? task.count : 0;
    return status;
}
