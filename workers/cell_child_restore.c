/* Serving calls by restoring the process's memory after each: the cell is loaded once, and each
 * call finds it as it was then.
 *
 * Two stacks: the session, which receives calls, takes and restores checkpoints, has one in outer
 * memory, like all that it knows. Calls run on the process's own stack, below where main() waits,
 * and are among what is restored. A call that must end is left by a jump to the session. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cell_child.h"
#include "cell_child_image.h"
#include "cell_cut.h"
#include "cell_draws.h"
#include "cell_heat.h"
#include "cell_restore.h"
#include "checkpoint.h"
#include "child_side.h"
#include "cleanup.h"
#include "error_set.h"
#include "free_memory.h"
#include "monotonic.h"
#include "page_size.h"
#include "snapcell/worker.h"
#include "warm_requests.h"

#define SESSION_STACK_SIZE ((size_t)256 << 10)
/* More than V8 ever uses of a stack; see engine/thread_stack.cc. */
#define CALL_STACK_SIZE ((size_t)2 << 20)
/* malloc() has this much ahead, so that a call does not move the break. */
#define HEAP_PAD_SIZE (32 << 20)
/* A worker that has no time of its own takes some after so many calls. */
#define HEAT_CALLS_BETWEEN 32
/* On a busy machine a slice takes so many times longer, at most. */
#define HEAT_STARVED_PARTS 5
/* So many are rehearsed to see what they touch. */
#define WATCHED_CALLS_MAX 8
/* Starting is given this much time, however short a call's limits are. */
#define START_LIMIT_MS_MIN 1000

/* Lives in outer memory. */
typedef struct restore_session {
    cell_child *child;
    cell_load load;              /* `child` has it */
    process_image_origin origin; /* of one that makes an image */
    unsigned char *stack;
    checkpoint *cp;
    cell_cut cut;
    cell_boxes boxes;
    void *call_stack;
    uint64_t call_number;
    cell_inbox_message call;
    warm_requests warm; /* what it points to is restored */
    bool streams;       /* how they were answered the last time */
    cell_heat heat;
    bool is_settled; /* no page of the program is mapped that only heat needed */
    cell_draws draws;
    int status;
    snapcell_error error;
    bool host_is_gone;
    uint8_t scratch[WIRE_ERROR_SIZE_MAX]; /* for messages, when malloc() may be in any state */
} restore_session;

/* --- Pieces that run on the process's own stack --- */

static void session_load_cell(void *user)
{
    restore_session *session = user;
    cell_child *child = session->child;
    snapcell_cell_options options = child->load->options;
    /* Both come with each call. */
    options.env_count = options.json_env_count = 0;
    options.cpu_limit_ms = options.wall_limit_ms = 0;
    session->status = snapcell_cell_load(child->loader, child->load->ref, &options, &child->cell,
                                         &session->error);
}

static void session_prepare_restores(void *user)
{
    restore_session *session = user;
    snapcell_cell *cell = session->child->cell;
    size_t size;
    const char *manifest = loader_sealed_manifest(session->child->loader, &size);
    const uint32_t warm_calls = session->child->load->warm_calls;
    if (warm_calls != SNAPCELL_WARM_CALLS_UNPREPARED) cell_rehearse(cell);
    session->status = cell_prepare_restores(cell, &session->error);
    if (session->status == SNAPCELL_OK && cell_drew(cell))
        session->status =
            error_set(&session->error, SNAPCELL_E_USAGE,
                      "its top level draws random values, which must be others in each instance");
    if (!warm_requests_of_manifest(manifest, size, &session->warm)) session->warm.count = 0;
    session->heat.is_done =
        session->warm.count == 0 || snapcell_cell_info(cell)->shape != SNAPCELL_SHAPE_FETCH ||
        warm_calls == SNAPCELL_WARM_CALLS_NONE || warm_calls == SNAPCELL_WARM_CALLS_UNPREPARED;
    free_memory_hold();
}

/* Whether an env can be made is found out before the first call. */
static void session_try_env(void *user)
{
    restore_session *session = user;
    cell_child *child = session->child;
    session->status = cell_renew(child->cell, &child->load->options, &session->error);
}

