/* Starting a program that has nothing of this process's but what it is given. Internal. */
#ifndef SNAPCELL_PROCESS_SPAWN_H
#define SNAPCELL_PROCESS_SPAWN_H

#include <sys/types.h>

/* The descriptor on which such a program finds its socket. */
#define PROCESS_SOCKET_FD 3

/* Descriptors to be given are made at or above this, so that putting them on 0 to 3 cannot hit one
 * of them. */
#define PROCESS_FD_MIN 10

/* Nothing on stdin and stdout, `words_fd` on stderr (-1: this process's own), the socket; all else
 * is closed. Signals are as a fresh program expects them, whatever the embedder blocks or ignores.
 * A session of its own keeps a terminal's Ctrl-C for this process to decide about. Both
 * descriptors: PROCESS_FD_MIN or above. Thread: any. Returns 0, or an errno value. */
int process_spawn(const char *path, char *const *arguments, char *const *environment, int socket_fd,
                  int words_fd, pid_t *pid);

#endif
