/* An environment: LMDB opened, checked, mapped larger, closed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_internal.h"
#include "store_pages.h"

static _Atomic size_t store_map_size_bytes = STORE_MAP_SIZE_BYTES;

void store_map_size_set(size_t size_bytes)
{
    atomic_store(&store_map_size_bytes, size_bytes == 0 ? STORE_MAP_SIZE_BYTES : size_bytes);
}

static int store_environment_init_locks(store_environment *environment)
{
    pthread_condattr_t attributes;
    int problem = pthread_condattr_init(&attributes);
    if (problem != 0) return problem;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    problem = pthread_cond_init(&environment->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (problem != 0) return problem;
    pthread_mutex_init(&environment->mutex, NULL);
    pthread_mutex_init(&environment->writer, NULL);
    return 0;
}

int store_environment_new(const char *path, int directory_file, store_environment **out,
                          snapcell_error *err)
{
    store_environment *environment = calloc(1, sizeof(*environment));
    char *absolute = realpath(path, NULL);
    int errnum = environment == NULL ? ENOMEM : absolute == NULL ? errno : 0;
    if (errnum == 0) errnum = store_environment_init_locks(environment);
    if (errnum != 0) {
        free(absolute);
        free(environment);
        return error_set_errno(err, SNAPCELL_E_IO, errnum, "cannot open the store %s", path);
    }
    environment->path = absolute;
    environment->pid = getpid();
    environment->directory_file = directory_file;
    environment->data_file = -1;
    *out = environment;
    return SNAPCELL_OK;
}

void store_environment_free(store_environment *environment)
{
    store_environment_disconnect(environment);
    close(environment->directory_file);
    pthread_cond_destroy(&environment->changed);
    pthread_mutex_destroy(&environment->mutex);
    pthread_mutex_destroy(&environment->writer);
    free(environment->path);
    free(environment);
}

/* LMDB opens by path: it must still lead to the directory that was opened. */
static int store_environment_check_path(const store_environment *environment, snapcell_error *err)
{
    struct stat by_path;
    struct stat by_file;
    if (stat(environment->path, &by_path) == 0 &&
        fstat(environment->directory_file, &by_file) == 0 && by_path.st_dev == by_file.st_dev &&
        by_path.st_ino == by_file.st_ino) {
        return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_NOT_FOUND,
                     "the store %s was moved or removed while it was open: open it again",
                     environment->path);
}

/* --- Opening LMDB
 * -------------------------------------------------------------------------------------------------
 */

/* Where LMDB finds its file inconsistent it prints a line and ends the process. Here it ends
 * without the line, so that a program with a handler has the only word. */
static void store_lmdb_gives_up(MDB_env *env, const char *message)
{
    (void)env;
    (void)message;
    raise(SIGABRT);
}

static int store_lmdb_open(const store_environment *environment, unsigned flags,
                           size_t map_size_bytes, MDB_env **out)
{
    MDB_env *env;
    int status = mdb_env_create(&env);
    if (status != MDB_SUCCESS) return status;
    status = mdb_env_set_assert(env, store_lmdb_gives_up);
    if (status == MDB_SUCCESS) status = mdb_env_set_maxdbs(env, 3);
    if (status == MDB_SUCCESS) status = mdb_env_set_maxreaders(env, STORE_READERS_MAX);
    if (status == MDB_SUCCESS) status = mdb_env_set_mapsize(env, map_size_bytes);
    if (status == MDB_SUCCESS)
        status = mdb_env_open(env, environment->path, flags, STORE_FILE_MODE);
    if (status != MDB_SUCCESS) {
        mdb_env_close(env);
        return status;
    }
    *out = env;
    return MDB_SUCCESS;
}

