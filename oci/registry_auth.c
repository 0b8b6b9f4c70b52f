/* Who one is to a registry: nobody, a user with a password (Basic), or the bearer of a token that a
 * token service gives for a scope. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "error_set.h"
#include "registry_state.h"

#define CLIENT_ID "snapcell"

static int auth_load(registry_client *registry, snapcell_error *err)
{
    if (registry->has_credentials) return SNAPCELL_OK;
    registry->has_credentials = true;
    return docker_credentials_find(registry->host, &registry->credentials, err);
}

/* "Basic BASE64". NULL: no memory. */
static char *basic_of(const docker_credentials *credentials)
{
    char *plain cleanup_wipe = NULL;
    char *header = NULL;
    const char *password = credentials->password != NULL ? credentials->password : "";
    if (asprintf(&plain, "%s:%s", credentials->user, password) < 0) {
        plain = NULL;
        return NULL;
    }
    const size_t size = strlen(plain);
    const size_t capacity = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    char *coded cleanup_wipe = calloc(1, capacity);
    if (coded == NULL) return NULL;
    sodium_bin2base64(coded, capacity, (const unsigned char *)plain, size,
                      sodium_base64_VARIANT_ORIGINAL);
    return asprintf(&header, "Basic %s", coded) < 0 ? NULL : header;
}

static const char *token_find(const registry_client *registry, const char *scope)
{
    for (size_t i = 0; i < REGISTRY_TOKEN_COUNT; i++)
        if (registry->tokens[i].text != NULL && strcmp(registry->tokens[i].scope, scope) == 0)
            return registry->tokens[i].text;
    return NULL;
}

/* The scope under which a request's token is kept. */
static void scope_key(const registry_request *request, char out[REGISTRY_SCOPE_SIZE])
{
    (void)snprintf(out, REGISTRY_SCOPE_SIZE, "%s%s%s", request->scope != NULL ? request->scope : "",
                   request->more_scope != NULL ? " " : "",
                   request->more_scope != NULL ? request->more_scope : "");
}

int registry_authorization(registry_client *registry, const registry_request *request, char **out,
                           snapcell_error *err)
{
    char scope[REGISTRY_SCOPE_SIZE];
    *out = NULL;
    scope_key(request, scope);
    const char *token = token_find(registry, scope);
    if (token == NULL && registry->credentials.registry_token != NULL && registry->uses_basic)
        token = registry->credentials.registry_token;
    if (token != NULL) {
        if (asprintf(out, "Bearer %s", token) >= 0) return SNAPCELL_OK;
        *out = NULL;
    } else if (registry->uses_basic && registry->credentials.user != NULL) {
        *out = basic_of(&registry->credentials);
    } else {
        return SNAPCELL_OK;
    }
    return *out != NULL ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
}

/* --- Tokens --- */

static int token_keep(registry_client *registry, const char *scope, const char *text,
                      snapcell_error *err)
{
    registry_token *slot = NULL;
    for (size_t i = 0; slot == NULL && i < REGISTRY_TOKEN_COUNT; i++)
        if (registry->tokens[i].text != NULL && strcmp(registry->tokens[i].scope, scope) == 0)
            slot = &registry->tokens[i];
    if (slot == NULL) slot = &registry->tokens[registry->next_token++ % REGISTRY_TOKEN_COUNT];
    registry_wipe(&slot->text);
    (void)snprintf(slot->scope, sizeof(slot->scope), "%s", scope);
    slot->text = strdup(text);
    return slot->text != NULL ? SNAPCELL_OK
                              : error_set(err, SNAPCELL_E_NOMEM, "no memory for a token");
}

/* Service and scopes, as a query's parameters after `out`. */
static bool token_add_query(const registry_request *request, const registry_challenge *challenge,
                            char out[REGISTRY_URL_SIZE])
{
    const char *const scopes[] = {request->scope, request->more_scope, challenge->scope};
    bool fits =
        challenge->service[0] == '\0' || registry_url_add_query(out, "service", challenge->service);
    for (size_t i = 0; fits && i < sizeof(scopes) / sizeof(*scopes); i++) {
        const bool is_said =
            i == 2 && request->scope != NULL && strcmp(challenge->scope, request->scope) == 0;
        if (scopes[i] != NULL && scopes[i][0] != '\0' && !is_said)
            fits = registry_url_add_query(out, "scope", scopes[i]);
    }
    return fits;
}

