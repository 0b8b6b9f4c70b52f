#include "worker_images.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "image_folder.h"
#include "image_maker.h"
#include "image_shelf.h"
#include "image_store.h"
#include "monotonic.h"
#include "process_image.h"

/* As many functions are known at a time. */
#define IMAGES_FUNCTIONS_MAX 4096
/* In addition to the start of a process: for its warm-up requests. */
#define IMAGES_HEAT_MS 10000
/* Another launcher is started so long after one was taken: the worker that it becomes comes first.
 */
#define IMAGES_REFILL_NS (UINT64_C(3) * NS_PER_MS)
/* A function whose image could not be made is tried again after so long. */
#define IMAGES_RETRY_NS (UINT64_C(60) * NS_PER_SECOND)

typedef enum function_state {
    FUNCTION_IDLE = 0,
    FUNCTION_WAITING = 1, /* for its image to be made */
    FUNCTION_MAKING = 2,
} function_state;

/* A function, loaded in one way. */
typedef struct image_function {
    image_key key;
    snapcell_key artifact;
    wire_writer load; /* Owned; empty until an image is wanted */
    function_state state;
    bool is_worth_it; /* if a folder does not have its image, it is made */
    uint32_t starts;
    uint64_t used_ns;
    uint64_t retry_ns; /* not to be tried before */
} image_function;

struct worker_images {
    worker_images_options options;
    pid_t pid;
    char *launcher_path; /* NULL: no images */
    int program_fd;
    image_file_identity program; /* as it was when the group was opened */
    image_key host;
    image_store *store;
    image_folder *folder; /* NULL: none; the thread's alone */

    pthread_mutex_t lock; /* of all that follows */
    image_shelf shelf;
    image_function functions[IMAGES_FUNCTIONS_MAX];
    uint32_t function_count;
    child_process *launchers; /* Owned */
    uint32_t launcher_count;
    uint64_t refill_ns;         /* when there are to be more; at once where none waits */
    image_launcher_scope scope; /* of the launchers */
    launch_stock stock;         /* of those that are started from now on */
    bool wants_launchers;
    bool is_refused;
    worker_images_counts counts;
    bool has_thread;
    bool is_closing;
    pthread_t thread;
    int wake_fd;
};

static uint64_t boot_now_ns(void)
{
    return clock_read_ns(CLOCK_BOOTTIME);
}

/* --- Opening --- */

static bool images_find_program(worker_images *images)
{
    image_file_identity launcher;
    images->launcher_path = image_launcher_find(images->options.worker_path);
    if (images->launcher_path == NULL) return false;
    images->program_fd = open(images->options.worker_path, O_RDONLY | O_CLOEXEC);
    if (images->program_fd < 0 ||
        !image_file_identify(images->program_fd, NULL, &images->program) ||
        !image_file_identify(-1, images->launcher_path, &launcher))
        return false;
    return image_identify_host(&images->program, &launcher, images->options.zone, &images->host,
                               NULL) == SNAPCELL_OK;
}

worker_images *worker_images_open(const worker_images_options *options)
{
    worker_images *images = calloc(1, sizeof(*images));
    if (images == NULL) return NULL;
    images->options = *options;
    images->pid = getpid();
    images->program_fd = -1;
    images->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    images->shelf.size_bytes_max = options->size_bytes_max;
    images->is_refused = images->wake_fd < 0 || !images_find_program(images);
    images->store = image_store_new(options->store_path);
    images->launchers = calloc(options->launchers + 1u, sizeof(*images->launchers));
    if (images->store != NULL && images->launchers != NULL &&
        pthread_mutex_init(&images->lock, NULL) == 0)
        return images;
    image_store_free(images->store);
    if (images->program_fd >= 0) close(images->program_fd);
    if (images->wake_fd >= 0) close(images->wake_fd);
    free(images->launcher_path);
    free(images->launchers);
    free(images);
    return NULL;
}

static void images_wake(const worker_images *images)
{
    const uint64_t one = 1;
    ssize_t put = write(images->wake_fd, &one, sizeof(one));
    (void)put; /* it is awake already */
}

static void images_end_launchers(worker_images *images)
{
    while (images->launcher_count > 0)
        child_process_end(&images->launchers[--images->launcher_count]);
}

static void images_stop_thread(worker_images *images)
{
    pthread_mutex_lock(&images->lock);
    images->is_closing = true;
    bool has_thread = images->has_thread && images->pid == getpid();
    pthread_mutex_unlock(&images->lock);
    if (!has_thread) return;
    images_wake(images);
    pthread_join(images->thread, NULL);
}

