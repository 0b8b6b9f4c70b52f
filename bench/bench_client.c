#include "bench_client.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_child.h"
#include "cleanup.h"
#include "error_set.h"

static int bench_client_spawn(const char *spec_text, int orders, int answers, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) return problem;
    problem = posix_spawn_file_actions_adddup2(&actions, orders, STDIN_FILENO);
    if (problem == 0) problem = posix_spawn_file_actions_adddup2(&actions, answers, STDOUT_FILENO);
    char *const argv[] = {"snapcell", "bench", BENCH_CHILD_WORD, (char *)spec_text, NULL};
    if (problem == 0) problem = posix_spawn(pid, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

int bench_client_start(json_t *spec, const char *what, bench_client *out, snapcell_error *err)
{
    *out = (bench_client){.orders = -1, .answers = -1};
    snprintf(out->what, sizeof(out->what), "%s", what);
    char *text cleanup_free = json_dumps(spec, JSON_COMPACT);
    json_decref(spec);
    if (!text) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a child's spec");
    int orders[2], answers[2];
    if (pipe2(orders, O_CLOEXEC) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "making a pipe");
    if (pipe2(answers, O_CLOEXEC) != 0) {
        int errnum = errno;
        close(orders[0]);
        close(orders[1]);
        return error_set_errno(err, SNAPCELL_E_IO, errnum, "making a pipe");
    }
    int problem = bench_client_spawn(text, orders[0], answers[1], &out->pid);
    close(orders[0]);
    close(answers[1]);
    out->orders = orders[1];
    out->answers = answers[0];
    if (problem == 0) return SNAPCELL_OK;
    out->pid = 0;
    close(out->orders);
    close(out->answers);
    return error_set_errno(err, SNAPCELL_E_IO, problem, "starting a child for %s", what);
}

int bench_client_order(bench_client *client, const bench_order *order, void *answer,
                       size_t size_bytes, snapcell_error *err)
{
    if (write(client->orders, order, sizeof(*order)) != (ssize_t)sizeof(*order))
        return error_set(err, SNAPCELL_E_INTERNAL, "the child for %s has ended", client->what);
    size_t got = 0;
    while (got < size_bytes) {
        ssize_t n = read(client->answers, (char *)answer + got, size_bytes - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return error_set(err, SNAPCELL_E_INTERNAL,
                             "the child for %s ended before its answer; its message is above",
                             client->what);
        got += (size_t)n;
    }
    return SNAPCELL_OK;
}

int bench_client_stop(bench_client *client, snapcell_error *err)
{
    if (client->pid == 0) return SNAPCELL_OK;
    close(client->orders);
    close(client->answers);
    int status = 0;
    while (waitpid(client->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    client->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL, "the child for %s ended with status %d",
                     client->what, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}
