/* Trust: who signed an artifact, and whether code from that signer may run.
 *
 * A signing key signs artifacts; a trust set holds the public keys whose artifacts are accepted,
 * and those that are revoked. A signature covers the artifact's digest (which covers key, engine,
 * host table, sizes, and every section), a name and a tenant: it holds for no other artifact, under
 * no other name, for no other tenant.
 *
 * Simple: make a trust set, add keys to it, pass it to a loader. Advanced: sign, and check by hand.
 */
#ifndef SNAPCELL_TRUST_H
#define SNAPCELL_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/artifact.h"
#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SNAPCELL_PUBLIC_KEY_SIZE 32 /* Ed25519 */
#define SNAPCELL_KEY_ID_SIZE 17     /* 16 hex digits and the terminating zero */
#define SNAPCELL_TENANT_SIZE_MAX 200
#define SNAPCELL_KEY_COMMENT_SIZE_MAX 200

/* The first word of a public key's line; base64 of the key and a comment follow it. */
#define SNAPCELL_PUBLIC_KEY_TYPE "snapcell-ed25519"

/* Public keys, trusted and revoked. Opaque. One thread at a time changes it; any number read it. */
typedef struct snapcell_trust snapcell_trust;

/* A secret key, in memory that is locked where the system allows it, and wiped. Opaque. */
typedef struct snapcell_signing_key snapcell_signing_key;

/* What a signature says. A plain value. */
typedef struct snapcell_signature {
    uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE];
    char key_id[SNAPCELL_KEY_ID_SIZE];              /* of that key, for people */
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1]; /* under which the artifact may be loaded */
    char tenant[SNAPCELL_TENANT_SIZE_MAX + 1];      /* for whom; "" for no one in particular */
} snapcell_signature;

/* --- Simple ----------------------------------------------------------------------------------- */

/* Purpose: a trust set without keys. `*out` (not NULL): Owned, free with snapcell_trust_free();
 * NULL on failure. Thread: any. Errors: E_NOMEM. */
SNAPCELL_API int snapcell_trust_new(snapcell_trust **out, snapcell_error *err);

/* Purpose: release a trust set; NULL is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_trust_free(snapcell_trust *trust);

/* Purpose: add keys. `what`: a public key as `snapcell keygen` prints it (with or without the word
 * before it and the comment after it), or the path of a file with a key a line, or of a directory,
 * whose files *.pub and *.keys are read. In a file, '#' begins a comment line, and a line that
 * begins with "@revoked" revokes its key, even if it is trusted elsewhere. No pointer may be NULL;
 * `what` is Borrowed during the call. On failure discard the set: some of the keys may be in it.
 * Thread: one at a time. Errors: E_NOT_FOUND, E_IO, E_USAGE (a line is not a key; there is no key),
 * E_TOO_LARGE, E_NOMEM. */
SNAPCELL_API int snapcell_trust_add(snapcell_trust *trust, const char *what, snapcell_error *err);

/* Purpose: revoke a key, trusted or not: artifacts that it signed are refused. No pointer may be
 * NULL. Thread: one at a time. Errors: E_NOMEM. */
SNAPCELL_API int snapcell_trust_revoke(snapcell_trust *trust,
                                       const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE],
                                       snapcell_error *err);

/* --- Advanced --------------------------------------------------------------------------------- */

/* Purpose: how many keys are trusted; revoked ones are not counted. `trust`: NULL gives 0. Thread:
 * any. Errors: none. */
SNAPCELL_API size_t snapcell_trust_count(const snapcell_trust *trust);

/* Purpose: key number `index`, in the order in which they were added. `trust`: not NULL. Returns:
 * Borrowed until the set is changed; NULL if there are fewer. Thread: any. Errors: none. */
SNAPCELL_API const uint8_t *snapcell_trust_key(const snapcell_trust *trust, size_t index);

/* Purpose: the comment that came with a key, "" where there is none. Not NULL. Returns: Borrowed
 * until the set is changed. Thread: any. Errors: none. */
SNAPCELL_API const char *snapcell_trust_comment(const snapcell_trust *trust,
                                                const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE]);

