/* snapcell verify: is everything in the store sound? */
#include <string.h>

#include "cli.h"
#include "error_set.h"

static const cli_option verify_options[] = {
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: everything has to be signed for TENANT"),
    CLI_JSON_OPTION("a JSON array of objects: key, names, ok, error (null, or {code,\n"
                    "message}), signed_by (null, or {key_id, comment, name, tenant})"),
    CLI_OPTIONS_END,
};

typedef struct verify_state {
    cli_arguments arguments;
    bool json;
    snapcell_trust *trust; /* NULL: signatures are checked, but anyone's will do */
    cli_names names;
    size_t count;
    size_t bad_count;
    cli_status status;
} verify_state;

/* What was found out about one artifact. */
typedef struct verify_finding {
    const snapcell_key *key;
    int code; /* SNAPCELL_OK, or the code that `error` describes */
    snapcell_error error;
    snapcell_signature signature; /* its name is "" where there is none */
} verify_finding;

static bool verify_is_of(const cli_name *entry, const snapcell_key *key)
{
    return memcmp(&entry->key, key, sizeof(*key)) == 0;
}

/* With a trust set, each name that points here has to be the one that was signed. */
static int verify_check_trust(const verify_state *state, const snapcell_key *key, const void *bytes,
                              size_t size_bytes, snapcell_error *err)
{
    const char *tenant = state->arguments.tenant;
    int status = SNAPCELL_OK;
    if (state->trust)
        status = snapcell_trust_check(state->trust, bytes, size_bytes, NULL, tenant, NULL, err);
    for (size_t i = 0; state->trust && status == SNAPCELL_OK && i < state->names.count; i++)
        if (verify_is_of(&state->names.items[i], key))
            status = snapcell_trust_check(state->trust, bytes, size_bytes,
                                          state->names.items[i].name, tenant, NULL, err);
    return status;
}

static int verify_check(const verify_state *state, const snapcell_key *key, const void *bytes,
                        size_t size_bytes, verify_finding *out)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    snapcell_artifact_info info;
    snapcell_error *err = &out->error;
    int status = snapcell_artifact_inspect(bytes, size_bytes, &info, err);
    if (status == SNAPCELL_OK && memcmp(&info.key, key, sizeof(*key)) != 0)
        status = error_set(err, SNAPCELL_E_CORRUPT, "it is the artifact of another key, %s",
                           cli_key_text(&info.key, text));
    if (status == SNAPCELL_OK)
        status = snapcell_artifact_signature(bytes, size_bytes, &out->signature, err);
    if (status == SNAPCELL_E_NOT_FOUND) status = SNAPCELL_OK; /* it is not signed */
    return status == SNAPCELL_OK ? verify_check_trust(state, key, bytes, size_bytes, err) : status;
}

static const char *verify_comment(const verify_state *state, const snapcell_signature *signature)
{
    return state->trust ? snapcell_trust_comment(state->trust, signature->public_key) : "";
}

static json_t *verify_signer_json(const verify_state *state, const snapcell_signature *signature)
{
    if (!signature->name[0]) return json_null();
    return json_pack("{s:s, s:o, s:o, s:o}", "key_id", signature->key_id, "comment",
                     cli_json_text(verify_comment(state, signature)), "name",
                     cli_json_text(signature->name), "tenant",
                     signature->tenant[0] ? cli_json_text(signature->tenant) : json_null());
}

static void verify_print_json(const verify_state *state, const verify_finding *finding)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    bool ok = finding->code == SNAPCELL_OK;
    json_t *names = json_array();
    json_t *error = ok ? json_null()
                       : json_pack("{s:s, s:o}", "code", snapcell_error_name(finding->code),
                                   "message", cli_json_text(finding->error.message));
    for (size_t i = 0; i < state->names.count; i++)
        if (verify_is_of(&state->names.items[i], finding->key))
            json_array_append_new(names, cli_json_text(state->names.items[i].name));
    cli_print_json_item(json_pack(
        "{s:s, s:o, s:b, s:o, s:o}", "key", cli_key_text(finding->key, text), "names", names, "ok",
        (int)ok, "error", error, "signed_by", verify_signer_json(state, &finding->signature)));
}

static void verify_print(const verify_state *state, const verify_finding *finding)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    const snapcell_signature *signature = &finding->signature;
    cli_print("%s  %s", finding->code == SNAPCELL_OK ? "ok " : "bad",
              cli_key_text(finding->key, text));
    for (size_t i = 0; i < state->names.count; i++)
        if (verify_is_of(&state->names.items[i], finding->key))
            cli_print("  %s", state->names.items[i].name);
    if (finding->code != SNAPCELL_OK) {
        cli_print(": %s", finding->error.message);
    } else if (signature->name[0]) {
        const char *comment = verify_comment(state, signature);
        cli_print("  signed by %s%s%s", signature->key_id, comment[0] ? " " : "", comment);
    }
    cli_print("\n");
}