static void session_answer(void *user)
{
    restore_session *session = user;
    cell_child *child = session->child;
    cell_call call;
    bool sent = false;
    if (!cell_call_read(session->call.body, session->call.body_size_bytes, &call)) {
        session->host_is_gone = true; /* no host of this build sends that */
        return;
    }
    int status = cell_renew(child->cell, &child->load->options, &session->error);
    if (status == SNAPCELL_OK)
        cell_child_answer(child, &call, &sent);
    else
        sent = cell_child_send_error(child, &session->error);
    if (!sent) session->host_is_gone = true;
}

/* Answers each warm-up request once: nobody gets the answers. The next time the other way, so that
 * V8 optimizes for both that calls come by. */
static void session_rehearse(void *user)
{
    restore_session *session = user;
    cell_child *child = session->child;
    child->is_quiet = true;
    session->streams = !session->streams;
    for (size_t i = 0; i < session->warm.count && session->status == SNAPCELL_OK; i++)
        session->status = cell_child_rehearse(child, &session->warm.requests[i], session->streams);
    child->is_quiet = false;
}

/* After a slice of heat. What only looks as if it were kept would stay in the checkpoint, and the
 * collector may have moved what a restore renews. */
static void session_prepare_again(void *user)
{
    restore_session *session = user;
    snapcell_cell *cell = session->child->cell;
    bool drew = session->draws.form_count > 0;
    if (!cell_clear_leftovers(cell, drew) && drew)
        session->status = error_set(&session->error, SNAPCELL_E_INTERNAL, "garbage is left");
    else
        session->status = cell_prepare_restores(cell, &session->error);
}

/* --- Cuts --- */

static void session_exhausted(void *user)
{
    restore_session *session = user;
    cell_cut_leave(&session->cut, SNAPCELL_E_MEMORY_LIMIT);
}

static int session_describe_cut(restore_session *session)
{
    const cell_load *load = session->child->load;
    snapcell_error *error = &session->error;
    uint64_t memory_limit_bytes = load->options.memory_limit_bytes != 0
                                      ? load->options.memory_limit_bytes
                                      : SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT;
    switch (session->cut.reason) {
    case SNAPCELL_E_CPU_LIMIT:
        return error_set(error, SNAPCELL_E_CPU_LIMIT,
                         "the call used more than its limit of %u ms of CPU time",
                         load->options.cpu_limit_ms);
    case SNAPCELL_E_WALL_LIMIT:
        return error_set(error, SNAPCELL_E_WALL_LIMIT,
                         "the call took longer than its limit of %u ms",
                         load->options.wall_limit_ms);
    case SNAPCELL_E_CANCELLED:
        return error_set(error, SNAPCELL_E_CANCELLED, "the host cancelled the call");
    default:
        return error_set(error, SNAPCELL_E_MEMORY_LIMIT, "the heap grew over its limit of %zu MiB",
                         (size_t)(memory_limit_bytes >> 20));
    }
}

/* False: it was cut. */
static bool session_run_within(restore_session *session, const cell_cut_piece *within)
{
    session->status = SNAPCELL_OK;
    if (cell_cut_run(&session->cut, session->call_stack, within)) return true;
    session->status = session_describe_cut(session);
    return false;
}

/* Runs a piece on the process's own stack, within the limits of a call, or of a call itself, whose
 * number is `call`. False: it was cut. */
static bool session_run(restore_session *session, void (*piece)(void *user), uint64_t call)
{
    const snapcell_cell_options *options = &session->child->load->options;
    return session_run_within(session, &(cell_cut_piece){.run = piece,
                                                         .user = session,
                                                         .call = call,
                                                         .cpu_limit_ms = options->cpu_limit_ms,
                                                         .wall_limit_ms = options->wall_limit_ms});
}

static uint32_t session_start_limit(uint32_t limit_ms)
{
    return limit_ms == 0 || limit_ms > START_LIMIT_MS_MIN ? limit_ms : START_LIMIT_MS_MIN;
}

