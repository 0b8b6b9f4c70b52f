/* What compile and recompile report of each bundle. */

#include "cli.h"
#include "monotonic.h"

void cli_result_take_info(cli_result *result, const snapcell_artifact_info *info)
{
    result->key = info->key;
    result->kind = info->kind;
    result->shape = info->shape;
    result->source_size_bytes = cli_source_size(info);
    result->blob_size_bytes = info->blob_size_bytes;
    result->artifact_size_bytes = info->artifact_size_bytes;
    json_t *manifest = cli_manifest(info);
    json_decref(result->warnings);
    result->warnings = json_incref(json_object_get(manifest, "warnings"));
    json_decref(result->notes);
    result->notes = json_incref(json_object_get(manifest, "notes"));
    json_decref(result->manifest);
    result->manifest = manifest;
}

void cli_result_take_compiled(cli_result *result, const snapcell_compiled *compiled)
{
    cli_result_take_info(result, snapcell_compiled_info(compiled));
    json_decref(result->warnings);
    result->warnings = json_array();
    for (size_t i = 0; i < snapcell_compiled_warning_count(compiled); i++)
        json_array_append_new(result->warnings,
                              cli_json_text(snapcell_compiled_warning(compiled, i)));
}

int cli_compiled_item(const snapcell_compiled *compiled, const cli_signer *signer,
                      cli_result *result, snapcell_store_item *out, void **owned,
                      snapcell_error *err)
{
    *out = (snapcell_store_item){0};
    *owned = NULL;
    out->bytes = snapcell_compiled_artifact(compiled, &out->size_bytes);
    if (!signer->key) return SNAPCELL_OK;
    int status = snapcell_artifact_sign(out->bytes, out->size_bytes, signer->key, signer->name,
                                        signer->tenant, owned, &out->size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    result->artifact_size_bytes = out->size_bytes;
    out->bytes = *owned;
    return SNAPCELL_OK;
}

/* To a thousandth: the clock tells more than anyone wants to read. */
static double result_rounded(double value)
{
    return (double)(int64_t)(value * 1000.0 + 0.5) / 1000.0;
}

static json_t *result_json(const cli_result *result)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    json_t *warnings =
        json_is_array(result->warnings) ? json_incref(result->warnings) : json_array();
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:b, s:o}", "name", cli_json_text(result->name),
        "key", cli_key_text(&result->key, key), "kind", cli_kind_name(result->kind), "shape",
        cli_shape_name(result->shape), "source_bytes", (json_int_t)result->source_size_bytes,
        "snapshot_bytes", (json_int_t)result->blob_size_bytes, "artifact_bytes",
        (json_int_t)result->artifact_size_bytes, "compile_ms", result_rounded(result->compile_ms),
        "cached", (int)result->cached, "warnings", warnings);
    if (result->explain) json_object_set_new(json, "explain", cli_explain_json(result));
    return json;
}

static json_t *result_failure_json(const cli_result *result)
{
    const snapcell_error *error = &result->error;
    json_t *json = json_pack(
        "{s:o, s:o, s:{s:s, s:o, s:o, s:i, s:i, s:o}}", "name", cli_json_text(result->name), "file",
        cli_json_text(result->subject), "error", "code", snapcell_error_name(result->code),
        "message", cli_json_text(error->message), "file",
        error->file[0] ? cli_json_text(error->file) : json_null(), "line", (int)error->line,
        "column", (int)error->column, "stack", cli_json_text(error->stack));
    if (result->explain) json_object_set_new(json, "explain", cli_explain_json(result));
    return json;
}

static void result_print_line(const cli_result *result)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char source[CLI_SIZE_TEXT_SIZE];
    char blob[CLI_SIZE_TEXT_SIZE];
    char artifact[CLI_SIZE_TEXT_SIZE];
    cli_print_padded(result->name, 20);
    cli_print("  %.12s  %-8s  source %s, snapshot %s, artifact %s", cli_key_text(&result->key, key),
              cli_kind_name(result->kind), cli_size_text(result->source_size_bytes, source),
              cli_size_text(result->blob_size_bytes, blob),
              cli_size_text(result->artifact_size_bytes, artifact));
    if (result->cached)
        cli_print("  cached\n");
    else
        cli_print("  %.0f ms\n", result->compile_ms);
}

static void result_print_warnings(const cli_result *result)
{
    size_t index;
    json_t *warning;
    json_array_foreach(result->warnings, index, warning) if (json_is_string(warning))
        cli_message("%s: warning: %s", result->name, json_string_value(warning));
}

cli_status cli_result_print(const cli_result *result, bool json)
{
    if (result->code != SNAPCELL_OK) {
        if (json)
            cli_print_json(result_failure_json(result));
        else if (result->explain)
            cli_explain_print(result);
        return cli_report(result->subject, &result->error);
    }
    if (json)
        cli_print_json(result_json(result));
    else
        result_print_line(result);
    if (result->explain && !json) cli_explain_print(result);
    result_print_warnings(result);
    return CLI_DONE;
}

void cli_result_release(cli_result *result)
{
    json_decref(result->warnings);
    json_decref(result->manifest);
    json_decref(result->notes);
    result->warnings = result->manifest = result->notes = NULL;
}

double cli_now_ms(void)
{
    return (double)monotonic_now_ns() / 1e6;
}