void worker_images_close(worker_images *images)
{
    if (images == NULL) return;
    if (images->pid == getpid()) images_stop_thread(images);
    images_end_launchers(images);
    image_shelf_clear(&images->shelf);
    for (uint32_t i = 0; i < images->function_count; i++)
        wire_writer_release(&images->functions[i].load);
    image_store_free(images->store);
    if (images->program_fd >= 0) close(images->program_fd);
    if (images->wake_fd >= 0) close(images->wake_fd);
    pthread_mutex_destroy(&images->lock);
    free(images->launcher_path);
    free(images->launchers);
    free(images);
}

/* --- Functions --- */

static image_function *function_of(worker_images *images, const image_key *key)
{
    for (uint32_t i = 0; i < images->function_count; i++)
        if (memcmp(&images->functions[i].key, key, sizeof(*key)) == 0) return &images->functions[i];
    return NULL;
}

/* Room for another one: the one that was not used for longest goes. NULL: all are busy. */
static image_function *function_room(worker_images *images)
{
    if (images->function_count < IMAGES_FUNCTIONS_MAX)
        return &images->functions[images->function_count++];
    image_function *oldest = NULL;
    for (uint32_t i = 0; i < images->function_count; i++) {
        image_function *function = &images->functions[i];
        if (function->state == FUNCTION_IDLE &&
            (oldest == NULL || function->used_ns < oldest->used_ns))
            oldest = function;
    }
    if (oldest != NULL) wire_writer_release(&oldest->load);
    return oldest;
}

/* A start that found no image: one is made when that pays. */
static void function_count_start(worker_images *images, const image_key *key,
                                 const snapcell_key *artifact, const wire_writer *load)
{
    image_function *function = function_of(images, key);
    uint64_t now_ns = boot_now_ns();
    if (function == NULL) {
        function = function_room(images);
        if (function == NULL) return;
        *function = (image_function){.key = *key, .artifact = *artifact};
    }
    uint64_t before_ns = function->used_ns;
    function->used_ns = now_ns;
    function->starts++;
    if (function->state != FUNCTION_IDLE || now_ns < function->retry_ns) return;
    function->is_worth_it = function->starts >= images->options.starts_min &&
                            image_shelf_admits(&images->shelf, before_ns);
    if (!function->is_worth_it && images->options.folder == NULL) return;
    wire_writer_release(&function->load);
    wire_put_raw(&function->load, load->data, load->size_bytes);
    if (!function->load.failed) function->state = FUNCTION_WAITING;
}

static void function_done(worker_images *images, const image_key *key, bool made)
{
    image_function *function = function_of(images, key);
    if (function == NULL) return;
    wire_writer_release(&function->load);
    function->state = FUNCTION_IDLE;
    function->retry_ns = made ? 0 : boot_now_ns() + IMAGES_RETRY_NS;
}

/* --- The thread --- */

/* What the thread has in hand. */
typedef struct images_work {
    worker_images *images;
    image_maker maker;
    wire_writer load; /* of the maker */
    bool is_worth_it; /* to be made */
} images_work;

static bool scope_is(const image_launcher_scope *a, const image_launcher_scope *b)
{
    return a->no_sandbox == b->no_sandbox && a->data_limit_bytes == b->data_limit_bytes;
}

/* `waits`: nobody waits for it. */
static int images_start_launcher(worker_images *images, const image_launcher_scope *scope,
                                 bool waits, child_process *out)
{
    pthread_mutex_lock(&images->lock);
    launch_stock stock = images->stock;
    pthread_mutex_unlock(&images->lock);
    stock.touches = waits;
    const image_launcher_kind kind = {images->launcher_path, images->options.zone,
                                      images->program_fd, &stock};
    return image_launcher_start(&kind, scope, out, NULL);
}

static bool images_lack_launchers(const worker_images *images)
{
    return images->wants_launchers && !images->is_refused && !images->is_closing &&
           images->launcher_count < images->options.launchers;
}

static uint64_t images_refill_wait_ns(const worker_images *images)
{
    uint64_t now_ns = monotonic_now_ns();
    return images->launcher_count > 0 && images->refill_ns > now_ns ? images->refill_ns - now_ns
                                                                    : 0;
}

/* One at a time: the lock is not held while it starts. False: there is nothing to do, or it fails.
 */
