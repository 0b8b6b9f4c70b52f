/* Reading documents, of which every byte may be an adversary's. */
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "oci_facts_table.h"
#include "oci_manifest.h"
#include "utf8.h"

/* Where one goes wrong: what the document is, and the error to be filled in. */
typedef struct doc_reading {
    const char *what;
    snapcell_error *err;
} doc_reading;

static int reading_fail(const doc_reading *reading, const char *problem)
{
    return error_set(reading->err, SNAPCELL_E_CORRUPT, "%s cannot be used: %s", reading->what,
                     problem);
}

/* --- Members --- */

/* A member's text into `out`; "" when there is none. False when it is no text, does not fit, or has
 * control characters in it. */
static bool take_text(const json_t *object, const char *key, char *out, size_t capacity_bytes)
{
    const json_t *value = json_object_get(object, key);
    out[0] = '\0';
    if (value == NULL) return true;
    const char *text = json_string_value(value);
    const size_t size = json_string_length(value);
    if (text == NULL || size >= capacity_bytes) return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return false;
    memcpy(out, text, size + 1);
    return true;
}

static bool take_facts(const json_t *object, oci_facts *out)
{
    const json_t *annotations = json_object_get(object, "annotations");
    if (annotations == NULL) return true;
    if (!json_is_object(annotations)) return false;
    for (size_t i = 0; i < OCI_FACT_COUNT; i++)
        if (!take_text(annotations, oci_fact_table[i].annotation,
                       (char *)out + oci_fact_table[i].offset, oci_fact_table[i].capacity_bytes))
            return false;
    return out->name[0] == '\0' || utf8_is_name((const uint8_t *)out->name, strlen(out->name));
}

/* "type/subtype" of the characters that such names have. */
static bool media_type_is_valid(const char *text)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789!#$&-^_.+";
    const size_t type = strspn(text, characters);
    if (type == 0 || text[type] != '/') return false;
    const size_t subtype = strspn(text + type + 1, characters);
    return subtype > 0 && text[type + 1 + subtype] == '\0';
}

static int take_descriptor(const doc_reading *reading, const json_t *json, oci_descriptor *out)
{
    const json_t *size = json_object_get(json, "size");
    if (!json_is_object(json)) return reading_fail(reading, "a descriptor is not an object");
    if (!take_text(json, "mediaType", out->media_type, sizeof(out->media_type)) ||
        !media_type_is_valid(out->media_type))
        return reading_fail(reading, "a descriptor has no valid mediaType");
    if (!take_text(json, "digest", out->digest, sizeof(out->digest)) ||
        !oci_digest_is_valid(out->digest))
        return reading_fail(reading, "a descriptor has no digest of SHA-256");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return reading_fail(reading, "a descriptor has no valid size");
    out->size_bytes = (uint64_t)json_integer_value(size);
    const bool is_document = oci_descriptor_is_index(out) || oci_descriptor_is_manifest(out);
    if (out->size_bytes > (is_document ? OCI_DOCUMENT_SIZE_MAX : OCI_BLOB_SIZE_MAX))
        return error_set(reading->err, SNAPCELL_E_TOO_LARGE,
                         "%s cannot be used: %s is said to have %llu bytes; at most %llu are "
                         "accepted",
                         reading->what, out->digest, (unsigned long long)out->size_bytes,
                         is_document ? (unsigned long long)OCI_DOCUMENT_SIZE_MAX
                                     : (unsigned long long)OCI_BLOB_SIZE_MAX);
    return SNAPCELL_OK;
}

/* --- An index --- */

static int take_entry(const doc_reading *reading, const json_t *json, oci_entry *out)
{
    int status = take_descriptor(reading, json, &out->document);
    if (status != SNAPCELL_OK) return status;
    if (!take_text(json, "artifactType", out->artifact_type, sizeof(out->artifact_type)))
        return reading_fail(reading, "an artifactType is not a media type");
    if (!take_facts(json, &out->facts))
        return reading_fail(reading, "annotations of a function are not valid");
    /* Of other programs' entries it may be anything, as an image's whole name. */
    if (!take_text(json_object_get(json, "annotations"), OCI_REF_NAME, out->tag, sizeof(out->tag)))
        out->tag[0] = '\0';
    return SNAPCELL_OK;
}

static int take_index(const doc_reading *reading, const json_t *json, oci_index *out)
{
    const json_t *manifests = json_object_get(json, "manifests");
    const size_t count = json_array_size(manifests);
    if (!json_is_array(manifests)) return reading_fail(reading, "`manifests` is not an array");
    if (count > OCI_ENTRY_COUNT_MAX)
        return error_set(reading->err, SNAPCELL_E_TOO_LARGE,
                         "%s has %zu entries; at most %d are accepted", reading->what, count,
                         OCI_ENTRY_COUNT_MAX);
    out->entries = calloc(count + 1, sizeof(*out->entries));
    if (out->entries == NULL)
        return error_set(reading->err, SNAPCELL_E_NOMEM, "no memory for an index");
    out->count = count;
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++)
        status = take_entry(reading, json_array_get(manifests, i), &out->entries[i]);
    return status;
}

