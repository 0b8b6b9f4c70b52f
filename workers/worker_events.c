/* A call as its host sees it: what the worker says of it becomes events, in order and within
 * bounds. */
#include <string.h>

#include "worker_state.h"

/* Credit is sent for so much at once. */
#define CREDIT_SIZE_MIN (CELL_WINDOW_SIZE / 4)

/* --- What nobody took yet --- */

static size_t download_queued(const worker_download *download)
{
    return download->queue.size_bytes - download->queue_start;
}

/* What a function answered is not to be found in memory that others get. */
static void download_drop_queue(worker_download *download)
{
    if (download->queue.size_bytes > 0)
        explicit_bzero(download->queue.data, download->queue.size_bytes);
    wire_writer_release(&download->queue);
    download->queue_start = 0;
}

void worker_drop_queue(snapcell_worker *worker)
{
    download_drop_queue(&worker->exchange.download);
}

/* What was taken is not kept: a queue that is never empty would grow as long as the body does. */
static void download_keep(worker_download *download, const uint8_t *data, size_t size_bytes)
{
    wire_writer *queue = &download->queue;
    if (download->queue_start >= CELL_WINDOW_SIZE) {
        size_t left = download_queued(download);
        memmove(queue->data, queue->data + download->queue_start, left);
        explicit_bzero(queue->data + left, queue->size_bytes - left);
        queue->size_bytes = left;
        download->queue_start = 0;
    }
    wire_put_raw(queue, data, size_bytes);
}

/* Returns how many bytes were taken. */
static size_t exchange_offer(worker_exchange *exchange, const uint8_t *data, size_t size_bytes)
{
    const worker_download *download = &exchange->download;
    if (download->abandoned || exchange->events.body == NULL) return size_bytes;
    size_t taken = exchange->events.body(exchange->events.user, data, size_bytes);
    return taken < size_bytes ? taken : size_bytes;
}

static void download_offer_queue(worker_exchange *exchange)
{
    worker_download *download = &exchange->download;
    size_t size = download_queued(download);
    if (size == 0) return;
    size_t taken = exchange_offer(exchange, download->queue.data + download->queue_start, size);
    download->queue_start += taken;
    download->taken_bytes += taken;
    if (taken == size) download_drop_queue(download);
}

/* --- What comes --- */

static child_outcome exchange_take_head(worker_exchange *exchange, const uint8_t *body,
                                        size_t size_bytes)
{
    worker_download *download = &exchange->download;
    cell_head head;
    bool no_memory;
    if (exchange->kind != CELL_CALL_FETCH || download->has_head) return CHILD_NONSENSE;
    if (!cell_head_read(body, size_bytes, &head, &no_memory))
        return no_memory ? CHILD_NO_MEMORY : CHILD_NONSENSE;
    download->has_head = true;
    if (exchange->events.head != NULL && !download->abandoned)
        exchange->events.head(exchange->events.user, head.status, head.headers, head.header_count);
    cell_head_release(&head);
    return CHILD_OK;
}

static bool download_is_open(const worker_exchange *exchange)
{
    const worker_download *download = &exchange->download;
    return (download->has_head || exchange->kind != CELL_CALL_FETCH) && !download->has_ended;
}

static child_outcome exchange_take_data(worker_exchange *exchange, const uint8_t *data,
                                        size_t size_bytes)
{
    worker_download *download = &exchange->download;
    if (!download_is_open(exchange) || size_bytes > CELL_WINDOW_SIZE - download->unpaid_bytes)
        return CHILD_NONSENSE;
    download->unpaid_bytes += size_bytes;
    size_t taken = 0;
    if (download_queued(download) == 0) taken = exchange_offer(exchange, data, size_bytes);
    download->taken_bytes += taken;
    download_keep(download, data + taken, size_bytes - taken);
    return download->queue.failed ? CHILD_NO_MEMORY : CHILD_OK;
}

static child_outcome exchange_take_end(worker_exchange *exchange, size_t size_bytes)
{
    if (!download_is_open(exchange) || size_bytes != 0) return CHILD_NONSENSE;
    exchange->download.has_ended = true;
    return CHILD_OK;
}

static child_outcome exchange_take_settled(snapcell_worker *worker, size_t size_bytes)
{
    const worker_download *download = &worker->exchange.download;
    if (!(download->has_ended || download->abandoned) || size_bytes != 0) return CHILD_NONSENSE;
    worker_exchange_over(worker, NULL);
    return CHILD_OK;
}

static child_outcome exchange_take_error(snapcell_worker *worker, const uint8_t *body,
                                         size_t size_bytes)
{
    snapcell_error error;
    if (!wire_error_read(body, size_bytes, &error)) return CHILD_NONSENSE;
    worker_exchange_over(worker, &error);
    return CHILD_OK;
}

static child_outcome exchange_take_pull(worker_exchange *exchange, const uint8_t *body,
                                        size_t size_bytes)
{
    worker_upload *upload = &exchange->upload;
    uint32_t amount;
    if (!cell_credit_read(body, size_bytes, &amount) ||
        amount > CELL_WINDOW_SIZE - upload->room_bytes)
        return CHILD_NONSENSE;
    upload->room_bytes += amount;
    if (!upload->wants_room || !upload->is_open) return CHILD_OK;
    upload->wants_room = false;
    if (exchange->events.room != NULL) exchange->events.room(exchange->events.user);
    return CHILD_OK;
}

