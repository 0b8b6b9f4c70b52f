#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "error_set.h"
#include "registry_state.h"

#define HUB_HOST "registry-1.docker.io"

/* Docker Hub's registry has another name than its references. */
static const char *host_of(const char *host)
{
    return docker_host_key(host) == host ? host : HUB_HOST;
}

void registry_wipe(char **text)
{
    if (*text != NULL) sodium_memzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

int registry_open(const char *host, const registry_options *options, registry_client **out,
                  snapcell_error *err)
{
    static const char *const anywhere[] = {"*"};
    const snapcell_net_options net = {
        .struct_size = sizeof(net),
        .allow = anywhere, /* blobs and tokens may be elsewhere */
        .allow_count = 1,
        .allow_private = true,
        .use_proxies = true,
        .ca_file = options->ca_file,
        .no_sandbox = options->no_sandbox,
    };
    *out = NULL;
    if (options->ca_file != NULL && access(options->ca_file, R_OK) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the certificates in %s",
                               options->ca_file);
    registry_client *made = calloc(1, sizeof(*made));
    if (made == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a registry");
    made->options = options;
    (void)snprintf(made->host, sizeof(made->host), "%s", host);
    (void)snprintf(made->base, sizeof(made->base), "%s://%s",
                   options->plain_http ? "http" : "https", host_of(host));
    const int status = net_line_open(&net, &made->line, err);
    if (status == SNAPCELL_OK)
        *out = made;
    else
        registry_close(made);
    return status;
}

void registry_close(registry_client *registry)
{
    if (registry == NULL) return;
    net_line_close(registry->line);
    docker_credentials_release(&registry->credentials);
    for (size_t i = 0; i < REGISTRY_TOKEN_COUNT; i++)
        registry_wipe(&registry->tokens[i].text);
    free(registry);
}

void registry_url_of(const registry_client *registry, const char *repository, const char *kind,
                     const char *target, char out[REGISTRY_URL_SIZE])
{
    (void)snprintf(out, REGISTRY_URL_SIZE, "%s/v2/%s/%s/%s", registry->base, repository, kind,
                   target);
}

void registry_scope_of(const char *repository, const char *actions, char out[REGISTRY_SCOPE_SIZE])
{
    (void)snprintf(out, REGISTRY_SCOPE_SIZE, "repository:%s:%s", repository, actions);
}