static bool work_add_launcher(worker_images *images)
{
    pthread_mutex_lock(&images->lock);
    image_launcher_scope scope = images->scope;
    bool is_wanted = images_lack_launchers(images) && images_refill_wait_ns(images) == 0;
    pthread_mutex_unlock(&images->lock);
    child_process launcher;
    if (!is_wanted || images_start_launcher(images, &scope, true, &launcher) != SNAPCELL_OK)
        return false;
    pthread_mutex_lock(&images->lock);
    bool is_kept =
        images->launcher_count < images->options.launchers && scope_is(&scope, &images->scope);
    if (is_kept) images->launchers[images->launcher_count++] = launcher;
    pthread_mutex_unlock(&images->lock);
    if (!is_kept) child_process_end(&launcher);
    return true;
}

/* The function that has waited for longest. */
static bool work_next_function(images_work *work, image_key *key, snapcell_key *artifact)
{
    worker_images *images = work->images;
    image_function *next = NULL;
    pthread_mutex_lock(&images->lock);
    for (uint32_t i = 0; i < images->function_count; i++) {
        image_function *function = &images->functions[i];
        if (function->state == FUNCTION_WAITING &&
            (next == NULL || function->used_ns < next->used_ns))
            next = function;
    }
    if (next != NULL && !images->is_closing) {
        next->state = FUNCTION_MAKING;
        *key = next->key;
        *artifact = next->artifact;
        work->load = next->load;
        work->is_worth_it = next->is_worth_it;
        next->load = (wire_writer){0};
    }
    pthread_mutex_unlock(&images->lock);
    return next != NULL;
}

/* What launchers are to have at hand, from an image that was checked. */
static void work_take_stock(worker_images *images, int fd)
{
    process_image_head head;
    cleanup_free void *tables = NULL;
    launch_stock stock;
    if (process_image_read(fd, images->program.size_bytes, &head, &tables, NULL) != SNAPCELL_OK)
        return;
    image_launcher_stock(&head, tables, &stock);
    pthread_mutex_lock(&images->lock);
    images->stock = stock;
    pthread_mutex_unlock(&images->lock);
}

/* Puts an image on the shelf; `fd` is the shelf's then. NULL: there is none. */
static void work_end_function(worker_images *images, const image_key *key, int fd,
                              uint64_t size_bytes, uint64_t made_ns, bool is_new)
{
    if (fd >= 0) work_take_stock(images, fd);
    pthread_mutex_lock(&images->lock);
    const shelf_image image = {.key = *key,
                               .fd = fd,
                               .size_bytes = size_bytes,
                               .made_ns = made_ns,
                               .used_ns = boot_now_ns()};
    bool made = fd >= 0 && image_shelf_put(&images->shelf, &image);
    function_done(images, key, made);
    if (made && is_new) images->counts.made++;
    if (made && !is_new) images->counts.read++;
    if (!made) images->counts.failures++;
    pthread_mutex_unlock(&images->lock);
}

/* The program that would make it must still be the one that would be mapped. */
static bool work_program_is_same(const worker_images *images)
{
    image_file_identity now;
    return image_file_identify(-1, images->options.worker_path, &now) &&
           memcmp(&now, &images->program, sizeof(now)) == 0;
}

static bool work_take_from_folder(images_work *work, const image_key *key)
{
    worker_images *images = work->images;
    uint64_t size_bytes;
    uint64_t made_ns;
    if (images->folder == NULL) return false;
    int fd = image_folder_get(images->folder, key, images->options.age_max_ns,
                              images->program.size_bytes, &size_bytes, &made_ns, NULL);
    if (fd < 0) return false;
    work_end_function(images, key, fd, size_bytes, made_ns, false);
    return true;
}

/* The folder was looked into, and that is all. */
static bool work_forgoes(images_work *work, const image_key *key)
{
    if (work->is_worth_it) return false;
    pthread_mutex_lock(&work->images->lock);
    function_done(work->images, key, true);
    pthread_mutex_unlock(&work->images->lock);
    return true;
}

static void work_begin_image(images_work *work)
{
    worker_images *images = work->images;
    image_key key;
    snapcell_key artifact;
    if (work->maker.is_running || !work_next_function(work, &key, &artifact)) return;
    if (work_take_from_folder(work, &key) || work_forgoes(work, &key)) {
        wire_writer_release(&work->load);
        return;
    }
    const image_maker_request request = {
        .worker_path = images->options.worker_path,
        .zone = images->options.zone,
        .limit_ms = images->options.start_limit_ms + IMAGES_HEAT_MS,
        .key = &key,
        .artifact = &artifact,
        .size_bytes_max = images->options.size_bytes_max,
    };
    if (!work_program_is_same(images) ||
        image_maker_start(&request, &work->maker, NULL) != SNAPCELL_OK) {
        wire_writer_release(&work->load);
        work_end_function(images, &key, -1, 0, 0, true);
    }
}