child_outcome worker_take_log(snapcell_worker *worker, const void *body, size_t size_bytes)
{
    const snapcell_workers_options *options = &worker->workers->options;
    const snapcell_worker_events *events = &worker->exchange.events;
    wire_log log;
    if (!worker->logs || !wire_log_read(body, size_bytes, &log)) return CHILD_NONSENSE;
    if (worker->exchange.is_active && events->log != NULL)
        events->log(events->user, log.level, log.text, log.text_size_bytes);
    else if (options->log != NULL)
        options->log(options->log_user, log.level, worker->title, log.text, log.text_size_bytes);
    return CHILD_OK;
}

/* What a worker restored since it said so the last time. */
static child_outcome exchange_take_restored(snapcell_worker *worker, const uint8_t *body,
                                            size_t size_bytes)
{
    worker_counters *counters = &worker->workers->counters;
    cell_restored restored;
    if (worker->policy != CELL_POLICY_RESTORE || !cell_restored_read(body, size_bytes, &restored))
        return CHILD_NONSENSE;
    worker_count(&counters->restores, restored.restores);
    worker_count(&counters->restored_pages, restored.pages);
    worker_count(&counters->restore_ns, restored.ns);
    worker_count(&counters->cuts, restored.cuts);
    return CHILD_OK;
}

child_outcome worker_take_exchange(snapcell_worker *worker, const worker_message *message)
{
    worker_exchange *exchange = &worker->exchange;
    const uint8_t *body = message->body;
    size_t size_bytes = message->body_size_bytes;
    uint64_t call;
    if (!exchange->is_active || exchange->is_over) return CHILD_NONSENSE;
    if (message->type == CELL_MESSAGE_RESTORED)
        return exchange_take_restored(worker, body, size_bytes);
    if (!cell_number_read(&body, &size_bytes, &call) || call != worker->call_number)
        return CHILD_NONSENSE;
    switch (message->type) {
    case CELL_MESSAGE_HEAD:
        return exchange_take_head(exchange, body, size_bytes);
    case CELL_MESSAGE_DATA:
        return exchange_take_data(exchange, body, size_bytes);
    case CELL_MESSAGE_END:
        return exchange_take_end(exchange, size_bytes);
    case CELL_MESSAGE_SETTLED:
        return exchange_take_settled(worker, size_bytes);
    case CELL_MESSAGE_ERROR:
        return exchange_take_error(worker, body, size_bytes);
    case CELL_MESSAGE_PULL:
        return exchange_take_pull(exchange, body, size_bytes);
    case CELL_MESSAGE_HOST_CALL:
        return worker_take_host_call(worker, call, body, size_bytes);
    case CELL_MESSAGE_NET:
        return worker_net_start(worker);
    case CELL_MESSAGE_LOG:
        return worker_take_log(worker, body, size_bytes);
    default:
        return CHILD_NONSENSE;
    }
}

/* --- What goes out as events --- */

void worker_exchange_over(snapcell_worker *worker, const snapcell_error *error)
{
    worker_exchange *exchange = &worker->exchange;
    if (!exchange->is_active || exchange->is_over) return;
    exchange->is_over = true;
    exchange->status = error != NULL ? error->code : SNAPCELL_OK;
    if (error != NULL) worker->error = *error;
    if (worker->stage == WORKER_STAGE_SERVING) worker->deadline_ns = UINT64_MAX;
    pthread_mutex_lock(&worker->lock);
    worker->calling = false;
    pthread_mutex_unlock(&worker->lock);
}

static void exchange_finish(snapcell_worker *worker)
{
    worker_exchange *exchange = &worker->exchange;
    download_drop_queue(&exchange->download);
    exchange->is_active = false;
    worker_link_rest(&worker->link);
    if (exchange->status == SNAPCELL_E_CANCELLED)
        worker_count(&worker->workers->counters.cancelled, 1);
    const snapcell_error *error = exchange->status != SNAPCELL_OK ? &worker->error : NULL;
    if (exchange->events.done != NULL)
        exchange->events.done(exchange->events.user, exchange->status, error);
}

void worker_release_exchange(snapcell_worker *worker)
{
    download_drop_queue(&worker->exchange.download);
    worker->exchange.is_active = false;
}

/* A response that broke off is not waited for until somebody took what there is of it. */
void worker_deliver(snapcell_worker *worker)
{
    worker_exchange *exchange = &worker->exchange;
    worker_download *download = &exchange->download;
    if (!exchange->is_active) return;
    if (!exchange->is_over || download->has_ended) download_offer_queue(exchange);
    if (download->has_ended && !download->end_told && download_queued(download) == 0) {
        download->end_told = true;
        if (exchange->events.end != NULL && !download->abandoned)
            exchange->events.end(exchange->events.user);
    }
    if (exchange->is_over && download->has_ended == download->end_told) exchange_finish(worker);
}

void worker_pay(snapcell_worker *worker)
{
    worker_exchange *exchange = &worker->exchange;
    worker_download *download = &exchange->download;
    if (!exchange->is_active || exchange->is_over || download->has_ended) return;
    if (download->taken_bytes < CREDIT_SIZE_MIN || worker_link_is_sending(&worker->link)) return;
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_CREDIT);
    cell_number_write(out, worker->call_number);
    cell_credit_write(out, (uint32_t)download->taken_bytes);
    if (!worker_link_commit(&worker->link)) return; /* tried again */
    download->unpaid_bytes -= download->taken_bytes;
    download->taken_bytes = 0;
}
