/* Blobs and documents into a registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "registry_state.h"

#define OCTETS "application/octet-stream"

/* --- Is it there? --- */

int registry_has_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      bool *out, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    registry_reply cleanup_reply reply = {0};
    *out = false;
    registry_url_of(registry, repository, "blobs", blob->digest, url);
    registry_scope_of(repository, "pull,push", scope);
    const registry_request request = {
        .method = "HEAD", .url = url, .scope = scope, .is_small = true};
    const int status = registry_send(registry, &request, &reply, err);
    if (status != SNAPCELL_OK) return status;
    /* A store of blobs elsewhere may allow nothing but what its URL is signed for, a GET: that the
     * registry leads there says enough. */
    const bool is_elsewhere = !registry_url_same_origin(reply.url, registry->base);
    if (!is_elsewhere && (reply.status == 401 || reply.status == 403))
        return registry_refused(registry, "refuses", &reply, err);
    *out = reply.status == 200 || (is_elsewhere && reply.status == 403);
    return SNAPCELL_OK;
}

/* --- Beginning an upload --- */

/* An upload that goes on. */
typedef struct upload_state {
    registry_client *registry;
    const oci_descriptor *blob;
    const uint8_t *bytes;
    char scope[REGISTRY_SCOPE_SIZE];
    char url[REGISTRY_URL_SIZE];
    size_t chunk_size_bytes;
    uint64_t offset;
} upload_state;

/* Where the registry wants the next request. */
static int upload_take_location(upload_state *upload, const registry_reply *reply,
                                snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    if (reply->location[0] == '\0' || !registry_url_resolve(reply->url, reply->location, url) ||
        (registry_url_is_plain(url) && !upload->registry->options->plain_http))
        return error_set(err, SNAPCELL_E_IO, "%s names no place to upload to",
                         upload->registry->host);
    strcpy(upload->url, url);
    return SNAPCELL_OK;
}

static void upload_take_chunk_min(upload_state *upload, const registry_reply *reply)
{
    const unsigned long long least = strtoull(reply->chunk_min, NULL, 10);
    if (least > upload->chunk_size_bytes && least <= OCI_BLOB_SIZE_MAX)
        upload->chunk_size_bytes = (size_t)least;
}

static int upload_begin(upload_state *upload, const char *repository, const char *query,
                        const char *more_scope, registry_reply *reply, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    registry_url_of(upload->registry, repository, "blobs/uploads", query, url);
    registry_scope_of(repository, "pull,push", upload->scope);
    const registry_request request = {.method = "POST",
                                      .url = url,
                                      .scope = upload->scope,
                                      .more_scope = more_scope,
                                      .has_body = true,
                                      .body = "",
                                      .is_small = true};
    return registry_send(upload->registry, &request, reply, err);
}

/* Ends an upload that is not wanted, so that the registry need not keep it. */
static void upload_cancel(upload_state *upload, const registry_reply *reply)
{
    registry_reply cleanup_reply answer = {0};
    if (upload_take_location(upload, reply, NULL) != SNAPCELL_OK) return;
    const registry_request request = {.method = "DELETE",
                                      .url = upload->url,
                                      .scope = upload->scope,
                                      .once = true,
                                      .is_small = true};
    (void)registry_send(upload->registry, &request, &answer, NULL);
}

int registry_mount_blob(registry_client *registry, const char *repository,
                        const oci_descriptor *blob, const char *from, bool *out,
                        snapcell_error *err)
{
    char query[OCI_REPOSITORY_SIZE_MAX + OCI_DIGEST_TEXT_SIZE + 32];
    char more_scope[REGISTRY_SCOPE_SIZE];
    registry_reply cleanup_reply reply = {0};
    upload_state upload = {.registry = registry, .blob = blob};
    *out = false;
    /* Neither has characters that need escaping in a query. */
    (void)snprintf(query, sizeof(query), "?mount=%s&from=%s", blob->digest, from);
    registry_scope_of(from, "pull", more_scope);
    const int status = upload_begin(&upload, repository, query, more_scope, &reply, err);
    if (status != SNAPCELL_OK) return status;
    *out = reply.status == 201;
    if (reply.status == 202) upload_cancel(&upload, &reply);
    return SNAPCELL_OK;
}

/* --- Uploading --- */

static int upload_request(const upload_state *upload, const char *method, const char *url,
                          const void *body, size_t size_bytes, const char *content_range,
                          registry_reply *reply, snapcell_error *err)
{
    const registry_request request = {.method = method,
                                      .url = url,
                                      .scope = upload->scope,
                                      .content_type = OCTETS,
                                      .content_range = content_range,
                                      .has_body = body != NULL,
                                      .body = body,
                                      .body_size_bytes = size_bytes,
                                      .once = true,
                                      .shows_progress = upload->blob->size_bytes == size_bytes};
    return registry_send(upload->registry, &request, reply, err);
}

/* The last request: with what is left, and the digest. */
static int upload_finish(upload_state *upload, bool *again, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    registry_reply cleanup_reply reply = {0};
    strcpy(url, upload->url);
    if (!registry_url_add_query(url, "digest", upload->blob->digest))
        return error_set(err, SNAPCELL_E_IO, "%s names a place to upload to that is too long",
                         upload->registry->host);
    const size_t left = (size_t)(upload->blob->size_bytes - upload->offset);
    const int status =
        upload_request(upload, "PUT", url, upload->bytes + upload->offset, left, NULL, &reply, err);
    *again =
        status != SNAPCELL_OK || reply.status == 404 || reply.status == 429 || reply.status >= 500;
    if (status != SNAPCELL_OK) return status;
    return reply.status == 201 || reply.status == 204
               ? SNAPCELL_OK
               : registry_refused(upload->registry, "does not take a blob", &reply, err);
}

