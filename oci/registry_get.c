/* Documents, blobs and lists of tags from a registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "registry_state.h"

#define ACCEPTED OCI_TYPE_INDEX ", " OCI_TYPE_MANIFEST
#define TAG_PAGES_MAX 10000

/* --- Documents --- */

/* "type/subtype; parameters" without the parameters. */
static void take_media_type(const registry_reply *reply, oci_descriptor *descriptor)
{
    const size_t size = strcspn(reply->content_type, "; \t");
    memcpy(descriptor->media_type, reply->content_type, size);
    descriptor->media_type[size] = '\0';
}

static int check_digest(const registry_client *registry, const char *target,
                        const registry_reply *reply, const oci_descriptor *descriptor,
                        snapcell_error *err)
{
    const char *expected = oci_digest_is_valid(target)          ? target
                           : oci_digest_is_valid(reply->digest) ? reply->digest
                                                                : descriptor->digest;
    if (strcmp(expected, descriptor->digest) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_CORRUPT, "%s sent another document: %s is expected, %s came",
                     registry->host, expected, descriptor->digest);
}

static int refuse_document(const registry_client *registry, const char *repository,
                           const char *target, const registry_reply *reply, snapcell_error *err)
{
    char doing[OCI_REPOSITORY_SIZE_MAX + OCI_TAG_SIZE_MAX + 40];
    (void)snprintf(doing, sizeof(doing), "does not give %s%s%s", repository,
                   oci_digest_is_valid(target) ? "@" : ":", target);
    return registry_refused(registry, doing, reply, err);
}

int registry_get_document(registry_client *registry, const char *repository, const char *target,
                          void **out, oci_descriptor *descriptor, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    registry_reply cleanup_reply reply = {0};
    *out = NULL;
    memset(descriptor, 0, sizeof(*descriptor));
    registry_url_of(registry, repository, "manifests", target, url);
    registry_scope_of(repository, "pull", scope);
    const registry_request request = {.method = "GET",
                                      .url = url,
                                      .scope = scope,
                                      .accept = ACCEPTED,
                                      .reply_size_max = OCI_DOCUMENT_SIZE_MAX,
                                      .is_small = true};
    const int status = registry_send(registry, &request, &reply, err);
    if (status != SNAPCELL_OK) return status;
    if (reply.status != 200) return refuse_document(registry, repository, target, &reply, err);
    if (reply.is_too_large)
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "%s sends a document of more than %zu bytes, the maximum", registry->host,
                         OCI_DOCUMENT_SIZE_MAX);
    oci_digest_of(reply.body, reply.body_size_bytes, descriptor->digest);
    descriptor->size_bytes = reply.body_size_bytes;
    take_media_type(&reply, descriptor);
    const int checked = check_digest(registry, target, &reply, descriptor, err);
    if (checked == SNAPCELL_OK) *out = steal_pointer(&reply.body);
    return checked;
}

int registry_find_document(registry_client *registry, const char *repository, const char *tag,
                           const char *known, char digest[OCI_DIGEST_TEXT_SIZE],
                           snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    char quoted[OCI_DIGEST_TEXT_SIZE + 2];
    registry_reply cleanup_reply reply = {0};
    digest[0] = '\0';
    registry_url_of(registry, repository, "manifests", tag, url);
    registry_scope_of(repository, "pull", scope);
    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", known != NULL ? known : "");
    const registry_request request = {.method = "HEAD",
                                      .url = url,
                                      .scope = scope,
                                      .accept = ACCEPTED,
                                      .if_none_match = known != NULL ? quoted : NULL,
                                      .is_small = true};
    const int status = registry_send(registry, &request, &reply, err);
    if (status != SNAPCELL_OK) return status;
    if (reply.status != 200 && !(reply.status == 304 && known != NULL))
        return refuse_document(registry, repository, tag, &reply, err);
    const char *found = reply.status == 304 ? known : reply.digest;
    if (oci_digest_is_valid(found)) strcpy(digest, found);
    return SNAPCELL_OK;
}

