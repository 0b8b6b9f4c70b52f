#include "bench_echo.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error_set.h"
#include "monotonic.h"

/* As long as a small request. */
#define BENCH_ECHO_SIZE 64

/* In a copy of a process with threads: system calls alone. */
static _Noreturn void bench_echo_serve(int fd)
{
    char message[BENCH_ECHO_SIZE];
    while (recv(fd, message, sizeof(message), MSG_WAITALL) == (ssize_t)sizeof(message))
        if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message)) break;
    _exit(0);
}

int bench_echo_start(bench_echo *out, snapcell_error *err)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make a pair of sockets");
    pid_t process_id = fork();
    if (process_id == 0) {
        close(sockets[0]);
        bench_echo_serve(sockets[1]);
    }
    int problem = errno;
    close(sockets[1]);
    *out = (bench_echo){process_id, sockets[0]};
    if (process_id > 0) return SNAPCELL_OK;
    bench_echo_stop(out);
    return error_set_errno(err, SNAPCELL_E_IO, problem, "cannot start a process");
}

static bool bench_echo_once(int fd)
{
    char message[BENCH_ECHO_SIZE] = {0};
    return send(fd, message, sizeof(message), MSG_NOSIGNAL) == (ssize_t)sizeof(message) &&
           recv(fd, message, sizeof(message), MSG_WAITALL) == (ssize_t)sizeof(message);
}

int bench_echo_run(const bench_echo *echo, uint64_t *round_trips_ns, uint32_t count,
                   snapcell_error *err)
{
    bool goes_on = bench_echo_once(echo->socket);
    uint64_t before_ns = monotonic_now_ns();
    for (uint32_t i = 0; i < count && goes_on; i++) {
        goes_on = bench_echo_once(echo->socket);
        const uint64_t now_ns = monotonic_now_ns();
        round_trips_ns[i] = now_ns - before_ns;
        before_ns = now_ns;
    }
    return goes_on ? SNAPCELL_OK
                   : error_set(err, SNAPCELL_E_IO, "the process that echoes messages has ended");
}

void bench_echo_stop(bench_echo *echo)
{
    if (echo->socket >= 0) close(echo->socket);
    if (echo->process_id > 0) waitpid(echo->process_id, NULL, 0);
    *echo = BENCH_ECHO_NONE;
}
