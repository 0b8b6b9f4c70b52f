/* snapcell show: all about one artifact. */
#include <string.h>

#include "cli.h"

static const cli_option show_options[] = {
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    CLI_JSON_OPTION("a JSON object: names, key, kind, shape, source_format, name,\n"
                    "file, engine, current, host, format_version, bundle_hash,\n"
                    "digest, source_bytes, snapshot_bytes, artifact_bytes, signature\n"
                    "(null, or {key_id, public_key, name, tenant}), manifest"),
    CLI_OPTIONS_END,
};

/* The same facts, a line each: what a person reads and what a pipeline reads cannot differ. */
static void show_print_text(json_t *facts)
{
    const char *field;
    json_t *value;
    char size[CLI_SIZE_TEXT_SIZE];
    json_object_foreach(facts, field, value)
    {
        cleanup_free char *text = NULL;
        if (strcmp(field, "manifest") == 0) continue;
        if (json_is_string(value)) {
            cli_print("%-15s %s\n", field, json_string_value(value));
        } else if (json_is_integer(value) && strstr(field, "_bytes")) {
            cli_size_text((uint64_t)json_integer_value(value), size);
            cli_print("%-15s %lld (%s)\n", field, (long long)json_integer_value(value), size);
        } else if ((text = json_dumps(value, JSON_ENCODE_ANY)) != NULL) {
            cli_print("%-15s %s\n", field, text);
        }
    }
    cleanup_free char *manifest =
        json_dumps(json_object_get(facts, "manifest"), JSON_INDENT(2) | JSON_ENCODE_ANY);
    cli_print("manifest        %s\n", manifest ? manifest : "null");
}

/* Artifacts for other engines that stand under the same name. */
static void show_print_siblings(const char *ref, const snapcell_key *key, const cli_names *names)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    for (size_t i = 0; i < names->count; i++) {
        const cli_name *entry = &names->items[i];
        if (strcmp(entry->name, ref) != 0 || memcmp(&entry->key, key, sizeof(*key)) == 0) continue;
        cli_message("%s has another artifact, %s, for engine %s", ref,
                    cli_key_text(&entry->key, text), cli_fingerprint_text(&entry->engine, engine));
    }
}

static cli_status show_run(const cli_arguments *arguments)
{
    const char *ref = arguments->operands[0];
    cli_status exit_status;
    snapcell_error err;
    snapcell_key key;
    snapcell_artifact_info info;
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_signature signature;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    cli_cleanup_names cli_names names = {0};
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments->store, SNAPCELL_STORE_READ, &exit_status);
    if (!store) return exit_status;
    int status = cli_trust_open(arguments, &trust, &err);
    if (status == SNAPCELL_OK) status = cli_resolve(store, ref, &key, &err);
    if (status == SNAPCELL_OK) status = snapcell_store_get(store, &key, &bytes, &size_bytes, &err);
    if (status == SNAPCELL_OK)
        status = cli_artifact_check(arguments, trust, bytes, size_bytes, cli_ref_name(ref, &key),
                                    &info, &err);
    if (status == SNAPCELL_OK) status = cli_signature_read(bytes, size_bytes, &signature, &err);
    if (status == SNAPCELL_OK) status = cli_names_list(store, &names, &err);
    if (status != SNAPCELL_OK) return cli_report(ref, &err);
    json_t *facts = cli_facts_in_store(&info, &names, &signature);
    if (arguments->json) {
        cli_print_json(facts);
        return CLI_DONE;
    }
    show_print_text(facts);
    json_decref(facts);
    cli_flush();
    show_print_siblings(ref, &key, &names);
    return CLI_DONE;
}

static cli_status show_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    return show_run(&arguments);
}

const cli_command cmd_show = {
    .name = "show",
    .operands = "REF",
    .summary = "show everything about an artifact",
    .description =
        "Checks the artifact and prints its facts and its manifest. REF is a name, a key, or a\n"
        "unique key prefix. For a name, shows the artifact for this engine, else the only one.",
    .options = show_options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = show_main,
};
