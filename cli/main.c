/* The program: picks the command; each is in a file of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "snapcell/worker.h"

static const cli_command *const main_commands[] = {
    &cmd_compile, &cmd_run,    &cmd_serve,   &cmd_ls,     &cmd_show,    &cmd_rm,
    &cmd_gc,      &cmd_verify, &cmd_salvage, &cmd_export, &cmd_import,  &cmd_push,
    &cmd_pull,    &cmd_copy,   &cmd_release, &cmd_stat,   &cmd_rebuild, &cmd_recompile,
    &cmd_keygen,  &cmd_sign,   &cmd_engine,  &cmd_bench,  &cmd_backup,  &cmd_history,
};
#define MAIN_COMMAND_COUNT (sizeof(main_commands) / sizeof(main_commands[0]))

/* A closed standard stream must not become the descriptor of the store's file. The stand-in is
 * opened the wrong way round, so that using it fails as it should. */
static void main_guard_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        int got = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (got != fd) _exit(CLI_TROUBLE);
    }
}

static void main_print_usage(void)
{
    cli_print(
        "Usage: snapcell COMMAND [OPTIONS]\n\n"
        "Turns bundled JavaScript functions into V8 startup snapshots, keeps them in a store,\n"
        "and runs them from it.\n\nCommands:\n");
    for (size_t i = 0; i < MAIN_COMMAND_COUNT; i++)
        cli_print("  %-10s %s\n", main_commands[i]->name, main_commands[i]->summary);
    cli_print(
        "\n`snapcell COMMAND --help` describes a command.\n"
        "Every command takes --store DIR (default: $SNAPCELL_STORE, else ./snapcell-store). It "
        "may\n"
        "come before the command, as may --json, --trust, --tenant and --sign.\n"
        "\nExit status: 0 done; 1 the function failed; 2 wrong usage; 3 store or file trouble;\n"
        "4 an artifact was refused; 5 a limit was hit.\n");
}

static const cli_command *main_find(const char *name)
{
    for (size_t i = 0; i < MAIN_COMMAND_COUNT; i++)
        if (strcmp(main_commands[i]->name, name) == 0) return main_commands[i];
    return NULL;
}

static cli_status main_unknown(const char *word)
{
    const char *names[MAIN_COMMAND_COUNT + 3];
    size_t count = 0;
    while (count < MAIN_COMMAND_COUNT) {
        names[count] = main_commands[count]->name;
        count++;
    }
    names[count++] = "help";
    names[count++] = "--store";
    names[count] = NULL;
    const char *what = word[0] == '-' ? "option before the command" : "command";
    const char *guess = cli_guess(word, names);
    if (guess) return cli_usage("unknown %s '%s'; did you mean '%s'?", what, word, guess);
    return cli_usage("unknown %s '%s'; `snapcell help` lists the commands", what, word);
}

static cli_status main_help(int argc, char **argv)
{
    if (argc > 2) return cli_usage("help takes one command; `snapcell help` lists them");
    if (argc < 2) {
        main_print_usage();
        return CLI_DONE;
    }
    const cli_command *command = main_find(argv[1]);
    if (!command) return main_unknown(argv[1]);
    cli_help(command);
    return CLI_DONE;
}

static cli_status main_version(void)
{
    snapcell_engine_info engine;
    snapcell_engine_info_get(&engine, sizeof(engine));
    cli_print("snapcell %s (V8 %s, %s, artifact format %u)\n", SNAPCELL_VERSION, engine.v8_version,
              engine.architecture, engine.format_version);
    return CLI_DONE;
}

/* Moves options given before the command, as in git, to after it, where the command takes them
 * or says that it has no such option. */
static void main_put_after(char **argv, int count)
{
    char *command = argv[count + 1];
    memmove(argv + 2, argv + 1, (size_t)count * sizeof(*argv));
    argv[1] = command;
}

static cli_status main_dispatch(int argc, char **argv)
{
    int leading = cli_options_leading(argc, argv);
    if (leading < 0) return CLI_USAGE;
    if (argc < leading + 2) return cli_usage("a command is missing; `snapcell help` lists them");
    const char *word = argv[leading + 1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        main_print_usage();
        return CLI_DONE;
    }
    if (strcmp(word, "help") == 0) return main_help(argc - leading - 1, argv + leading + 1);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) return main_version();
    const cli_command *command = main_find(word);
    if (!command) return main_unknown(word);
    main_put_after(argv, leading);
    return command->run(command, argc - 1, argv + 1);
}

/* The library starts this program as its child process: the compiler (snapcell/compiler.h), and
 * hosts of workers (snapcell/worker.h). */
static int main_be_child(const char *command, const char *descriptor)
{
    uint64_t fd = 0;
    if (!cli_number(command, descriptor, 0, 1 << 20, &fd)) return CLI_USAGE;
    if (strcmp(command, "compile-child") == 0) return snapcell_compile_child((int)fd);
    cli_keep_time_zone();
    return snapcell_cell_worker((int)fd);
}

static bool main_is_child(const char *command)
{
    return strcmp(command, "compile-child") == 0 || strcmp(command, "cell-worker") == 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && main_is_child(argv[1])) return main_be_child(argv[1], argv[2]);
    main_guard_standard_streams();
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as EPIPE; see cli_finish() */
    return (int)cli_finish(main_dispatch(argc, argv));
}