/* What happens once in a process is no call's time. */
static bool session_run_once(restore_session *session, void (*piece)(void *user))
{
    const snapcell_cell_options *options = &session->child->load->options;
    return session_run_within(
        session, &(cell_cut_piece){.run = piece,
                                   .user = session,
                                   .cpu_limit_ms = session_start_limit(options->cpu_limit_ms),
                                   .wall_limit_ms = session_start_limit(options->wall_limit_ms)});
}

/* --- Restoring --- */

/* What a call left outside of the memory that is restored. */
static void session_wipe(restore_session *session)
{
    cell_inbox_forget(session->child->inbox);
    outer_buffer_wipe(&session->child->outbox->bytes);
    outer_buffer_wipe(session->child->body);
    cell_net_forget(session->child->net);
    cell_cut_wipe(&session->cut);
    if (session->error.code == SNAPCELL_OK) return;
    explicit_bzero(&session->error, sizeof(session->error));
    explicit_bzero(session->scratch, sizeof(session->scratch));
}

static bool session_restore(restore_session *session, bool was_cut)
{
    const checkpoint_counters *counters = checkpoint_count(session->cp);
    uint64_t pages = counters->pages_restored + counters->pages_dropped;
    uint64_t start_ns = monotonic_now_ns();
    session_wipe(session);
    if (checkpoint_restore(session->cp, was_cut, &session->error) != SNAPCELL_OK) return false;
    cell_restored *told = &session->child->outbox->restored;
    told->restores++;
    told->ns += monotonic_now_ns() - start_ns;
    told->pages += counters->pages_restored + counters->pages_dropped - pages;
    told->cuts += was_cut;
    return true;
}

/* --- Messages of the session itself --- */

/* Sends an error from the session itself, without malloc(). */
static bool session_send_error(restore_session *session)
{
    wire_writer writer = {.data = session->scratch, .capacity_bytes = sizeof(session->scratch)};
    wire_error_write(&writer, &session->error);
    return cell_child_send(session->child, CELL_MESSAGE_ERROR, &writer);
}

/* Memory that cannot be restored may hold what a call left behind: nobody else may see it. */
static bool session_end_with_anomaly(void)
{
    raise(CELL_ANOMALY_SIGNAL);
    return false;
}

/* --- Heat --- */

typedef struct session_slice {
    uint32_t rounds;
    uint64_t spent_ns;
    bool call_waits;
} session_slice;

static bool session_call_waits(const restore_session *session)
{
    struct pollfd polled = {.fd = session->child->fd, .events = POLLIN};
    return poll(&polled, 1, 0) != 0;
}

/* Leaves memory as it was: what was tried failed, or was too little to keep. No call was cut. */
static bool session_undo_slice(restore_session *session)
{
    session_wipe(session);
    return checkpoint_restore(session->cp, true, &session->error) == SNAPCELL_OK ||
           session_end_with_anomaly();
}

/* Whether the next checkpoint would keep what crypto gave to a warm-up request. */
static bool session_keeps_draws(restore_session *session)
{
    bool found = false;
    if (session->draws.is_full || cell_drew(session->child->cell)) return true;
    if (session->draws.form_count == 0) return false;
    return cell_draws_find(&session->draws, session->cp, &found, &session->error) != SNAPCELL_OK ||
           found;
}

/* What a slice has taken: of one that holds up calls the time; else the processor's time tells what
 * was done on a busy machine, too, unless the function waits for timers. */
static uint64_t session_slice_spent_ns(uint64_t start_ns, uint64_t start_cpu_ns, bool is_idle)
{
    uint64_t spent_ns = monotonic_now_ns() - start_ns;
    if (!is_idle) return spent_ns;
    uint64_t cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_ns;
    return cpu_ns > spent_ns / HEAT_STARVED_PARTS ? cpu_ns : spent_ns / HEAT_STARVED_PARTS;
}

