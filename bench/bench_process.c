#include "bench_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_subject.h"
#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"

#define BENCH_WAIT_MS 30000
#define BENCH_OUTPUT_SIZE_MAX ((size_t)16 << 20)

/* --- The child --- */

int bench_spawn(const bench_program *program, int input, int output, int listener, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) return problem;
    problem = input >= 0 ? posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
                         : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                                            O_RDONLY, 0);
    if (problem == 0 && output >= 0)
        problem = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (problem == 0 && output < 0)
        problem =
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (problem == 0)
        problem = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, program->log,
                                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (problem == 0 && listener >= 0)
        problem = posix_spawn_file_actions_adddup2(&actions, listener, BENCH_LISTEN_FD);
    if (problem == 0)
        problem = posix_spawn(pid, program->argv[0], &actions, NULL, program->argv, program->env);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

/* Waits for the child; `*status` as of waitpid(). */
static void bench_reap(pid_t pid, bench_sample *out, int *status)
{
    struct rusage usage = {0};
    while (wait4(pid, status, 0, &usage) < 0 && errno == EINTR)
        continue;
    out->minor_faults = (uint64_t)usage.ru_minflt;
    out->major_faults = (uint64_t)usage.ru_majflt;
}

static bool bench_readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int problem;
    while ((problem = poll(&wait, 1, BENCH_WAIT_MS)) < 0 && errno == EINTR)
        continue;
    return problem > 0;
}

/* --- Programs that print their response --- */

/* Reads to the end of the output; notes when the first byte came. */
static bool bench_read_output(int fd, uint64_t *first_ns, bench_sample *out)
{
    char *text cleanup_free = malloc(BENCH_OUTPUT_SIZE_MAX);
    size_t size = 0;
    *first_ns = 0;
    while (text && size < BENCH_OUTPUT_SIZE_MAX && bench_readable(fd)) {
        ssize_t got = read(fd, text + size, BENCH_OUTPUT_SIZE_MAX - size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (size == 0) *first_ns = monotonic_now_ns();
        size += (size_t)got;
    }
    out->response_hash = text ? bench_hash(text, size) : 0;
    return size > 0;
}

static int bench_run_printing(const bench_program *program, bench_sample *out, snapcell_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "making a pipe");
    pid_t pid;
    uint64_t start_ns = monotonic_now_ns(), first_ns;
    int problem = bench_spawn(program, -1, ends[1], -1, &pid);
    close(ends[1]);
    if (problem != 0) {
        close(ends[0]);
        return error_set_errno(err, SNAPCELL_E_IO, problem, "starting %s", program->argv[0]);
    }
    bool said = bench_read_output(ends[0], &first_ns, out);
    if (!said) kill(pid, SIGKILL);
    close(ends[0]);
    int status = 0;
    bench_reap(pid, out, &status);
    if (!said || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, SNAPCELL_E_SCRIPT, "%s %s; see %s", program->argv[0],
                         said ? "failed" : "printed nothing", program->log);
    out->total_ns = first_ns - start_ns;
    out->dispose_ns = monotonic_now_ns() - first_ns;
    return SNAPCELL_OK;
}

/* --- Servers --- */

int bench_listen(struct sockaddr_in *address, snapcell_error *err)
{
    socklen_t size = sizeof(*address);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 8) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &size) == 0)
        return fd;
    error_set_errno(err, SNAPCELL_E_IO, errno, "listening on loopback");
    if (fd >= 0) close(fd);
    return -1;
}

/* The kernel accepts the connection before the server has started: the request waits for it. */
static bool bench_ask(const struct sockaddr_in *address, const char *url, uint64_t *first_ns)
{
    int fd cleanup_close = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return false;
    char request[4096];
    int size = snprintf(request, sizeof(request),
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", url);
    if (size >= (int)sizeof(request) || send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return false;
    char answer[16] = "";
    if (!bench_readable(fd) || recv(fd, answer, sizeof(answer) - 1, 0) <= 0) return false;
    *first_ns = monotonic_now_ns();
    return strncmp(answer, "HTTP/1.1 2", 10) == 0;
}

static int bench_run_server(const bench_program *program, bench_sample *out, snapcell_error *err)
{
    struct sockaddr_in address;
    int listener = bench_listen(&address, err);
    if (listener < 0) return SNAPCELL_E_IO;
    pid_t pid;
    uint64_t start_ns = monotonic_now_ns(), first_ns;
    int problem = bench_spawn(program, -1, -1, listener, &pid);
    close(listener); /* the server's from here on: when it ends, nobody is to wait for it */
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_IO, problem, "starting %s", program->argv[0]);
    bool answered = bench_ask(&address, program->url, &first_ns);
    kill(pid, SIGKILL);
    int status;
    bench_reap(pid, out, &status);
    if (!answered)
        return error_set(err, SNAPCELL_E_SCRIPT, "%s did not answer with status 2xx; see %s",
                         program->argv[0], program->log);
    out->total_ns = first_ns - start_ns;
    return SNAPCELL_OK;
}

int bench_process_run(const bench_program *program, bench_sample *out, snapcell_error *err)
{
    *out = (bench_sample){0};
    return program->http ? bench_run_server(program, out, err)
                         : bench_run_printing(program, out, err);
}
