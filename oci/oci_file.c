#include "oci_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"

#define FILE_MODE 0666
#define FOLDER_MODE 0777
#define WALK_DESCRIPTORS 8

char *oci_path(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* --- Reading --- */

static int file_fill(int fd, const char *path, uint8_t *data, size_t size_bytes,
                     snapcell_error *err)
{
    for (size_t used = 0; used < size_bytes;) {
        const ssize_t got = read(fd, data + used, size_bytes - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
        if (got == 0)
            return error_set(err, SNAPCELL_E_IO, "%s became shorter while it was read", path);
        used += (size_t)got;
    }
    return SNAPCELL_OK;
}

int oci_file_read(const char *path, size_t size_max_bytes, void **out, size_t *out_size_bytes,
                  snapcell_error *err)
{
    struct stat facts;
    *out = NULL;
    /* A pipe that somebody put there must not hold us up. */
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &facts) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open %s", path);
    if (!S_ISREG(facts.st_mode))
        return error_set(err, SNAPCELL_E_IO, "%s is not a regular file", path);
    if ((uint64_t)facts.st_size > size_max_bytes)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "%s has %lld bytes; at most %zu are accepted",
                         path, (long long)facts.st_size, size_max_bytes);
    const size_t size_bytes = (size_t)facts.st_size;
    cleanup_free uint8_t *data = malloc(size_bytes + 1);
    if (data == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to read %s", path);
    const int status = file_fill(fd, path, data, size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    *out = steal_pointer(&data);
    *out_size_bytes = size_bytes;
    return SNAPCELL_OK;
}

/* --- Writing --- */

static int write_problem(const char *path, int errnum, snapcell_error *err)
{
    const int code = errnum == EEXIST ? SNAPCELL_E_EXISTS : SNAPCELL_E_IO;
    return error_set_errno(err, code, errnum, "cannot write %s", path);
}

int oci_file_write(const char *path, const void *bytes, size_t size_bytes, snapcell_error *err)
{
    const uint8_t *rest = bytes;
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0) return write_problem(path, errno, err);
    while (size_bytes > 0) {
        const ssize_t wrote = write(fd, rest, size_bytes);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return write_problem(path, errno, err);
        rest += wrote;
        size_bytes -= (size_t)wrote;
    }
    return fsync(fd) == 0 ? SNAPCELL_OK : write_problem(path, errno, err);
}

int oci_file_move(const char *from, const char *to, snapcell_error *err)
{
    return rename(from, to) == 0 ? SNAPCELL_OK : write_problem(to, errno, err);
}

int oci_folder_make(const char *path, snapcell_error *err)
{
    if (mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make the folder %s", path);
}

void oci_folder_sync(const char *path)
{
    cleanup_close const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) (void)fsync(fd);
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(path);
}

void oci_folder_remove(const char *path)
{
    (void)nftw(path, remove_entry, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}
