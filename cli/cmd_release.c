/* snapcell release: sets of names, switched as one. */
#include <string.h>

#include "cli.h"
#include "cli_history.h"
#include "cli_release.h"
#include "error_set.h"

enum {
    RELEASE_WHO = 256,
    RELEASE_ACTIVATE,
    RELEASE_PIN,
    RELEASE_HISTORY,
    RELEASE_COUNT,
    RELEASE_DAYS
};

static const cli_option release_options[] = {
    {RELEASE_ACTIVATE, "activate", NULL, "create: and activate it"},
    {RELEASE_PIN, "pin", NULL, "create: and pin it"},
    {RELEASE_HISTORY, "history", NULL, "ls: what happened; with NAME, to that function"},
    {RELEASE_COUNT, "count", "N", "keep: the N newest (0: none for that reason)"},
    {RELEASE_DAYS, "days", "N", "keep: those of the last N days (0: none for that reason)"},
    {RELEASE_WHO, "who", "TEXT", "for the history (default: user@machine)"},
    CLI_JSON_OPTION("create, activate, rollback, rm, pin, unpin: an object: release, ...;\n"
                    "ls, diff: an array of objects; keep: an object"),
    CLI_OPTIONS_END,
};

typedef struct release_command {
    const char *name;
    const char *usage;
    int operand_count_min; /* after the word itself */
    int operand_count_max; /* -1: any number */
    snapcell_store_mode mode;
    cli_status (*run)(cli_release *state);
} release_command;

static const release_command release_commands[] = {
    {"create", "create RELEASE [REF...]", 1, -1, SNAPCELL_STORE_WRITE, cli_release_create},
    {"activate", "activate RELEASE", 1, 1, SNAPCELL_STORE_WRITE, cli_release_activate},
    {"rollback", "rollback", 0, 0, SNAPCELL_STORE_WRITE, cli_release_rollback},
    {"ls", "ls [RELEASE]", 0, 1, SNAPCELL_STORE_READ, cli_release_ls},
    {"diff", "diff RELEASE [RELEASE]", 1, 2, SNAPCELL_STORE_READ, cli_release_diff},
    {"rm", "rm RELEASE", 1, 1, SNAPCELL_STORE_WRITE, cli_release_rm},
    {"pin", "pin RELEASE", 1, 1, SNAPCELL_STORE_WRITE, cli_release_pin},
    {"unpin", "unpin RELEASE", 1, 1, SNAPCELL_STORE_WRITE, cli_release_unpin},
    {"keep", "keep [--count N] [--days N]", 0, 0, SNAPCELL_STORE_WRITE, cli_release_keep},
};
#define RELEASE_COMMAND_COUNT (sizeof(release_commands) / sizeof(release_commands[0]))

static bool release_take(void *user, int id, const char *value)
{
    cli_release *state = user;
    uint64_t number = 0;
    switch (id) {
    case RELEASE_ACTIVATE:
        state->activate = true;
        return true;
    case RELEASE_PIN:
        state->pin = true;
        return true;
    case RELEASE_HISTORY:
        state->history = true;
        return true;
    case RELEASE_COUNT:
        if (!cli_number("--count", value, 0, UINT32_MAX, &number)) return false;
        state->policy.keep_count = (uint32_t)number;
        return state->has_policy = true;
    case RELEASE_DAYS:
        if (!cli_number("--days", value, 0, 36500, &number)) return false;
        state->policy.keep_seconds = number * CLI_DAY_SECONDS;
        return state->has_policy = true;
    default:
        snprintf(state->who, sizeof(state->who), "%s", value);
        if (strlen(value) < sizeof(state->who)) return true;
        cli_message("--who takes at most %d bytes", SNAPCELL_RELEASE_WHO_SIZE_MAX);
        return false;
    }
}

static const release_command *release_find(const char *word)
{
    for (size_t i = 0; i < RELEASE_COMMAND_COUNT; i++)
        if (strcmp(release_commands[i].name, word) == 0) return &release_commands[i];
    return NULL;
}

static cli_status release_unknown(const char *word)
{
    const char *names[RELEASE_COMMAND_COUNT + 1];
    for (size_t i = 0; i < RELEASE_COMMAND_COUNT; i++)
        names[i] = release_commands[i].name;
    names[RELEASE_COMMAND_COUNT] = NULL;
    const char *guess = cli_guess(word, names);
    if (guess) return cli_usage("release has no '%s'; did you mean '%s'?", word, guess);
    return cli_usage("release has no '%s'; `snapcell release --help` lists what it does", word);
}

static cli_status release_check_options(const cli_release *state, const char *word)
{
    bool creates = strcmp(word, "create") == 0;
    if (state->activate && !creates) return cli_usage("--activate is for release create");
    if (state->pin && !creates) return cli_usage("--pin is for release create");
    if (state->history && strcmp(word, "ls") != 0) return cli_usage("--history is for release ls");
    if (state->has_policy && strcmp(word, "keep") != 0)
        return cli_usage("--count and --days are for release keep");
    return CLI_DONE;
}

static cli_status release_run(cli_release *state)
{
    cli_status status;
    const release_command *command = release_find(state->arguments.operands[0]);
    if (!command) return release_unknown(state->arguments.operands[0]);
    state->operands = state->arguments.operands + 1;
    state->operand_count = state->arguments.operand_count - 1;
    if (state->operand_count < command->operand_count_min)
        return cli_usage("release needs more: snapcell release %s", command->usage);
    if (command->operand_count_max >= 0 && state->operand_count > command->operand_count_max)
        return cli_usage("'%s' is one too many: snapcell release %s",
                         state->operands[command->operand_count_max], command->usage);
    status = release_check_options(state, command->name);
    if (status != CLI_DONE) return status;
    if (!state->who[0]) cli_who(state->who);
    state->store = cli_store_open(state->arguments.store, command->mode, &status);
    return state->store ? command->run(state) : status;
}

static cli_status release_main(const cli_command *command, int argc, char **argv)
{
    cli_release state = {0};
    cli_status status;
    if (cli_parse(command, argc, argv, release_take, &state, &state.arguments, &status))
        status = release_run(&state);
    snapcell_store_close(state.store);
    return status;
}

const cli_command cmd_release = {
    .name = "release",
    .operands = "create|activate|rollback|ls|diff|rm|pin|unpin|keep ...",
    .summary = "sets of functions, switched as one",
    .description =
        "A release is a set of names with their artifacts, which never changes.\n"
        "  create RELEASE [REF...]  makes one of REF..., or of all names in the store\n"
        "  activate RELEASE         sets all of its names at once; those that only the one\n"
        "                           before it held are taken away\n"
        "  rollback                 activates the one that was active before\n"
        "  ls [RELEASE]             lists releases, or what one holds\n"
        "  diff RELEASE [RELEASE]   what is different in the second (default: in the store)\n"
        "  rm RELEASE, pin RELEASE, unpin RELEASE\n"
        "  keep [--count N] [--days N]  which releases gc keeps; without options says so\n"
        "What releases hold stays in the store: gc and rm do not take it away.",
    .options = release_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = release_main,
};
