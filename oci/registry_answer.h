/* What registries and token services answer: headers and small documents, of which every byte may
 * be an adversary's. Internal to oci/. */
#ifndef SNAPCELL_REGISTRY_ANSWER_H
#define SNAPCELL_REGISTRY_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci_reference.h"
#include "registry_url.h"

#define REGISTRY_SCOPE_SIZE 1024
#define REGISTRY_SERVICE_SIZE 256
#define REGISTRY_TOKEN_SIZE 16384 /* with the terminating zero */
#define REGISTRY_TEXT_SIZE 300    /* of an error, for messages */
#define REGISTRY_TAG_COUNT_MAX 100000

/* How a registry wants to know who asks (WWW-Authenticate). */
typedef struct registry_challenge {
    bool basic;
    bool bearer;
    char realm[REGISTRY_URL_SIZE]; /* of Bearer; "" when it is none that can be used */
    char service[REGISTRY_SERVICE_SIZE];
    char scope[REGISTRY_SCOPE_SIZE];
} registry_challenge;

/* Takes one header's value, which may hold several challenges. `out` is zeroed before the first. */
void registry_challenge_add(registry_challenge *out, const char *value);

/* The token in a token service's answer. False when there is none, or none that can stand in a
 * header. */
bool registry_token_read(const void *body, size_t size_bytes, char out[REGISTRY_TOKEN_SIZE]);

/* What an error's body says, on one line, fit for a terminal; "" when it says nothing. Gives `out`.
 */
const char *registry_error_text(const void *body, size_t size_bytes, char out[REGISTRY_TEXT_SIZE]);

/* The URL of the next page (Link), as it stands there. False when there is none. */
bool registry_link_next(const char *value, char out[REGISTRY_URL_SIZE]);

/* "bytes FIRST-LAST/SIZE", where the size may be unknown. False when it is not that. */
bool registry_content_range(const char *value, uint64_t *first);

/* "0-LAST" of an upload, or "bytes=0-LAST": how many bytes are there. False when it is not that. */
bool registry_upload_range(const char *value, uint64_t *out_size_bytes);

/* Retry-After: seconds, or a date. False when it is neither. `now`: in seconds since 1970. */
bool registry_retry_after(const char *value, int64_t now, uint64_t *out_seconds);

/* Hands out each tag of a list. False when it is not a list of tags. A non-zero return of `each`
 * ends it. */
typedef int registry_tag_fn(void *user, const char *tag);
bool registry_tags_read(const void *body, size_t size_bytes, registry_tag_fn *each, void *user,
                        int *said);

#endif
