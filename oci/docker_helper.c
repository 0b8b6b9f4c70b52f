/* The programs that keep credentials: docker-credential-NAME get, the host on standard input, JSON
 * on standard output. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "docker_credentials.h"
#include "error_set.h"
#include "monotonic.h"
#include "oci_manifest.h"

#define HELPER_ANSWER_SIZE_MAX ((size_t)64 << 10)
#define HELPER_LIMIT_MS 60000 /* somebody may have to type a password */

static int take(const json_t *json, const char *key, char **out, snapcell_error *err)
{
    const char *text = json_string_value(json_object_get(json, key));
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL ? SNAPCELL_OK
                                        : error_set(err, SNAPCELL_E_NOMEM, "no memory");
}

int docker_helper_read(const char *text, size_t size_bytes, docker_credentials *out,
                       snapcell_error *err)
{
    cleanup_oci_json json_t *json = size_bytes > 0 ? json_loadb(text, size_bytes, 0, NULL) : NULL;
    const char *user = json_string_value(json_object_get(json, "Username"));
    const char *secret = json_string_value(json_object_get(json, "Secret"));
    if (user == NULL || secret == NULL)
        return error_set(err, SNAPCELL_E_IO, "its answer has no Username and Secret");
    /* What a login with a token leaves. */
    if (strcmp(user, "<token>") == 0) return take(json, "Secret", &out->identity_token, err);
    if (user[0] == '\0') return SNAPCELL_OK;
    const int status = take(json, "Username", &out->user, err);
    return status == SNAPCELL_OK ? take(json, "Secret", &out->password, err) : status;
}

/* --- Running one --- */

typedef struct helper_pipes {
    int in[2];
    int out[2];
} helper_pipes;

static void pipes_close(const helper_pipes *pipes)
{
    const int fds[] = {pipes->in[0], pipes->in[1], pipes->out[0], pipes->out[1]};
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0) close(fds[i]);
}
#define cleanup_pipes cleanup(pipes_close)

/* A program expects to end when nobody reads what it writes. */
static int helper_set_signals(posix_spawnattr_t *attributes)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    const int problem = posix_spawnattr_setsigdefault(attributes, &signals);
    return problem != 0 ? problem : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

static int helper_start(const char *program, const helper_pipes *pipes,
                        posix_spawnattr_t *attributes, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    char *const arguments[] = {(char *)(uintptr_t)program, (char[]){"get"}, NULL};
    int problem = posix_spawn_file_actions_init(&files);
    if (problem != 0) return problem;
    problem = posix_spawn_file_actions_adddup2(&files, pipes->in[0], STDIN_FILENO);
    if (problem == 0)
        problem = posix_spawn_file_actions_adddup2(&files, pipes->out[1], STDOUT_FILENO);
    if (problem == 0) problem = helper_set_signals(attributes);
    if (problem == 0) problem = posix_spawnp(pid, program, &files, attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    return problem;
}

static int helper_spawn(const char *program, const helper_pipes *pipes, pid_t *pid)
{
    posix_spawnattr_t attributes;
    int problem = posix_spawnattr_init(&attributes);
    if (problem != 0) return problem;
    problem = helper_start(program, pipes, &attributes, pid);
    posix_spawnattr_destroy(&attributes);
    return problem;
}

/* What it writes until it ends. False when it took too long, or wrote too much. */
static bool helper_listen(int fd, char *text, size_t *size_bytes)
{
    const uint64_t end_ns = monotonic_now_ns() + HELPER_LIMIT_MS * NS_PER_MS;
    for (*size_bytes = 0; *size_bytes < HELPER_ANSWER_SIZE_MAX;) {
        const uint64_t now = monotonic_now_ns();
        struct pollfd waited = {.fd = fd, .events = POLLIN};
        const int ready =
            now < end_ns ? poll(&waited, 1, (int)((end_ns - now) / NS_PER_MS) + 1) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t got = read(fd, text + *size_bytes, HELPER_ANSWER_SIZE_MAX - *size_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        *size_bytes += (size_t)got;
    }
    return false;
}

static int helper_wait(pid_t pid)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static int helper_talk(const char *program, const char *host, char *text, size_t *size_bytes,
                       int *exit_status, snapcell_error *err)
{
    pid_t pid = 0;
    helper_pipes cleanup_pipes pipes = {{-1, -1}, {-1, -1}};
    if (pipe2(pipes.in, O_CLOEXEC) != 0 || pipe2(pipes.out, O_CLOEXEC) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open a pipe");
    const int problem = helper_spawn(program, &pipes, &pid);
    if (problem != 0)
        return error_set(err, SNAPCELL_E_IO,
                         "cannot start %s, which docker's config.json names: %s", program,
                         strerror(problem));
    close(pipes.in[0]);
    close(pipes.out[1]);
    pipes.in[0] = pipes.out[1] = -1;
    /* A host fits into a pipe; one that does not read it gets SIGPIPE's errno here. */
    const bool told = write(pipes.in[1], host, strlen(host)) == (ssize_t)strlen(host);
    close(pipes.in[1]);
    pipes.in[1] = -1;
    const bool heard = helper_listen(pipes.out[0], text, size_bytes);
    if (!heard) kill(pid, SIGKILL);
    *exit_status = helper_wait(pid);
    return heard || !told
               ? SNAPCELL_OK
               : error_set(err, SNAPCELL_E_IO, "%s gave no answer in %d seconds, or a long one",
                           program, HELPER_LIMIT_MS / 1000);
}

int docker_helper_ask(const char *name, const char *host, docker_credentials *out,
                      snapcell_error *err)
{
    char program[96];
    size_t size_bytes = 0;
    int exit_status = -1;
    snapcell_error cause;
    cleanup_free char *text = calloc(1, HELPER_ANSWER_SIZE_MAX + 1);
    if (text == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory");
    (void)snprintf(program, sizeof(program), "docker-credential-%s", name);
    int status = helper_talk(program, host, text, &size_bytes, &exit_status, err);
    text[size_bytes] = '\0';
    if (status == SNAPCELL_OK && exit_status == 0) {
        status = docker_helper_read(text, size_bytes, out, &cause);
        if (status != SNAPCELL_OK)
            status = error_set(err, status, "%s: %s", program, cause.message);
    } else if (status == SNAPCELL_OK && strstr(text, "credentials not found") == NULL) {
        text[strcspn(text, "\r\n\x1b")] = '\0';
        status = error_set(err, SNAPCELL_E_IO, "%s ended with status %d: %.200s", program,
                           exit_status, text);
    }
    sodium_memzero(text, HELPER_ANSWER_SIZE_MAX);
    return status;
}