/* --- Blobs --- */

/* What has come of a blob so far. */
typedef struct blob_state {
    registry_client *registry;
    const oci_descriptor *blob;
    uint8_t *data;
    uint64_t size_bytes;
    crypto_hash_sha256_state hash;
    bool resumed;
    bool overflowed;
} blob_state;

static void blob_restart(blob_state *state)
{
    state->size_bytes = 0;
    state->resumed = false;
    crypto_hash_sha256_init(&state->hash);
}

/* From where the answer goes on: what was requested, or the beginning. */
static bool on_begin(void *user, const registry_reply *reply)
{
    blob_state *state = user;
    uint64_t first = 0;
    if (state->size_bytes == 0) return true;
    if (reply->status == 206 && registry_content_range(reply->content_range, &first) &&
        first == state->size_bytes)
        state->resumed = true;
    else
        blob_restart(state); /* it knows no ranges, or has others in mind */
    return reply->status == 200 || state->resumed;
}

static bool on_data(void *user, const void *data, size_t size_bytes)
{
    blob_state *state = user;
    const registry_options *options = state->registry->options;
    state->overflowed = size_bytes > state->blob->size_bytes - state->size_bytes;
    if (state->overflowed) return false;
    memcpy(state->data + state->size_bytes, data, size_bytes);
    crypto_hash_sha256_update(&state->hash, data, size_bytes);
    state->size_bytes += size_bytes;
    if (options->progress != NULL)
        options->progress(options->user, state->size_bytes, state->blob->size_bytes);
    return true;
}

static int blob_check(blob_state *state, bool *again, snapcell_error *err)
{
    char digest[OCI_DIGEST_TEXT_SIZE];
    const char *host = state->registry->host;
    const oci_descriptor *blob = state->blob;
    if (state->overflowed)
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "%s sends more than the %llu bytes that %s is said to have", host,
                         (unsigned long long)blob->size_bytes, blob->digest);
    if (state->size_bytes < blob->size_bytes) {
        *again = true;
        return error_set(err, SNAPCELL_E_IO, "%s sends %llu of the %llu bytes of %s", host,
                         (unsigned long long)state->size_bytes,
                         (unsigned long long)blob->size_bytes, blob->digest);
    }
    oci_digest_format(&state->hash, digest);
    if (strcmp(digest, blob->digest) == 0) return SNAPCELL_OK;
    /* Two halves of different answers: from the beginning once more. */
    *again = state->resumed;
    blob_restart(state);
    return error_set(err, SNAPCELL_E_CORRUPT, "%s sends other bytes: %s is expected, %s came", host,
                     blob->digest, digest);
}

static int blob_try(blob_state *state, const registry_request *request, bool *again,
                    char retry_after[64], snapcell_error *err)
{
    registry_reply cleanup_reply reply = {0};
    snapcell_error cause = {0};
    const int status = registry_send(state->registry, request, &reply, &cause);
    strcpy(retry_after, reply.retry_after);
    if (status == SNAPCELL_OK && reply.status == 416 && state->size_bytes > 0) {
        blob_restart(state);
        *again = true;
        return error_set(err, SNAPCELL_E_IO, "%s does not go on where it stopped",
                         state->registry->host);
    }
    if (status == SNAPCELL_OK && reply.status != 200 && reply.status != 206) {
        *again = reply.status == 429 || reply.status >= 500;
        return registry_refused(state->registry, "does not give a blob", &reply, err);
    }
    /* Something came before the connection broke: that counts. */
    if (status != SNAPCELL_OK && reply.status != 200 && reply.status != 206)
        return error_set(err, status, "%s", cause.message);
    const int checked = blob_check(state, again, err);
    return checked == SNAPCELL_E_IO && status != SNAPCELL_OK
               ? error_set(err, status, "%s", cause.message)
               : checked;
}

