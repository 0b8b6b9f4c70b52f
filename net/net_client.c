/* The client's side of the socket: a thread takes what snapcell-net sends, and hands it to the
 * fetches it is for. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "net_client.h"
#include "net_fetch.h"
#include "net_wire.h"
#include "process_spawn.h"
#include "socket_io.h"

#define CLIENT_STACK_SIZE_BYTES ((size_t)256 << 10)

typedef struct net_fetch net_fetch;
struct net_fetch {
    snapcell_net *net;
    net_fetch *next;
    uint32_t id;
    snapcell_fetch *fetch; /* NULL once it was given back */
};

struct snapcell_net {
    snapcell_fetch_client client;
    int fd;
    pthread_mutex_t send_lock; /* a frame is sent as a whole */
    /* Fetches are given back under this: close() may come while the thread hands something over. */
    pthread_mutex_t lock;
    net_fetch *fetches;
    uint32_t last_id;
    bool has_thread;
    bool broken;
    pthread_t thread;
    pid_t pid; /* of a child to wait for; 0: none */
};

static bool client_send(snapcell_net *net, net_frame_type type, uint32_t id, const void *body,
                        size_t size_bytes)
{
    pthread_mutex_lock(&net->send_lock);
    bool sent = net_send(net->fd, type, id, body, size_bytes);
    pthread_mutex_unlock(&net->send_lock);
    return sent;
}

/* --- The thread --- */

static net_fetch *client_find(snapcell_net *net, uint32_t id)
{
    net_fetch *found = net->fetches;
    while (found != NULL && found->id != id)
        found = found->next;
    return found != NULL && found->fetch != NULL ? found : NULL;
}

/* One frame; `buffer` has room for the largest. */
static bool client_take_frame(snapcell_net *net, char *buffer)
{
    net_frame_header header;
    if (!socket_read_all(net->fd, &header, sizeof(header)) ||
        header.size_bytes > NET_FRAME_SIZE_MAX ||
        !socket_read_all(net->fd, buffer, header.size_bytes))
        return false;
    wire_reader body = wire_reader_over(buffer, header.size_bytes);
    pthread_mutex_lock(&net->lock);
    net_fetch *fetch = client_find(net, header.id);
    bool fine = fetch == NULL || net_fetch_take(&fetch->fetch, (net_frame_type)header.type, &body);
    pthread_mutex_unlock(&net->lock);
    return fine;
}

static void *client_run(void *user)
{
    snapcell_net *net = user;
    cleanup_free char *buffer = malloc(NET_FRAME_SIZE_MAX);
    while (buffer != NULL && client_take_frame(net, buffer))
        continue;
    pthread_mutex_lock(&net->lock);
    net->broken = true;
    for (net_fetch *fetch = net->fetches; fetch != NULL; fetch = fetch->next)
        if (fetch->fetch != NULL)
            net_fetch_fail(&fetch->fetch, "", "the process that has the network ended");
    pthread_mutex_unlock(&net->lock);
    return NULL;
}

/* Under the lock. */
static int client_start_thread(snapcell_net *net, snapcell_error *err)
{
    if (net->has_thread) return SNAPCELL_OK;
    pthread_attr_t attributes;
    int problem = pthread_attr_init(&attributes);
    if (problem == 0) {
        problem = pthread_attr_setstacksize(&attributes, CLIENT_STACK_SIZE_BYTES);
        if (problem == 0) problem = pthread_create(&net->thread, &attributes, client_run, net);
        pthread_attr_destroy(&attributes);
    }
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_IO, problem, "cannot start the network's thread");
    net->has_thread = true;
    return SNAPCELL_OK;
}

/* --- The client --- */

static int client_enter(snapcell_net *net, net_fetch *fetch, snapcell_error *err)
{
    pthread_mutex_lock(&net->lock);
    int status = net->broken ? error_set(err, SNAPCELL_E_IO,
                                         "the process that has the network ended; see its messages")
                             : client_start_thread(net, err);
    if (status == SNAPCELL_OK) {
        fetch->id = ++net->last_id;
        fetch->next = net->fetches;
        net->fetches = fetch;
    }
    pthread_mutex_unlock(&net->lock);
    return status;
}

