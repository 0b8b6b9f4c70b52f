/* snapcell sign: signs what is in the store. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "error_set.h"

static const cli_option sign_options[] = {
    CLI_SIGN_OPTION("the secret key, as `keygen` made it (needed)"),
    CLI_TENANT_OPTION("sign for TENANT; only `run --tenant TENANT` accepts it then"),
    CLI_TRUST_OPTION,
    CLI_JSON_OPTION("a JSON array of objects: name, key, key_id, tenant, changed"),
    CLI_OPTIONS_END,
};

typedef struct sign_state {
    cli_arguments arguments;
    snapcell_signing_key *key;
    snapcell_trust *trust; /* of --trust; NULL: what is there is signed as it is */
    snapcell_store *store;
    cli_names names;
    cli_status status;
} sign_state;

static void sign_tell(const sign_state *state, const char *name, const snapcell_key *key,
                      bool changed)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    char id[SNAPCELL_KEY_ID_SIZE];
    snapcell_key_id_format(snapcell_signing_key_public(state->key), id);
    cli_key_text(key, text);
    if (state->arguments.json)
        cli_print_json_item(json_pack(
            "{s:o, s:s, s:s, s:o, s:b}", "name", cli_json_text(name), "key", text, "key_id", id,
            "tenant",
            state->arguments.tenant ? cli_json_text(state->arguments.tenant) : json_null(),
            "changed", (int)changed));
    else
        cli_print("%s  %.12s  %s by key %s\n", name, text, changed ? "signed" : "was signed", id);
}

/* The tenant is what the new signature is for; the old one may be for any. */
static int sign_check(const sign_state *state, const void *bytes, size_t size_bytes,
                      const char *name, snapcell_artifact_info *info, snapcell_error *err)
{
    cli_arguments arguments = state->arguments;
    arguments.tenant = NULL;
    return cli_artifact_check(&arguments, state->trust, bytes, size_bytes, name, info, err);
}

/* `name`: NULL for the artifact's own. */
static int sign_key(const sign_state *state, const snapcell_key *key, const char *name,
                    snapcell_error *err)
{
    cleanup_free void *bytes = NULL;
    cleanup_free void *made = NULL;
    size_t size_bytes = 0;
    size_t made_size_bytes = 0;
    snapcell_artifact_info info;
    int status = snapcell_store_get(state->store, key, &bytes, &size_bytes, err);
    if (status == SNAPCELL_OK) status = sign_check(state, bytes, size_bytes, name, &info, err);
    if (status == SNAPCELL_OK && memcmp(&info.key, key, sizeof(*key)) != 0)
        status = error_set(err, SNAPCELL_E_CORRUPT, "the store has another artifact under its key");
    if (status == SNAPCELL_OK)
        status = snapcell_artifact_sign(bytes, size_bytes, state->key, name,
                                        state->arguments.tenant, &made, &made_size_bytes, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_replace(state->store, made, made_size_bytes, NULL, err);
    if (status != SNAPCELL_OK) return status;
    bool same = made_size_bytes == size_bytes && memcmp(made, bytes, size_bytes) == 0;
    sign_tell(state, name ? name : info.name, key, !same);
    return SNAPCELL_OK;
}

static void sign_report(sign_state *state, const char *subject, const snapcell_error *err)
{
    state->status = cli_worse(state->status, cli_report(subject, err));
}

/* Every name that is `ref`, or every name when it is NULL: once for each engine. */
static bool sign_names(sign_state *state, const char *ref)
{
    bool found = false;
    snapcell_error err;
    for (size_t i = 0; i < state->names.count; i++) {
        const cli_name *entry = &state->names.items[i];
        if (ref && strcmp(entry->name, ref) != 0) continue;
        found = true;
        if (sign_key(state, &entry->key, entry->name, &err) != SNAPCELL_OK)
            sign_report(state, entry->name, &err);
    }
    return found;
}

static void sign_ref(sign_state *state, const char *ref)
{
    snapcell_key key;
    snapcell_error err;
    if (sign_names(state, ref)) return;
    int status = snapcell_store_resolve(state->store, ref, NULL, &key, &err);
    if (status == SNAPCELL_OK) status = sign_key(state, &key, NULL, &err);
    if (status != SNAPCELL_OK) sign_report(state, ref, &err);
}

static cli_status sign_run(sign_state *state)
{
    cli_arguments *arguments = &state->arguments;
    snapcell_error err;
    if (!arguments->sign) return cli_usage("sign needs a secret key: --sign KEYFILE");
    if (cli_signing_key_open(arguments, &state->key, &err) != SNAPCELL_OK ||
        cli_trust_open(arguments, &state->trust, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    state->store = cli_store_open(arguments->store, SNAPCELL_STORE_WRITE, &state->status);
    if (!state->store) return state->status;
    if (cli_names_list(state->store, &state->names, &err) != SNAPCELL_OK)
        return cli_report(arguments->store, &err);
    if (arguments->json) cli_print_json_begin();
    for (int i = 0; i < arguments->operand_count; i++)
        sign_ref(state, arguments->operands[i]);
    if (arguments->operand_count == 0) (void)sign_names(state, NULL);
    if (arguments->json) cli_print_json_end();
    return state->status;
}

static cli_status sign_main(const cli_command *command, int argc, char **argv)
{
    sign_state state = {.status = CLI_DONE};
    cli_status status;
    if (cli_parse(command, argc, argv, NULL, NULL, &state.arguments, &status))
        status = sign_run(&state);
    cli_names_release(&state.names);
    snapcell_store_close(state.store);
    snapcell_trust_free(state.trust);
    snapcell_signing_key_free(state.key);
    return status;
}

const cli_command cmd_sign = {
    .name = "sign",
    .operands = "[REF...]",
    .summary = "sign artifacts in the store",
    .description =
        "Signs the artifact of each REF, or of every name if no REF is given. The signature is\n"
        "for the name REF (for a key: the artifact's own name) and replaces an earlier one. Use\n"
        "it to introduce signing, or to change keys. To sign is to vouch for what is there: with\n"
        "--trust, only what a trusted key has signed is signed again. `compile --sign` vouches\n"
        "for its own work.",
    .options = sign_options,
    .operand_count_max = -1,
    .run = sign_main,
};
