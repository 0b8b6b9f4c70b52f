/* A worker whose process has evaluated a prelude, and goes on with what a function has become. */
#include <string.h>

#include "error_set.h"
#include "monotonic.h"
#include "public_struct.h"
#include "worker_state.h"

#define REF_SLACK_BYTES ((size_t)128) /* the key, and both sizes */

static int go_on_check_waits(const snapcell_worker *worker, snapcell_error *err)
{
    if (worker->stage == WORKER_STAGE_WAITING) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "%s: the worker does not wait for an artifact",
                     worker->title);
}

static int go_on_check(const snapcell_worker *worker, const char *ref, size_t size_bytes,
                       snapcell_error *err)
{
    int status = go_on_check_waits(worker, err);
    if (status != SNAPCELL_OK) return status;
    if (ref == NULL || strlen(ref) != SNAPCELL_KEY_HEX_SIZE - 1 ||
        strlen(worker->ref) != strlen(ref))
        return error_set(err, SNAPCELL_E_USAGE, "%s: a worker goes on from key to key",
                         worker->title);
    if (size_bytes > CELL_GO_ON_SIZE_MAX - REF_SLACK_BYTES)
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "%s: an artifact of %zu bytes is to be loaded from the store",
                         worker->title, size_bytes);
    return SNAPCELL_OK;
}

static bool go_on_send(snapcell_worker *worker, const cell_go_on_order *order)
{
    cell_go_on_write(worker_link_begin(&worker->link, CELL_MESSAGE_GO_ON), order);
    return worker_link_commit(&worker->link);
}

static void go_on_begin(snapcell_worker *worker)
{
    worker->prelude_only = false;
    worker->stage = WORKER_STAGE_LOADING;
    worker->deadline_ns = monotonic_now_ns() + worker->workers->options.start_limit_ms * NS_PER_MS;
    worker_push(worker);
}

int snapcell_worker_go_on(snapcell_worker *worker, const char *ref, const void *bytes,
                          size_t size_bytes, snapcell_error *err)
{
    int status = go_on_check(worker, ref, size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    if (!go_on_send(worker, &(cell_go_on_order){ref, bytes, size_bytes}))
        return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for an artifact", worker->title);
    memcpy(worker->ref, ref, strlen(ref));
    cell_load_set_whole(&worker->load, ref);
    worker->is_going_on = true;
    go_on_begin(worker);
    return SNAPCELL_OK;
}

static int text_check(const snapcell_worker *worker, const snapcell_worker_text *text,
                      snapcell_error *err)
{
    int status = go_on_check_waits(worker, err);
    if (status != SNAPCELL_OK) return status;
    if (worker->workers->trust != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "%s: a text has no signature to be trusted",
                         worker->title);
    if (text->text == NULL || text->prelude_sha256 == NULL ||
        (text->is_utf16 && text->text_size_bytes % 2 != 0))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: there is no text, half of a code unit, or no prelude", worker->title);
    if (text->text_size_bytes > CELL_GO_ON_SIZE_MAX / 2 - REF_SLACK_BYTES ||
        text->source_map_size_bytes > CELL_GO_ON_SIZE_MAX / 2)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "%s: a text of %zu bytes, its map of %zu",
                         worker->title, text->text_size_bytes, text->source_map_size_bytes);
    return SNAPCELL_OK;
}

int snapcell_worker_go_on_with_text(snapcell_worker *worker, const snapcell_worker_text *text,
                                    snapcell_error *err)
{
    snapcell_worker_text given;
    int status = public_struct_read(&given, sizeof(given), text, "snapcell_worker_text", err);
    if (status == SNAPCELL_OK) status = text_check(worker, &given, err);
    if (status != SNAPCELL_OK) return status;
    const cell_text_order order = {
        .prelude_sha256 = given.prelude_sha256,
        .is_utf16 = given.is_utf16,
        .text = given.text,
        .text_size_bytes = given.text_size_bytes,
        .source_map = given.source_map,
        .source_map_size_bytes = given.source_map == NULL ? 0 : given.source_map_size_bytes,
    };
    cell_text_order_write(worker_link_begin(&worker->link, CELL_MESSAGE_GO_ON_TEXT), &order);
    if (!worker_link_commit(&worker->link))
        return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a text", worker->title);
    go_on_begin(worker);
    return SNAPCELL_OK;
}

bool snapcell_worker_has_prelude(const snapcell_worker *worker)
{
    return worker->has_prelude;
}

void worker_start_over(snapcell_worker *worker)
{
    snapcell_error error;
    worker->is_going_on = false;
    worker_stop(worker);
    if (worker_begin_start(worker, &error) != SNAPCELL_OK) worker_end(worker, &error);
}
