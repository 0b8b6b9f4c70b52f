/* What the parts of the client share. Internal to oci/. */
#ifndef SNAPCELL_REGISTRY_STATE_H
#define SNAPCELL_REGISTRY_STATE_H

#include "docker_credentials.h"
#include "net_call.h"
#include "registry.h"
#include "registry_answer.h"

#define REGISTRY_TOKEN_COUNT 8
#define REGISTRY_TRIES 5
#define REGISTRY_SMALL_SIZE_MAX ((size_t)1 << 20) /* tokens, lists of tags, errors */

typedef struct registry_token {
    char scope[REGISTRY_SCOPE_SIZE];
    char *text; /* Owned; wiped */
} registry_token;

struct registry_client {
    const registry_options *options;
    char host[OCI_HOST_SIZE_MAX + 1];  /* of references */
    char base[OCI_HOST_SIZE_MAX + 16]; /* "https://HOST" */
    net_line *line;
    docker_credentials credentials;
    bool has_credentials; /* were looked for */
    bool uses_basic;
    registry_token tokens[REGISTRY_TOKEN_COUNT];
    size_t next_token;
    uint64_t retry_after_s; /* that the last answer wanted; 0: it said nothing */
};

/* An answer, taken apart. Header values that are missing or too long are "". */
typedef struct registry_reply {
    int status;
    char url[REGISTRY_URL_SIZE]; /* that answered */
    char location[REGISTRY_URL_SIZE];
    char link[REGISTRY_URL_SIZE];
    char content_type[OCI_MEDIA_TYPE_SIZE_MAX + 1];
    char digest[OCI_DIGEST_TEXT_SIZE];
    char range[64];
    char content_range[128];
    char retry_after[64];
    char chunk_min[24];
    registry_challenge challenge;
    uint8_t *body; /* Owned; unless it went to a sink */
    size_t body_size_bytes;
    bool is_too_large; /* the body was */
} registry_reply;

void registry_reply_release(registry_reply *reply);
#define cleanup_reply cleanup(registry_reply_release)

/* Who takes a body of status 200 or 206; each gives false to end it. */
typedef struct registry_sink {
    bool (*begin)(void *user, const registry_reply *reply);
    bool (*data)(void *user, const void *data, size_t size_bytes);
    void *user;
} registry_sink;

typedef struct registry_request {
    const char *method;
    const char *url;
    const char *scope;      /* as "repository:NAME:pull" */
    const char *more_scope; /* NULL: none */
    const char *accept, *content_type, *content_range, *range, *if_none_match;
    const char *authorization; /* of token services; else it is found out */
    bool has_body;
    const void *body;
    size_t body_size_bytes;
    size_t reply_size_max; /* 0: REGISTRY_SMALL_SIZE_MAX */
    const registry_sink *sink;
    bool once;           /* not tried again when the connection breaks */
    bool is_small;       /* has a limit for all of it */
    bool shows_progress; /* of the body */
} registry_request;

/* --- registry_exchange.c --- */

/* One request, one answer. Errors: E_IO; `*again`: another try may go well. */
int registry_exchange(registry_client *registry, const registry_request *request, const char *url,
                      const char *authorization, registry_reply *reply, bool *again,
                      snapcell_error *err);

/* --- registry_outcome.c --- */

/* Whether another try may have another answer. */
bool registry_is_passing(int status);

/* The error that an answer means. Returns it. */
int registry_refused(const registry_client *registry, const char *doing,
                     const registry_reply *reply, snapcell_error *err);

/* Waits before try number `attempt`, from 1 on; or for as long as `retry_after` says. False when
 * that is too long. */
bool registry_wait(unsigned attempt, const char *retry_after);

/* --- registry_auth.c --- */

/* The value of Authorization for a request; NULL: none. Owned: registry_wipe(). */
int registry_authorization(registry_client *registry, const registry_request *request, char **out,
                           snapcell_error *err);
/* Makes use of a challenge. */
int registry_authenticate(registry_client *registry, const registry_request *request,
                          const registry_challenge *challenge, snapcell_error *err);
void registry_wipe(char **text);
#define cleanup_wipe cleanup(registry_wipe)

/* --- registry_send.c --- */

/* Sends a request as often as it takes: to where it is redirected, with what the registry wants to
 * know, again after failures that pass. OK when there was an answer, whatever it is. `reply`: to be
 * released, on failure, too. Errors: E_IO, E_NOMEM. */
int registry_send(registry_client *registry, const registry_request *request, registry_reply *reply,
                  snapcell_error *err);

/* BASE/v2/REPOSITORY/KIND/TARGET, into `out`. */
void registry_url_of(const registry_client *registry, const char *repository, const char *kind,
                     const char *target, char out[REGISTRY_URL_SIZE]);
void registry_scope_of(const char *repository, const char *actions, char out[REGISTRY_SCOPE_SIZE]);

#endif
