/* Files in and out. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "error_set.h"

/* --- In --- */

static int file_read_all(int fd, const char *path, size_t size_max_bytes, char **out,
                         size_t *out_size_bytes, snapcell_error *err)
{
    cleanup_free char *data = NULL;
    size_t capacity = 0;
    size_t used = 0;
    for (;;) {
        if (capacity - used < 2) { /* the terminating zero has its place, too */
            capacity = capacity ? 2 * capacity : (size_t)64 * 1024;
            char *grown = realloc(data, capacity);
            if (!grown) return error_set(err, SNAPCELL_E_NOMEM, "no memory to read %s", path);
            data = grown;
        }
        ssize_t got = read(fd, data + used, capacity - used - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
        if (got == 0) break;
        used += (size_t)got;
        if (used > size_max_bytes)
            return error_set(err, SNAPCELL_E_TOO_LARGE, "%s is larger than %zu bytes, the maximum",
                             path, size_max_bytes);
    }
    data[used] = '\0';
    *out = steal_pointer(&data);
    *out_size_bytes = used;
    return SNAPCELL_OK;
}

int cli_read_file(const char *path, size_t size_max_bytes, char **out, size_t *out_size_bytes,
                  snapcell_error *err)
{
    *out = NULL;
    if (strcmp(path, "-") == 0)
        return file_read_all(STDIN_FILENO, "standard input", size_max_bytes, out, out_size_bytes,
                             err);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open %s", path);
    return file_read_all(fd, path, size_max_bytes, out, out_size_bytes, err);
}

int cli_read_value(const char *value, char **out, size_t *out_size_bytes, snapcell_error *err)
{
    if (value[0] == '@')
        return cli_read_file(value + 1, CLI_BODY_SIZE_MAX, out, out_size_bytes, err);
    *out = strdup(value);
    *out_size_bytes = strlen(value);
    return *out ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for an option");
}

/* --- Out --- */

int cli_write_all(int fd, const char *path, const void *data, size_t size_bytes,
                  snapcell_error *err)
{
    const char *rest = data;
    while (size_bytes > 0) {
        ssize_t wrote = write(fd, rest, size_bytes);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot write %s", path);
        rest += wrote;
        size_bytes -= (size_t)wrote;
    }
    return SNAPCELL_OK;
}

/* A pipe or a device cannot be replaced by renaming; it is written to. */
static int file_write_through(const char *path, const void *data, size_t size_bytes,
                              snapcell_error *err)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open %s", path);
    return cli_write_all(fd, path, data, size_bytes, err);
}

static int file_fill(int fd, const char *path, const void *data, size_t size_bytes,
                     snapcell_error *err)
{
    mode_t mask = umask(0);
    umask(mask);
    int status = cli_write_all(fd, path, data, size_bytes, err);
    if (status == SNAPCELL_OK && (fchmod(fd, 0666 & ~mask) != 0 || fsync(fd) != 0))
        status = error_set_errno(err, SNAPCELL_E_IO, errno, "cannot write %s", path);
    return status;
}

static int file_move_in(const char *temporary, const char *path, bool force, snapcell_error *err)
{
    int failed = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, force ? 0 : RENAME_NOREPLACE);
    if (failed && !force && (errno == EINVAL || errno == ENOSYS)) /* not on this file system */
        failed = access(path, F_OK) == 0 ? (errno = EEXIST, -1) : rename(temporary, path);
    if (!failed) return SNAPCELL_OK;
    if (errno == EEXIST)
        return error_set(err, SNAPCELL_E_EXISTS, "%s exists already; --force overwrites it", path);
    return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot write %s", path);
}

int cli_write_file(const char *path, const void *data, size_t size_bytes, bool force,
                   snapcell_error *err)
{
    struct stat there;
    bool exists = stat(path, &there) == 0;
    if (exists && S_ISDIR(there.st_mode))
        return error_set(err, SNAPCELL_E_IO, "%s is a directory; a file's path is needed", path);
    if (exists && !S_ISREG(there.st_mode)) return file_write_through(path, data, size_bytes, err);
    if (exists && !force)
        return error_set(err, SNAPCELL_E_EXISTS, "%s exists already; --force overwrites it", path);

    cleanup_free char *temporary = malloc(strlen(path) + sizeof(".XXXXXX"));
    if (!temporary) return error_set(err, SNAPCELL_E_NOMEM, "no memory to write %s", path);
    strcpy(temporary, path);
    strcat(temporary, ".XXXXXX");
    cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot create %s", path);
    int status = file_fill(fd, path, data, size_bytes, err);
    if (status == SNAPCELL_OK) status = file_move_in(temporary, path, force, err);
    if (status != SNAPCELL_OK) unlink(temporary);
    return status;
}
