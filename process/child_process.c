#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"
#include "process_limits.h"
#include "process_spawn.h"

#define END_WAIT_MS 2000 /* for a child that closed its end, to be dead */
#define END_WAIT_STEP_MS 2

/* --- Starting --- */

/* Both ends of a channel, with the child's out of the way of 0 to 3. */
typedef struct child_channel {
    int parent_fd;
    int child_fd;
} child_channel;

static void channel_release(child_channel *channel)
{
    if (channel->parent_fd >= 0) close(channel->parent_fd);
    if (channel->child_fd >= 0) close(channel->child_fd);
}

/* A copy that is out of the way. */
static int fd_lift(int fd)
{
    int lifted = fcntl(fd, F_DUPFD_CLOEXEC, PROCESS_FD_MIN);
    /* So the kernel says that descriptors do not go that far. */
    if (lifted < 0 && errno == EINVAL) errno = EMFILE;
    return lifted;
}

static bool channel_lift_child(child_channel *channel)
{
    int lifted = fd_lift(channel->child_fd);
    if (lifted < 0) return false;
    close(channel->child_fd);
    channel->child_fd = lifted;
    return true;
}

static bool channel_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* What a child is connected by. */
typedef struct child_channels {
    child_channel messages;
    child_channel words;
    child_channel control;
} child_channels;

static void channels_release(child_channels *channels)
{
    channel_release(&channels->messages);
    channel_release(&channels->words);
    channel_release(&channels->control);
}

/* For what the child writes. */
static bool channel_open_pipe(child_channel *channel)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *channel = (child_channel){ends[0], ends[1]};
    return channel_lift_child(channel) && channel_set_nonblocking(channel->parent_fd);
}

/* A pipe to a child that is dead would raise SIGPIPE in the host. */
static bool channel_open_socket(child_channel *channel)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    *channel = (child_channel){ends[0], ends[1]};
    return channel_lift_child(channel) && channel_set_nonblocking(channel->parent_fd);
}

static int channels_open(const child_kind *kind, child_channels *channels, snapcell_error *err)
{
    if (channel_open_socket(&channels->messages) && channel_open_pipe(&channels->words) &&
        (!kind->has_control || channel_open_socket(&channels->control)))
        return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot set up a channel to a child");
}

/* `file_fd`: -1 for none. */
static int spawn(const char *path, const child_kind *kind, const char *zone,
                 const child_channels *channels, int file_fd, pid_t *pid)
{
    static char name[] = "snapcell";
    static char descriptor[] = "3";
    char *const arguments[] = {name, (char *)kind->command, descriptor, NULL};
    char *const environment[] = {(char *)zone, NULL};
    int fds[3] = {channels->messages.child_fd};
    int count = 1;
    cleanup_close int lifted = -1;
    if (kind->has_control) fds[count++] = channels->control.child_fd;
    if (file_fd >= 0) {
        lifted = fd_lift(file_fd);
        if (lifted < 0) return errno;
        fds[count++] = lifted;
    }
    const process_files files = {channels->words.child_fd, fds, count};
    return process_spawn(path, arguments, environment, &files, pid);
}

/* The host's end of a channel, which it then owns. */
static int channel_take(child_channel *channel)
{
    int fd = channel->parent_fd;
    channel->parent_fd = -1;
    return fd;
}