static int blob_fetch(blob_state *state, const char *url, const char *scope, snapcell_error *err)
{
    const registry_sink sink = {.begin = on_begin, .data = on_data, .user = state};
    unsigned attempt = 1;
    for (;;) {
        char range[40] = "";
        char retry_after[64] = "";
        bool again = false;
        const uint64_t before = state->size_bytes;
        (void)snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)before);
        const registry_request request = {.method = "GET",
                                          .url = url,
                                          .scope = scope,
                                          .range = before > 0 ? range : NULL,
                                          .sink = &sink,
                                          .once = true};
        const int status = blob_try(state, &request, &again, retry_after, err);
        if (status == SNAPCELL_OK || !again) return status;
        /* As long as it gets on, it goes on. */
        attempt = state->size_bytes > before ? 1 : attempt + 1;
        if (attempt >= REGISTRY_TRIES || !registry_wait(attempt, retry_after)) return status;
    }
}

int registry_get_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      void **out, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    *out = NULL;
    if (blob->size_bytes > OCI_BLOB_SIZE_MAX)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "%s has %llu bytes; at most %llu are accepted",
                         blob->digest, (unsigned long long)blob->size_bytes,
                         (unsigned long long)OCI_BLOB_SIZE_MAX);
    cleanup_free uint8_t *data = malloc((size_t)blob->size_bytes + 1);
    if (data == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a blob of %llu bytes",
                         (unsigned long long)blob->size_bytes);
    blob_state state = {.registry = registry, .blob = blob, .data = data};
    blob_restart(&state);
    registry_url_of(registry, repository, "blobs", blob->digest, url);
    registry_scope_of(repository, "pull", scope);
    const int status = blob_fetch(&state, url, scope, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&data);
    return status;
}

/* --- Tags --- */

typedef struct tag_walk {
    int (*each)(void *user, const char *tag);
    void *user;
    size_t count;
} tag_walk;

static int on_tag(void *user, const char *tag)
{
    tag_walk *walk = user;
    if (walk->count++ >= REGISTRY_TAG_COUNT_MAX) return SNAPCELL_E_TOO_LARGE;
    return walk->each(walk->user, tag);
}

/* One page; `url` becomes that of the next, or "". */
static int tags_page(registry_client *registry, const char *scope, char url[REGISTRY_URL_SIZE],
                     tag_walk *walk, snapcell_error *err)
{
    char link[REGISTRY_URL_SIZE];
    char next[REGISTRY_URL_SIZE];
    int said = 0;
    registry_reply cleanup_reply reply = {0};
    const registry_request request = {.method = "GET",
                                      .url = url,
                                      .scope = scope,
                                      .reply_size_max = OCI_DOCUMENT_SIZE_MAX,
                                      .is_small = true};
    const int status = registry_send(registry, &request, &reply, err);
    if (status != SNAPCELL_OK) return status;
    if (reply.status != 200) return registry_refused(registry, "lists no tags", &reply, err);
    if (reply.is_too_large ||
        !registry_tags_read(reply.body, reply.body_size_bytes, on_tag, walk, &said))
        return error_set(err, SNAPCELL_E_CORRUPT, "%s sends something that is no list of tags",
                         registry->host);
    if (said == SNAPCELL_E_TOO_LARGE)
        return error_set(err, said, "%s lists more than %d tags", registry->host,
                         REGISTRY_TAG_COUNT_MAX);
    if (said != 0) return said;
    const bool more = registry_link_next(reply.link, link) &&
                      registry_url_resolve(reply.url, link, next) &&
                      registry_url_same_origin(next, registry->base) && strcmp(next, url) != 0;
    strcpy(url, more ? next : "");
    return SNAPCELL_OK;
}

int registry_each_tag(registry_client *registry, const char *repository,
                      int (*each)(void *user, const char *tag), void *user, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    tag_walk walk = {.each = each, .user = user};
    int status = SNAPCELL_OK;
    registry_url_of(registry, repository, "tags", "list?n=1000", url);
    registry_scope_of(repository, "pull", scope);
    for (int page = 0; status == SNAPCELL_OK && url[0] != '\0' && page < TAG_PAGES_MAX; page++)
        status = tags_page(registry, scope, url, &walk, err);
    return status;
}
