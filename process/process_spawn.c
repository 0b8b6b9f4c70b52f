#include "process_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static int spawn_set_files(posix_spawn_file_actions_t *files, const process_files *given)
{
    int problem = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (problem == 0)
        problem = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
    if (problem == 0 && given->words_fd >= 0)
        problem = posix_spawn_file_actions_adddup2(files, given->words_fd, 2);
    for (int i = 0; problem == 0 && i < given->count; i++)
        problem = posix_spawn_file_actions_adddup2(files, given->fds[i], PROCESS_SOCKET_FD + i);
    if (problem == 0)
        problem = posix_spawn_file_actions_addclosefrom_np(files, PROCESS_SOCKET_FD + given->count);
    return problem;
}

static int spawn_set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int problem = posix_spawnattr_setsigmask(attributes, &none);
    if (problem == 0) problem = posix_spawnattr_setsigdefault(attributes, &all);
    if (problem == 0)
        problem = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    return problem;
}

int process_spawn(const char *path, char *const *arguments, char *const *environment,
                  const process_files *given, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int problem = posix_spawn_file_actions_init(&files);
    if (problem != 0) return problem;
    problem = posix_spawnattr_init(&attributes);
    if (problem == 0) {
        problem = spawn_set_files(&files, given);
        if (problem == 0) problem = spawn_set_attributes(&attributes);
        if (problem == 0)
            problem = posix_spawn(pid, path, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return problem;
}

void process_wait(pid_t pid)
{
    /* An embedder that waits for all its children may have taken it. */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