int child_process_start_with(const char *path, const child_kind *kind, const char *zone,
                             uint32_t wall_limit_ms, int file_fd, child_process *out,
                             snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    out->kind = kind;
    out->parent = getpid();
    out->body_size_max = UINT64_MAX;
    out->socket_fd = -1;
    out->words_fd = -1;
    out->control_fd = -1;
    cleanup(channels_release) child_channels channels = {{-1, -1}, {-1, -1}, {-1, -1}};
    int status = channels_open(kind, &channels, err);
    if (status != SNAPCELL_OK) return status;

    out->deadline_ns = monotonic_now_ns() + wall_limit_ms * NS_PER_MS;
    pid_t pid;
    int problem = spawn(path, kind, zone, &channels, file_fd, &pid);
    if (problem == EMFILE)
        return error_set_errno(err, SNAPCELL_E_IO, problem, "cannot start the child %s", path);
    if (problem != 0)
        return error_set(err, SNAPCELL_E_INTERNAL, "cannot start the child %s: %s", path,
                         strerrordesc_np(problem));
    out->pid = pid;
    out->socket_fd = channel_take(&channels.messages);
    out->words_fd = channel_take(&channels.words);
    out->control_fd = channel_take(&channels.control);
    return SNAPCELL_OK;
}

int child_process_start(const char *path, const child_kind *kind, const char *zone,
                        uint32_t wall_limit_ms, child_process *out, snapcell_error *err)
{
    return child_process_start_with(path, kind, zone, wall_limit_ms, -1, out, err);
}

/* --- Talking --- */

/* Takes what there is on stderr. What does not fit is read and dropped: the worker must not wait
 * for us. */
static void process_take_words(child_process *process)
{
    char chunk[4096];
    while (process->words_fd >= 0) {
        ssize_t count = read(process->words_fd, chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            close(process->words_fd);
            process->words_fd = -1;
            return;
        }
        size_t room = CHILD_WORDS_SIZE_MAX - process->words_size_bytes;
        size_t taken = (size_t)count < room ? (size_t)count : room;
        memcpy(process->words + process->words_size_bytes, chunk, taken);
        process->words_size_bytes += taken;
    }
}

/* Waits until the socket is ready for `events`, and takes what comes on stderr meanwhile. */
static child_outcome process_wait_ready(child_process *process, short events)
{
    for (;;) {
        uint64_t now = monotonic_now_ns();
        if (now >= process->deadline_ns) return CHILD_TIMEOUT;
        uint64_t left_ms = (process->deadline_ns - now) / NS_PER_MS + 1;
        struct pollfd polled[] = {{.fd = process->socket_fd, .events = events},
                                  {.fd = process->words_fd, .events = POLLIN}};
        int count = poll(polled, 2, left_ms > 60000 ? 60000 : (int)left_ms);
        if (count < 0 && errno != EINTR) return CHILD_GONE;
        if (count <= 0) continue;
        if (polled[1].revents != 0) process_take_words(process);
        if (polled[0].revents != 0) return CHILD_OK;
    }
}

void child_process_renew(child_process *process, uint32_t limit_ms)
{
    process->deadline_ns = limit_ms > 0 ? monotonic_now_ns() + limit_ms * NS_PER_MS : UINT64_MAX;
    process_take_words(process);
    memset(process->words, 0, sizeof(process->words));
    process->words_size_bytes = 0;
}

bool child_process_is_quiet(const child_process *process)
{
    struct pollfd polled = {.fd = process->socket_fd, .events = POLLIN | POLLRDHUP};
    return poll(&polled, 1, 0) == 0;
}

/* Header and body, in one call as long as the socket takes them. */
static child_outcome process_send_parts(child_process *process, struct iovec *parts, size_t count)
{
    while (count > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t sent = sendmsg(process->socket_fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return CHILD_GONE;
        if (sent < 0) {
            child_outcome status = process_wait_ready(process, POLLOUT);
            if (status != CHILD_OK) return status;
            continue;
        }
        size_t left = (size_t)sent;
        while (count > 0 && left >= parts->iov_len) {
            left -= parts->iov_len;
            parts++;
            count--;
        }
        if (count == 0) break;
        parts->iov_base = (char *)parts->iov_base + left;
        parts->iov_len -= left;
    }
    return CHILD_OK;
}

child_outcome child_process_send(child_process *process, uint32_t type, const wire_writer *body)
{
    if (body->failed) return CHILD_NO_MEMORY;
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, body->size_bytes}, header);
    struct iovec parts[] = {{header, sizeof(header)}, {body->data, body->size_bytes}};
    return process_send_parts(process, parts, 2);
}