/* As large a map as address space allows (ulimit -v), but not below `min`. */
static int store_lmdb_open_largest(store_environment *environment, unsigned flags, size_t min)
{
    const size_t page_mask = (size_t)sysconf(_SC_PAGESIZE) - 1;
    size_t size = atomic_load(&store_map_size_bytes);
    if (size < min) size = min;
    for (int interrupted = 0;;) {
        size &= ~page_mask;
        int status = store_lmdb_open(environment, flags, size, &environment->env);
        if (status == MDB_SUCCESS) return status;
        /* LMDB takes an old EINTR for its own while another process opens the store. */
        if (status == EINTR && ++interrupted < 100) continue;
        /* The kernel has no room, or a tool that runs this process takes no map so large. */
        if ((status != ENOMEM && status != EINVAL) || size <= min) return status;
        size = size / 2 < min ? min : size / 2;
    }
}

/* LMDB 0.9.24 destroys its mutexes on closing when it believes to be alone, while an opener that
 * waits for it goes on to use them. One at a time avoids that. */
static void store_lmdb_alone(const store_environment *environment, bool begin)
{
    store_lock_setup(environment->directory_file, begin);
    store_lock_setup(environment->data_file, begin);
}

static int store_lmdb_open_alone(store_environment *environment, unsigned flags, size_t min)
{
    store_lmdb_alone(environment, true);
    int status = store_lmdb_open_largest(environment, flags, min);
    store_lmdb_alone(environment, false);
    return status;
}

/* LMDB locks one byte for each process id, and gives up when a process in another PID namespace
 * (containers that share a volume) has the same one. Reading can do without its lock file. */
static int store_lmdb_try_reader(store_environment *environment)
{
    MDB_txn *txn;
    int status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (status == MDB_SUCCESS) mdb_txn_abort(txn);
    if (status != EACCES && status != EAGAIN)
        return MDB_SUCCESS; /* store_lmdb_look() looks again */
    store_environment_close_lmdb(environment);
    return environment->writable ? EAGAIN : EACCES;
}

static int store_lmdb_start(store_environment *environment, size_t min, snapcell_error *err)
{
    unsigned flags = MDB_NOTLS | (environment->writable ? 0 : MDB_RDONLY);
    int status = EACCES;
    if (!environment->unlocked) status = store_lmdb_open_alone(environment, flags, min);
    if (status == MDB_SUCCESS) status = store_lmdb_try_reader(environment);
    if (status == EACCES && !environment->writable) {
        environment->unlocked = true;
        status = store_lmdb_open_largest(environment, flags | MDB_NOLOCK, min);
    }
    if (status != MDB_SUCCESS) return store_error(environment, status, "opening the store", err);
    if (environment->unlocked && !environment->byte_lock) {
        return error_set(err, SNAPCELL_E_READ_ONLY,
                         "%s/" STORE_LOCK_FILE
                         " cannot be written and the file system has no locks to do without it: "
                         "copy the store",
                         environment->path);
    }
    int file;
    struct stat facts;
    if (mdb_env_get_fd(environment->env, &file) != MDB_SUCCESS || fstat(file, &facts) != 0)
        return error_set(err, SNAPCELL_E_IO, "cannot look at %s/" STORE_DATA_FILE,
                         environment->path);
    fcntl(file, F_SETFD, FD_CLOEXEC); /* LMDB forgets to */
    if (facts.st_ino != environment->data_inode) return STORE_SUPERSEDED;
    int dead;
    if (!environment->unlocked) mdb_reader_check(environment->env, &dead);
    return SNAPCELL_OK;
}

/* --- What is in it
 * -------------------------------------------------------------------------------------------------
 */

/* LMDB does not say where its map begins; a page does, by its number. A record this small is in a
 * leaf, whose number was checked. */
static const uint8_t *store_map_begin(const store_environment *environment, MDB_txn *txn,
                                      const void *record)
{
    MDB_stat stat;
    store_lmdb_page page;
    if (mdb_stat(txn, environment->meta, &stat) != MDB_SUCCESS ||
        stat.ms_psize > (size_t)sysconf(_SC_PAGESIZE))
        return NULL;
    const uint8_t *leaf =
        (const uint8_t *)record - ((uintptr_t)record & ((uintptr_t)stat.ms_psize - 1));
    memcpy(&page, leaf, sizeof(page));
    return leaf - page.number * stat.ms_psize;
}