/* After a break: asks how much is there. */
static int upload_ask(upload_state *upload, snapcell_error *err)
{
    uint64_t there = 0;
    registry_reply cleanup_reply reply = {0};
    const int status = upload_request(upload, "GET", upload->url, NULL, 0, NULL, &reply, err);
    if (status != SNAPCELL_OK) return status;
    if (reply.status != 204 || !registry_upload_range(reply.range, &there) ||
        there > upload->blob->size_bytes)
        return registry_refused(upload->registry, "does not say how far an upload is", &reply, err);
    upload->offset = there;
    return reply.location[0] != '\0' ? upload_take_location(upload, &reply, err) : SNAPCELL_OK;
}

static int upload_piece(upload_state *upload, snapcell_error *err)
{
    char content_range[64];
    registry_reply cleanup_reply reply = {0};
    const registry_options *options = upload->registry->options;
    const uint64_t left = upload->blob->size_bytes - upload->offset;
    const size_t size = left < upload->chunk_size_bytes ? (size_t)left : upload->chunk_size_bytes;
    (void)snprintf(content_range, sizeof(content_range), "%llu-%llu",
                   (unsigned long long)upload->offset,
                   (unsigned long long)(upload->offset + size - 1));
    int status = upload_request(upload, "PATCH", upload->url, upload->bytes + upload->offset, size,
                                content_range, &reply, err);
    if (status == SNAPCELL_OK && reply.status != 202 && reply.status != 204)
        status = registry_refused(upload->registry, "does not take a piece of a blob", &reply, err);
    if (status == SNAPCELL_OK) status = upload_take_location(upload, &reply, err);
    if (status != SNAPCELL_OK) return status;
    upload->offset += size;
    if (options->progress != NULL)
        options->progress(options->user, upload->offset, upload->blob->size_bytes);
    return SNAPCELL_OK;
}

/* In pieces, all but the last request. A piece that broke is gone on with where the registry says.
 */
static int upload_pieces(upload_state *upload, snapcell_error *err)
{
    unsigned attempt = 0;
    while (upload->offset < upload->blob->size_bytes) {
        const uint64_t before = upload->offset;
        const int status = upload_piece(upload, err);
        if (status == SNAPCELL_OK) {
            attempt = 0;
            continue;
        }
        if (++attempt == REGISTRY_TRIES || !registry_wait(attempt, "")) return status;
        if (upload_ask(upload, NULL) != SNAPCELL_OK) return status;
        if (upload->offset > before) attempt = 0;
    }
    return SNAPCELL_OK;
}

static int upload_try(upload_state *upload, const char *repository, bool *again,
                      snapcell_error *err)
{
    registry_reply cleanup_reply reply = {0};
    *again = false;
    upload->offset = 0;
    int status = upload_begin(upload, repository, "", NULL, &reply, err);
    if (status == SNAPCELL_OK && reply.status != 202)
        status = registry_refused(upload->registry, "does not begin an upload", &reply, err);
    if (status == SNAPCELL_OK) status = upload_take_location(upload, &reply, err);
    if (status != SNAPCELL_OK) return status;
    upload_take_chunk_min(upload, &reply);
    *again = true;
    if (upload->blob->size_bytes > upload->chunk_size_bytes) status = upload_pieces(upload, err);
    return status == SNAPCELL_OK ? upload_finish(upload, again, err) : status;
}

int registry_put_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      const void *bytes, snapcell_error *err)
{
    const size_t chunk = registry->options->chunk_size_bytes;
    upload_state upload = {.registry = registry,
                           .blob = blob,
                           .bytes = bytes,
                           .chunk_size_bytes = chunk != 0 ? chunk : REGISTRY_CHUNK_SIZE_DEFAULT};
    for (unsigned attempt = 1;; attempt++) {
        bool again = false;
        bool there = false;
        const int status = upload_try(&upload, repository, &again, err);
        if (status == SNAPCELL_OK || !again || attempt == REGISTRY_TRIES ||
            !registry_wait(attempt, ""))
            return status;
        /* The answer may be lost, and the blob not. */
        if (registry_has_blob(registry, repository, blob, &there, NULL) == SNAPCELL_OK && there)
            return SNAPCELL_OK;
    }
}

/* --- Documents --- */

int registry_put_document(registry_client *registry, const char *repository, const char *target,
                          const oci_descriptor *document, const void *bytes, snapcell_error *err)
{
    char url[REGISTRY_URL_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
    registry_reply cleanup_reply reply = {0};
    registry_url_of(registry, repository, "manifests", target, url);
    registry_scope_of(repository, "pull,push", scope);
    const registry_request request = {.method = "PUT",
                                      .url = url,
                                      .scope = scope,
                                      .content_type = document->media_type,
                                      .has_body = true,
                                      .body = bytes,
                                      .body_size_bytes = (size_t)document->size_bytes,
                                      .is_small = true};
    const int status = registry_send(registry, &request, &reply, err);
    if (status != SNAPCELL_OK) return status;
    if (reply.status != 201 && reply.status != 200 && reply.status != 202)
        return registry_refused(registry, "does not take a manifest", &reply, err);
    if (oci_digest_is_valid(reply.digest) && strcmp(reply.digest, document->digest) != 0)
        return error_set(err, SNAPCELL_E_CORRUPT, "%s took the document %s for %s", registry->host,
                         document->digest, reply.digest);
    return SNAPCELL_OK;
}