child_outcome child_process_send_file(child_process *process, uint32_t type,
                                      const wire_writer *body, int fd)
{
    if (body->failed) return CHILD_NO_MEMORY;
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, body->size_bytes}, header);
    struct iovec parts[] = {{header, sizeof(header)}, {body->data, body->size_bytes}};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(fd))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(fd)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t sent;
    do
        sent = sendmsg(process->socket_fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)(sizeof(header) + body->size_bytes) ? CHILD_OK : CHILD_GONE;
}

static child_outcome process_receive_bytes(child_process *process, void *data, size_t size_bytes)
{
    uint8_t *at = data;
    while (size_bytes > 0) {
        /* The deadline holds for a worker that never stops talking, too. */
        child_outcome status = process_wait_ready(process, POLLIN);
        if (status != CHILD_OK) return status;
        ssize_t count = recv(process->socket_fd, at, size_bytes, 0);
        if (count == 0) return CHILD_GONE;
        if (count < 0 && errno != EINTR && errno != EAGAIN) return CHILD_GONE;
        if (count < 0) continue;
        at += count;
        size_bytes -= (size_t)count;
    }
    return CHILD_OK;
}

child_outcome child_process_receive(child_process *process, child_message *out)
{
    uint8_t data[WIRE_HEADER_SIZE];
    child_outcome status = process_receive_bytes(process, data, sizeof(data));
    if (status != CHILD_OK) return status;
    wire_header header;
    if (!wire_header_read(data, process->kind->size_max, &header) ||
        header.body_size_bytes > process->body_size_max)
        return CHILD_NONSENSE;

    cleanup_free void *body = malloc(header.body_size_bytes);
    if (body == NULL) return CHILD_NO_MEMORY;
    status = process_receive_bytes(process, body, header.body_size_bytes);
    if (status != CHILD_OK) return status;
    *out = (child_message){header.type, steal_pointer(&body), header.body_size_bytes};
    return CHILD_OK;
}

/* --- Ending --- */

bool child_process_has_ended(child_process *process, child_end *end)
{
    int status;
    struct rusage usage;
    *end = (child_end){-1, -1, 0};
    process_take_words(process);
    pid_t pid = wait4(process->pid, &status, WNOHANG, &usage);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return false;
    if (pid == process->pid) {
        if (WIFEXITED(status)) end->exit_status = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) end->signal = WTERMSIG(status);
        end->cpu_ms = limit_cpu_ms(&usage);
    }
    /* An embedder that waits for all its children may have taken this one, too. */
    process->pid = 0;
    process_take_words(process);
    return true;
}

child_end child_process_wait(child_process *process)
{
    child_end end;
    for (int waited_ms = 0; waited_ms < END_WAIT_MS; waited_ms += END_WAIT_STEP_MS) {
        if (child_process_has_ended(process, &end)) return end;
        nanosleep(&(struct timespec){.tv_nsec = END_WAIT_STEP_MS * (long)NS_PER_MS}, NULL);
    }
    process_take_words(process);
    return end;
}

bool child_process_is_ours(const child_process *process)
{
    return process->parent == getpid();
}

pid_t child_process_kill(child_process *process)
{
    pid_t pid = process->pid > 0 && child_process_is_ours(process) ? process->pid : 0;
    if (pid > 0) kill(pid, SIGKILL);
    if (process->socket_fd >= 0) close(process->socket_fd);
    if (process->words_fd >= 0) close(process->words_fd);
    if (process->control_fd >= 0) close(process->control_fd);
    memset(process, 0, sizeof(*process));
    process->socket_fd = -1;
    process->words_fd = -1;
    process->control_fd = -1;
    return pid;
}

void child_process_end(child_process *process)
{
    pid_t pid = child_process_kill(process);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
