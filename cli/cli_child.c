/* A child: a fork of this program that does what untrusted code could make go wrong. The engine
 * ends its process where it cannot go on, as when a single array outgrows what is left of memory,
 * and says a page about it first; a person who runs a function gets a line and an exit status.
 *
 * Descriptor 2 of the child is a file in memory that takes what the engine says, and messages go
 * to a copy of the real one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "error_set.h"
#include "process_limits.h"

/* What sanitizers say of a crash must be seen. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHILD_HIDES_NOISE 0
#else
#define CHILD_HIDES_NOISE 1
#endif

#define NOISE_SIZE_MAX ((size_t)64 << 10)

/* --- In the child --- */

/* Without it a crash is only reported less well. */
static void child_redirect(int noise_fd)
{
    if (noise_fd < 0) return;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0 && cli_messages_to(fd)) dup2(noise_fd, STDERR_FILENO);
}

/* The engine is not taken down: the kernel does that, after the answer is out. */
static _Noreturn void child_main(const cli_child *child, pid_t supervisor, int noise_fd,
                                 int broker_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(CLI_TROUBLE); /* it died before that */
    child_redirect(noise_fd);
    int status = child->work(child->user, broker_fd);
    _exit(status < CLI_CHILD_STATUS_OWN ? (int)cli_finish((cli_status)status) : status);
}

/* The engine looks for the time zone when a function first asks for it, which is too late. */
void cli_keep_time_zone(void)
{
    static const char folder[] = "/zoneinfo/";
    if (getenv("TZ")) return;
    char target[PATH_MAX];
    ssize_t size = readlink("/etc/localtime", target, sizeof(target) - 1);
    if (size < 0) return;
    target[size] = '\0';
    const char *zone = strstr(target, folder);
    if (zone) setenv("TZ", zone + sizeof(folder) - 1, 1);
}

/* --- In the supervisor --- */

typedef struct child_death {
    int status; /* as of waitpid() */
    uint64_t cpu_ms;
} child_death;

/* The engine's words for memory that it could not do without, and for a value too large for it. */
static bool noise_is_of_memory(const char *noise, size_t size_bytes)
{
    static const char *const signs[] = {"out of memory", "std::bad_alloc", "invalid size error",
                                        "invalid array length", "OutOfMemory"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (memmem(noise, size_bytes, signs[i], strlen(signs[i]))) return true;
    return false;
}

/* The engine aborts or traps when memory ran out; other signals are faults, whatever it said. */
static int child_crashed(const cli_child *child, int number, const char *noise, size_t size_bytes)
{
    bool by_itself = number == SIGABRT || number == SIGTRAP || number == SIGILL;
    char limit[LIMIT_TEXT_SIZE];
    if (by_itself && noise_is_of_memory(noise, size_bytes)) {
        if (limit_says_address_space(0, limit))
            cli_message("%s: %s", child->subject, limit);
        else
            cli_message("%s: it needs more memory than the engine can give", child->subject);
        return CLI_LIMIT;
    }
    cli_message("%s: the engine found a fault in itself and could not go on", child->subject);
    return CLI_TROUBLE;
}

static int child_killed(const cli_child *child, uint64_t cpu_ms)
{
    char limit[LIMIT_TEXT_SIZE];
    if (limit_says_cpu(cpu_ms, limit))
        cli_message("%s: %s", child->subject, limit);
    else
        cli_message("%s: the worker process was killed, most likely because the machine ran out of "
                    "memory",
                    child->subject);
    return CLI_LIMIT;
}

static int child_signaled(const cli_child *child, const child_death *death, const char *noise,
                          size_t size_bytes)
{
    int number = WTERMSIG(death->status);
    switch (number) {
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGSEGV:
    case SIGTRAP:
        return child_crashed(child, number, noise, size_bytes);
    case SIGSYS:
        cli_message("%s: it was ended for a system call that the sandbox does not allow",
                    child->subject);
        return CLI_REFUSED;
    case SIGKILL:
    case SIGXCPU:
        return child_killed(child, death->cpu_ms);
    default: /* it is meant for us, too */
        signal(number, SIG_DFL);
        raise(number);
        cli_message("%s: the worker process was ended by a signal: %s", child->subject,
                    sigdescr_np(number));
        return CLI_TROUBLE;
    }
}

/* What the engine said without a crash is handed on. */
static int child_ended(const cli_child *child, const child_death *death, int noise_fd)
{
    cleanup_free char *noise = noise_fd >= 0 ? malloc(NOISE_SIZE_MAX) : NULL;
    ssize_t count = noise ? pread(noise_fd, noise, NOISE_SIZE_MAX, 0) : 0;
    size_t size_bytes = count > 0 ? (size_t)count : 0;
    if (WIFSIGNALED(death->status)) return child_signaled(child, death, noise, size_bytes);
    if (size_bytes) fwrite(noise, 1, size_bytes, stderr);
    return WEXITSTATUS(death->status);
}

static int child_failed(const char *what)
{
    snapcell_error err;
    error_set_errno(&err, SNAPCELL_E_IO, errno, "cannot %s", what);
    cli_report(NULL, &err);
    return CLI_TROUBLE;
}

static int child_supervise(const cli_child *child, pid_t pid, int noise_fd)
{
    struct rusage usage;
    child_death death = {0};
    while (wait4(pid, &death.status, 0, &usage) < 0)
        if (errno != EINTR) return child_failed("wait for the worker process");
    death.cpu_ms = limit_cpu_ms(&usage);
    return child_ended(child, &death, noise_fd);
}

/* Closes the child's end of the socket here, and this one's there. */
static pid_t child_fork(const cli_child *child, int own_fd, int its_fd, int noise_fd)
{
    pid_t supervisor = getpid();
    cli_flush();
    pid_t pid = fork();
    if (pid == 0) {
        if (own_fd >= 0) close(own_fd);
        child_main(child, supervisor, noise_fd, its_fd);
    }
    if (its_fd >= 0) close(its_fd);
    return pid;
}

/* When the broker has gone, the child must notice: its end is open nowhere else. */
static void child_serve(const cli_child *child, pid_t pid, int own_fd)
{
    if (own_fd < 0) return;
    if (pid > 0) child->broker(child->user, own_fd);
    close(own_fd);
}

int cli_child_run(const cli_child *child)
{
    int ends[2] = {-1, -1};
    cleanup_close int noise_fd = CHILD_HIDES_NOISE ? memfd_create("engine", MFD_CLOEXEC) : -1;
    if (child->broker && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return child_failed("open a socket to a worker process");
    pid_t pid = child_fork(child, ends[0], ends[1], noise_fd);
    int status = pid < 0 ? child_failed("start a worker process") : CLI_DONE;
    child_serve(child, pid, ends[0]);
    if (pid < 0) return status;
    return child_supervise(child, pid, noise_fd);
}
