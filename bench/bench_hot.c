#include "bench_hot.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"

#define HOT_WAIT_S 30
#define HOT_ANSWER_SIZE_MAX ((size_t)4 << 20)

/* --- Starting --- */

static int hot_spawned(bench_hot *hot, int problem, snapcell_error *err)
{
    const struct timeval wait = {.tv_sec = HOT_WAIT_S};
    if (problem != 0) hot->pid = 0;
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_IO, problem, "starting %s", hot->program->argv[0]);
    setsockopt(hot->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return SNAPCELL_OK;
}

static int hot_start_framed(bench_hot *hot, snapcell_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "making sockets");
    hot->fd = ends[0];
    int problem = bench_spawn(hot->program, ends[1], ends[1], -1, &hot->pid);
    close(ends[1]);
    return hot_spawned(hot, problem, err);
}

/* The kernel accepts the connection before the server has started. */
static int hot_start_http(bench_hot *hot, snapcell_error *err)
{
    struct sockaddr_in address;
    int listener cleanup_close = bench_listen(&address, err);
    if (listener < 0) return SNAPCELL_E_IO;
    hot->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (hot->fd < 0 || connect(hot->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "connecting on loopback");
    setsockopt(hot->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return hot_spawned(hot, bench_spawn(hot->program, -1, -1, listener, &hot->pid), err);
}

int bench_hot_start(const bench_program *program, bench_hot *out, snapcell_error *err)
{
    *out = (bench_hot){.program = program, .fd = -1, .answer = malloc(HOT_ANSWER_SIZE_MAX + 1)};
    if (!out->answer) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an answer");
    return program->http ? hot_start_http(out, err) : hot_start_framed(out, err);
}

void bench_hot_stop(bench_hot *hot)
{
    if (hot->pid > 0) {
        kill(hot->pid, SIGKILL);
        while (waitpid(hot->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (hot->fd >= 0) close(hot->fd);
    free(hot->answer);
    *hot = (bench_hot){.fd = -1};
}

/* --- Calling --- */

/* Reads more of the answer. False: there is none, or it is too large. */
static bool hot_read_more(bench_hot *hot)
{
    ssize_t got;
    do
        got = recv(hot->fd, hot->answer + hot->answer_size, HOT_ANSWER_SIZE_MAX - hot->answer_size,
                   0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    hot->answer_size += (size_t)got;
    hot->answer[hot->answer_size] = '\0';
    return true;
}

static bool hot_read_until(bench_hot *hot, size_t size)
{
    while (hot->answer_size < size)
        if (size > HOT_ANSWER_SIZE_MAX || !hot_read_more(hot)) return false;
    return hot->answer_size == size; /* more was not requested */
}

static bool hot_call_framed(bench_hot *hot, const char **body, size_t *size_bytes)
{
    uint32_t size;
    if (send(hot->fd, "?", 1, MSG_NOSIGNAL) != 1) return false;
    while (hot->answer_size < sizeof(size))
        if (!hot_read_more(hot)) return false;
    memcpy(&size, hot->answer, sizeof(size));
    *size_bytes = le32toh(size);
    *body = hot->answer + sizeof(size);
    return hot_read_until(hot, sizeof(size) + *size_bytes);
}

/* The head's end; NULL: the server ended, or said no. */
static const char *hot_read_head(bench_hot *hot)
{
    const char *end = NULL;
    while (!end) {
        if (!hot_read_more(hot)) return NULL;
        end = strstr(hot->answer, "\r\n\r\n");
    }
    return strncmp(hot->answer, "HTTP/1.1 2", 10) == 0 ? end + 4 : NULL;
}

/* A body in chunks is left as it came: what is compared is only that it stays the same. */
static bool hot_read_chunks(bench_hot *hot, const char *body)
{
    static const char last[] = "0\r\n\r\n";
    const size_t size = sizeof(last) - 1;
    while (hot->answer_size < (size_t)(body - hot->answer) + size ||
           memcmp(hot->answer + hot->answer_size - size, last, size) != 0)
        if (!hot_read_more(hot)) return false;
    return true;
}

static bool hot_call_http(bench_hot *hot, const char **body, size_t *size_bytes)
{
    char request[4096];
    const int size = snprintf(request, sizeof(request),
                              "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", hot->program->url);
    if (size >= (int)sizeof(request) || send(hot->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return false;
    *body = hot_read_head(hot);
    if (!*body) return false;
    const size_t head_size = (size_t)(*body - hot->answer);
    const char *length = strcasestr(hot->answer, "\r\nContent-Length:");
    if (length && length < *body) {
        *size_bytes = strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);
        return hot_read_until(hot, head_size + *size_bytes);
    }
    if (!hot_read_chunks(hot, *body)) return false;
    *size_bytes = hot->answer_size - head_size;
    return true;
}

int bench_hot_call(bench_hot *hot, const char **body, size_t *size_bytes, snapcell_error *err)
{
    hot->answer_size = 0;
    bool answered = hot->program->http ? hot_call_http(hot, body, size_bytes)
                                       : hot_call_framed(hot, body, size_bytes);
    if (answered) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_SCRIPT, "%s gives no answer that is one; see %s",
                     hot->program->argv[0], hot->program->log);
}
