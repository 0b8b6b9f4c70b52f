/* The inside of a trust set, for what outlives the caller's. Internal. */
#ifndef SNAPCELL_TRUST_SET_H
#define SNAPCELL_TRUST_SET_H

#include "snapcell/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A copy of its own. NULL when memory is short. */
snapcell_trust *trust_copy(const snapcell_trust *trust);

/* Adds the keys in a text of lines; `where` is its file, for messages. Errors: E_USAGE (a line is
 * no key; there is none), E_NOMEM. */
int trust_add_text(snapcell_trust *trust, const char *text, size_t size_bytes, const char *where,
                   snapcell_error *err);

/* The set's keys, revoked ones included, for handing it to another process. */
size_t trust_entry_count(const snapcell_trust *trust);
const uint8_t *trust_entry(const snapcell_trust *trust, size_t index, bool *revoked,
                           const char **comment);

/* Whether what a verified signature says is accepted: its key, and where they are not NULL, name
 * and tenant. Errors: E_SIGNATURE. */
int trust_admit(const snapcell_trust *trust, const snapcell_signature *signature, const char *name,
                const char *tenant, snapcell_error *err);

/* That an artifact is unsigned is a fact where no one requires trust, and an error where someone
 * does: turns the E_NOT_FOUND of artifact_signature_find() into E_SIGNATURE. */
int trust_unsigned_is_refused(int code, snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