/* With what an earlier login left: a POST with a form. */
static int token_refresh(registry_client *registry, const registry_request *request,
                         const registry_challenge *challenge, registry_reply *reply, bool *again,
                         snapcell_error *err)
{
    char *form cleanup_wipe = calloc(1, REGISTRY_URL_SIZE);
    if (form == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a token");
    strcpy(form, "grant_type=refresh_token");
    form[0] = '?'; /* so that what is added is joined by '&' */
    bool fits = registry_url_add_query(form, "client_id", CLIENT_ID) &&
                token_add_query(request, challenge, form) &&
                registry_url_add_query(form, "refresh_token", registry->credentials.identity_token);
    form[0] = 'g';
    if (!fits) return error_set(err, SNAPCELL_E_IO, "the token of a login is too long");
    const registry_request asked = {
        .method = "POST",
        .content_type = "application/x-www-form-urlencoded",
        .has_body = true,
        .body = form,
        .body_size_bytes = strlen(form),
        .is_small = true,
    };
    return registry_exchange(registry, &asked, challenge->realm, NULL, reply, again, err);
}

static int token_get(registry_client *registry, const registry_request *request,
                     const registry_challenge *challenge, registry_reply *reply, bool *again,
                     snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char *authorization cleanup_wipe = NULL;
    strcpy(url, challenge->realm);
    if (!token_add_query(request, challenge, url))
        return error_set(err, SNAPCELL_E_IO, "the URL of the token service is too long");
    if (registry->credentials.user != NULL) {
        authorization = basic_of(&registry->credentials);
        if (authorization == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory");
    }
    const registry_request asked = {.method = "GET", .is_small = true};
    return registry_exchange(registry, &asked, url, authorization, reply, again, err);
}

static int token_ask(registry_client *registry, const registry_request *request,
                     const registry_challenge *challenge, registry_reply *reply,
                     snapcell_error *err)
{
    for (unsigned attempt = 1;; attempt++) {
        bool again = false;
        const int status = registry->credentials.identity_token != NULL
                               ? token_refresh(registry, request, challenge, reply, &again, err)
                               : token_get(registry, request, challenge, reply, &again, err);
        again = again || (status == SNAPCELL_OK && registry_is_passing(reply->status));
        if (!again || attempt == REGISTRY_TRIES || !registry_wait(attempt, reply->retry_after))
            return status;
    }
}

static int auth_by_token(registry_client *registry, const registry_request *request,
                         const registry_challenge *challenge, snapcell_error *err)
{
    registry_reply cleanup_reply reply = {0};
    char scope[REGISTRY_SCOPE_SIZE];
    if (challenge->realm[0] == '\0')
        return error_set(err, SNAPCELL_E_IO, "%s wants a token, but names no token service",
                         registry->host);
    if (registry_url_is_plain(challenge->realm) && !registry->options->plain_http)
        return error_set(err, SNAPCELL_E_IO,
                         "%s has its token service at %.200s, without TLS: nobody is told a "
                         "password there, unless --plain-http is given",
                         registry->host, challenge->realm);
    int status = token_ask(registry, request, challenge, &reply, err);
    if (status == SNAPCELL_OK && reply.status != 200)
        return registry_refused(registry, "gives no token", &reply, err);
    char *token cleanup_wipe = status == SNAPCELL_OK ? calloc(1, REGISTRY_TOKEN_SIZE) : NULL;
    if (status == SNAPCELL_OK && token == NULL)
        status = error_set(err, SNAPCELL_E_NOMEM, "no memory for a token");
    if (status == SNAPCELL_OK && !registry_token_read(reply.body, reply.body_size_bytes, token))
        status = error_set(err, SNAPCELL_E_IO, "the token service of %s answers without a token",
                           registry->host);
    scope_key(request, scope);
    if (status == SNAPCELL_OK) status = token_keep(registry, scope, token, err);
    if (reply.body != NULL) sodium_memzero(reply.body, reply.body_size_bytes);
    return status;
}

int registry_authenticate(registry_client *registry, const registry_request *request,
                          const registry_challenge *challenge, snapcell_error *err)
{
    const int status = auth_load(registry, err);
    if (status != SNAPCELL_OK) return status;
    if (registry->credentials.registry_token != NULL && !registry->uses_basic) {
        registry->uses_basic = true;
        return SNAPCELL_OK;
    }
    if (challenge->bearer) return auth_by_token(registry, request, challenge, err);
    if (challenge->basic && registry->credentials.user != NULL && !registry->uses_basic) {
        registry->uses_basic = true;
        return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_IO,
                     registry->uses_basic
                         ? "%s does not accept the user and password in docker's config.json; "
                           "`docker login %s` renews them"
                         : "%s wants to know who asks, and docker's config.json has nothing for "
                           "it; `docker login %s` makes an entry",
                     registry->host, registry->host);
}
