#include "serve_listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "serve_address.h"

#define LISTEN_BACKLOG 1024
#define LISTEN_FDS_FIRST 3
#define LISTEN_FDS_MAX 64

static void listen_on_connection(uv_stream_t *stream, int status)
{
    serve_listener *listener = stream->data;
    if (status == 0)
        serve_connection_accept(listener->front, stream, listener->is_pipe, listener->is_admin);
}

static const char *listen_advice(bool is_pipe, int problem)
{
    if (problem == EADDRINUSE)
        return is_pipe
                   ? "; another program listens there, or a file of another kind is there: stop "
                     "it, or give another path with --listen"
                   : "; another program listens there: stop it, or give another port with "
                     "--listen (0: a free one)";
    if (problem != EACCES) return "";
    /* libuv's answer to a folder that is missing, too. */
    return is_pipe ? "; its folder must be there, and be this user's to write"
                   : "; ports below 1024 are root's";
}

static int listen_refused(const char *address, bool is_pipe, int problem, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_IO, "cannot listen at %s: %s%s", address, strerror(problem),
                     listen_advice(is_pipe, problem));
}

/* A socket's file that a server left behind when it was killed; one that answers is in use. */
static void listen_remove_stale(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED)
        unlink(path);
}

static void listen_describe(serve_listener *listener)
{
    char address[SERVE_ADDRESS_SIZE];
    if (listener->is_pipe) {
        char path[128] = "";
        size_t size = sizeof(path) - 1;
        uv_pipe_getsockname(&listener->uv.pipe, path, &size);
        snprintf(listener->url, sizeof(listener->url), "unix:%s", path);
        return;
    }
    serve_address_of_listener(&listener->uv.tcp, address);
    snprintf(listener->url, sizeof(listener->url), "http://%s", address);
}

static serve_listener *listen_new(serve_front *front, bool is_pipe, bool is_admin)
{
    serve_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) return NULL;
    listener->front = front;
    listener->is_pipe = is_pipe;
    listener->is_admin = is_admin;
    if (is_pipe)
        uv_pipe_init(front->context->loop, &listener->uv.pipe, 0);
    else
        uv_tcp_init(front->context->loop, &listener->uv.tcp);
    listener->uv.handle.data = listener;
    listener->is_open = true;
    return listener;
}

static int listen_bind(serve_listener *listener, const serve_address *address)
{
    if (address->path == NULL)
        return uv_tcp_bind(&listener->uv.tcp, (const struct sockaddr *)&address->socket, 0);
    listen_remove_stale(address->path);
    int problem = uv_pipe_bind(&listener->uv.pipe, address->path);
    if (problem == 0) listener->path = strdup(address->path);
    return problem;
}

/* In the list, whatever comes: its handle has to be closed. */
static void listen_link(serve_listener *listener, serve_listener **list)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = listener;
}

static int listen_start(serve_listener *listener, const char *name, snapcell_error *err)
{
    int problem = uv_listen(&listener->uv.stream, LISTEN_BACKLOG, listen_on_connection);
    if (problem != 0) return listen_refused(name, listener->is_pipe, -problem, err);
    listen_describe(listener);
    return SNAPCELL_OK;
}

int serve_listen(serve_front *front, const char *address, bool is_admin, serve_listener **list,
                 snapcell_error *err)
{
    serve_address parsed;
    int status = serve_address_parse(address, &parsed, err);
    if (status != SNAPCELL_OK) return status;
    serve_listener *listener = listen_new(front, parsed.path != NULL, is_admin);
    if (listener == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a listener");
    listen_link(listener, list);
    int problem = listen_bind(listener, &parsed);
    return problem == 0 ? listen_start(listener, address, err)
                        : listen_refused(address, listener->is_pipe, -problem, err);
}

/* --- systemd --- */

static bool listen_is_pipe(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.ss_family == AF_UNIX;
}

static int listen_take(serve_front *front, int fd, bool is_admin, serve_listener **list,
                       snapcell_error *err)
{
    char name[64];
    snprintf(name, sizeof(name), "descriptor %d, given by LISTEN_FDS", fd);
    serve_listener *listener = listen_new(front, listen_is_pipe(fd), is_admin);
    if (listener == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a listener");
    listen_link(listener, list);
    int problem = listener->is_pipe ? uv_pipe_open(&listener->uv.pipe, fd)
                                    : uv_tcp_open(&listener->uv.tcp, fd);
    return problem == 0 ? listen_start(listener, name, err)
                        : listen_refused(name, listener->is_pipe, -problem, err);
}

/* The next name of LISTEN_FDNAMES, which are separated by ':'. */
static bool listen_is_metrics(const char **names)
{
    size_t size = *names != NULL ? strcspn(*names, ":") : 0;
    bool is = size == 7 && strncmp(*names, "metrics", 7) == 0;
    if (*names != NULL) *names += size + ((*names)[size] == ':');
    return is;
}

int serve_listen_inherited(serve_front *front, serve_listener **list, size_t *count,
                           snapcell_error *err)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    *count = 0;
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid()) return SNAPCELL_OK;
    long given = strtol(fds, NULL, 10);
    int status = SNAPCELL_OK;
    for (long i = 0; i < given && i < LISTEN_FDS_MAX && status == SNAPCELL_OK; i++) {
        bool is_admin = listen_is_metrics(&names);
        status = listen_take(front, LISTEN_FDS_FIRST + (int)i, is_admin, list, err);
        *count += !is_admin;
    }
    return status;
}

void serve_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof(address.sun_path))
        return;
    size_t size = strlen(path);
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') address.sun_path[0] = '\0'; /* an abstract one */
    cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
}

/* --- Ends --- */

void serve_listen_close(serve_listener *list)
{
    for (; list != NULL; list = list->next) {
        if (!list->is_open) continue;
        list->is_open = false;
        uv_close(&list->uv.handle, NULL);
        if (list->path != NULL) unlink(list->path);
    }
}

void serve_listen_free(serve_listener *list)
{
    while (list != NULL) {
        serve_listener *next = list->next;
        free(list->path);
        free(list);
        list = next;
    }
}
