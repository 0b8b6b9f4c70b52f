/* Who one is to a registry, as docker keeps it: $DOCKER_CONFIG/config.json, else
 * ~/.docker/config.json, and the programs docker-credential-*. Internal to oci/. */
#ifndef SNAPCELL_DOCKER_CREDENTIALS_H
#define SNAPCELL_DOCKER_CREDENTIALS_H

#include <stdbool.h>

#include "cleanup.h"
#include "snapcell/error.h"

/* All Owned; NULL where there is none. Wiped when it is released. */
typedef struct docker_credentials {
    char *user;
    char *password;
    char *identity_token; /* to be exchanged for others */
    char *registry_token; /* a bearer token as it is */
} docker_credentials;

/* Looks for `host`, as "HOST" or "HOST:PORT"; empty when there is nothing for it. Errors: E_IO (the
 * file or the program's answer cannot be used), E_NOMEM. Release on failure, too. */
int docker_credentials_find(const char *host, docker_credentials *out, snapcell_error *err);
void docker_credentials_release(docker_credentials *credentials);
#define cleanup_docker_credentials cleanup(docker_credentials_release)

/* Takes a document apart that a config.json holds, or a helper's answer: for tests. */
int docker_config_read(const char *text, size_t size_bytes, const char *host,
                       docker_credentials *out, char helper[64], snapcell_error *err);
int docker_helper_read(const char *text, size_t size_bytes, docker_credentials *out,
                       snapcell_error *err);

/* Runs docker-credential-NAME, which is given `host` on standard input. `out`: as above; empty when
 * it knows nothing. Errors: E_IO, E_NOMEM. */
int docker_helper_ask(const char *name, const char *host, docker_credentials *out,
                      snapcell_error *err);

/* The key under which docker keeps `host`. Borrowed. */
const char *docker_host_key(const char *host);

#endif
