#include "fake_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error_set.h"

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
static fake_counts counts;
static unsigned fake_open; /* fetches whose memory is not freed */

typedef struct fake_fetch {
    snapcell_fetch *fetch;
    char path[128];
    int64_t body_size_bytes;
    /* under fake_lock */
    unsigned owners; /* the thread, and the engine until close() */
    bool given_back;
    bool closed;
    size_t ahead;
    char *body;
    size_t body_got_bytes;
    bool body_ended;
    bool piece_came;
} fake_fetch;

/* --- The thread --- */

static void fake_wait(bool (*over)(fake_fetch *), fake_fetch *self)
{
    pthread_mutex_lock(&fake_lock);
    while (!over(self) && !self->closed)
        pthread_cond_wait(&fake_changed, &fake_lock);
    pthread_mutex_unlock(&fake_lock);
}

static bool fake_never(fake_fetch *self)
{
    (void)self;
    return false;
}

static bool fake_has_piece(fake_fetch *self)
{
    return self->piece_came;
}

static bool fake_has_room(fake_fetch *self)
{
    return self->ahead < SNAPCELL_FETCH_WINDOW_BYTES;
}

static void fake_note_given_back(fake_fetch *self)
{
    pthread_mutex_lock(&fake_lock);
    self->given_back = true;
    pthread_mutex_unlock(&fake_lock);
}

static void fake_end(fake_fetch *self)
{
    fake_note_given_back(self);
    snapcell_fetch_end(self->fetch);
}

static void fake_fail(fake_fetch *self, const char *code, const char *message)
{
    fake_note_given_back(self);
    snapcell_fetch_fail(self->fetch, code, message);
}

static void fake_head(fake_fetch *self, int status, const char *name, const char *value)
{
    snapcell_header header = {name, value};
    if (snapcell_fetch_head(self->fetch, status, "Fine", &header, name != NULL, NULL) != 0) abort();
}

/* Writes all, in pieces for which there is room. */
static void fake_write(fake_fetch *self, const char *data, size_t size)
{
    while (size > 0) {
        fake_wait(fake_has_room, self);
        pthread_mutex_lock(&fake_lock);
        size_t taken = snapcell_fetch_write(self->fetch, data, size);
        self->ahead += taken;
        if (!self->closed && self->ahead > counts.most_ahead) counts.most_ahead = self->ahead;
        if (self->closed) taken = size;
        pthread_mutex_unlock(&fake_lock);
        data += taken;
        size -= taken;
    }
}

static void fake_pull_all(fake_fetch *self)
{
    while (!self->body_ended && !self->closed) {
        self->piece_came = false;
        snapcell_fetch_pull(self->fetch);
        fake_wait(fake_has_piece, self);
    }
}

static void fake_echo(fake_fetch *self)
{
    if (self->body_size_bytes != SNAPCELL_BODY_NONE) fake_pull_all(self);
    fake_head(self, 200, "x-size", "echo");
    fake_write(self, self->body, self->body_got_bytes);
    fake_end(self);
}

static void fake_big(fake_fetch *self, size_t size)
{
    static char block[100000];
    memset(block, 'b', sizeof(block));
    fake_head(self, 200, "content-type", "text/plain");
    for (; size > sizeof(block); size -= sizeof(block))
        fake_write(self, block, sizeof(block));
    fake_write(self, block, size);
    fake_end(self);
}

/* /redirect/STATUS/LOCATION */
static void fake_redirect(fake_fetch *self)
{
    fake_head(self, atoi(self->path + 10), "location", strchr(self->path + 10, '/') + 1);
    fake_write(self, "moved", 5);
    fake_end(self);
}

static void fake_half(fake_fetch *self)
{
    fake_head(self, 200, NULL, NULL);
    fake_write(self, "half", 4);
}

static void fake_plain(fake_fetch *self)
{
    int status = strncmp(self->path, "/status/", 8) == 0 ? atoi(self->path + 8) : 200;
    fake_head(self, status, "X-Path", self->path);
    if (status != 204) fake_write(self, self->path, strlen(self->path));
    fake_end(self);
}

