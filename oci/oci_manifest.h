/* The documents of a registry and of a layout: manifests and indexes, as JSON; docs/registries.md
 * has their bytes. What is written depends on its input alone; what is read comes from anywhere.
 * Internal to the program. */
#ifndef SNAPCELL_OCI_MANIFEST_H
#define SNAPCELL_OCI_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cleanup.h"
#include "oci_digest.h"
#include "oci_reference.h"
#include "snapcell/artifact.h"
#include "snapcell/trust.h"

#define OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_TYPE_LAYER "application/octet-stream"
#define OCI_ARTIFACT_TYPE "application/vnd.snapcell.function.v1"

#define OCI_REF_NAME "org.opencontainers.image.ref.name"

/* Caps on what is read. */
#define OCI_DOCUMENT_SIZE_MAX ((size_t)4 << 20) /* the specification's own advice */
#define OCI_BLOB_SIZE_MAX ((uint64_t)512 << 20) /* no artifact is larger */
#define OCI_ENTRY_COUNT_MAX 4096
#define OCI_LAYER_COUNT_MAX 128
#define OCI_MEDIA_TYPE_SIZE_MAX 255
#define OCI_ARCHITECTURE_SIZE_MAX 32

static inline void oci_json_release(json_t **json)
{
    json_decref(*json);
}
#define cleanup_oci_json cleanup(oci_json_release)

/* What annotations tell of a function, "" where they tell nothing. Nothing of it is to be believed
 * before the artifact itself was looked at. */
typedef struct oci_facts {
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1];
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    char architecture[OCI_ARCHITECTURE_SIZE_MAX + 1]; /* as OCI names it: "amd64" */
    char tenant[SNAPCELL_TENANT_SIZE_MAX + 1];
    char signer[2 * SNAPCELL_PUBLIC_KEY_SIZE + 1]; /* the public key, in hex */
} oci_facts;

typedef struct oci_descriptor {
    char media_type[OCI_MEDIA_TYPE_SIZE_MAX + 1];
    char digest[OCI_DIGEST_TEXT_SIZE];
    uint64_t size_bytes;
} oci_descriptor;

/* What stands in an index: a manifest, or another index. */
typedef struct oci_entry {
    oci_descriptor document;
    char artifact_type[OCI_MEDIA_TYPE_SIZE_MAX + 1];
    oci_facts facts;
    char tag[OCI_REPOSITORY_SIZE_MAX + 1]; /* of a layout: OCI_REF_NAME */
} oci_entry;

typedef struct oci_index {
    oci_entry *entries; /* Owned */
    size_t count;
} oci_index;

typedef struct oci_manifest {
    char artifact_type[OCI_MEDIA_TYPE_SIZE_MAX + 1];
    oci_facts facts;
    oci_descriptor config;
    oci_descriptor *layers; /* Owned */
    size_t layer_count;
} oci_manifest;

typedef enum oci_document_kind {
    OCI_DOCUMENT_INDEX = 1,
    OCI_DOCUMENT_MANIFEST = 2,
} oci_document_kind;

/* A document of either kind; the other one of the two is empty. */
typedef struct oci_document {
    oci_document_kind kind;
    oci_index index;
    oci_manifest manifest;
} oci_document;

bool oci_descriptor_is_index(const oci_descriptor *descriptor);
bool oci_descriptor_is_manifest(const oci_descriptor *descriptor);

/* Whether a manifest holds a function: it says so, and has one layer. */
bool oci_manifest_is_function(const oci_manifest *manifest);
/* Whether an entry says that it stands for one. */
bool oci_entry_is_function(const oci_entry *entry);

/* Reads a document. `what`: for messages. `out`: to be released on success; empty on failure.
 * Errors: E_CORRUPT, E_FORMAT (JSON, but not an OCI document), E_TOO_LARGE, E_NOMEM. */
int oci_document_read(const char *what, const void *bytes, size_t size_bytes, oci_document *out,
                      snapcell_error *err);
void oci_document_release(oci_document *document);
#define cleanup_oci_document cleanup(oci_document_release)

/* An entry of an index as JSON. NULL: no memory. Owned: json_decref(). */
json_t *oci_entry_to_json(const oci_entry *entry);

/* Writes an index of entries, which are put in order: by name, architecture, engine. `*out`: Owned,
 * free(); NULL on failure. Errors: E_NOMEM. */
int oci_index_write(oci_entry *entries, size_t count, char **out, size_t *out_size_bytes,
                    snapcell_error *err);

/* Writes the manifest of a function. Errors: E_NOMEM. */
int oci_manifest_write(const oci_facts *facts, bool has_artifact_type, const oci_descriptor *config,
                       const oci_descriptor *layer, char **out, size_t *out_size_bytes,
                       snapcell_error *err);

/* Compact JSON, in the order in which members were set. Takes `json` over; NULL is out of memory.
 */
int oci_json_dump(json_t *json, const char *what, char **out, size_t *out_size_bytes,
                  snapcell_error *err);

#endif