/* --- A manifest --- */

static int take_manifest(const doc_reading *reading, const json_t *json, oci_manifest *out)
{
    const json_t *layers = json_object_get(json, "layers");
    const size_t count = json_array_size(layers);
    if (!json_is_array(layers) || count > OCI_LAYER_COUNT_MAX)
        return reading_fail(reading, "`layers` is not an array, or too long");
    if (!take_text(json, "artifactType", out->artifact_type, sizeof(out->artifact_type)))
        return reading_fail(reading, "its artifactType is not a media type");
    if (!take_facts(json, &out->facts))
        return reading_fail(reading, "annotations of a function are not valid");
    out->layers = calloc(count + 1, sizeof(*out->layers));
    if (out->layers == NULL)
        return error_set(reading->err, SNAPCELL_E_NOMEM, "no memory for a manifest");
    out->layer_count = count;
    int status = take_descriptor(reading, json_object_get(json, "config"), &out->config);
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++)
        status = take_descriptor(reading, json_array_get(layers, i), &out->layers[i]);
    return status;
}

/* --- Either --- */

/* What a document is, by its members and by what it says, which must agree: one that could be read
 * as two things would be checked as one and used as the other. */
static int take_kind(const doc_reading *reading, const json_t *json, oci_document_kind *out)
{
    char type[OCI_MEDIA_TYPE_SIZE_MAX + 1];
    const bool has_manifests = json_object_get(json, "manifests") != NULL;
    const bool has_layers = json_object_get(json, "layers") != NULL;
    const json_t *version = json_object_get(json, "schemaVersion");
    if (!json_is_object(json)) return reading_fail(reading, "it is not an object");
    if (!take_text(json, "mediaType", type, sizeof(type)))
        return reading_fail(reading, "its mediaType is not a media type");
    if (has_manifests && has_layers)
        return reading_fail(reading, "it has both `manifests` and `layers`");
    *out = has_manifests ? OCI_DOCUMENT_INDEX : OCI_DOCUMENT_MANIFEST;
    const char *expected = has_manifests ? OCI_TYPE_INDEX : OCI_TYPE_MANIFEST;
    if ((!has_manifests && !has_layers) || (type[0] != '\0' && strcmp(type, expected) != 0))
        return error_set(reading->err, SNAPCELL_E_FORMAT,
                         "%s is neither an index nor a manifest of OCI's image format, but '%s'",
                         reading->what, type[0] != '\0' ? type : "something else");
    if (!json_is_integer(version) || json_integer_value(version) != 2)
        return reading_fail(reading, "its schemaVersion is not 2");
    return SNAPCELL_OK;
}

bool oci_descriptor_is_index(const oci_descriptor *descriptor)
{
    return strcmp(descriptor->media_type, OCI_TYPE_INDEX) == 0;
}

bool oci_descriptor_is_manifest(const oci_descriptor *descriptor)
{
    return strcmp(descriptor->media_type, OCI_TYPE_MANIFEST) == 0;
}

static bool says_function(const char *artifact_type, const oci_facts *facts)
{
    /* Some registries take no artifactType of others: then the annotations say it. */
    return strcmp(artifact_type, OCI_ARTIFACT_TYPE) == 0 ||
           (artifact_type[0] == '\0' && facts->key[0] != '\0');
}

bool oci_manifest_is_function(const oci_manifest *manifest)
{
    return says_function(manifest->artifact_type, &manifest->facts) && manifest->layer_count == 1 &&
           strcmp(manifest->layers[0].media_type, OCI_TYPE_LAYER) == 0;
}

bool oci_entry_is_function(const oci_entry *entry)
{
    return oci_descriptor_is_manifest(&entry->document) &&
           says_function(entry->artifact_type, &entry->facts);
}

int oci_document_read(const char *what, const void *bytes, size_t size_bytes, oci_document *out,
                      snapcell_error *err)
{
    const doc_reading reading = {what, err};
    json_error_t problem;
    memset(out, 0, sizeof(*out));
    if (size_bytes > OCI_DOCUMENT_SIZE_MAX)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "%s has %zu bytes; at most %zu are accepted",
                         what, size_bytes, OCI_DOCUMENT_SIZE_MAX);
    cleanup_oci_json json_t *json = json_loadb(bytes, size_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL)
        return error_set(err, SNAPCELL_E_CORRUPT, "%s is not JSON: %s", what, problem.text);
    int status = take_kind(&reading, json, &out->kind);
    if (status == SNAPCELL_OK)
        status = out->kind == OCI_DOCUMENT_INDEX ? take_index(&reading, json, &out->index)
                                                 : take_manifest(&reading, json, &out->manifest);
    if (status != SNAPCELL_OK) oci_document_release(out);
    return status;
}

void oci_document_release(oci_document *document)
{
    free(document->index.entries);
    free(document->manifest.layers);
    memset(document, 0, sizeof(*document));
}
