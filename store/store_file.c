/* data.mdb and lock.mdb before LMDB sees them: opening, and the checks that LMDB does not make. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_internal.h"
#include "store_pages.h"

/* Another process may be writing meanwhile, so that a read can be torn: look again. */
#define STORE_CHECK_ATTEMPTS 5
#define STORE_CHECK_PAUSE_NS 2000000L

static bool store_meta_is_plausible(const store_lmdb_meta *meta)
{
    return meta->magic == STORE_LMDB_MAGIC && (meta->page.flags & STORE_LMDB_PAGE_META) != 0;
}

/* Neither of the places where meta pages lie has one. */
static int store_check_foreign(int file, const char *path, snapcell_error *err)
{
    store_lmdb_meta meta;
    for (uint64_t size = 4096; size <= STORE_LMDB_PAGE_SIZE_MAX; size *= 2) {
        if (store_file_read(file, &meta, sizeof(meta), size) && store_meta_is_plausible(&meta)) {
            return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                             "%s/" STORE_DATA_FILE " has lost its first page: " STORE_DAMAGE_ADVICE,
                             path);
        }
    }
    return error_set(err, SNAPCELL_E_NOT_A_STORE,
                     "%s/" STORE_DATA_FILE " is not a snapcell store: expected an LMDB file", path);
}

static int store_check_tree(const store_pages *pages, const store_lmdb_tree *tree,
                            snapcell_error *err)
{
    store_lmdb_page page;
    if (tree->root == STORE_LMDB_NO_PAGE && tree->entries == 0) return SNAPCELL_OK;
    if (tree->root >= pages->file_page_count && tree->root < pages->page_count)
        return store_pages_truncated(pages, err);
    if (tree->root >= STORE_LMDB_META_PAGES && tree->root < pages->page_count &&
        tree->depth <= STORE_LMDB_DEPTH_MAX &&
        store_file_read(pages->file, &page, sizeof(page), tree->root * pages->page_size) &&
        page.number == tree->root &&
        (page.flags & (STORE_LMDB_PAGE_BRANCH | STORE_LMDB_PAGE_LEAF)) != 0) {
        return SNAPCELL_OK;
    }
    return store_pages_damaged(pages, tree->root, "should be the root of a tree", err);
}

/* Pages that the file lacks must be free, and the lists of free pages have eight bytes for each.
 * More would be damage, and a table of all pages of any size. */
static bool store_page_count_can_be(const store_pages *pages)
{
    return pages->page_count <= pages->file_page_count ||
           pages->page_count - pages->file_page_count <=
               pages->file_page_count * (pages->page_size / sizeof(uint64_t));
}

/* That all pages in use are there is for store_check_structure() to say. */
static int store_check_roots(int file, const char *path, const store_lmdb_meta *meta,
                             snapcell_error *err)
{
    struct stat facts;
    if (fstat(file, &facts) != 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot look at %s/" STORE_DATA_FILE,
                               path);
    }
    store_pages pages = {.file = file, .path = path, .page_size = meta->trees[0].pad};
    pages.page_count = meta->last_page + 1;
    pages.file_page_count = (uint64_t)facts.st_size / pages.page_size;
    if (meta->last_page < 1 || meta->last_page == STORE_LMDB_NO_PAGE ||
        !store_page_count_can_be(&pages))
        return store_pages_truncated(&pages, err);
    int status = store_check_tree(&pages, &meta->trees[0], err);
    return status == SNAPCELL_OK ? store_check_tree(&pages, &meta->trees[1], err) : status;
}

static int store_check_meta(const char *path, const store_lmdb_meta *meta, snapcell_error *err)
{
    if (meta->version != STORE_LMDB_VERSION) {
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s/" STORE_DATA_FILE " has LMDB's data format %u: this build reads %u",
                         path, meta->version, STORE_LMDB_VERSION);
    }
    const uint32_t page_size = meta->trees[0].pad;
    if (page_size >= STORE_LMDB_PAGE_SIZE_MIN && page_size <= STORE_LMDB_PAGE_SIZE_MAX &&
        (page_size & (page_size - 1)) == 0) {
        return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                     "%s/" STORE_DATA_FILE
                     " is damaged: a page size of %u bytes; " STORE_DAMAGE_ADVICE,
                     path, page_size);
}