static int store_check_format(store_environment *environment, MDB_txn *txn, snapcell_error *err)
{
    MDB_val key = {.mv_size = strlen("format"), .mv_data = (char *){"format"}};
    MDB_val value;
    int status = mdb_get(txn, environment->meta, &key, &value);
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) {
        return store_error(environment, status, "opening the store", err);
    }
    if (status == MDB_NOTFOUND || value.mv_size != sizeof(STORE_MAGIC) + 1 ||
        memcmp(value.mv_data, STORE_MAGIC, sizeof(STORE_MAGIC)) != 0) {
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s/" STORE_DATA_FILE " is an LMDB file of some other program",
                         environment->path);
    }
    const unsigned version = ((const uint8_t *)value.mv_data)[sizeof(STORE_MAGIC)];
    environment->format_version = version;
    environment->map_begin = store_map_begin(environment, txn, value.mv_data);
    if (version >= 1 && version <= STORE_FORMAT_VERSION_MAX) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOT_A_STORE,
                     "%s has store format %u: this build knows %d; use a newer snapcell",
                     environment->path, version, STORE_FORMAT_VERSION_MAX);
}

static int store_open_databases(store_environment *environment, MDB_txn *txn, snapcell_error *err)
{
    int status = mdb_dbi_open(txn, "meta", 0, &environment->meta);
    if (status == MDB_NOTFOUND || status == MDB_INCOMPATIBLE) {
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s/" STORE_DATA_FILE " is an LMDB file of some other program",
                         environment->path);
    }
    if (status != MDB_SUCCESS) return store_error(environment, status, "opening the store", err);
    status = store_check_format(environment, txn, err);
    if (status != SNAPCELL_OK) return status;
    status = mdb_dbi_open(txn, "artifacts", 0, &environment->artifacts);
    if (status == MDB_SUCCESS) status = mdb_dbi_open(txn, "names", 0, &environment->names);
    if (status != MDB_SUCCESS) return store_error(environment, status, "opening the store", err);
    return SNAPCELL_OK;
}

static int store_lmdb_begin_first(store_environment *environment, MDB_txn **out)
{
    int status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, out);
    /* Another process may have written past this map since its size was chosen. */
    for (int i = 0; status == MDB_MAP_RESIZED && i < 10; i++) {
        status = mdb_env_set_mapsize(environment->env, 0);
        if (status == MDB_SUCCESS) status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, out);
    }
    return status;
}

/* The lock file has the number of the last transaction, and data.mdb its own: after a writer's
 * death that may be one ahead. Anything else is a data.mdb from elsewhere, put there while others
 * have the store open. */
static int store_check_lock(const store_environment *environment, MDB_txn *txn, size_t seen_before,
                            snapcell_error *err)
{
    MDB_envinfo info;
    const size_t number = mdb_txn_id(txn);
    mdb_env_info(environment->env, &info);
    if (environment->unlocked || (seen_before <= number + 1 && number <= info.me_last_txnid))
        return SNAPCELL_OK;
    if (store_file_is_superseded(environment)) return STORE_SUPERSEDED;
    return error_set(err, SNAPCELL_E_BUSY,
                     "%s/" STORE_DATA_FILE
                     " was replaced by hand while other processes have the store open: end them "
                     "first",
                     environment->path);
}