/* Purpose: check an artifact as snapcell_artifact_inspect() does, then its signature against a
 * trust set: no byte has changed since it was signed, by a key that is trusted and not revoked.
 * `name`: under which it is to be used; NULL: any. `tenant`: for whom; NULL: any, "": it must be
 * signed for no tenant in particular. `trust` and `bytes`: not NULL. `out` may be NULL; zeroed on
 * failure. Thread: any. Errors: E_SIGNATURE (unsigned; a key that is not trusted; another name or
 * tenant; a signature that is wrong), E_CORRUPT, E_FORMAT, E_TOO_LARGE. */
SNAPCELL_API int snapcell_trust_check(const snapcell_trust *trust, const void *bytes,
                                      size_t size_bytes, const char *name, const char *tenant,
                                      snapcell_signature *out, snapcell_error *err);

/* Purpose: who signed an artifact, which is checked as snapcell_artifact_inspect() does, with its
 * signature. Says nothing about trust: anyone can sign. `out`: not NULL, zeroed on failure.
 * Thread: any. Errors: E_NOT_FOUND (it is not signed), E_SIGNATURE, E_CORRUPT, E_FORMAT,
 * E_TOO_LARGE. */
SNAPCELL_API int snapcell_artifact_signature(const void *bytes, size_t size_bytes,
                                             snapcell_signature *out, snapcell_error *err);

/* Purpose: make a key pair: `path` gets the secret key (for its owner only), `path`.pub the public
 * one. Neither may exist. `comment`: one line, or NULL. `public_line` (may be NULL): the public
 * key's line, without a line end; Owned, free(). Thread: any. Errors: E_EXISTS, E_NOT_FOUND, E_IO,
 * E_FULL, E_READ_ONLY, E_USAGE (the comment is not one line), E_NOMEM. Nothing is left on failure.
 */
SNAPCELL_API int snapcell_signing_key_generate(const char *path, const char *comment,
                                               char **public_line, snapcell_error *err);

/* Purpose: read a secret key's file. The file is closed when this returns. `*out`: Owned, free with
 * snapcell_signing_key_free(). NULL on failure. Thread: any. Errors: E_NOT_FOUND, E_IO, E_USAGE (it
 * is not a secret key, or damaged), E_NOMEM. */
SNAPCELL_API int snapcell_signing_key_open(const char *path, snapcell_signing_key **out,
                                           snapcell_error *err);

/* Purpose: wipe and release a signing key; NULL is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_signing_key_free(snapcell_signing_key *key);

/* Purpose: the public half of a key. Not NULL. Returns: Borrowed until the key is freed, of
 * SNAPCELL_PUBLIC_KEY_SIZE bytes. Thread: any. Errors: none. */
SNAPCELL_API const uint8_t *snapcell_signing_key_public(const snapcell_signing_key *key);

/* Purpose: trust a public key given as bytes. `comment`: NULL for none. Thread: one at a time.
 * Errors: E_NOMEM. */
SNAPCELL_API int snapcell_trust_add_key(snapcell_trust *trust,
                                        const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE],
                                        const char *comment, snapcell_error *err);

/* Purpose: the 16 hex digits by which people recognize a public key, zero-terminated, into `out`.
 * Not NULL. Too short for security decisions. Thread: any. Errors: none. */
SNAPCELL_API void snapcell_key_id_format(const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE],
                                         char out[SNAPCELL_KEY_ID_SIZE]);

/* Purpose: a signed copy of an artifact, which is checked first; a signature that it has is
 * replaced. Its key stays the same. `name`: NULL for the artifact's own. `tenant`: NULL or "" for
 * none. `*out`: Owned, free(). NULL on failure. Thread: any. Errors: E_CORRUPT, E_FORMAT,
 * E_TOO_LARGE, E_USAGE (bad name or tenant), E_NOMEM. */
SNAPCELL_API int snapcell_artifact_sign(const void *bytes, size_t size_bytes,
                                        const snapcell_signing_key *key, const char *name,
                                        const char *tenant, void **out, size_t *out_size_bytes,
                                        snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
