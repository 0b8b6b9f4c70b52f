/* URLs that registries send: taken only in a form that every parser reads alike. Internal to oci/.
 */
#ifndef SNAPCELL_REGISTRY_URL_H
#define SNAPCELL_REGISTRY_URL_H

#include <stdbool.h>
#include <stddef.h>

#define REGISTRY_URL_SIZE 8192 /* with the terminating zero; signed ones are long */

/* "http" or "https", a host of letters, digits, '.', '_' and '-' or an IPv6 address, maybe a port,
 * no user, no blanks, no fragment. */
bool registry_url_is_valid(const char *url);

bool registry_url_is_plain(const char *url); /* not TLS */

/* What `location` means in an answer from `base`: absolute or relative. False when it cannot be
 * used. */
bool registry_url_resolve(const char *base, const char *location, char out[REGISTRY_URL_SIZE]);

/* Whether two valid URLs have the same scheme, host and port. */
bool registry_url_same_origin(const char *a, const char *b);

/* Appends "NAME=VALUE" to the query, escaped. False when it does not fit. */
bool registry_url_add_query(char url[REGISTRY_URL_SIZE], const char *name, const char *value);

#endif
