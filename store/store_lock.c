/* Locks between processes, on data.mdb.
 *
 * Open-file-description locks, because a process loses its plain fcntl() locks on a file as soon as
 * it closes any descriptor of it. They are far past the data and never cover any. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "store_internal.h"

#define STORE_LOCK_OFFSET ((off_t)1 << 62)
#define STORE_LOCK_POLL_US 500

static int store_lock_try(int file, store_lock_byte byte, short type, int command)
{
    struct flock lock = {.l_type = type,
                         .l_whence = SEEK_SET,
                         .l_start = STORE_LOCK_OFFSET + (off_t)byte,
                         .l_len = 1};
    while (fcntl(file, command, &lock) != 0) {
        if (errno == EACCES) return EAGAIN;
        if (errno != EINTR) return errno;
    }
    return 0;
}

int store_lock_set(int file, store_lock_byte byte, short type, int wait_ms)
{
    if (wait_ms == STORE_LOCK_WAIT_FOREVER) {
        return store_lock_try(file, byte, type, F_OFD_SETLKW);
    }
    /* There is no wait with a time limit, and without one any reader could stop all writers. */
    for (int waited_us = 0;; waited_us += STORE_LOCK_POLL_US) {
        int status = store_lock_try(file, byte, type, F_OFD_SETLK);
        if (status != EAGAIN || waited_us >= wait_ms * 1000) return status;
        const struct timespec pause = {.tv_nsec = STORE_LOCK_POLL_US * 1000L};
        nanosleep(&pause, NULL);
    }
}

int store_lock_setup(int file, bool lock)
{
    while (flock(file, lock ? LOCK_EX : LOCK_UN) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}
