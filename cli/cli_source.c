/* The process that follows a source: when to look at the registry, and what becomes of what came.
 */
#include "cli_source.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "error_set.h"
#include "monotonic.h"
#include "snapcell/release.h"

#define BACKOFF_MS 1000u
#define BACKOFF_MS_MAX UINT64_C(300000)
#define BACKOFF_INTERVALS_MAX 10u
#define RETRY_AFTER_MS_MAX UINT64_C(3600000)
/* A pull that has not ended by then does not get on. */
#define PULL_LIMIT_NS (3600 * NS_PER_SECOND)

#define KEEPER_FD 3

typedef struct source_keeper {
    cli_source source;
    int server_fd;
    int pull_fd; /* of the process that pulls; -1: there is none */
    pid_t pull_pid;
    uint64_t pull_until_ns;
    uint64_t next_ns;  /* when the registry is looked at next */
    uint32_t failures; /* one after the other */
    bool waits;        /* for the server's word on a release */
} source_keeper;

/* --- When --- */

/* A tenth more or less: hosts that began together do not stay so. */
static uint64_t keeper_vary(uint64_t ms)
{
    return ms - ms / 10 + randombytes_uniform((uint32_t)(ms / 5 + 1));
}

static uint64_t keeper_backoff_ms(const source_keeper *keeper)
{
    uint64_t interval_ms = keeper->source.config->interval_s * UINT64_C(1000);
    uint64_t most = BACKOFF_INTERVALS_MAX * interval_ms;
    if (most > BACKOFF_MS_MAX) most = interval_ms > BACKOFF_MS_MAX ? interval_ms : BACKOFF_MS_MAX;
    uint32_t steps = keeper->failures > 0 ? keeper->failures - 1 : 0;
    if (steps > 19) steps = 19;
    uint64_t ms = (uint64_t)BACKOFF_MS << steps;
    return ms < most ? ms : most;
}

static void keeper_wait(source_keeper *keeper, uint64_t ms)
{
    keeper->next_ns = monotonic_now_ns() + ms * NS_PER_MS;
}

static void keeper_wait_interval(source_keeper *keeper)
{
    keeper->failures = 0;
    keeper_wait(keeper, keeper_vary(keeper->source.config->interval_s * UINT64_C(1000)));
}

/* `message`: FAILED; how long it takes becomes part of it. */
static void keeper_fail(source_keeper *keeper, serve_source_message *message)
{
    keeper->failures++;
    uint64_t ms = keeper_vary(keeper_backoff_ms(keeper));
    uint64_t wanted = message->wait_ms < RETRY_AFTER_MS_MAX ? message->wait_ms : RETRY_AFTER_MS_MAX;
    message->wait_ms = ms > wanted ? ms : wanted;
    keeper_wait(keeper, message->wait_ms);
    serve_source_send(keeper->server_fd, message);
}

/* --- What becomes of a release --- */

static void keeper_tell(const source_keeper *keeper, serve_source_kind kind,
                        const serve_source_message *about, const char *text)
{
    serve_source_message message = {.kind = kind};
    memcpy(message.release, about->release, sizeof(message.release));
    memcpy(message.digest, about->digest, sizeof(message.digest));
    snprintf(message.text, sizeof(message.text), "%s", text);
    serve_source_send(keeper->server_fd, &message);
}

static void keeper_trouble(source_keeper *keeper, const serve_source_message *about,
                           const snapcell_error *err)
{
    serve_source_message message = *about;
    message.kind = SERVE_SOURCE_FAILED;
    message.wait_ms = 0;
    snprintf(message.text, sizeof(message.text), "%s", err->message);
    keeper_fail(keeper, &message);
}

/* Without it, a restart would do it all again, which is not wrong. */
static void keeper_remember(const source_keeper *keeper)
{
    snapcell_error err;
    serve_source_message message = {.kind = SERVE_SOURCE_FAILED};
    if (cli_source_state_write(&keeper->source, &err) == SNAPCELL_OK) return;
    snprintf(message.text, sizeof(message.text), "%s", err.message);
    serve_source_send(keeper->server_fd, &message);
}

static void keeper_note_refusal(cli_source_state *state, const serve_source_message *message)
{
    memcpy(state->refused, message->digest, sizeof(state->refused));
    memcpy(state->reason, message->text, sizeof(state->reason));
}

static void keeper_refuse(source_keeper *keeper, const serve_source_message *message)
{
    keeper_note_refusal(&keeper->source.state, message);
    keeper_remember(keeper);
    keeper_tell(keeper, SERVE_SOURCE_REFUSED, message, message->text);
    keeper_wait_interval(keeper);
}

