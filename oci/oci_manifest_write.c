/* Writing documents: members are set in one order, and jansson keeps it. A NULL from a failed
 * allocation is handed on, and refused by the *_new() functions, which take their values over. */
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "oci_facts_table.h"
#include "oci_manifest.h"

int oci_json_dump(json_t *json, const char *what, char **out, size_t *out_size_bytes,
                  snapcell_error *err)
{
    *out = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    *out_size_bytes = *out == NULL ? 0 : strlen(*out);
    return *out != NULL ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for %s", what);
}

static json_t *descriptor_to_json(const oci_descriptor *descriptor)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", descriptor->media_type, "digest",
                     descriptor->digest, "size", (json_int_t)descriptor->size_bytes);
}

/* False when memory is short. What is not told is left out. */
static bool put_text(json_t *object, const char *key, const char *text)
{
    return text[0] == '\0' || json_object_set_new(object, key, json_string(text)) == 0;
}

static bool put_annotations(json_t *object, const oci_facts *facts, const char *ref_name)
{
    json_t *annotations = json_object();
    bool done = put_text(annotations, OCI_REF_NAME, ref_name);
    for (size_t i = 0; done && i < OCI_FACT_COUNT; i++)
        done = put_text(annotations, oci_fact_table[i].annotation,
                        (const char *)facts + oci_fact_table[i].offset);
    if (done && json_object_size(annotations) > 0)
        done = json_object_set(object, "annotations", annotations) == 0;
    json_decref(annotations);
    return done;
}

json_t *oci_entry_to_json(const oci_entry *entry)
{
    json_t *json = descriptor_to_json(&entry->document);
    bool done = put_text(json, "artifactType", entry->artifact_type);
    if (done && entry->facts.architecture[0] != '\0')
        done = json_object_set_new(json, "platform",
                                   json_pack("{s:s, s:s}", "architecture",
                                             entry->facts.architecture, "os", "linux")) == 0;
    done = done && json != NULL && put_annotations(json, &entry->facts, entry->tag);
    if (done) return json;
    json_decref(json);
    return NULL;
}

static int entry_compare(const void *a, const void *b)
{
    const oci_entry *left = a, *right = b;
    int order = strcmp(left->facts.name, right->facts.name);
    if (order == 0) order = strcmp(left->facts.architecture, right->facts.architecture);
    if (order == 0) order = strcmp(left->facts.engine, right->facts.engine);
    return order != 0 ? order : strcmp(left->document.digest, right->document.digest);
}

int oci_index_write(oci_entry *entries, size_t count, char **out, size_t *out_size_bytes,
                    snapcell_error *err)
{
    if (count > 1) qsort(entries, count, sizeof(*entries), entry_compare);
    json_t *manifests = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(manifests, oci_entry_to_json(&entries[i])) == 0) continue;
        json_decref(manifests);
        manifests = NULL;
        break;
    }
    return oci_json_dump(json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType",
                                   OCI_TYPE_INDEX, "manifests", manifests),
                         "an index", out, out_size_bytes, err);
}

int oci_manifest_write(const oci_facts *facts, bool has_artifact_type, const oci_descriptor *config,
                       const oci_descriptor *layer, char **out, size_t *out_size_bytes,
                       snapcell_error *err)
{
    json_t *json = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", OCI_TYPE_MANIFEST);
    bool done =
        put_text(json, "artifactType", has_artifact_type ? OCI_ARTIFACT_TYPE : "") &&
        json_object_set_new(json, "config", descriptor_to_json(config)) == 0 &&
        json_object_set_new(json, "layers", json_pack("[o]", descriptor_to_json(layer))) == 0 &&
        put_annotations(json, facts, "");
    if (!done) {
        json_decref(json);
        json = NULL;
    }
    return oci_json_dump(json, "a manifest", out, out_size_bytes, err);
}
