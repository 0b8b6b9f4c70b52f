/* The sandbox of a program with the network, from inside. Each test enters it in a child. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "../format/check_run.h"
#include "inside.h"
#include "sandbox_client.h"
#include "snapcell/sandbox.h"

static char folder[64];
static char readable_file[80];
static char other_file[80];

static void write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("text", file);
    fclose(file);
}

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/check-sandbox-client.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    snprintf(readable_file, sizeof(readable_file), "%s/readable", folder);
    snprintf(other_file, sizeof(other_file), "%s/other", folder);
    write_file(readable_file);
    write_file(other_file);
}

static void teardown(void)
{
    unlink(readable_file);
    unlink(other_file);
    rmdir(folder);
}

static int enter(const void *unused, snapcell_error *err)
{
    (void)unused;
    const char *const readable[] = {readable_file, NULL};
    return sandbox_client_enter(readable, 2, err);
}

static int inside(int (*work)(void))
{
    return inside_run(enter, NULL, work);
}

/* --- What is taken away --- */

static long try_exec(void)
{
    char *const arguments[] = {"true", NULL};
    return execv("/bin/true", arguments);
}
static long try_fork(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}
static long try_fork_anew(void)
{
    return fork();
}
static long try_kill(void)
{
    return kill(getppid(), 0);
}
static long try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static long try_listen(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? 0 : listen(fd, 1);
}
static long try_write(void)
{
    return open(readable_file, O_WRONLY);
}
static long try_append(void)
{
    return open(readable_file, O_RDWR | O_APPEND);
}
static long try_cut(void)
{
    return truncate(readable_file, 0);
}
static long try_create(void)
{
    return open("/tmp/check-sandbox-client.new", O_RDONLY | O_CREAT, 0644);
}
static long try_unlink(void)
{
    return unlink(readable_file);
}
static long try_rename(void)
{
    return rename(readable_file, other_file);
}
static long try_mkdir(void)
{
    return mkdir("/tmp/check-sandbox-client.folder", 0755);
}
static long try_chmod(void)
{
    return chmod(readable_file, 0777);
}
static long try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}
static long try_keys(void)
{
    return syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}
static long try_ring(void)
{
    return syscall(SYS_io_uring_setup, 1, NULL);
}
static long try_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}
static long try_mount(void)
{
    return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static const struct {
    const char *name;
    long (*call)(void);
} forbidden[] = {
    {"exec", try_exec},     {"fork", try_fork},     {"fork by clone3", try_fork_anew},
    {"kill", try_kill},     {"ptrace", try_ptrace}, {"listen", try_listen},
    {"write", try_write},   {"append", try_append}, {"truncate", try_cut},
    {"create", try_create}, {"unlink", try_unlink}, {"rename", try_rename},
    {"mkdir", try_mkdir},   {"chmod", try_chmod},   {"unshare", try_unshare},
    {"keyctl", try_keys},   {"io_uring", try_ring}, {"bpf", try_bpf},
    {"mount", try_mount},
};

#define FORBIDDEN_COUNT ((int)(sizeof(forbidden) / sizeof(forbidden[0])))

static int chosen;
static int work_forbidden(void)
{
    errno = 0;
    const long got = forbidden[chosen].call();
    if (got == 0) return 1; /* also in the child of a fork */
    return got == -1 && (errno == EPERM || errno == EACCES) ? 0 : 2;
}

START_TEST(test_forbidden_calls_fail)
{
    chosen = _i;
    ck_assert_msg(inside(work_forbidden) == 0, "%s", forbidden[_i].name);
    struct stat status;
    ck_assert_int_eq(stat(readable_file, &status), 0);
    ck_assert_int_eq(status.st_size, 4);
    ck_assert_int_ne(status.st_mode & 0777, 0777);
}
END_TEST

static int work_read_other(void)
{
    return open(other_file, O_RDONLY) >= 0 ? 1 : errno == EACCES ? 0 : 2;
}

START_TEST(test_other_files_cannot_be_read)
{
    snapcell_sandbox_support support;
    snapcell_sandbox_probe(&support);
    if (support.landlock_abi > 0) ck_assert_int_eq(inside(work_read_other), 0);
}
END_TEST

static int work_privileges(void)
{
    if (geteuid() == 0 || setuid(0) == 0) return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 2;
    if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER) return 3;
    return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 4;
}

START_TEST(test_privileges_are_dropped)
{
    ck_assert_int_eq(inside(work_privileges), 0);
}
END_TEST

static int work_is_root(void)
{
    if (geteuid() != 0) return 1;
    /* In name only. */
    return open(readable_file, O_RDONLY) >= 0 && chown("/tmp", 1, 1) != 0 ? 0 : 2;
}

START_TEST(test_root_stays_root_for_what_only_root_can_read)
{
    if (geteuid() != 0) return;
    ck_assert_int_eq(chmod(readable_file, 0600), 0);
    ck_assert_int_eq(inside(work_is_root), 0);
}
END_TEST

/* --- What is left --- */

static int work_read(void)
{
    char text[8] = "";
    int fd = open(readable_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, 4) != 4 || strcmp(text, "text") != 0) return 1;
    return open("/etc/passwd", O_RDONLY) >= 0 ? 0 : 2;
}

static struct sockaddr_in server;
static int work_connect(void)
{
    char byte = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 1;
    if (connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0) return 2;
    return write(fd, "x", 1) == 1 && read(fd, &byte, 1) == 0 ? 0 : 3;
}

static void *thread_main(void *argument)
{
    *(int *)argument = 7;
    return NULL;
}

static int work_threads(void)
{
    pthread_t thread;
    int given = 0;
    if (pthread_create(&thread, NULL, thread_main, &given) != 0) return 1;
    return pthread_join(thread, NULL) == 0 && given == 7 ? 0 : 2;
}

static int work_abort(void)
{
    abort();
}

START_TEST(test_what_a_client_needs_is_left)
{
    ck_assert_int_eq(inside(work_read), 0);
    ck_assert_int_eq(inside(work_threads), 0);
    ck_assert_int_eq(inside(work_abort), -SIGABRT);
}
END_TEST

START_TEST(test_connections_are_left)
{
    socklen_t size = sizeof(server);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&server, sizeof(server)), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&server, &size), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        char byte;
        int fd = accept(listener, NULL, NULL);
        _exit(read(fd, &byte, 1) == 1 ? 0 : 1);
    }
    ck_assert_int_eq(inside(work_connect), 0);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox_client");
    TCase *tcase = tcase_create("sandbox_client");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_forbidden_calls_fail, 0, FORBIDDEN_COUNT);
    tcase_add_test(tcase, test_other_files_cannot_be_read);
    tcase_add_test(tcase, test_privileges_are_dropped);
    tcase_add_test(tcase, test_root_stays_root_for_what_only_root_can_read);
    tcase_add_test(tcase, test_what_a_client_needs_is_left);
    tcase_add_test(tcase, test_connections_are_left);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