static void keeper_store_cleanup(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static void keeper_activate(source_keeper *keeper, const serve_source_message *message)
{
    snapcell_error err;
    cli_source *source = &keeper->source;
    snapcell_store *store cleanup(keeper_store_cleanup) = NULL;
    int status = snapcell_store_open(source->arguments->store, SNAPCELL_STORE_CREATE, &store, &err);
    if (status == SNAPCELL_OK)
        status = snapcell_release_activate(store, message->release, source->who, &err);
    if (status != SNAPCELL_OK) {
        keeper_trouble(keeper, message, &err);
        return;
    }
    memcpy(source->state.release, message->release, sizeof(source->state.release));
    memcpy(source->state.digest, message->digest, sizeof(source->state.digest));
    keeper_remember(keeper);
    keeper_tell(keeper, SERVE_SOURCE_SWITCHED, message, "");
    keeper_wait_interval(keeper);
}

static void keeper_roll_back(source_keeper *keeper, const serve_source_message *message)
{
    snapcell_error err;
    cli_source *source = &keeper->source;
    cli_source_state *state = &source->state;
    serve_source_message before = {0};
    snapcell_store *store cleanup(keeper_store_cleanup) = NULL;
    int status = snapcell_store_open(source->arguments->store, SNAPCELL_STORE_CREATE, &store, &err);
    if (status == SNAPCELL_OK)
        status = snapcell_release_rollback(store, source->who, before.release, &err);
    if (status != SNAPCELL_OK) {
        keeper_trouble(keeper, message, &err);
        return;
    }
    keeper_note_refusal(state, message);
    memcpy(state->release, before.release, sizeof(state->release));
    state->digest[0] = '\0'; /* the tag stands for what was taken back */
    keeper_remember(keeper);
    keeper_tell(keeper, SERVE_SOURCE_RETURNED, &before, message->text);
}

static void keeper_obey(source_keeper *keeper, const serve_source_message *message)
{
    serve_source_message postponed = *message;
    switch (message->kind) {
    case SERVE_SOURCE_ACTIVATE:
        keeper->waits = false;
        keeper_activate(keeper, message);
        break;
    case SERVE_SOURCE_REFUSE:
        keeper->waits = false;
        keeper_refuse(keeper, message);
        break;
    case SERVE_SOURCE_POSTPONE:
        keeper->waits = false;
        postponed.kind = SERVE_SOURCE_FAILED;
        postponed.wait_ms = 0;
        keeper_fail(keeper, &postponed);
        break;
    case SERVE_SOURCE_ROLL_BACK:
        keeper_roll_back(keeper, message);
        break;
    case SERVE_SOURCE_LOOK:
        keeper->next_ns = monotonic_now_ns();
        break;
    default:
        break; /* a kind for the other direction */
    }
}

/* --- One look --- */

static void keeper_run_pull(const cli_source *source, int fd)
{
    serve_source_message message;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cli_source_pull(source, &message);
    serve_source_send(fd, &message);
    _exit(0);
}

static void keeper_start_pull(source_keeper *keeper)
{
    int ends[2];
    serve_source_message message = {.kind = SERVE_SOURCE_FAILED};
    keeper->pull_pid = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
        keeper->pull_pid = fork();
        if (keeper->pull_pid == 0) {
            close(keeper->server_fd);
            keeper_run_pull(&keeper->source, ends[1]);
        }
        close(ends[1]);
        if (keeper->pull_pid < 0) close(ends[0]);
    }
    if (keeper->pull_pid < 0) {
        snprintf(message.text, sizeof(message.text), "no process to pull with: %s",
                 strerrordesc_np(errno));
        keeper_fail(keeper, &message);
        return;
    }
    keeper->pull_fd = ends[0];
    keeper->pull_until_ns = monotonic_now_ns() + PULL_LIMIT_NS;
}

static void keeper_say_died(int status, serve_source_message *out)
{
    *out = (serve_source_message){.kind = SERVE_SOURCE_FAILED};
    if (WIFSIGNALED(status))
        snprintf(out->text, sizeof(out->text), "the process that pulls was ended by signal %d",
                 WTERMSIG(status));
    else
        snprintf(out->text, sizeof(out->text), "the process that pulls ended with status %d",
                 WEXITSTATUS(status));
}