/* Repeats warm-up requests until the slice is over. False: one failed. */
static bool session_rehearse_slice(restore_session *session, const cell_heat_slice *slice,
                                   bool is_idle, session_slice *out)
{
    const uint64_t start_ns = monotonic_now_ns();
    const uint64_t start_cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
    bool fine = true;
    *out = (session_slice){0};
    free_memory_release();
    cell_note_draws(session->child->cell, cell_draws_note, &session->draws);
    while (fine && !out->call_waits && !cell_draws_are_many(&session->draws) &&
           out->rounds < slice->rounds_max && out->spent_ns < slice->ns_max) {
        fine = session_run(session, session_rehearse, 0) && session->status == SNAPCELL_OK;
        out->rounds++;
        out->spent_ns = session_slice_spent_ns(start_ns, start_cpu_ns, is_idle);
        out->call_waits = is_idle && session_call_waits(session);
    }
    cell_note_draws(session->child->cell, NULL, NULL);
    return fine && session_run_once(session, session_prepare_again) &&
           session->status == SNAPCELL_OK;
}

/* Repeats warm-up requests for a while, and makes what came of it what is restored, unless a
 * request fails, or what it drew may be kept. False: memory cannot be restored. */
static bool session_heat(restore_session *session, const cell_heat_slice *slice, bool is_idle)
{
    session_slice done;
    bool fine = session_rehearse_slice(session, slice, is_idle, &done);
    bool is_worth = !done.call_waits || cell_heat_is_worth(done.spent_ns);
    bool keeps = false;
    if (fine && is_worth) { /* a slice that was cut may have been in the middle of malloc() */
        free_stack_clear(session->call_stack, CALL_STACK_SIZE);
        free_memory_hold();
        keeps = session_keeps_draws(session);
    }
    cell_draws_forget(&session->draws);
    if (!fine) session->heat.is_done = true;
    if (keeps) cell_heat_fail_slice(&session->heat, session->child->load->warm_calls);
    if (!fine || !is_worth || keeps) return session_undo_slice(session);
    cell_heat_end_slice(&session->heat, session->child->load->warm_calls, done.rounds,
                        done.spent_ns);
    return checkpoint_take(session->cp, &session->error) == SNAPCELL_OK ||
           session_end_with_anomaly();
}

/* In time that nobody else wants, or that a busy worker owes itself. False: memory cannot be
 * restored. */
static bool session_heat_next(restore_session *session, bool is_idle)
{
    cell_heat_slice slice;
    if (cell_heat_next(&session->heat, session->child->load->warm_calls, CHECKPOINT_FILES - 1,
                       is_idle, &slice))
        return session_heat(session, &slice, is_idle);
    session->heat.is_done = true;
    return true;
}

/* --- What calls touch --- */

/* A warm-up request as a call of the host's, all the way, but nobody gets the answer. */
static bool session_rehearse_call(restore_session *session, const snapcell_request *request,
                                  bool streams)
{
    cell_child *child = session->child;
    const cell_call call = {
        .number = 1, .kind = CELL_CALL_FETCH, .request = *request, .streams = streams};
    if (!cell_inbox_put_call(child->inbox, &call, &session->call)) return false;
    child->is_quiet = child->outbox->is_muted = true;
    cell_outbox_begin(child->outbox, call.number);
    bool whole = session_run(session, session_answer, 0) && !session->host_is_gone;
    child->is_quiet = child->outbox->is_muted = false;
    cell_outbox_begin(child->outbox, 0);
    return whole;
}

/* From now on the process has those pages of the program mapped that calls touch, and not those of
 * V8's deserializer and compilers. `*watched`: so it is. False: memory cannot be restored. */
static bool session_watch_calls(restore_session *session, bool *watched)
{
    *watched = session->warm.count > 0 && process_image_watch(session->cp);
    for (size_t i = 0; *watched && i < 2 * session->warm.count && i < WATCHED_CALLS_MAX; i++) {
        *watched = session_rehearse_call(session, &session->warm.requests[i / 2], i % 2 != 0);
        if (!session_undo_slice(session)) return false;
    }
    return true;
}

/* Once, when it is as hot as it gets: in idle time, or after some calls of a worker that has none.
 */
