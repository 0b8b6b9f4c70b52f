/* The client of a registry: OCI's distribution protocol. One thread at a time. The connections are
 * those of a process of its own, snapcell-net; here are the rules: who one is, whom that may be
 * told, what is tried again, and what an answer must be. Internal to the program. */
#ifndef SNAPCELL_REGISTRY_H
#define SNAPCELL_REGISTRY_H

#include "oci_manifest.h"
#include "oci_reference.h"

typedef struct registry_client registry_client;

#define REGISTRY_CHUNK_SIZE_DEFAULT ((size_t)8 << 20)

typedef struct registry_options {
    bool plain_http;         /* the registry has no TLS */
    const char *ca_file;     /* certificates to trust; NULL: the system's */
    size_t chunk_size_bytes; /* blobs above it go up in pieces; 0: the default */
    bool no_sandbox;         /* of snapcell-net */
    /* Bytes of the blob that moves; NULL: nobody wants to know. */
    void (*progress)(void *user, uint64_t done_size_bytes, uint64_t size_bytes);
    void *user;
} registry_options;

/* `options`: Borrowed until registry_close(). `host`: of a reference. `*out`: Owned. Errors: E_IO,
 * E_NOT_FOUND (snapcell-net), E_NOMEM. */
int registry_open(const char *host, const registry_options *options, registry_client **out,
                  snapcell_error *err);
void registry_close(registry_client *registry);

static inline void registry_release(registry_client **open)
{
    registry_close(*open);
}
#define cleanup_registry cleanup(registry_release)

/* Of all that follow, errors: E_IO (the registry cannot be reached, or refuses), E_NOT_FOUND,
 * E_CORRUPT (what came is not what was requested), E_TOO_LARGE, E_NOMEM. */

/* A document by tag or digest. `descriptor`: filled in with what it is. `*out`: Owned, free(). */
int registry_get_document(registry_client *registry, const char *repository, const char *target,
                          void **out, oci_descriptor *descriptor, snapcell_error *err);

/* Which document a tag stands for, without fetching it. `known` (NULL: none): a digest that the
 * registry may answer with a word for. `digest`: "" when the registry does not say. */
int registry_find_document(registry_client *registry, const char *repository, const char *tag,
                           const char *known, char digest[OCI_DIGEST_TEXT_SIZE],
                           snapcell_error *err);

/* In how many seconds the registry wants to be asked again, by its last answer; 0: it did not say.
 */
uint64_t registry_retry_after_s(const registry_client *registry);

/* A blob, checked while it comes. `*out`: Owned, free(). */
int registry_get_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      void **out, snapcell_error *err);

/* Every tag, as the registry lists them. A non-zero return of `each` ends it, and is returned. */
int registry_each_tag(registry_client *registry, const char *repository,
                      int (*each)(void *user, const char *tag), void *user, snapcell_error *err);

/* Whether a blob is in a repository. */
int registry_has_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      bool *out, snapcell_error *err);

/* Has the registry take a blob from another of its repositories. `*out`: false when it did not. */
int registry_mount_blob(registry_client *registry, const char *repository,
                        const oci_descriptor *blob, const char *from, bool *out,
                        snapcell_error *err);

/* Uploads a blob. */
int registry_put_blob(registry_client *registry, const char *repository, const oci_descriptor *blob,
                      const void *bytes, snapcell_error *err);

/* Puts a document under a tag, or its digest. */
int registry_put_document(registry_client *registry, const char *repository, const char *target,
                          const oci_descriptor *document, const void *bytes, snapcell_error *err);

#endif