static void verify_tell(verify_state *state, const verify_finding *finding)
{
    state->count++;
    if (finding->code != SNAPCELL_OK) {
        state->bad_count++;
        state->status = cli_worse(state->status, cli_status_of(finding->code));
    }
    if (state->json)
        verify_print_json(state, finding);
    else
        verify_print(state, finding);
}

static int verify_each(void *user, const snapcell_key *key, const void *bytes, size_t size_bytes)
{
    verify_finding finding = {.key = key};
    finding.code = verify_check(user, key, bytes, size_bytes, &finding);
    verify_tell(user, &finding);
    return 0;
}

/* One key; a name that points to nothing is the store's fault. */
static int verify_key(verify_state *state, snapcell_store *store, const snapcell_key *key,
                      snapcell_error *err)
{
    snapcell_store_view view;
    int status = snapcell_store_view_open(store, key, &view, err);
    if (status == SNAPCELL_E_NOT_FOUND) {
        verify_finding finding = {.key = key};
        finding.code = error_set(&finding.error, SNAPCELL_E_STORE_CORRUPT,
                                 "a name points to it, but it is missing");
        verify_tell(state, &finding);
        return SNAPCELL_OK;
    }
    if (status != SNAPCELL_OK) return status;
    verify_each(state, key, view.bytes, view.size_bytes);
    snapcell_store_view_close(store, &view);
    return SNAPCELL_OK;
}

/* A name is checked for every engine that it has. */
static int verify_ref(verify_state *state, snapcell_store *store, const char *ref,
                      snapcell_error *err)
{
    bool found = false;
    for (size_t i = 0; i < state->names.count; i++) {
        if (strcmp(state->names.items[i].name, ref) != 0) continue;
        found = true;
        int status = verify_key(state, store, &state->names.items[i].key, err);
        if (status != SNAPCELL_OK) return status;
    }
    if (found) return SNAPCELL_OK;
    snapcell_key key;
    int status = snapcell_store_resolve(store, ref, NULL, &key, err);
    return status == SNAPCELL_OK ? verify_key(state, store, &key, err) : status;
}

/* Whether a name's artifact is there at all. */
static int verify_all(verify_state *state, snapcell_store *store, snapcell_error *err)
{
    int status = snapcell_store_each_artifact(store, verify_each, state, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < state->names.count; i++) {
        snapcell_store_view view;
        status = snapcell_store_view_open(store, &state->names.items[i].key, &view, err);
        snapcell_store_view_close(store, &view);
        if (status == SNAPCELL_E_NOT_FOUND)
            status = verify_key(state, store, &state->names.items[i].key, err);
    }
    return status;
}

static cli_status verify_run(verify_state *state)
{
    const cli_arguments *arguments = &state->arguments;
    cli_status exit_status;
    snapcell_error err;
    const char *ref = arguments->operand_count ? arguments->operands[0] : NULL;
    if (cli_trust_open(arguments, &state->trust, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments->store, SNAPCELL_STORE_READ, &exit_status);
    if (!store) return exit_status;
    int status = ref ? SNAPCELL_OK : snapcell_store_check(store, &err);
    if (status == SNAPCELL_OK) status = cli_names_list(store, &state->names, &err);
    if (state->json) cli_print_json_begin();
    if (status == SNAPCELL_OK)
        status = ref ? verify_ref(state, store, ref, &err) : verify_all(state, store, &err);
    if (state->json) cli_print_json_end();
    cli_flush();
    if (status != SNAPCELL_OK)
        return cli_worse(state->status, cli_report(ref ? ref : arguments->store, &err));
    if (state->bad_count)
        cli_message("%zu of %zu artifacts %s bad", state->bad_count, state->count,
                    state->bad_count == 1 ? "is" : "are");
    return state->status;
}

static cli_status verify_main(const cli_command *command, int argc, char **argv)
{
    verify_state state = {.json = false};
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &state.arguments, &status)) return status;
    state.json = state.arguments.json;
    status = verify_run(&state);
    cli_names_release(&state.names);
    snapcell_trust_free(state.trust);
    return status;
}

const cli_command cmd_verify = {
    .name = "verify",
    .operands = "[REF]",
    .summary = "check the store's file, its artifacts, and their signatures",
    .description =
        "Checks every page of the store's file, then every artifact (structure, checksum, digest,\n"
        "signature) and that names point to artifacts. Prints a line for each artifact. With REF,\n"
        "checks only its artifacts. A signature must be valid if there is one; --trust requires\n"
        "one, and says whose. The exit status is 4 if an artifact is bad, 3 if the store itself\n"
        "is; `snapcell salvage` recovers what is intact.",
    .options = verify_options,
    .operand_count_max = 1,
    .run = verify_main,
};