static bool session_settle(restore_session *session)
{
    bool watched;
    if (session->is_settled) return true;
    if (session->heat.calls_since++ < HEAT_CALLS_BETWEEN && session_call_waits(session))
        return true;
    session->is_settled = true;
    return session->heat.slices == 0 || session_watch_calls(session, &watched);
}

static bool session_heat_before_call(restore_session *session)
{
    while (!session->heat.is_done) {
        bool is_idle = !session_call_waits(session);
        if (!is_idle && session->heat.calls_since++ < HEAT_CALLS_BETWEEN) return true;
        if (!session_heat_next(session, is_idle)) return false;
    }
    return session_settle(session);
}

/* --- Calls --- */

/* A call that was cut is answered by its error, unless its end was told. False: the host is gone.
 */
static bool session_serve_call(restore_session *session)
{
    cell_child *child = session->child;
    if (!cell_inbox_receive_call(child->inbox, &session->call)) return false;
    session->call_number++;
    cell_outbox_begin(child->outbox, session->call_number);
    bool whole = session_run(session, session_answer, session->call_number);
    if (session->host_is_gone || !cell_outbox_flush(child->outbox)) return false;
    if (!whole && !child->outbox->answered && !session_send_error(session)) return false;
    return session_restore(session, !whole) || session_end_with_anomaly();
}

/* --- The session --- */

/* Not the function's fault: the host is to start a process that reloads. */
static void session_fall_back(restore_session *session)
{
    const cell_ready ready = {.shape = SNAPCELL_SHAPE_FETCH,
                              .policy = CELL_POLICY_RELOAD,
                              .fallback = session->error.message};
    cell_child_send_ready(session->child, &ready);
}

/* False: the env cannot be made, and the host was told why; or memory cannot be restored. */
static bool session_try_load(restore_session *session)
{
    bool whole = session_run_once(session, session_try_env);
    if (session->status != SNAPCELL_OK) return session_send_error(session) && false;
    return session_restore(session, !whole) || session_end_with_anomaly();
}

/* Loads the cell, and makes that what is restored. False: there is nothing to serve, and the host
 * was told why. */
static bool session_begin(restore_session *session)
{
    snapcell_error *err = &session->error;
    if (!session_run_once(session, session_load_cell) || session->status != SNAPCELL_OK)
        return session_send_error(session) && false;
    session_run_once(session, session_prepare_restores);
    if (session->status != SNAPCELL_OK || checkpoint_take(session->cp, err) != SNAPCELL_OK) {
        session_fall_back(session);
        return false;
    }
    return session_try_load(session);
}

static bool session_send_ready(restore_session *session)
{
    const cell_ready ready = {
        .shape = snapcell_cell_info(session->child->cell)->shape,
        .policy = CELL_POLICY_RESTORE,
        .tier = checkpoint_source(session->cp),
        .has_prelude = snapcell_cell_info(session->child->cell)->prelude_length > 0,
    };
    return cell_child_send_ready(session->child, &ready);
}

static void session_serve_calls(restore_session *session)
{
    while (session_heat_before_call(session) && session_serve_call(session))
        continue;
}

/* Where a process begins that goes on as one that made an image. The host is told at once that it
 * does, unless the env may be none: it has its call ready when there is a place for it. */
static void session_arrive(void *user, const process_image_arrival *arrival)
{
    restore_session *session = user;
    if (!cell_child_arrive(session->child, session->cp, &session->cut, arrival, &session->load))
        raise(SIGKILL);
    const snapcell_cell_options *options = &session->load.options;
    bool has_env = options->env_count > 0 || options->json_env_count > 0;
    session->boxes.outbox.restored = (cell_restored){0};
    if ((has_env || session_send_ready(session)) &&
        process_image_settle(session->cp, NULL) == SNAPCELL_OK &&
        (!has_env || (session_try_load(session) && session_send_ready(session))))
        session_serve_calls(session);
    raise(SIGKILL); /* there is nobody to return to */
}