/* Transactions write the two in turn. Were one damaged so that it seems older, the store would go
 * back to an older state without a word. */
static int store_check_turns(const char *path, const store_lmdb_meta metas[2], snapcell_error *err)
{
    const uint64_t first = metas[0].transaction;
    const uint64_t second = metas[1].transaction;
    if (first == 0 && second == 0) return SNAPCELL_OK;
    if (first % 2 == 0 && (second == first + 1 || first == second + 1)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                     "%s/" STORE_DATA_FILE
                     " is damaged: its first pages name transactions %llu and %llu, which do not "
                     "follow each other; " STORE_DAMAGE_ADVICE,
                     path, (unsigned long long)first, (unsigned long long)second);
}

static int store_check_pages(int file, const char *path, snapcell_error *err)
{
    store_lmdb_meta metas[2];
    if (!store_file_read(file, &metas[0], sizeof(metas[0]), 0) ||
        !store_meta_is_plausible(&metas[0])) {
        return store_check_foreign(file, path, err);
    }
    int status = store_check_meta(path, &metas[0], err);
    if (status != SNAPCELL_OK) return status;
    if (!store_file_read(file, &metas[1], sizeof(metas[1]), metas[0].trees[0].pad) ||
        !store_meta_is_plausible(&metas[1]) || metas[1].trees[0].pad != metas[0].trees[0].pad) {
        return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                         "%s/" STORE_DATA_FILE
                         " is damaged: its second page is not a meta page; " STORE_DAMAGE_ADVICE,
                         path);
    }
    status = store_check_turns(path, metas, err);
    if (status != SNAPCELL_OK) return status;
    const store_lmdb_meta *meta = &metas[metas[1].transaction > metas[0].transaction];
    return store_check_roots(file, path, meta, err);
}

int store_file_check(int file, const char *path, snapcell_error *err)
{
    int status = store_check_pages(file, path, err);
    for (int i = 1; status != SNAPCELL_OK && i < STORE_CHECK_ATTEMPTS; i++) {
        const struct timespec pause = {.tv_nsec = STORE_CHECK_PAUSE_NS};
        nanosleep(&pause, NULL);
        status = store_check_pages(file, path, err);
    }
    return status;
}

static int store_open_error(const char *path, int errnum, bool writable, snapcell_error *err)
{
    switch (errnum) {
    case ENOENT:
        return error_set(
            err, SNAPCELL_E_NOT_FOUND,
            "no store in %s: there is no " STORE_DATA_FILE "; `snapcell compile` makes one", path);
    case ELOOP:
    case EISDIR:
    case ENXIO:
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s/" STORE_DATA_FILE " is not a store: expected a regular file", path);
    case EACCES:
    case EPERM:
    case EROFS:
        if (!writable) break;
        return error_set(err, SNAPCELL_E_READ_ONLY,
                         "%s/" STORE_DATA_FILE " cannot be written by this user, or lies on a "
                         "read-only file system",
                         path);
    default:
        break;
    }
    return error_set_errno(err, SNAPCELL_E_IO, errnum, "cannot open %s/" STORE_DATA_FILE, path);
}

static int store_file_open_once(const char *path, int directory_file, bool writable, int *out,
                                snapcell_error *err)
{
    struct stat facts;
    /* Not blocking, as it may be a pipe; links are not followed, as LMDB's locks go by directory */
    int file = openat(directory_file, STORE_DATA_FILE,
                      (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return store_open_error(path, errno, writable, err);
    if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(file);
        return store_open_error(path, EISDIR, writable, err);
    }
    if (facts.st_size == 0) {
        close(file);
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s/" STORE_DATA_FILE " is not a store: it is empty; remove it first",
                         path);
    }
    *out = file;
    return SNAPCELL_OK;
}

