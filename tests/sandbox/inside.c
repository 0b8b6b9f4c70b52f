#include "inside.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

int inside_run(inside_enter *enter, const void *user, int (*work)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        snapcell_error err;
        if (enter(user, &err) != SNAPCELL_OK) {
            fprintf(stderr, "%s\n", err.message);
            _exit(100);
        }
        _exit(work());
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