/* As hot as it gets, and before it has served anyone. */
static void session_make_image(restore_session *session)
{
    while (!session->heat.is_done)
        if (!session_heat_next(session, true)) return;
    bool lists_warm;
    if (!session_watch_calls(session, &lists_warm)) return;
    if (lists_warm) process_image_note(session->cp);
    session->is_settled = true;
    session_wipe(session);
    const process_image_kept kept = {session, sizeof(*session)};
    const process_image_request request = {
        .origin = &session->origin,
        .kept = &kept,
        .kept_count = 1,
        .lists_warm = lists_warm,
        .entry = session_arrive,
        .argument = session,
        .stack_top = session->stack + SESSION_STACK_SIZE,
    };
    cell_child_make_image(session->child, session->cp, &request, &session->error);
}

/* On a stack in outer memory. */
static void session_main(void *user)
{
    restore_session *session = user;
    if (!session_begin(session)) return;
    if (session->load.makes_image) {
        session_make_image(session);
        return;
    }
    bool is_ordered = session->child->load->warm_calls != 0;
    if (is_ordered && !session->heat.is_done && !session_heat_next(session, false)) return;
    if (session_send_ready(session)) session_serve_calls(session);
}

/* malloc() stays within the break, whose growth a restore undoes; huge pages would make one written
 * byte 512 pages to restore. */
static void session_set_memory(void)
{
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    mallopt(M_TOP_PAD, HEAP_PAD_SIZE);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* The kernel lets a stack grow when it is touched; what is mapped over its upper end later would
 * stop that. */
static __attribute__((noinline)) void session_grow_stack(void)
{
    volatile char *lowest = (volatile char *)__builtin_frame_address(0) - CALL_STACK_SIZE;
    *lowest = 0;
    madvise((void *)page_of((uintptr_t)lowest), PAGE_BYTES, MADV_DONTNEED);
}

/* What this kernel, or a policy, may not let a process do. */
static int session_open_checkpoint(restore_session *session, int control_fd)
{
    snapcell_error *err = &session->error;
    dirty_source best = (dirty_source)session->child->load->tier;
    int status = checkpoint_open(best, &session->cp, err);
    return status == SNAPCELL_OK ? cell_cut_init(&session->cut, control_fd, err) : status;
}

static int session_prepare(restore_session *session)
{
    cell_child *child = session->child;
    const cell_load *load = child->load;
    snapcell_error *err = &session->error;
    int files[CHECKPOINT_FILES];
    if (!cell_draws_init(&session->draws))
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for what crypto draws");
    session_set_memory();
    engine_draw_from_system();
    int status = cell_child_open_loader(child, session_exhausted, session, NULL, err);
    if (status == SNAPCELL_OK)
        status = snapcell_loader_seal(child->loader, load->ref, &load->options, err);
    /* Nothing is forked from it: asking for the process's number is a system call for each call. */
    if (status == SNAPCELL_OK) loader_leave_process(child->loader);
    if (status == SNAPCELL_OK && load->makes_image)
        status = process_image_origin_read(&session->origin, err);
    checkpoint_files(session->cp, files);
    if (status == SNAPCELL_OK)
        status = cell_child_enter_sandbox(load, files, CHECKPOINT_FILES, err);
    return status;
}

int cell_child_restore(cell_child *child, int control_fd)
{
    restore_session *session = outer_alloc(sizeof(*session));
    unsigned char *stack = outer_alloc(SESSION_STACK_SIZE);
    if (session == NULL || stack == NULL) return 1;
    session->child = child;
    session->stack = stack;
    session->load = *child->load;
    child->load = &session->load;
    if (!cell_child_open_boxes(child, &session->boxes, &session->cut)) return 1;
    if (session_open_checkpoint(session, control_fd) != SNAPCELL_OK) {
        session_fall_back(session);
        return 1;
    }
    if (session_prepare(session) != SNAPCELL_OK) {
        cell_child_send_error(child, &session->error);
        return 1;
    }
    session_grow_stack();
    session->call_stack = (void *)((uintptr_t)stack_here() & ~(uintptr_t)63);
    stack_call(stack + SESSION_STACK_SIZE, session_main, session);
    return 1;
}