static int store_lmdb_look(store_environment *environment, snapcell_error *err)
{
    MDB_txn *txn;
    if (environment->unlocked) {
        int status =
            store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_RDLCK, STORE_LOCK_WAIT_MS);
        if (status != 0) return store_error(environment, status, "opening the store", err);
    }
    MDB_envinfo info;
    mdb_env_info(environment->env, &info);
    const size_t seen_before = info.me_last_txnid;
    int status = store_lmdb_begin_first(environment, &txn);
    if (status == MDB_SUCCESS) {
        mdb_env_info(environment->env, &info);
        environment->map_size_bytes = info.me_mapsize;
        status = store_check_lock(environment, txn, seen_before, err);
        /* The transaction keeps its pages from being used again meanwhile. */
        if (status == SNAPCELL_OK) {
            status = store_check_structure(
                environment->data_file, environment->path,
                environment->writable ? STORE_CHECK_TREES : STORE_CHECK_BRIEF, err);
        }
        if (status == SNAPCELL_OK) status = store_open_databases(environment, txn, err);
        if (status == SNAPCELL_OK) {
            status = mdb_txn_commit(txn); /* keeps the handles */
        } else {
            mdb_txn_abort(txn);
        }
    }
    if (environment->unlocked) {
        store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_UNLCK, 0);
    }
    return store_error_any(environment, status, "opening the store", err);
}

/* LMDB puts the old first page back after a failed write of a new one. Until that is on disk, a
 * power cut could bring back what was never acknowledged. */
static int store_sync_again(store_environment *environment, snapcell_error *err)
{
    if (environment->must_sync && fsync(environment->data_file) != 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno,
                               "cannot bring %s/" STORE_DATA_FILE
                               " to disk after a write that failed",
                               environment->path);
    }
    environment->must_sync = false;
    return SNAPCELL_OK;
}

static int store_environment_connect_once(store_environment *environment, bool writable,
                                          size_t map_size_bytes_min, snapcell_error *err)
{
    store_signal_guard guard;
    int status = store_environment_check_path(environment, err);
    if (status != SNAPCELL_OK) return status;
    status = store_file_open(environment, writable, err);
    if (status != SNAPCELL_OK) return status;
    environment->generation++;
    store_signal_guard_begin(&guard);
    environment->writable = writable;
    status = store_sync_again(environment, err);
    if (status == SNAPCELL_OK)
        status = store_file_check(environment->data_file, environment->path, err);
    if (status == SNAPCELL_OK && writable) {
        status = store_file_sync_names(environment->data_file, environment->directory_file,
                                       environment->path, err);
    }
    if (status == SNAPCELL_OK) {
        status = store_file_prepare_lock(environment->directory_file, environment->path, writable,
                                         &environment->unlocked, err);
    }
    if (status == SNAPCELL_OK) status = store_lmdb_start(environment, map_size_bytes_min, err);
    if (status == SNAPCELL_OK) status = store_lmdb_look(environment, err);
    if (status == SNAPCELL_OK && environment->format_version >= STORE_FORMAT_VERSION_GENERATIONS) {
        store_lock_set(environment->data_file, STORE_LOCK_USE, F_UNLCK, 0);
    }
    if (status != SNAPCELL_OK) store_environment_disconnect(environment);
    store_signal_guard_end(&guard);
    return status;
}

int store_environment_connect(store_environment *environment, bool writable,
                              size_t map_size_bytes_min, snapcell_error *err)
{
    int status;
    do {
        status = store_environment_connect_once(environment, writable, map_size_bytes_min, err);
    } while (status == STORE_SUPERSEDED);
    return status;
}

void store_environment_close_lmdb(store_environment *environment)
{
    if (environment->env == NULL) return;
    while (environment->pool_count > 0) {
        mdb_txn_abort(environment->pool[--environment->pool_count]);
    }
    if (!environment->unlocked) store_lmdb_alone(environment, true);
    mdb_env_close(environment->env);
    if (!environment->unlocked) store_lmdb_alone(environment, false);
    environment->env = NULL;
    environment->map_begin = NULL;
    store_mapping_release(environment->mapping); /* views may go on with it */
    environment->mapping = NULL;
}

void store_environment_disconnect(store_environment *environment)
{
    store_environment_close_lmdb(environment);
    store_file_close(environment);
}
