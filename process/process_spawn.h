/* Starting a program that has nothing of this process's but what it is given. Internal. */
#ifndef SNAPCELL_PROCESS_SPAWN_H
#define SNAPCELL_PROCESS_SPAWN_H

#include <sys/types.h>

/* The descriptor on which such a program finds its socket; others follow it. */
#define PROCESS_SOCKET_FD 3

/* Descriptors to be given are made at or above this, so that putting them on 0 and up cannot hit
 * one of them. */
#define PROCESS_FD_MIN 10

/* What a program is given. Descriptors: PROCESS_FD_MIN or above. */
typedef struct process_files {
    int words_fd;   /* becomes its stderr; -1: this process's own */
    const int *fds; /* become PROCESS_SOCKET_FD and what follows */
    int count;
} process_files;

/* Nothing on stdin and stdout, and of descriptors what is given; all else is closed. Signals are as
 * a fresh program expects them, whatever the embedder blocks or ignores. A session of its own keeps
 * a terminal's Ctrl-C for this process to decide about. Thread: any. Returns 0, or an errno value.
 */
int process_spawn(const char *path, char *const *arguments, char *const *environment,
                  const process_files *given, pid_t *pid);

/* Waits until the process has ended. Thread: any. */
void process_wait(pid_t pid);

#endif
