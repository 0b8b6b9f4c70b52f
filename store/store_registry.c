/* The environments that this process has open, by directory: LMDB must not be opened twice in one
 * process, because closing one would drop the locks of the other. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error_set.h"
#include "store_internal.h"

static pthread_mutex_t store_registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t store_registry_once = PTHREAD_ONCE_INIT;
static store_environment *store_registry_first;

static void store_registry_lock(void)
{
    pthread_mutex_lock(&store_registry_mutex);
}

static void store_registry_unlock(void)
{
    pthread_mutex_unlock(&store_registry_mutex);
}

/* A fork while another thread is opening a store must not leave the child with a locked mutex. */
static void store_registry_init(void)
{
    pthread_atfork(store_registry_lock, store_registry_unlock, store_registry_unlock);
}

static store_environment *store_registry_find(dev_t device, ino_t inode)
{
    const pid_t pid = getpid();
    store_environment *environment = store_registry_first;
    /* What a forked child inherited is not its own. */
    while (environment != NULL && (environment->pid != pid || environment->device != device ||
                                   environment->inode != inode)) {
        environment = environment->next;
    }
    return environment;
}

static void store_registry_remove(store_environment *environment)
{
    store_environment **link = &store_registry_first;
    while (*link != environment) {
        link = &(*link)->next;
    }
    *link = environment->next;
}

/* Whether what is open is still what the directory holds, or became so by following it. */
static int store_registry_check(store_environment *environment, bool *out_writable,
                                snapcell_error *err)
{
    MDB_txn *txn;
    ino_t inode = 0;
    int status = store_read_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    if (store_file_inode(environment->directory_file, &inode) != 0) {
        status = error_set(err, SNAPCELL_E_NOT_FOUND,
                           "%s/" STORE_DATA_FILE
                           " was removed while this process has the store open: close it first",
                           environment->path);
    }
    *out_writable = environment->writable;
    store_read_end(environment, txn);
    return status;
}

static int store_registry_share(store_environment *environment, bool writable, snapcell_error *err)
{
    bool is_writable = false;
    int status = store_registry_check(environment, &is_writable, err);
    if (status == SNAPCELL_OK && writable && !is_writable)
        status = store_environment_make_writable(environment, err);
    if (status == SNAPCELL_OK) environment->references++;
    return status;
}

static int store_registry_add(const char *path, int directory_file, const struct stat *facts,
                              bool writable, store_environment **out, snapcell_error *err)
{
    store_environment *environment;
    int status = store_environment_new(path, directory_file, &environment, err);
    if (status != SNAPCELL_OK) {
        close(directory_file);
        return status;
    }
    status = store_environment_connect(environment, writable, STORE_MAP_SIZE_BYTES_MIN, err);
    if (status != SNAPCELL_OK) {
        store_environment_free(environment);
        return status;
    }
    environment->device = facts->st_dev;
    environment->inode = facts->st_ino;
    environment->references = 1;
    environment->next = store_registry_first;
    store_registry_first = environment;
    *out = environment;
    return SNAPCELL_OK;
}

int store_registry_acquire(const char *path, int directory_file, bool writable,
                           store_environment **out, snapcell_error *err)
{
    struct stat facts;
    if (fstat(directory_file, &facts) != 0) {
        const int errnum = errno;
        close(directory_file);
        return error_set_errno(err, SNAPCELL_E_IO, errnum, "cannot look at %s", path);
    }
    pthread_once(&store_registry_once, store_registry_init);
    store_registry_lock();
    int status;
    store_environment *environment = store_registry_find(facts.st_dev, facts.st_ino);
    if (environment != NULL) {
        close(directory_file);
        status = store_registry_share(environment, writable, err);
        if (status == SNAPCELL_OK) *out = environment;
    } else {
        status = store_registry_add(path, directory_file, &facts, writable, out, err);
    }
    store_registry_unlock();
    return status;
}

void store_registry_release(store_environment *environment)
{
    /* In a forked child it is the parent's, down to the mutexes: leave it alone. */
    if (environment->pid != getpid()) return;
    store_registry_lock();
    environment->references--;
    /* With a view still open, unmapping would pull the bytes away from under it. */
    if (environment->references == 0 && environment->active == 0 && environment->views == 0) {
        store_registry_remove(environment);
        store_environment_free(environment);
    }
    store_registry_unlock();
}
