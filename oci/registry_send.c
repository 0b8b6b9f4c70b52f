/* Requests with all that goes with them: redirects, authorization, further tries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error_set.h"
#include "registry_state.h"

#define REDIRECTS_MAX 5

/* --- Redirects --- */

static bool is_redirect(const registry_request *request, int status)
{
    const bool may_change = strcmp(request->method, "GET") == 0 || //
                            strcmp(request->method, "HEAD") == 0;
    if (status == 307 || status == 308) return true;
    return may_change && (status == 301 || status == 302 || status == 303);
}

/* The next URL into `url`. */
static int redirect(const registry_client *registry, const registry_reply *reply,
                    char url[REGISTRY_URL_SIZE], snapcell_error *err)
{
    char next[REGISTRY_URL_SIZE];
    if (!registry_url_resolve(url, reply->location, next))
        return error_set(err, SNAPCELL_E_IO, "%s redirects to a place that is no URL of HTTP",
                         registry->host);
    if (registry_url_is_plain(next) && !registry->options->plain_http)
        return error_set(err, SNAPCELL_E_IO, "%s redirects to %.*s, without TLS", registry->host,
                         (int)(strcspn(next, "?") > 200 ? 200 : strcspn(next, "?")), next);
    strcpy(url, next);
    return SNAPCELL_OK;
}

/* --- One try --- */

static int send_once(registry_client *registry, const registry_request *request, const char *url,
                     registry_reply *reply, bool *again, snapcell_error *err)
{
    char *authorization cleanup_wipe = NULL;
    /* Elsewhere nobody is told who we are. */
    if (registry_url_same_origin(url, registry->base)) {
        const int status = registry_authorization(registry, request, &authorization, err);
        if (status != SNAPCELL_OK) return status;
    }
    return registry_exchange(registry, request, url, authorization, reply, again, err);
}

static int send_through(registry_client *registry, const registry_request *request,
                        registry_reply *reply, bool *again, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    unsigned challenges = 0;
    unsigned redirects = 0;
    (void)snprintf(url, sizeof(url), "%s", request->url);
    for (;;) {
        int status = send_once(registry, request, url, reply, again, err);
        if (status != SNAPCELL_OK) return status;
        if (reply->status == 401 && challenges < 2 &&
            registry_url_same_origin(url, registry->base)) {
            const registry_challenge challenge = reply->challenge;
            if (challenges++ == 1 && !challenge.bearer) return SNAPCELL_OK;
            status = registry_authenticate(registry, request, &challenge, err);
        } else if (is_redirect(request, reply->status)) {
            if (redirects++ == REDIRECTS_MAX)
                return error_set(err, SNAPCELL_E_IO, "%s redirects more than %d times",
                                 registry->host, REDIRECTS_MAX);
            status = redirect(registry, reply, url, err);
        } else {
            return SNAPCELL_OK;
        }
        if (status != SNAPCELL_OK) return status;
    }
}

/* --- As many as it takes --- */

int registry_send(registry_client *registry, const registry_request *request, registry_reply *reply,
                  snapcell_error *err)
{
    for (unsigned attempt = 1;; attempt++) {
        bool again = false;
        const int status = send_through(registry, request, reply, &again, err);
        registry->retry_after_s = 0;
        if (status == SNAPCELL_OK)
            registry_retry_after(reply->retry_after, (int64_t)time(NULL), &registry->retry_after_s);
        again = (again && !request->once) ||
                (status == SNAPCELL_OK && registry_is_passing(reply->status));
        if (!again || attempt == REGISTRY_TRIES ||
            !registry_wait(attempt, status == SNAPCELL_OK ? reply->retry_after : ""))
            return status;
    }
}