static void keeper_finish_pull(source_keeper *keeper)
{
    int status = 0;
    serve_source_message message;
    serve_source_got got = serve_source_receive(keeper->pull_fd, &message);
    close(keeper->pull_fd);
    keeper->pull_fd = -1;
    kill(keeper->pull_pid, SIGKILL); /* it has said all */
    while (waitpid(keeper->pull_pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (got != SERVE_SOURCE_GOT_ONE) keeper_say_died(status, &message);
    if (message.kind == SERVE_SOURCE_REFUSED && message.digest[0] == '\0')
        message.kind = SERVE_SOURCE_FAILED;
    if (message.kind == SERVE_SOURCE_FAILED) {
        keeper_fail(keeper, &message);
    } else if (message.kind == SERVE_SOURCE_REFUSED) {
        keeper_refuse(keeper, &message);
    } else {
        keeper->waits = message.kind == SERVE_SOURCE_PULLED;
        serve_source_send(keeper->server_fd, &message);
        keeper_wait_interval(keeper);
    }
}

/* --- The loop --- */

static int keeper_timeout_ms(const source_keeper *keeper)
{
    uint64_t now_ns = monotonic_now_ns();
    uint64_t until_ns = keeper->pull_fd >= 0 ? keeper->pull_until_ns : keeper->next_ns;
    if (keeper->waits) return -1;
    if (until_ns <= now_ns) return 0;
    uint64_t ms = (until_ns - now_ns) / NS_PER_MS + 1;
    return ms < 60000 ? (int)ms : 60000;
}

static void keeper_act(source_keeper *keeper)
{
    uint64_t now_ns = monotonic_now_ns();
    if (keeper->pull_fd >= 0 && now_ns >= keeper->pull_until_ns)
        kill(keeper->pull_pid, SIGKILL); /* which is noticed */
    else if (keeper->pull_fd < 0 && !keeper->waits && now_ns >= keeper->next_ns)
        keeper_start_pull(keeper);
}

static void keeper_loop(source_keeper *keeper)
{
    serve_source_message message;
    for (;;) {
        keeper_act(keeper);
        struct pollfd fds[] = {{.fd = keeper->server_fd, .events = POLLIN},
                               {.fd = keeper->pull_fd, .events = POLLIN}};
        if (poll(fds, 2, keeper_timeout_ms(keeper)) < 0) continue;
        if (fds[1].revents) keeper_finish_pull(keeper);
        if (!fds[0].revents) continue;
        if (serve_source_receive(keeper->server_fd, &message) != SERVE_SOURCE_GOT_ONE) return;
        keeper_obey(keeper, &message);
    }
}

/* --- Its beginning --- */

/* Whether the store still serves what this source brought last; somebody may have switched. */
static int keeper_find_active(void *user, const snapcell_release_info *info)
{
    serve_source_message *out = user;
    if (info->active) snprintf(out->release, sizeof(out->release), "%s", info->name);
    return 0;
}

static void keeper_say_where_it_stands(const source_keeper *keeper)
{
    const cli_source *source = &keeper->source;
    serve_source_message message = {.kind = SERVE_SOURCE_STANDS};
    snapcell_store *store cleanup(keeper_store_cleanup) = NULL;
    if (snapcell_store_open(source->arguments->store, SNAPCELL_STORE_READ, &store, NULL) ==
        SNAPCELL_OK)
        snapcell_release_each(store, keeper_find_active, &message, NULL);
    if (strcmp(message.release, source->state.release) == 0)
        memcpy(message.digest, source->state.digest, sizeof(message.digest));
    serve_source_send(keeper->server_fd, &message);
    if (source->state.refused[0] == '\0') return;
    message = (serve_source_message){0};
    memcpy(message.digest, source->state.refused, sizeof(message.digest));
    keeper_tell(keeper, SERVE_SOURCE_REFUSED, &message, source->state.reason);
}

/* It ends when the server does, at the latest; signals to all of a terminal or a unit are the
 * server's to decide about. */
static void keeper_settle(int fd, pid_t parent)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        signal(ignored[i], SIG_IGN);
    if (fd != KEEPER_FD) dup2(fd, KEEPER_FD);
    close_range(KEEPER_FD + 1, ~0u, 0);
    if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout)) _exit(0);
}

static void keeper_main(const cli_source *settings, int fd, pid_t parent)
{
    source_keeper keeper = {
        .source = *settings, .server_fd = KEEPER_FD, .pull_fd = -1, .next_ns = monotonic_now_ns()};
    keeper_settle(fd, parent);
    cli_source_state_read(&keeper.source, &keeper.source.state);
    keeper_say_where_it_stands(&keeper);
    keeper_loop(&keeper);
    _exit(0);
}

int cli_source_check(const char *reference, snapcell_error *err)
{
    oci_reference parsed;
    int status = oci_reference_parse(reference, &parsed, err);
    if (status == SNAPCELL_OK && parsed.digest[0])
        status = error_set(err, SNAPCELL_E_USAGE,
                           "'%s' has a digest, which always stands for the same: a source is a "
                           "tag, as oci://HOST/REPOSITORY:TAG",
                           reference);
    return status;
}

int cli_source_start(const cli_source *settings, const serve_source_config *config, int *fd,
                     snapcell_error *err)
{
    int ends[2];
    cli_source source = *settings;
    pid_t parent = getpid();
    source.config = config;
    int status = cli_source_check(config->reference, err);
    if (status == SNAPCELL_OK)
        status = oci_reference_parse(config->reference, &source.reference, err);
    if (status != SNAPCELL_OK) return status;
    if (config->ca_file && access(config->ca_file, R_OK) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the certificates in %s",
                               config->ca_file);
    snprintf(source.who, sizeof(source.who), "serve --source %.180s", config->reference);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "no socket for the source's process");
    cli_flush(); /* or both would write what waits */
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        keeper_main(&source, ends[1], parent);
    }
    close(ends[1]);
    if (pid > 0) {
        *fd = ends[0];
        return SNAPCELL_OK;
    }
    close(ends[0]);
    return error_set_errno(err, SNAPCELL_E_IO, errno, "no process for the source");
}
