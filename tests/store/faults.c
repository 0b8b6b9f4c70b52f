#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

const char *const fault_names[FAULT_KINDS] = {
    [FAULT_WRITE] = "write",
    [FAULT_FULL] = "full disk",
    [FAULT_SHORT_WRITE] = "short write",
    [FAULT_SYNC] = "sync",
    [FAULT_READ] = "read",
    [FAULT_MAP] = "mmap",
    [FAULT_LARGE_MAP] = "large mmap",
    [FAULT_OPEN] = "open",
    [FAULT_RENAME] = "rename",
    [FAULT_MEMORY] = "memory",
};

static _Atomic int fault_armed = -1;
static _Atomic unsigned fault_left; /* calls until the first failure */
static _Atomic bool fault_lasts;
static _Atomic bool fault_happened;

void fault_arm(fault_kind kind, unsigned nth, bool for_good)
{
    fault_left = nth;
    fault_lasts = for_good;
    fault_happened = false;
    fault_armed = (int)kind;
}

bool fault_disarm(void)
{
    fault_armed = -1;
    return fault_happened;
}

static bool fault_is_due(fault_kind kind)
{
    if (fault_armed != (int)kind) return false;
    if (fault_left > 0) fault_left--;
    if (fault_left > 0 || (fault_happened && !fault_lasts)) return false;
    fault_happened = true;
    return true;
}

static bool fault_fails(fault_kind kind, int errnum)
{
    if (!fault_is_due(kind)) return false;
    errno = errnum;
    return true;
}

static bool fault_of_write(void)
{
    return fault_fails(FAULT_WRITE, EIO) || fault_fails(FAULT_FULL, ENOSPC);
}

/* Never nothing, which no file system says of a write. */
static size_t fault_half(size_t size)
{
    return size - size / 2;
}

/* Each function is declared as the linker names the real one. */
#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* LMDB writes its first pages through a descriptor that syncs by itself. */
WRAPPED(ssize_t, pwrite, int fd, const void *data, size_t size, off_t offset)
{
    if (fault_of_write()) return -1;
    if (fault_is_due(FAULT_SHORT_WRITE)) return __real_pwrite(fd, data, fault_half(size), offset);
    ssize_t wrote = __real_pwrite(fd, data, size, offset);
    if ((fcntl(fd, F_GETFL) & O_DSYNC) != 0 && fault_fails(FAULT_SYNC, EIO)) return -1;
    return wrote;
}

WRAPPED(ssize_t, write, int fd, const void *data, size_t size)
{
    if (fault_of_write()) return -1;
    if (fault_is_due(FAULT_SHORT_WRITE)) return __real_write(fd, data, fault_half(size));
    return __real_write(fd, data, size);
}

WRAPPED(ssize_t, writev, int fd, const struct iovec *parts, int count)
{
    if (fault_of_write()) return -1;
    if (fault_is_due(FAULT_SHORT_WRITE)) return __real_writev(fd, parts, 1);
    return __real_writev(fd, parts, count);
}

WRAPPED(int, ftruncate, int fd, off_t size)
{
    return fault_of_write() ? -1 : __real_ftruncate(fd, size);
}

WRAPPED(int, fallocate, int fd, int mode, off_t offset, off_t size)
{
    return fault_of_write() ? -1 : __real_fallocate(fd, mode, offset, size);
}

WRAPPED(int, fsync, int fd)
{
    return fault_fails(FAULT_SYNC, EIO) ? -1 : __real_fsync(fd);
}

WRAPPED(int, fdatasync, int fd)
{
    return fault_fails(FAULT_SYNC, EIO) ? -1 : __real_fdatasync(fd);
}

WRAPPED(ssize_t, pread, int fd, void *out, size_t size, off_t offset)
{
    return fault_fails(FAULT_READ, EIO) ? -1 : __real_pread(fd, out, size, offset);
}

WRAPPED(void *, mmap, void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fault_fails(FAULT_MAP, ENOMEM)) return MAP_FAILED;
    if (size > (size_t)1 << 30 && fault_fails(FAULT_LARGE_MAP, EINVAL)) return MAP_FAILED;
    return __real_mmap(at, size, protection, flags, fd, offset);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fault_fails(FAULT_OPEN, EMFILE) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fault_fails(FAULT_OPEN, EMFILE) ? -1 : __real_openat(directory, path, flags, mode);
}

WRAPPED(int, mkostemp, char *path, int flags)
{
    return fault_fails(FAULT_OPEN, EMFILE) ? -1 : __real_mkostemp(path, flags);
}

WRAPPED(int, renameat, int from_directory, const char *from, int to_directory, const char *to)
{
    if (fault_fails(FAULT_RENAME, EIO)) return -1;
    return __real_renameat(from_directory, from, to_directory, to);
}

WRAPPED(int, renameat2, int from_directory, const char *from, int to_directory, const char *to,
        unsigned flags)
{
    if (fault_fails(FAULT_RENAME, EIO)) return -1;
    return __real_renameat2(from_directory, from, to_directory, to, flags);
}

WRAPPED(void *, malloc, size_t size)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_malloc(size);
}

WRAPPED(void *, calloc, size_t count, size_t size)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_calloc(count, size);
}

WRAPPED(void *, realloc, void *old, size_t size)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_realloc(old, size);
}

WRAPPED(void *, reallocarray, void *old, size_t count, size_t size)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_reallocarray(old, count, size);
}

WRAPPED(char *, strdup, const char *text)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_strdup(text);
}

WRAPPED(char *, realpath, const char *path, char *out)
{
    return fault_fails(FAULT_MEMORY, ENOMEM) ? NULL : __real_realpath(path, out);
}

WRAPPED(int, posix_memalign, void **out, size_t alignment, size_t size)
{
    return fault_is_due(FAULT_MEMORY) ? ENOMEM : __real_posix_memalign(out, alignment, size);
}

WRAPPED(int, pthread_create, pthread_t *out, const pthread_attr_t *attributes,
        void *(*start)(void *), void *argument)
{
    if (fault_is_due(FAULT_MEMORY)) return EAGAIN;
    return __real_pthread_create(out, attributes, start, argument);
}