static void work_continue_image(images_work *work)
{
    worker_images *images = work->images;
    image_key key = work->maker.key;
    int fd = -1;
    uint64_t size_bytes = 0;
    image_maker_state state = image_maker_step(&work->maker, &work->load,
                                               images->program.size_bytes, &fd, &size_bytes, NULL);
    if (state == IMAGE_MAKER_WORKING) return;
    wire_writer_release(&work->load);
    if (fd >= 0 && !work_program_is_same(images)) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0 && images->folder != NULL)
        image_folder_put(images->folder, &key, fd, size_bytes, NULL);
    work_end_function(images, &key, fd, size_bytes, boot_now_ns(), true);
}

/* Until a launcher may be added; -1: none is to be. */
static int work_refill_timeout_ms(worker_images *images)
{
    pthread_mutex_lock(&images->lock);
    uint64_t wait_ns = images_lack_launchers(images) ? images_refill_wait_ns(images) : 0;
    pthread_mutex_unlock(&images->lock);
    return wait_ns > 0 ? (int)(wait_ns / NS_PER_MS) + 1 : -1;
}

/* Waits until there is something to do. */
static void work_wait(images_work *work)
{
    worker_images *images = work->images;
    struct pollfd polled[] = {{.fd = images->wake_fd, .events = POLLIN},
                              {.fd = -1, .events = POLLIN}};
    int timeout_ms = work_refill_timeout_ms(images);
    if (work->maker.is_running) {
        uint64_t now = monotonic_now_ns();
        uint64_t deadline = work->maker.process.deadline_ns;
        polled[1].fd = work->maker.process.socket_fd;
        int left_ms = deadline > now ? (int)((deadline - now) / NS_PER_MS) + 1 : 0;
        if (timeout_ms < 0 || left_ms < timeout_ms) timeout_ms = left_ms;
    }
    if (poll(polled, 2, timeout_ms) < 0) return;
    uint64_t count;
    if (polled[0].revents != 0 && read(images->wake_fd, &count, sizeof(count)) < 0) return;
    bool is_late = work->maker.is_running && monotonic_now_ns() >= work->maker.process.deadline_ns;
    if (work->maker.is_running && (polled[1].revents != 0 || is_late)) work_continue_image(work);
}

static bool work_is_over(worker_images *images)
{
    pthread_mutex_lock(&images->lock);
    bool is_closing = images->is_closing;
    pthread_mutex_unlock(&images->lock);
    return is_closing;
}

static void *images_main(void *user)
{
    images_work work = {.images = user, .maker = {.image_fd = -1}};
    worker_images *images = user;
    if (images->options.folder != NULL)
        image_folder_open(images->options.folder, images->options.folder_bytes_max, &images->folder,
                          NULL);
    while (!work_is_over(images)) {
        while (work_add_launcher(images))
            continue;
        work_begin_image(&work);
        work_wait(&work);
    }
    image_maker_stop(&work.maker);
    wire_writer_release(&work.load);
    image_folder_close(images->folder);
    return NULL;
}

/* Signals are for the host's own threads. */
static void images_start_thread(worker_images *images)
{
    sigset_t all;
    sigset_t before;
    if (images->has_thread) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    images->has_thread = pthread_create(&images->thread, NULL, images_main, images) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!images->has_thread) images->is_refused = true;
}

/* --- Launching --- */

/* A launcher that waits, if it is for the same sandbox; those of another are ended. */
static bool launch_take_launcher(worker_images *images, const image_launcher_scope *scope,
                                 child_process *out)
{
    images->wants_launchers = true;
    if (!scope_is(scope, &images->scope)) {
        images_end_launchers(images);
        images->scope = *scope;
    }
    if (images->launcher_count == 0) return false;
    *out = images->launchers[--images->launcher_count];
    images->refill_ns = monotonic_now_ns() + IMAGES_REFILL_NS;
    return true;
}

