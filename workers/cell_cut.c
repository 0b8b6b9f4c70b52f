#include "cell_cut.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "error_set.h"
#include "outer_memory.h"

/* V8's own frames are elsewhere: the handlers here need little. */
#define CUT_STACK_SIZE ((size_t)64 << 10)

static cell_cut *cut_current;

/* What the host wrote: numbers of calls. One may be over by now, and one that is on its way may not
 * have begun. */
static void cut_read_orders(cell_cut *cut)
{
    uint64_t call;
    for (;;) {
        ssize_t got = read(cut->control_fd, &call, sizeof(call));
        if (got == 0) raise(SIGKILL); /* the host is gone */
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)sizeof(call)) return;
        cut->ordered = call;
    }
}

static bool cut_is_ordered(const cell_cut *cut)
{
    return cut->call != 0 && cut->ordered == cut->call;
}

static int cut_reason(cell_cut *cut, int number)
{
    if (number == SIGIO) {
        cut_read_orders(cut);
        return cut_is_ordered(cut) ? SNAPCELL_E_CANCELLED : SNAPCELL_OK;
    }
    if (!cut->armed) cut->too_soon++;
    return number == SIGALRM ? SNAPCELL_E_WALL_LIMIT : SNAPCELL_E_CPU_LIMIT;
}

/* Nothing here touches memory that is restored, except errno. */
static void cut_on_signal(int number)
{
    cell_cut *cut = cut_current;
    int before = errno;
    int reason = cut_reason(cut, number);
    errno = before;
    cut->used = true;
    if (reason == SNAPCELL_OK || !cut->armed) return;
    if (cut->reason == SNAPCELL_OK) cut->reason = reason;
    if (cut->busy) return;
    cut->armed = false;
    stack_jump(&cut->point);
}

/* SA_NODEFER, so that a jump leaves no signal blocked. */
static bool cut_take_signals(void)
{
    static const int numbers[] = {SIGALRM, SIGPROF, SIGIO};
    struct sigaction action = {.sa_handler = cut_on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (sigaction(numbers[i], &action, NULL) != 0) return false;
    return true;
}

static bool cut_watch_control(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETOWN, getpid()) == 0 &&
           fcntl(fd, F_SETFL, flags | O_NONBLOCK | O_ASYNC) == 0;
}

int cell_cut_init(cell_cut *cut, int control_fd, snapcell_error *err)
{
    memset(cut, 0, sizeof(*cut));
    cut->control_fd = control_fd;
    cut_current = cut;
    stack_t stack = {.ss_sp = outer_alloc(CUT_STACK_SIZE), .ss_size = CUT_STACK_SIZE};
    cut->signal_stack = stack.ss_sp;
    if (stack.ss_sp == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for signals");
    if (sigaltstack(&stack, NULL) != 0 || !cut_take_signals() || !cut_watch_control(control_fd))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot be told when to stop");
    return SNAPCELL_OK;
}

bool cell_cut_arrive(cell_cut *cut)
{
    const stack_t stack = {.ss_sp = cut->signal_stack, .ss_size = CUT_STACK_SIZE};
    cut->ordered = 0;
    return sigaltstack(&stack, NULL) == 0;
}

static void cut_set_timer(int which, uint32_t limit_ms)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = (suseconds_t)(limit_ms % 1000) * 1000}};
    setitimer(which, &timer, NULL);
}

/* A timer of a limit that there is not is never set, which is two calls less. One that is left from
 * the piece before goes off before it is set again, or not at all; so may the new one, if the
 * process has to wait for the processor, and then it is set once more. */
static void cut_arm(cell_cut *cut, const cell_cut_piece *piece)
{
    uint32_t too_soon;
    do {
        cut->armed = false;
        too_soon = cut->too_soon;
        if (piece->cpu_limit_ms != 0) cut_set_timer(ITIMER_PROF, piece->cpu_limit_ms);
        if (piece->wall_limit_ms != 0) cut_set_timer(ITIMER_REAL, piece->wall_limit_ms);
        cut->armed = true;
    } while (cut->too_soon != too_soon);
    if (cut_is_ordered(cut)) cell_cut_leave(cut, SNAPCELL_E_CANCELLED);
}

typedef struct cut_inside {
    cell_cut *cut;
    const cell_cut_piece *piece;
} cut_inside;

/* Armed only here, where there is a point to jump to. A timer that goes off later finds nothing
 * armed. */
static void cut_run_inside(void *user)
{
    const cut_inside *inside = user;
    cut_arm(inside->cut, inside->piece);
    inside->piece->run(inside->piece->user);
    inside->cut->armed = false;
}

/* The kernel gives a handler the ABI's state on x86-64, but V8 itself may have been in the middle
 * of another one. */
static void cut_recover(void)
{
#if defined(__x86_64__)
    const uint32_t mxcsr = 0x1f80;
    const uint16_t control = 0x037f;
    __asm__ volatile("cld\n\tfnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(control), "m"(mxcsr));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, xzr");
#endif
}

bool cell_cut_run(cell_cut *cut, void *top, const cell_cut_piece *piece)
{
    cut_inside inside = {cut, piece};
    cut->reason = SNAPCELL_OK;
    cut->busy = false;
    cut->call = piece->call;
    bool whole = stack_call_catching(top, cut_run_inside, &inside, &cut->point);
    if (!whole) cut_recover();
    return whole;
}

void cell_cut_wipe(cell_cut *cut)
{
    if (!cut->used) return;
    cut->used = false;
    explicit_bzero(cut->signal_stack, CUT_STACK_SIZE);
}

void cell_cut_hold(cell_cut *cut)
{
    cut->busy = true;
}

void cell_cut_release(cell_cut *cut)
{
    cut->busy = false;
    if (!cut->armed || cut->reason == SNAPCELL_OK) return;
    cut->armed = false;
    stack_jump(&cut->point);
}

void cell_cut_leave(cell_cut *cut, int reason)
{
    cut->armed = false;
    if (cut->reason == SNAPCELL_OK) cut->reason = reason;
    stack_jump(&cut->point);
}