static void fake_answer(fake_fetch *self)
{
    const char *path = self->path;
    if (strcmp(path, "/reset") == 0 || strcmp(path, "/stall") == 0) fake_half(self);
    if (strcmp(path, "/silent") == 0 || strcmp(path, "/stall") == 0) fake_wait(fake_never, self);
    if (self->closed)
        fake_fail(self, NULL, "given up");
    else if (strncmp(path, "/fail", 5) == 0)
        fake_fail(self, "ECONNREFUSED", "nobody listens");
    else if (strcmp(path, "/reset") == 0)
        fake_fail(self, "ECONNRESET", "the connection was reset");
    else if (strcmp(path, "/empty") == 0)
        fake_end(self);
    else if (strcmp(path, "/echo") == 0)
        fake_echo(self);
    else if (strncmp(path, "/redirect/", 10) == 0)
        fake_redirect(self);
    else if (strncmp(path, "/big/", 5) == 0)
        fake_big(self, (size_t)strtoull(path + 5, NULL, 10));
    else
        fake_plain(self);
}

/* Under the lock. */
static void fake_release(fake_fetch *self)
{
    if (--self->owners > 0) return;
    free(self->body);
    free(self);
    fake_open--;
    pthread_cond_broadcast(&fake_changed);
}

static void *fake_thread(void *user)
{
    fake_fetch *self = user;
    fake_answer(self);
    pthread_mutex_lock(&fake_lock);
    fake_release(self);
    pthread_mutex_unlock(&fake_lock);
    return NULL;
}

/* --- The client --- */

static void fake_note_request(const snapcell_fetch_request *request)
{
    int at = snprintf(counts.last, sizeof(counts.last), "%s %s\n", request->method, request->url);
    for (size_t i = 0; i < request->header_count && (size_t)at < sizeof(counts.last); i++)
        at += snprintf(counts.last + at, sizeof(counts.last) - (size_t)at, "%s: %s\n",
                       request->headers[i].name, request->headers[i].value);
}

static int fake_start(void *user, snapcell_fetch *fetch, const snapcell_fetch_request *request,
                      void **fetch_user, snapcell_error *err)
{
    (void)user;
    const char *path = strchr(strstr(request->url, "://") + 3, '/');
    if (strcmp(path, "/refuse") == 0)
        return error_set(err, SNAPCELL_E_USAGE, "this host is not allowed");
    fake_fetch *self = calloc(1, sizeof(*self));
    if (self == NULL) abort();
    self->fetch = fetch;
    self->owners = 2;
    self->body_size_bytes = request->body_size_bytes;
    snprintf(self->path, sizeof(self->path), "%s", path);
    *fetch_user = self;
    pthread_mutex_lock(&fake_lock);
    counts.started++;
    fake_open++;
    fake_note_request(request);
    pthread_mutex_unlock(&fake_lock);
    pthread_t thread;
    if (pthread_create(&thread, NULL, fake_thread, self) != 0) abort();
    pthread_detach(thread);
    return SNAPCELL_OK;
}

static void fake_send(void *fetch_user, const void *data, size_t size_bytes, bool is_last)
{
    fake_fetch *self = fetch_user;
    pthread_mutex_lock(&fake_lock);
    self->body = realloc(self->body, self->body_got_bytes + size_bytes + 1);
    if (self->body == NULL || size_bytes > SNAPCELL_FETCH_PIECE_BYTES) abort();
    if (size_bytes > 0) memcpy(self->body + self->body_got_bytes, data, size_bytes);
    self->body_got_bytes += size_bytes;
    self->body_ended = is_last;
    self->piece_came = true;
    pthread_cond_broadcast(&fake_changed);
    pthread_mutex_unlock(&fake_lock);
}

static void fake_read(void *fetch_user, size_t size_bytes)
{
    fake_fetch *self = fetch_user;
    pthread_mutex_lock(&fake_lock);
    self->ahead -= size_bytes;
    pthread_cond_broadcast(&fake_changed);
    pthread_mutex_unlock(&fake_lock);
}

static void fake_close(void *fetch_user)
{
    fake_fetch *self = fetch_user;
    pthread_mutex_lock(&fake_lock);
    counts.closed++;
    if (!self->given_back) counts.given_up++;
    self->closed = true;
    pthread_cond_broadcast(&fake_changed);
    fake_release(self);
    pthread_mutex_unlock(&fake_lock);
}

const snapcell_fetch_client fake_client = {
    .struct_size = sizeof(snapcell_fetch_client),
    .start = fake_start,
    .send = fake_send,
    .read = fake_read,
    .close = fake_close,
};

fake_counts fake_client_counts(void)
{
    pthread_mutex_lock(&fake_lock);
    while (fake_open > 0)
        pthread_cond_wait(&fake_changed, &fake_lock);
    fake_counts now = counts;
    pthread_mutex_unlock(&fake_lock);
    return now;
}

void fake_client_reset(void)
{
    pthread_mutex_lock(&fake_lock);
    counts = (fake_counts){0};
    pthread_mutex_unlock(&fake_lock);
}