int store_file_inode(int directory_file, ino_t *out)
{
    struct stat facts;
    if (fstatat(directory_file, STORE_DATA_FILE, &facts, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    *out = facts.st_ino;
    return 0;
}

/* A data.mdb that is missing supersedes nothing: what is open goes on. */
bool store_file_is_superseded(const store_environment *environment)
{
    ino_t inode = 0;
    return store_file_inode(environment->directory_file, &inode) == 0 &&
           inode != environment->data_inode;
}

/* A file system without these locks (some network and user-space ones) can be used, but then
 * data.mdb is never replaced. */
static int store_file_lock_use(store_environment *environment, snapcell_error *err)
{
    int status =
        store_lock_set(environment->data_file, STORE_LOCK_USE, F_RDLCK, STORE_LOCK_WAIT_FOREVER);
    environment->byte_lock = status == 0;
    if (status == 0 || status == EINVAL || status == ENOLCK || status == ENOSYS ||
        status == EOPNOTSUPP) {
        return SNAPCELL_OK;
    }
    return error_set_errno(err, SNAPCELL_E_IO, status, "cannot lock %s/" STORE_DATA_FILE,
                           environment->path);
}

int store_file_open(store_environment *environment, bool writable, snapcell_error *err)
{
    for (;;) {
        int status = store_file_open_once(environment->path, environment->directory_file, writable,
                                          &environment->data_file, err);
        if (status != SNAPCELL_OK) return status;
        status = store_file_lock_use(environment, err);
        if (status != SNAPCELL_OK) {
            store_file_close(environment);
            return status;
        }
        /* It may have been replaced by a compact copy while this waited for the lock. */
        struct stat facts;
        if (fstat(environment->data_file, &facts) == 0) {
            environment->data_inode = facts.st_ino;
            if (!store_file_is_superseded(environment)) return SNAPCELL_OK;
        }
        store_file_close(environment);
    }
}

void store_file_close(store_environment *environment)
{
    if (environment->data_file < 0) return;
    /* Explicitly, because a forked child may still hold the same open file description. */
    store_lock_set(environment->data_file, STORE_LOCK_WRITER, F_UNLCK, 0);
    store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_UNLCK, 0);
    store_lock_set(environment->data_file, STORE_LOCK_USE, F_UNLCK, 0);
    close(environment->data_file);
    environment->data_file = -1;
}

static int store_lock_file_allocate(int directory_file)
{
    cleanup_close int file =
        openat(directory_file, STORE_LOCK_FILE,
               O_RDWR | O_CREAT | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, STORE_FILE_MODE);
    if (file < 0) return errno;
    /* The size is left to LMDB, since others may have the file mapped. */
    while (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, STORE_LOCK_FILE_SIZE_BYTES) != 0) {
        if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return 0;
        if (errno != EINTR) return errno;
    }
    return 0;
}

int store_file_prepare_lock(int directory_file, const char *path, bool writable, bool *out_unlocked,
                            snapcell_error *err)
{
    *out_unlocked = false;
    int errnum = store_lock_file_allocate(directory_file);
    if (errnum == 0) return SNAPCELL_OK;
    switch (errnum) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        *out_unlocked = !writable;
        if (!writable) return SNAPCELL_OK;
        break;
    default:
        return error_set_errno(err, SNAPCELL_E_IO, errnum, "cannot open %s/" STORE_LOCK_FILE, path);
    }
    const bool is_full = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
    return error_set_errno(
        err, is_full ? SNAPCELL_E_FULL : SNAPCELL_E_READ_ONLY, errnum,
        "cannot make room for %s/" STORE_LOCK_FILE ", which writing the store needs", path);
}

/* Not written since it was made: by its maker alone, or as a compact copy, whose first pages are
 * the same except for the number of the transaction. */
static bool store_file_is_new(int file)
{
    store_lmdb_meta metas[2];
    if (!store_file_read(file, &metas[0], sizeof(metas[0]), 0) ||
        !store_file_read(file, &metas[1], sizeof(metas[1]), metas[0].trees[0].pad))
        return false;
    return (metas[0].transaction <= 1 && metas[1].transaction <= 1) ||
           memcmp(metas[0].trees, metas[1].trees, sizeof(metas[0].trees)) == 0;
}

int store_file_sync_names(int file, int directory_file, const char *path, snapcell_error *err)
{
    if (!store_file_is_new(file)) return SNAPCELL_OK;
    /* Where the directory above may not be opened, nobody could do better; EINVAL: nothing there
     * can be synced. */
    cleanup_close int parent = openat(directory_file, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((fsync(directory_file) == 0 || errno == EINVAL) &&
        (parent < 0 || fsync(parent) == 0 || errno == EINVAL)) {
        return SNAPCELL_OK;
    }
    return error_set_errno(err, SNAPCELL_E_IO, errno,
                           "cannot bring the name of %s/" STORE_DATA_FILE " to disk", path);
}
