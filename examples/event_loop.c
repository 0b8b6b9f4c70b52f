/* A host with one thread and several workers: event_loop FUNCTION URL...
 *
 * Each URL is passed to the next worker that is ready, and each response is printed as it comes. No
 * call here waits but epoll_wait(). */
#include <snapcell/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define WORKERS 2

struct seat {
    snapcell_worker *worker;
    const char *url; /* of the call that runs */
    int is_over;     /* nothing more is to be done with it */
};

struct host {
    struct seat seats[WORKERS];
    int loop_fd;
    char **next_url; /* NULL after the last */
    int working;     /* seats that may still do something */
    int failures;
};

static void on_head(void *user, int status, const snapcell_header *headers, size_t header_count)
{
    const struct seat *at = user;
    (void)headers;
    printf("%s: %d, %zu headers\n", at->url, status, header_count);
}

/* A server would take only as much as its client does; the function waits meanwhile. */
static size_t on_body(void *user, const void *data, size_t size_bytes)
{
    (void)user;
    return fwrite(data, 1, size_bytes, stdout);
}

static void on_done(void *user, int status, const snapcell_error *error)
{
    const struct seat *at = user;
    if (status != SNAPCELL_OK) fprintf(stderr, "%s: %s\n", at->url, error->message);
    putchar('\n');
}

static void seat_end(struct host *host, struct seat *seat)
{
    seat->is_over = 1;
    host->working--;
}

/* Returns whether there was something to call for. */
static int seat_call_next(struct host *host, struct seat *seat)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
    snapcell_worker_events events = SNAPCELL_WORKER_EVENTS_INIT;
    snapcell_error err;
    if (*host->next_url == NULL) return 0;
    seat->url = *host->next_url++;
    request.url = seat->url;
    task.request = &request;
    events.user = seat;
    events.head = on_head;
    events.body = on_body;
    events.done = on_done;
    if (snapcell_worker_call_start(seat->worker, &task, &events, &err) == SNAPCELL_OK) return 1;
    fprintf(stderr, "%s: %s\n", seat->url, err.message);
    host->failures++;
    return 0;
}

static void seat_advance(struct host *host, struct seat *seat)
{
    snapcell_error err;
    if (seat->is_over) return;
    switch (snapcell_worker_advance(seat->worker, &err)) {
    case SNAPCELL_WORKER_STARTING:
    case SNAPCELL_WORKER_CALLING:
        return;
    case SNAPCELL_WORKER_READY:
        if (!seat_call_next(host, seat)) seat_end(host, seat);
        return;
    case SNAPCELL_WORKER_ENDED:
        fprintf(stderr, "%s\n", err.message);
        host->failures++;
        seat_end(host, seat);
    }
}

/* The soonest of what the workers have to be looked at for. */
static int host_timeout_ms(const struct host *host)
{
    int soonest_ms = -1;
    for (int i = 0; i < WORKERS; i++) {
        int timeout_ms = snapcell_worker_timeout_ms(host->seats[i].worker);
        if (timeout_ms >= 0 && (soonest_ms < 0 || timeout_ms < soonest_ms)) soonest_ms = timeout_ms;
    }
    return soonest_ms;
}

static void host_run(struct host *host)
{
    while (host->working > 0) {
        struct epoll_event came[WORKERS];
        int count = epoll_wait(host->loop_fd, came, WORKERS, host_timeout_ms(host));
        for (int i = 0; i < count; i++)
            seat_advance(host, came[i].data.ptr);
        for (int i = 0; count == 0 && i < WORKERS; i++) /* a limit is over */
            seat_advance(host, &host->seats[i]);
    }
}

static int seat_start(struct host *host, struct seat *seat, snapcell_workers *workers,
                      const char *function)
{
    snapcell_cell_options cell = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = seat};
    snapcell_error err;
    cell.wall_limit_ms = 10000;
    options.cell = &cell;
    if (snapcell_worker_start(workers, function, &options, &seat->worker, &err) != SNAPCELL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    host->working++;
    return epoll_ctl(host->loop_fd, EPOLL_CTL_ADD, snapcell_worker_fd(seat->worker), &event);
}

int main(int argc, char **argv)
{
    snapcell_workers *workers = NULL;
    struct host host = {.loop_fd = epoll_create1(EPOLL_CLOEXEC), .next_url = argv + 2};
    snapcell_error err;
    if (argc < 3) {
        fprintf(stderr, "usage: %s FUNCTION URL...\n", argv[0]);
        return 2;
    }
    if (snapcell_workers_open(NULL, &workers, &err) != SNAPCELL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int status = 0;
    for (int i = 0; i < WORKERS && status == 0; i++)
        status = seat_start(&host, &host.seats[i], workers, argv[1]);
    if (status == 0) host_run(&host);
    for (int i = 0; i < WORKERS; i++)
        snapcell_worker_free(host.seats[i].worker);
    snapcell_workers_close(workers);
    return status != 0 || host.failures > 0;
}