static void client_leave(snapcell_net *net, const net_fetch *fetch)
{
    net_fetch **at = &net->fetches;
    while (*at != fetch)
        at = &(*at)->next;
    *at = fetch->next;
}

static int client_send_start(const net_fetch *fetch, const snapcell_fetch_request *request,
                             snapcell_error *err)
{
    cleanup_writer wire_writer body = {0};
    int status = net_fetch_write_start(&body, request, err);
    if (status != SNAPCELL_OK) return status;
    /* When the process has gone the thread notices, and fails the fetch. */
    client_send(fetch->net, NET_START, fetch->id, body.data, body.size_bytes);
    return SNAPCELL_OK;
}

static int client_start(void *user, snapcell_fetch *given, const snapcell_fetch_request *request,
                        void **fetch_user, snapcell_error *err)
{
    snapcell_net *net = user;
    net_fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
    fetch->net = net;
    fetch->fetch = given;
    int status = client_enter(net, fetch, err);
    if (status != SNAPCELL_OK) {
        free(fetch);
        return status;
    }
    status = client_send_start(fetch, request, err);
    if (status == SNAPCELL_OK) {
        *fetch_user = fetch;
        return SNAPCELL_OK;
    }
    pthread_mutex_lock(&net->lock);
    client_leave(net, fetch);
    pthread_mutex_unlock(&net->lock);
    free(fetch);
    return status;
}

static void client_send_body(void *fetch_user, const void *data, size_t size_bytes, bool is_last)
{
    net_fetch *fetch = fetch_user;
    client_send(fetch->net, is_last ? NET_BODY_LAST : NET_BODY, fetch->id, data, size_bytes);
}

static void client_read(void *fetch_user, size_t size_bytes)
{
    net_fetch *fetch = fetch_user;
    uint32_t credit = (uint32_t)size_bytes;
    client_send(fetch->net, NET_CREDIT, fetch->id, &credit, sizeof(credit));
}

static void client_close(void *fetch_user)
{
    net_fetch *fetch = fetch_user;
    snapcell_net *net = fetch->net;
    pthread_mutex_lock(&net->lock);
    bool is_open = fetch->fetch != NULL;
    if (is_open) net_fetch_fail(&fetch->fetch, "", "it was given up");
    client_leave(net, fetch);
    pthread_mutex_unlock(&net->lock);
    if (is_open) client_send(net, NET_CLOSE, fetch->id, NULL, 0);
    free(fetch);
}

int snapcell_net_attach(int fd, snapcell_net **out, snapcell_error *err)
{
    *out = NULL;
    snapcell_net *net = calloc(1, sizeof(*net));
    if (net == NULL) {
        close(fd);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the network's client");
    }
    net->fd = fd;
    net->client = (snapcell_fetch_client){
        .struct_size = sizeof(net->client),
        .user = net,
        .start = client_start,
        .send = client_send_body,
        .read = client_read,
        .close = client_close,
    };
    pthread_mutex_init(&net->send_lock, NULL);
    pthread_mutex_init(&net->lock, NULL);
    *out = net;
    return SNAPCELL_OK;
}

const snapcell_fetch_client *snapcell_net_client(snapcell_net *net)
{
    return &net->client;
}

void net_client_own(snapcell_net *net, pid_t pid)
{
    net->pid = pid;
}

void snapcell_net_close(snapcell_net *net)
{
    if (net == NULL) return;
    shutdown(net->fd, SHUT_RDWR);
    if (net->has_thread) pthread_join(net->thread, NULL);
    close(net->fd);
    if (net->pid > 0) process_wait(net->pid);
    pthread_mutex_destroy(&net->lock);
    pthread_mutex_destroy(&net->send_lock);
    free(net);
}
