/* V8 ends the process where it cannot go on, as when a single array outgrows what is left of
 * memory, and says a page about it first. A person who runs a function gets a line and an exit
 * status instead.
 *
 * While the guard stands, descriptor 2 is a file in memory that takes what V8 says, and messages go
 * to a copy of the real one. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"

/* What sanitizers say of a crash must be seen, and they have handlers of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUARD_STANDS 0
#else
#define GUARD_STANDS 1
#endif

static int guard_stderr_fd = -1;
static int guard_noise_fd = -1;
static char guard_noise[64 * 1024];
static char
    guard_stack[64 * 1024]; /* the handler's own: the crash may be an overflow of the stack */
static char guard_out_of_memory[512];
static char guard_gave_up[512];

static const int guard_signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};

/* V8's words for memory that it could not do without, and for a value too large for it to hold. */
static bool guard_is_memory(size_t noise_size_bytes)
{
    static const char *const signs[] = {"out of memory", "std::bad_alloc", "invalid size error",
                                        "invalid array length", "OutOfMemory"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (memmem(guard_noise, noise_size_bytes, signs[i], strlen(signs[i]))) return true;
    return false;
}

/* Calls nothing that is not safe in a signal handler. */
static void guard_crashed(int number)
{
    (void)number;
    ssize_t size = pread(guard_noise_fd, guard_noise, sizeof guard_noise, 0);
    bool memory = size > 0 && guard_is_memory((size_t)size);
    const char *message = memory ? guard_out_of_memory : guard_gave_up;
    ssize_t wrote = write(guard_stderr_fd, message, strlen(message));
    (void)wrote;
    _exit(memory ? CLI_LIMIT : CLI_TROUBLE);
}

static bool guard_redirect(void)
{
    guard_noise_fd = memfd_create("snapcell-engine", MFD_CLOEXEC);
    guard_stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (guard_noise_fd < 0 || guard_stderr_fd < 0) return false;
    if (!cli_messages_to(guard_stderr_fd)) return false;
    return dup2(guard_noise_fd, STDERR_FILENO) == STDERR_FILENO;
}

void cli_guard_begin(const char *subject)
{
    if (!GUARD_STANDS) return;
    snprintf(guard_out_of_memory, sizeof guard_out_of_memory,
             "snapcell: %.200s: it needs more memory than the engine can give\n", subject);
    snprintf(guard_gave_up, sizeof guard_gave_up,
             "snapcell: %.200s: the engine found a fault in itself and could not go on\n", subject);
    if (!guard_redirect()) return; /* without it a crash is only less well told of */
    stack_t stack = {.ss_sp = guard_stack, .ss_size = sizeof guard_stack};
    struct sigaction action = {.sa_handler = guard_crashed, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof guard_signals / sizeof guard_signals[0]; i++)
        sigaction(guard_signals[i], &action, NULL);
}

/* What was said without a crash is handed on. */
void cli_guard_end(void)
{
    if (guard_noise_fd < 0 || guard_stderr_fd < 0) return;
    for (size_t i = 0; i < sizeof guard_signals / sizeof guard_signals[0]; i++)
        signal(guard_signals[i], SIG_DFL);
    dup2(guard_stderr_fd, STDERR_FILENO);
    ssize_t size = pread(guard_noise_fd, guard_noise, sizeof guard_noise, 0);
    ssize_t wrote = size > 0 ? write(STDERR_FILENO, guard_noise, (size_t)size) : 0;
    (void)wrote;
    close(guard_noise_fd);
    guard_noise_fd = -1;
}
