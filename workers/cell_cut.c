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

/* What the host wrote: the number of a call, which may be over by now. */
static int cut_read_order(const cell_cut *cut)
{
    uint64_t call;
    int reason = SNAPCELL_OK;
    for (;;) {
        ssize_t got = read(cut->control_fd, &call, sizeof(call));
        if (got == 0) raise(SIGKILL); /* the host is gone */
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)sizeof(call)) return reason;
        if (call == cut->call) reason = SNAPCELL_E_CANCELLED;
    }
}

static int cut_reason(const cell_cut *cut, int number)
{
    if (number == SIGALRM) return SNAPCELL_E_WALL_LIMIT;
    if (number == SIGPROF) return SNAPCELL_E_CPU_LIMIT;
    return cut_read_order(cut);
}

/* Nothing here touches memory that is restored, except errno. */
static void cut_on_signal(int number)
{
    cell_cut *cut = cut_current;
    int before = errno;
    int reason = cut_reason(cut, number);
    errno = before;
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

static void cut_set_timer(int which, uint32_t limit_ms)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = limit_ms / 1000, .tv_usec = (suseconds_t)(limit_ms % 1000) * 1000}};
    setitimer(which, &timer, NULL);
}

/* A timer of a limit that there is not is never set, which is two calls less. */
void cell_cut_arm(cell_cut *cut, uint64_t call, uint32_t cpu_limit_ms, uint32_t wall_limit_ms)
{
    cut->call = call;
    cut->reason = SNAPCELL_OK;
    cut->busy = false;
    /* First: one that is left from the call before then goes off for nothing, or not at all. */
    if (cpu_limit_ms != 0) cut_set_timer(ITIMER_PROF, cpu_limit_ms);
    if (wall_limit_ms != 0) cut_set_timer(ITIMER_REAL, wall_limit_ms);
    cut->armed = true;
}

/* A timer that goes off later finds nothing armed, and another call sets it again. */
void cell_cut_disarm(cell_cut *cut)
{
    cut->armed = false;
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

/* The kernel gives a handler the ABI's state on x86-64, but V8 itself may have been in the middle
 * of another one. */
void cell_cut_recover(cell_cut *cut)
{
    explicit_bzero(cut->signal_stack, CUT_STACK_SIZE);
#if defined(__x86_64__)
    const uint32_t mxcsr = 0x1f80;
    const uint16_t control = 0x037f;
    __asm__ volatile("cld\n\tfnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(control), "m"(mxcsr));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, xzr");
#endif
}
