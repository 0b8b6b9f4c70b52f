/* Starting snapcell-net. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "net_client.h"
#include "net_rules.h"
#include "process_spawn.h"
#include "public_struct.h"
#include "snapcell/net.h"

#define PROGRAM "snapcell-net"

/* --- Where it is --- */

/* The file that this code came from: a shared library, else the program. Owned: free(). */
static char *start_own_path(void)
{
    static const char here;
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 && map != NULL &&
        map->l_name != NULL && strchr(map->l_name, '/') != NULL)
        return realpath(map->l_name, NULL);
    return realpath("/proc/self/exe", NULL);
}

/* ../../libexec is for Debian's lib/x86_64-linux-gnu. */
static char *start_find_program(void)
{
    static const char *const places[] = {PROGRAM, "../" PROGRAM, "../libexec/snapcell/" PROGRAM,
                                         "../../libexec/snapcell/" PROGRAM};
    cleanup_free char *own = start_own_path();
    char *slash = own != NULL ? strrchr(own, '/') : NULL;
    if (slash == NULL) return NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char *path;
        if (asprintf(&path, "%.*s/%s", (int)(slash - own), own, places[i]) < 0) return NULL;
        if (access(path, X_OK) == 0) return path;
        free(path);
    }
    return NULL;
}

/* --- Starting it --- */

static int start_check(const snapcell_net_options *options, snapcell_error *err)
{
    if (options->allow_count > 0 && options->allow == NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_net_options.allow is NULL, but allow_count is %zu",
                         options->allow_count);
    if (options->use_proxies && !options->allow_private)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_net_options.use_proxies needs allow_private: a proxy resolves "
                         "names, so that their addresses cannot be checked here");
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < options->allow_count; i++)
        status = snapcell_net_check_host(options->allow[i], err);
    return status;
}

/* "snapcell-net 3 [OPTIONS] HOST..."; Owned: free(). */
static const char **start_arguments(const snapcell_net_options *options)
{
    const char **arguments = calloc(options->allow_count + 8, sizeof(*arguments));
    if (arguments == NULL) return NULL;
    size_t count = 0;
    arguments[count++] = PROGRAM;
    arguments[count++] = "3";
    if (options->allow_private) arguments[count++] = "--private";
    if (options->no_sandbox) arguments[count++] = "--no-sandbox";
    if (options->use_proxies) arguments[count++] = "--proxies";
    if (options->ca_file != NULL) {
        arguments[count++] = "--ca-file";
        arguments[count++] = options->ca_file;
    }
    for (size_t i = 0; i < options->allow_count; i++)
        arguments[count++] = options->allow[i];
    return arguments;
}

static int start_program(const snapcell_net_options *options, const char *path, int fd, pid_t *pid,
                         snapcell_error *err)
{
    cleanup_free const char **arguments = start_arguments(options);
    if (arguments == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a command line");
    cleanup_close int lifted = fcntl(fd, F_DUPFD_CLOEXEC, PROCESS_FD_MIN);
    if (lifted < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot use the socket");
    /* Its messages go to our standard error; the environment says where certificates are. */
    int problem = process_spawn(path, (char *const *)arguments, environ,
                                &(process_files){.words_fd = -1, .fds = &lifted, .count = 1}, pid);
    if (problem != 0) return error_set_errno(err, SNAPCELL_E_IO, problem, "cannot start %s", path);
    return SNAPCELL_OK;
}

static int start_take_options(const snapcell_net_options *options, snapcell_net_options *out,
                              snapcell_error *err)
{
    int status = public_struct_read(out, sizeof(*out), options, "snapcell_net_options", err);
    return status == SNAPCELL_OK ? start_check(out, err) : status;
}

int snapcell_net_check_host(const char *host, snapcell_error *err)
{
    net_rule rule;
    return net_rule_parse(host, &rule, err);
}

int snapcell_net_serve(const snapcell_net_options *options, int fd, pid_t *pid, snapcell_error *err)
{
    pid_t unused_pid;
    if (pid == NULL) pid = &unused_pid;
    snapcell_net_options given;
    int status = start_take_options(options, &given, err);
    if (status != SNAPCELL_OK) return status;
    if (given.program_path != NULL) return start_program(&given, given.program_path, fd, pid, err);
    cleanup_free char *path = start_find_program();
    if (path == NULL)
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "the program " PROGRAM
                         ", which has the network, is neither next to this one nor in "
                         "../libexec/snapcell: set snapcell_net_options.program_path");
    return start_program(&given, path, fd, pid, err);
}

int snapcell_net_open(const snapcell_net_options *options, snapcell_net **out, snapcell_error *err)
{
    *out = NULL;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open a socket");
    cleanup_close int its_fd = ends[1];
    pid_t pid = 0;
    int status = snapcell_net_serve(options, its_fd, &pid, err);
    if (status != SNAPCELL_OK) {
        close(ends[0]);
        return status;
    }
    status = snapcell_net_attach(ends[0], out, err);
    if (status == SNAPCELL_OK)
        net_client_own(*out, pid);
    else
        process_wait(pid);
    return status;
}
