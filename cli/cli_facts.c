/* What is known of an artifact, as JSON: what `show` prints, and what goes into a registry. */
#include <string.h>

#include "cli.h"

static const char *facts_source_format(snapcell_source_format format)
{
    return format == SNAPCELL_SOURCE_ESM        ? "esm"
           : format == SNAPCELL_SOURCE_COMMONJS ? "commonjs"
                                                : "script";
}

static json_t *facts_names(const cli_names *names, const snapcell_key *key)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < names->count; i++)
        if (memcmp(&names->items[i].key, key, sizeof(*key)) == 0)
            json_array_append_new(list, cli_json_text(names->items[i].name));
    return list;
}

static json_t *facts_signature(const snapcell_signature *signature)
{
    char hex[2 * SNAPCELL_PUBLIC_KEY_SIZE + 1];
    if (!signature->name[0]) return json_null();
    return json_pack("{s:s, s:s, s:o, s:o}", "key_id", signature->key_id, "public_key",
                     cli_hex(signature->public_key, sizeof(signature->public_key), hex), "name",
                     cli_json_text(signature->name), "tenant",
                     signature->tenant[0] ? cli_json_text(signature->tenant) : json_null());
}

json_t *cli_facts_in_store(const snapcell_artifact_info *info, const cli_names *names,
                           const snapcell_signature *signature)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    char host[SNAPCELL_KEY_HEX_SIZE];
    char bundle[2 * sizeof(info->bundle_hash) + 1];
    char digest[2 * sizeof(info->digest) + 1];
    json_t *manifest = cli_manifest(info);
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:o, "
        "s:o}",
        "names", facts_names(names, &info->key), "key", cli_key_text(&info->key, key), "kind",
        cli_kind_name(info->kind), "shape", cli_shape_name(info->shape), "source_format",
        facts_source_format(info->source_format), "name", cli_json_text(info->name), "file",
        cli_json_text(info->file_name), "engine", cli_fingerprint_text(&info->engine, engine),
        "current", (int)cli_engine_is_this(&info->engine), "host",
        cli_fingerprint_text(&info->host, host), "format_version", (int)info->format_version,
        "bundle_hash", cli_hex(info->bundle_hash, sizeof(info->bundle_hash), bundle), "digest",
        cli_hex(info->digest, sizeof(info->digest), digest), "source_bytes",
        (json_int_t)cli_source_size(info), "snapshot_bytes", (json_int_t)info->blob_size_bytes,
        "artifact_bytes", (json_int_t)info->artifact_size_bytes, "signature",
        facts_signature(signature), "manifest", manifest ? manifest : json_null());
}

json_t *cli_facts_alone(const snapcell_artifact_info *info, const snapcell_signature *signature)
{
    const cli_names none = {0};
    json_t *facts = cli_facts_in_store(info, &none, signature);
    if (!facts) return NULL;
    json_object_del(facts, "names");
    json_object_del(facts, "current");
    return facts;
}

int cli_signature_read(const void *bytes, size_t size_bytes, snapcell_signature *out,
                       snapcell_error *err)
{
    int status = snapcell_artifact_signature(bytes, size_bytes, out, err);
    return status == SNAPCELL_E_NOT_FOUND ? SNAPCELL_OK : status;
}
