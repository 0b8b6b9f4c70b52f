#include "torture_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define SWAP_NEEDED ((unsigned long)256 << 20)
#define SWAP_PAGE 4096u
#define SWAP_CHUNK ((size_t)1 << 20)

/* The first page of swap space: mkswap(8). */
typedef struct swap_head {
    unsigned char boot[1024];
    uint32_t version;
    uint32_t last_page;
    uint32_t bad_page_count;
    unsigned char unused[SWAP_PAGE - 1024 - 12 - 10];
    char signature[10];
} swap_head;

_Static_assert(sizeof(swap_head) == SWAP_PAGE, "the kernel's format");

static bool machine_swaps(void)
{
    struct sysinfo facts;
    return sysinfo(&facts) == 0 && facts.freeswap * facts.mem_unit >= SWAP_NEEDED;
}

/* Without holes, which a file of swap space must not have. */
static bool write_file(int fd)
{
    static char zeros[SWAP_CHUNK];
    swap_head head = {.version = 1, .last_page = (uint32_t)(SWAP_NEEDED / SWAP_PAGE - 1)};
    memcpy(head.signature, "SWAPSPACE2", sizeof(head.signature));
    for (size_t done = 0; done < SWAP_NEEDED; done += sizeof(zeros))
        if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros)) return false;
    return pwrite(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) && fsync(fd) == 0;
}

/* Waits for the end of the process that has the other end of the pipe. */
static _Noreturn void guard(const char *path, int pipe_fd)
{
    char byte;
    setsid();
    while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR)
        continue;
    swapoff(path);
    unlink(path);
    _exit(0);
}

/* A process that takes the swap space away again when this one has ended, however it did. */
static bool start_guard(const char *path)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    const pid_t child = fork();
    if (child == 0) {
        for (int fd = 0; fd < 1024; fd++)
            if (fd != ends[0]) close(fd);
        guard(path, ends[0]);
    }
    close(ends[0]);
    return child > 0;
}

static bool swap_on_file(const char *folder)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/snapcell-swap-XXXXXX", folder);
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) return false;
    bool done = write_file(fd) && swapon(path, 0) == 0;
    const int problem = errno;
    close(fd);
    if (!done)
        unlink(path);
    else if (!start_guard(path))
        done = swapoff(path) != 0 || unlink(path) != 0;
    errno = problem;
    return done;
}

const char *torture_swap_begin(void)
{
    if (machine_swaps()) return "the machine's swap space";
    /* A file system in memory can hold no swap space. */
    if (geteuid() != 0)
        errno = EPERM;
    else if (swap_on_file("/var/tmp") || swap_on_file("/tmp"))
        return "a swap file of the test's own";
    fprintf(stderr, "nothing is swapped out: no swap space, and none can be made: %s\n",
            strerror(errno));
    return NULL;
}
