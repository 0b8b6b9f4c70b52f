/* snapcell keygen: a key pair to sign artifacts with. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "error_set.h"

static const cli_option keygen_options[] = {
    {'c', "comment", "TEXT", "the comment after the public key (default: USER@HOST)"},
    CLI_JSON_OPTION("a JSON object: key_id, public_key, secret_file, public_file"),
    CLI_OPTIONS_END,
};

typedef struct keygen_state {
    cli_arguments arguments;
    const char *comment;
} keygen_state;

static bool keygen_take(void *user, int id, const char *value)
{
    keygen_state *state = user;
    (void)id;
    state->comment = value;
    return true;
}

static void keygen_default_comment(char *out, size_t out_size_bytes)
{
    char host[128] = "";
    const char *name = getenv("USER");
    if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
    snprintf(out, out_size_bytes, "%.60s@%s", name && name[0] ? name : "unknown", host);
}

static int keygen_id(const char *public_line, char out[SNAPCELL_KEY_ID_SIZE], snapcell_error *err)
{
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = snapcell_trust_new(&trust, err);
    if (status == SNAPCELL_OK) status = snapcell_trust_add(trust, public_line, err);
    if (status == SNAPCELL_OK) snapcell_key_id_format(snapcell_trust_key(trust, 0), out);
    return status;
}

static void keygen_tell(const keygen_state *state, const char *public_line, const char *id)
{
    const char *path = state->arguments.operands[0];
    if (state->arguments.json) {
        json_t *file = json_sprintf("%s.pub", path);
        cli_print_json(json_pack("{s:s, s:o, s:o, s:o}", "key_id", id, "public_key",
                                 cli_json_text(public_line), "secret_file", cli_json_text(path),
                                 "public_file", file ? file : cli_json_text("")));
        return;
    }
    cli_print("key %s\nsecret  %s (keep it; sign with --sign %s)\npublic  %s.pub (give it away; "
              "trust it with --trust %s.pub)\n%s\n",
              id, path, path, path, path, public_line);
}

static cli_status keygen_main(const cli_command *command, int argc, char **argv)
{
    keygen_state state = {0};
    cli_status exit_status;
    snapcell_error err;
    char comment[256];
    char id[SNAPCELL_KEY_ID_SIZE];
    cleanup_free char *public_line = NULL;
    if (!cli_parse(command, argc, argv, keygen_take, &state, &state.arguments, &exit_status))
        return exit_status;
    const char *path = state.arguments.operands[0];
    keygen_default_comment(comment, sizeof(comment));
    int status = snapcell_signing_key_generate(path, state.comment ? state.comment : comment,
                                               &public_line, &err);
    if (status == SNAPCELL_OK) status = keygen_id(public_line, id, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    keygen_tell(&state, public_line, id);
    return CLI_DONE;
}

const cli_command cmd_keygen = {
    .name = "keygen",
    .operands = "FILE",
    .summary = "make a key pair for signing artifacts",
    .description =
        "Writes a new secret key to FILE, which only its owner can read, and the public key to\n"
        "FILE.pub. Neither is ever overwritten. `compile --sign FILE` signs what it compiles;\n"
        "`run --trust FILE.pub` runs only what was signed so.",
    .options = keygen_options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = keygen_main,
};
