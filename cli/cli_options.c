/* Command lines: getopt_long over a table that the help is made from, too. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define OPTIONS_COUNT_MAX 40

static const cli_option options_common[] = {
    {CLI_OPTION_STORE, "store", "DIR",
     "the store (default: $SNAPCELL_STORE, else ./snapcell-store)"},
    {'h', "help", NULL, "print this help"},
    CLI_OPTIONS_END,
};

/* What may stand before the command, too. */
static const cli_option options_leading[] = {
    {CLI_OPTION_STORE, "store", "DIR", NULL},
    CLI_JSON_OPTION(NULL),
    {CLI_OPTION_TRUST, "trust", "KEY", NULL},
    CLI_TENANT_OPTION(NULL),
    CLI_SIGN_OPTION(NULL),
    CLI_OPTIONS_END,
};

/* A command's options, in the three forms that are needed. */
typedef struct options_table {
    const cli_option *entries[OPTIONS_COUNT_MAX];
    size_t count;
    struct option longs[OPTIONS_COUNT_MAX + 1];
    char shorts[2 * OPTIONS_COUNT_MAX + 2];
    const char *names[OPTIONS_COUNT_MAX + 1];
} options_table;

static void options_add(options_table *table, const cli_option *list, size_t *short_count)
{
    for (; list && list->name && table->count < OPTIONS_COUNT_MAX; list++) {
        table->entries[table->count] = list;
        table->names[table->count] = list->name;
        table->longs[table->count++] = (struct option){
            .name = list->name,
            .has_arg = list->value ? required_argument : no_argument,
            .val = list->id,
        };
        if (list->id >= 256) continue;
        table->shorts[(*short_count)++] = (char)list->id;
        if (list->value) table->shorts[(*short_count)++] = ':';
    }
}

static void options_init(options_table *table, const cli_command *command)
{
    memset(table, 0, sizeof(*table));
    table->shorts[0] = ':'; /* missing values are told apart; the messages are our own */
    size_t short_count = 1;
    options_add(table, command->options, &short_count);
    options_add(table, options_common, &short_count);
}

/* --- Help --- */

static void options_help_print(const cli_option *option)
{
    char left[64];
    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", option->id < 256 ? '-' : ' ',
             option->id < 256 ? option->id : ' ', option->id < 256 ? "," : " ", option->name,
             option->value ? " " : "", option->value ? option->value : "");
    const char *rest = option->help;
    bool first = true;
    while (*rest) { /* each line of the help goes under the first */
        size_t size = strcspn(rest, "\n");
        if (first && strlen(left) > 22) cli_print("  %s\n", left);
        cli_print("  %-22s %.*s\n", first && strlen(left) <= 22 ? left : "", (int)size, rest);
        rest += size + (rest[size] == '\n');
        first = false;
    }
}

void cli_help(const cli_command *command)
{
    options_table table;
    options_init(&table, command);
    cli_print("Usage: snapcell %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", command->name,
              command->operands[0] ? " " : "", command->operands, command->description);
    for (size_t i = 0; i < table.count; i++)
        options_help_print(table.entries[i]);
}

/* --- Guesses --- */

#define GUESS_SIZE_MAX 31

/* Edits that make `b` of `a`: insert, delete, replace; swapping two neighbours counts as one. */
static size_t options_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    size_t cost[GUESS_SIZE_MAX + 1][GUESS_SIZE_MAX + 1];
    if (a_size > GUESS_SIZE_MAX || b_size > GUESS_SIZE_MAX) return SIZE_MAX;
    for (size_t i = 0; i <= a_size; i++) {
        for (size_t j = 0; j <= b_size; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (cost[i - 1][j] + 1 < best) best = cost[i - 1][j] + 1;
            if (cost[i][j - 1] + 1 < best) best = cost[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                cost[i - 2][j - 2] + 1 < best)
                best = cost[i - 2][j - 2] + 1;
            cost[i][j] = best;
        }
    }
    return cost[a_size][b_size];
}

const char *cli_guess(const char *word, const char *const *words)
{
    static const char *const others[][2] = {
        {"list", "ls"},   {"build", "compile"}, {"delete", "rm"},   {"remove", "rm"},
        {"info", "show"}, {"stats", "stat"},    {"check", "verify"}};
    const char *best = NULL;
    size_t best_distance = strlen(word) < 4 ? 2 : 3; /* must be below */
    for (size_t i = 0; words[i]; i++) {
        size_t distance = options_distance(word, words[i]);
        if (distance >= best_distance) continue;
        best = words[i];
        best_distance = distance;
    }
    for (size_t i = 0; !best && i < sizeof(others) / sizeof(others[0]); i++)
        for (size_t j = 0; strcmp(word, others[i][0]) == 0 && words[j]; j++)
            if (strcmp(words[j], others[i][1]) == 0) best = words[j];
    return best;
}

/* --- Parsing --- */

static void options_unknown_long(const cli_command *command, const options_table *table,
                                 const char *text)
{
    char name[64];
    size_t size = strcspn(text, "=");
    snprintf(name, sizeof(name), "%.*s", (int)size, text);
    size_t matches = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->names[i], name) == 0) {
            cli_message("--%s takes no value", name);
            return;
        }
        matches += strncmp(table->names[i], name, strlen(name)) == 0;
    }
    const char *guess = cli_guess(name, table->names);
    if (matches > 1)
        cli_message("--%s could be several options; `snapcell %s --help` lists them", name,
                    command->name);
    else if (guess)
        cli_message("%s has no option '--%s'; did you mean '--%s'?", command->name, name, guess);
    else
        cli_message("%s has no option '--%s'; `snapcell %s --help` lists them", command->name, name,
                    command->name);
}

