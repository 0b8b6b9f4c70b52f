/* LMDB's codes, errno's and ours. They are disjoint: ours are -1 to -26, LMDB's lie below -30000,
 * and errno's are positive. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "error_set.h"
#include "store_internal.h"
#include "store_pages.h"

/* A write that is cut short for want of room comes out of LMDB as EIO. */
#define STORE_NEARLY_FULL_SIZE_BYTES ((uint64_t)16 << 20)

static bool store_error_is_lmdb(int status)
{
    return status > 0 || status <= MDB_LAST_ERRCODE;
}

/* Whether an EIO is likely to mean a full disk or a file at its size limit. */
static bool store_error_means_full(const store_environment *environment)
{
    struct statvfs volume;
    struct stat file;
    struct rlimit limit;
    if (environment->data_file < 0) return false;
    if (fstatvfs(environment->data_file, &volume) == 0 &&
        (uint64_t)volume.f_bavail * volume.f_frsize < STORE_NEARLY_FULL_SIZE_BYTES)
        return true;
    if (fstat(environment->data_file, &file) != 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return false;
    }
    return limit.rlim_cur != RLIM_INFINITY &&
           (uint64_t)file.st_size + STORE_NEARLY_FULL_SIZE_BYTES > limit.rlim_cur;
}

static int store_error_errno(const store_environment *environment, int status, const char *doing,
                             snapcell_error *err)
{
    const char *path = environment->path;
    switch (status) {
    case EACCES:
    case EPERM:
    case EROFS:
        return error_set(err, SNAPCELL_E_READ_ONLY,
                         "%s in %s: no permission to write " STORE_DATA_FILE
                         " and " STORE_LOCK_FILE,
                         doing, path);
    case EFBIG:
        return error_set(err, SNAPCELL_E_FULL,
                         "%s in %s: " STORE_DATA_FILE
                         " reached the largest size a file may have here (ulimit -f)",
                         doing, path);
    case EAGAIN:
        return error_set(err, SNAPCELL_E_BUSY,
                         "%s in %s: locked for too long by another process, or by one in another "
                         "PID namespace that has the same process id",
                         doing, path);
    case EIO:
        if (!store_error_means_full(environment)) break;
        return error_set(err, SNAPCELL_E_FULL,
                         "%s in %s: the disk is full, or a limit on the file's size is reached",
                         doing, path);
    default:
        break;
    }
    return error_set_errno(err, SNAPCELL_E_IO, status, "%s in %s", doing, path);
}

int store_error(const store_environment *environment, int status, const char *doing,
                snapcell_error *err)
{
    const char *path = environment->path;
    switch (status) {
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s in %s: " STORE_DATA_FILE " or " STORE_LOCK_FILE
                         " is not in the format of LMDB 0.9 on this machine (%s)",
                         doing, path, mdb_strerror(status));
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_NOTFOUND:
        return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                         "%s in %s: " STORE_DATA_FILE " is damaged (%s): " STORE_DAMAGE_ADVICE,
                         doing, path, mdb_strerror(status));
    case MDB_MAP_FULL:
    case MDB_PAGE_FULL:
    case MDB_TXN_FULL:
        return error_set(err, SNAPCELL_E_FULL, "%s in %s: the store is full (%s)", doing, path,
                         mdb_strerror(status));
    case MDB_BAD_VALSIZE:
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "%s in %s: larger than a store can hold, which is 4 GiB", doing, path);
    case MDB_READERS_FULL:
        return error_set(err, SNAPCELL_E_BUSY,
                         "%s in %s: all %d reader slots are taken: close views or processes", doing,
                         path, STORE_READERS_MAX);
    case MDB_PANIC:
        return error_set(
            err, SNAPCELL_E_IO,
            "%s in %s: a write failed in a way that LMDB cannot go on from: try again, "
            "which reopens it",
            doing, path);
    default:
        if (status > 0) return store_error_errno(environment, status, doing, err);
        return error_set(err, SNAPCELL_E_INTERNAL, "%s in %s: %s", doing, path,
                         mdb_strerror(status));
    }
}

int store_error_any(const store_environment *environment, int status, const char *doing,
                    snapcell_error *err)
{
    return store_error_is_lmdb(status) ? store_error(environment, status, doing, err) : status;
}
