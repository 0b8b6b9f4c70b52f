/* References: oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST], as the distribution specification
 * has them. Internal to the program. */
#ifndef SNAPCELL_OCI_REFERENCE_H
#define SNAPCELL_OCI_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "oci_digest.h"
#include "snapcell/error.h"

#define OCI_SCHEME "oci://"
#define OCI_TAG_DEFAULT "latest"

#define OCI_HOST_SIZE_MAX 262 /* of a name, and a port */
#define OCI_REPOSITORY_SIZE_MAX 255
#define OCI_TAG_SIZE_MAX 128

/* "HOST:PORT/REPOSITORY:TAG@DIGEST", for messages. */
#define OCI_REFERENCE_TEXT_SIZE                                                                    \
    (sizeof(OCI_SCHEME) + OCI_HOST_SIZE_MAX + OCI_REPOSITORY_SIZE_MAX + OCI_TAG_SIZE_MAX +         \
     OCI_DIGEST_TEXT_SIZE + 4)

typedef struct oci_reference {
    char host[OCI_HOST_SIZE_MAX + 1]; /* "HOST" or "HOST:PORT", in lower case */
    char repository[OCI_REPOSITORY_SIZE_MAX + 1];
    char tag[OCI_TAG_SIZE_MAX + 1];    /* "" when there is none */
    char digest[OCI_DIGEST_TEXT_SIZE]; /* "" when there is none; else it decides, not the tag */
} oci_reference;

/* Whether a word of a command line is meant as a reference to a registry. */
bool oci_reference_is(const char *text);

/* Errors: E_USAGE, with what is wrong. */
int oci_reference_parse(const char *text, oci_reference *out, snapcell_error *err);

/* Gives `out`. */
const char *oci_reference_format(const oci_reference *reference, char out[OCI_REFERENCE_TEXT_SIZE]);

/* What is requested of a registry: the digest, the tag, or the default tag. Borrowed. */
const char *oci_reference_target(const oci_reference *reference);

bool oci_tag_is_valid(const char *tag);
bool oci_repository_is_valid(const char *repository, size_t size);

/* A tag for a function's name: the name itself where it can be one; else what is left of it without
 * other characters, and digits of its digest, which tell it from others. */
void oci_tag_of_name(const char *name, char out[OCI_TAG_SIZE_MAX + 1]);

#endif