/* An image that is young enough, as a descriptor of the caller's. -1: none. */
static int launch_take_image(worker_images *images, const image_key *key, uint64_t *size_bytes)
{
    uint64_t now_ns = boot_now_ns();
    shelf_image *image = image_shelf_find(&images->shelf, key, now_ns);
    if (image == NULL) return -1;
    if (now_ns - image->made_ns > images->options.age_max_ns) {
        image_shelf_drop(&images->shelf, key);
        return -1;
    }
    *size_bytes = image->size_bytes;
    return fcntl(image->fd, F_DUPFD_CLOEXEC, 0);
}

/* Launchers map the program from a descriptor, which keeps nobody from writing to its file: what is
 * not as it was goes with no image any more. */
static bool launch_program_is_whole(worker_images *images)
{
    image_file_identity now;
    if (image_file_identify(images->program_fd, NULL, &now) &&
        memcmp(&now, &images->program, sizeof(now)) == 0)
        return true;
    images->is_refused = true;
    return false;
}

/* What a launch begins with. `has_launcher`: one waited. */
typedef struct launch_begin {
    int image_fd;
    uint64_t size_bytes;
    bool has_launcher;
} launch_begin;

static void launch_look(worker_images *images, const worker_image_wish *wish,
                        const snapcell_key *artifact, worker_image_launch *out, launch_begin *begin)
{
    pthread_mutex_lock(&images->lock);
    images_start_thread(images);
    if (!images->is_refused && launch_program_is_whole(images))
        begin->image_fd = launch_take_image(images, &out->key, &begin->size_bytes);
    if (begin->image_fd >= 0)
        begin->has_launcher = launch_take_launcher(images, &wish->scope, &out->process);
    else
        images->counts.misses++;
    if (begin->image_fd < 0 && !images->is_refused && wish->is_counted)
        function_count_start(images, &out->key, artifact, wish->load);
    pthread_mutex_unlock(&images->lock);
}

/* Lets a launcher that waited, or one that is started now, become the worker. */
static bool launch_go(worker_images *images, const worker_image_wish *wish,
                      const launch_begin *begin, worker_image_launch *out)
{
    if (!begin->has_launcher &&
        images_start_launcher(images, &wish->scope, false, &out->process) != SNAPCELL_OK) {
        worker_images_tell(images, &out->key, WORKER_IMAGE_REFUSED);
        return false;
    }
    if (image_launcher_order(&out->process, begin->image_fd, begin->size_bytes)) return true;
    child_process_end(&out->process);
    return false;
}

static bool images_are_usable(const worker_images *images)
{
    return images != NULL && images->launcher_path != NULL && images->pid == getpid();
}

void worker_images_prepare(worker_images *images)
{
    if (!images_are_usable(images)) return;
    image_store_prepare(images->store);
    pthread_mutex_lock(&images->lock);
    images_start_thread(images);
    pthread_mutex_unlock(&images->lock);
}

bool worker_images_launch(worker_images *images, const worker_image_wish *wish,
                          worker_image_launch *out)
{
    snapcell_key artifact;
    launch_begin begin = {.image_fd = -1};
    if (!images_are_usable(images) || !image_store_resolve(images->store, wish->ref, &artifact))
        return false;
    image_identify(&images->host, &artifact, wish->load->data, wish->load->size_bytes, &out->key);
    launch_look(images, wish, &artifact, out, &begin);
    out->has_waited = begin.has_launcher;
    bool is_launched = begin.image_fd >= 0 && launch_go(images, wish, &begin, out);
    if (begin.image_fd >= 0) close(begin.image_fd);
    images_wake(images); /* there is a launcher to be replaced, or an image to be made */
    return is_launched;
}

void worker_images_tell(worker_images *images, const image_key *key, worker_image_outcome outcome)
{
    pthread_mutex_lock(&images->lock);
    switch (outcome) {
    case WORKER_IMAGE_LAUNCHED:
        images->counts.launches++;
        break;
    case WORKER_IMAGE_COLLIDED:
        images->counts.collisions++;
        break;
    case WORKER_IMAGE_REFUSED:
        images->counts.failures++;
        images->is_refused = true;
        images->wants_launchers = false;
        break;
    case WORKER_IMAGE_BROKEN:
        images->counts.failures++;
        image_shelf_drop(&images->shelf, key);
        function_done(images, key, false);
        break;
    }
    pthread_mutex_unlock(&images->lock);
}

void worker_images_count(worker_images *images, worker_images_counts *out)
{
    *out = (worker_images_counts){0};
    if (images == NULL) return;
    pthread_mutex_lock(&images->lock);
    *out = images->counts;
    out->size_bytes = images->shelf.size_bytes;
    pthread_mutex_unlock(&images->lock);
}