static void options_unknown(const cli_command *command, const options_table *table, char **argv)
{
    const char *word = argv[optind - 1];
    if (optopt == 0 || optopt >= 256 || (strncmp(word, "--", 2) == 0 && word[2]))
        options_unknown_long(command, table, word + 2);
    else
        cli_message("%s has no option '-%c'; `snapcell %s --help` lists them", command->name,
                    optopt, command->name);
}

static void options_missing_value(const options_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->entries[i]->id == optopt)
            cli_message("--%s needs a value: --%s %s", table->names[i], table->names[i],
                        table->entries[i]->value);
}

static bool options_check_operands(const cli_command *command, const cli_arguments *arguments)
{
    const char *usage = command->operands;
    if (arguments->operand_count < command->operand_count_min)
        cli_message("%s needs more: snapcell %s [OPTIONS] %s", command->name, command->name, usage);
    else if (command->operand_count_max == 0 && arguments->operand_count > 0)
        cli_message("%s takes no '%s'; see `snapcell %s --help`", command->name,
                    arguments->operands[0], command->name);
    else if (command->operand_count_max >= 0 &&
             arguments->operand_count > command->operand_count_max)
        cli_message("'%s' is one too many: snapcell %s [OPTIONS] %s",
                    arguments->operands[command->operand_count_max], command->name, usage);
    else
        return true;
    return false;
}

static bool options_take_trust(cli_arguments *arguments, const char *value)
{
    if (arguments->trust_count == CLI_TRUST_COUNT_MAX) {
        cli_message("--trust can be given %d times; put more keys into one file",
                    CLI_TRUST_COUNT_MAX);
        return false;
    }
    arguments->trust[arguments->trust_count++] = value;
    return true;
}

static bool options_take_common(cli_arguments *arguments, int id, const char *value)
{
    static const char *const needs[] = {
        /* by the id, from CLI_OPTION_STORE on */
        [0] = "--store needs the path of a directory",
        [CLI_OPTION_TRUST - CLI_OPTION_STORE] = "--trust needs a public key, or the path of one",
        [CLI_OPTION_TENANT - CLI_OPTION_STORE] = "--tenant needs a tenant's name",
        [CLI_OPTION_SIGN - CLI_OPTION_STORE] = "--sign needs the path of a secret key",
    };
    if (value && !value[0]) {
        cli_message("%s", needs[id - CLI_OPTION_STORE]);
        return false;
    }
    switch (id) {
    case CLI_OPTION_STORE:
        arguments->store = value;
        return true;
    case CLI_OPTION_JSON:
        arguments->json = true;
        return true;
    case CLI_OPTION_TENANT:
        arguments->tenant = value;
        return true;
    case CLI_OPTION_SIGN:
        arguments->sign = value;
        return true;
    default:
        return options_take_trust(arguments, value);
    }
}

static const cli_option *options_find_leading(const char *word)
{
    if (strncmp(word, "--", 2) != 0) return NULL;
    size_t size = strcspn(word + 2, "=");
    for (const cli_option *option = options_leading; option->name; option++)
        if (strlen(option->name) == size && strncmp(option->name, word + 2, size) == 0)
            return option;
    return NULL;
}

int cli_options_leading(int argc, char **argv)
{
    int count = 0;
    while (1 + count < argc) {
        const cli_option *option = options_find_leading(argv[1 + count]);
        if (!option) break;
        bool value_follows = option->value && !strchr(argv[1 + count], '=');
        if (value_follows && 2 + count >= argc) {
            cli_message("--%s needs a value: --%s %s", option->name, option->name, option->value);
            return -1;
        }
        count += value_follows ? 2 : 1;
    }
    return count;
}

bool cli_parse(const cli_command *command, int argc, char **argv, cli_option_fn *take, void *user,
               cli_arguments *out, cli_status *status)
{
    options_table table;
    options_init(&table, command);
    *out = (cli_arguments){.store = snapcell_store_default_path()};
    *status = CLI_USAGE;
    optind = 0; /* glibc: start over */
    for (int id = 0; (id = getopt_long(argc, argv, table.shorts, table.longs, NULL)) != -1;) {
        if (id == '?') {
            options_unknown(command, &table, argv);
            return false;
        }
        if (id == ':') {
            options_missing_value(&table);
            return false;
        }
        if (id == 'h') {
            cli_help(command);
            *status = CLI_DONE;
            return false;
        }
        if (id >= CLI_OPTION_STORE ? !options_take_common(out, id, optarg)
                                   : !take(user, id, optarg))
            return false;
    }
    out->operands = argv + optind;
    out->operand_count = argc - optind;
    return options_check_operands(command, out);
}

bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    /* strtoull() itself takes blanks and signs. */
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > max) {
        cli_message("%s must be a whole number from %llu to %llu, not '%s'", option,
                    (unsigned long long)min, (unsigned long long)max, text);
        return false;
    }
    *out = value;
    return true;
}
