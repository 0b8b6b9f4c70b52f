#include "oci_function.h"

#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "hex.h"

/* OCI names architectures as Go does. */
static const char *architecture_name(const char *name)
{
    if (strcmp(name, "x86_64") == 0) return "amd64";
    if (strcmp(name, "aarch64") == 0) return "arm64";
    return name;
}

static void take_architecture(const json_t *facts, char out[OCI_ARCHITECTURE_SIZE_MAX + 1])
{
    const json_t *engine = json_object_get(json_object_get(facts, "manifest"), "engine");
    const char *name = json_string_value(json_object_get(engine, "arch"));
    error_text_copy(out, OCI_ARCHITECTURE_SIZE_MAX + 1, "", 0);
    if (name != NULL && strlen(name) <= OCI_ARCHITECTURE_SIZE_MAX)
        strcpy(out, architecture_name(name));
}

static void take_facts(const char *name, const json_t *facts, const snapcell_artifact_info *info,
                       const snapcell_signature *signature, oci_facts *out)
{
    memset(out, 0, sizeof(*out));
    error_text_copy(out->name, sizeof(out->name), name, strlen(name));
    snapcell_key_format(&info->key, out->key);
    snapcell_fingerprint_format(&info->engine, out->engine);
    take_architecture(facts, out->architecture);
    if (signature == NULL) return;
    error_text_copy(out->tenant, sizeof(out->tenant), signature->tenant, strlen(signature->tenant));
    hex_format(signature->public_key, sizeof(signature->public_key), out->signer);
}

/* What every image's config has: tools that list images read it. */
static int write_config(oci_function *function, json_t *facts, snapcell_error *err)
{
    const char *architecture = function->entry.facts.architecture;
    json_t *config =
        json_pack("{s:s, s:s, s:{s:s, s:[s]}}", "architecture", architecture, "os", "linux",
                  "rootfs", "type", "layers", "diff_ids", function->layer.digest);
    if (config == NULL || json_object_update(facts, config) != 0) {
        json_decref(config);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a config");
    }
    json_decref(config);
    return oci_json_dump(json_incref(facts), "a config", &function->config_json,
                         &function->config_size_bytes, err);
}

static void describe(oci_descriptor *out, const char *media_type, const void *bytes,
                     size_t size_bytes)
{
    strcpy(out->media_type, media_type);
    oci_digest_of(bytes, size_bytes, out->digest);
    out->size_bytes = size_bytes;
}

int oci_function_make(const void *bytes, size_t size_bytes, const char *name, json_t *facts,
                      const snapcell_artifact_info *info, const snapcell_signature *signature,
                      bool has_artifact_type, oci_function *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    take_facts(name, facts, info, signature, &out->entry.facts);
    describe(&out->layer, OCI_TYPE_LAYER, bytes, size_bytes);
    int status = write_config(out, facts, err);
    if (status == SNAPCELL_OK) {
        describe(&out->config, OCI_TYPE_CONFIG, out->config_json, out->config_size_bytes);
        status = oci_manifest_write(&out->entry.facts, has_artifact_type, &out->config, &out->layer,
                                    &out->manifest_json, &out->manifest_size_bytes, err);
    }
    if (status != SNAPCELL_OK) {
        oci_function_release(out);
        return status;
    }
    describe(&out->entry.document, OCI_TYPE_MANIFEST, out->manifest_json, out->manifest_size_bytes);
    if (has_artifact_type) strcpy(out->entry.artifact_type, OCI_ARTIFACT_TYPE);
    return SNAPCELL_OK;
}

void oci_function_release(oci_function *function)
{
    free(function->manifest_json);
    free(function->config_json);
    memset(function, 0, sizeof(*function));
}

int oci_function_compare(const oci_facts *facts, const snapcell_artifact_info *info,
                         snapcell_error *err)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&info->key, key);
    snapcell_fingerprint_format(&info->engine, engine);
    if (facts->key[0] != '\0' && strcmp(facts->key, key) != 0)
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "its annotations say that it is the artifact %s, but it is %s", facts->key,
                         key);
    if (facts->engine[0] != '\0' && strcmp(facts->engine, engine) != 0)
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "its annotations say that it is for engine %s, but it is for %s",
                         facts->engine, engine);
    return SNAPCELL_OK;
}
