/* snapcell backup: a consistent copy of a store that is in use. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "error_set.h"

#define BACKUP_FILE "data.mdb"
#define BACKUP_NEW_FILE "data.mdb.new"

static const cli_option backup_options[] = {
    CLI_JSON_OPTION("a JSON object: store, backup, artifacts, names, bytes"),
    CLI_OPTIONS_END,
};

typedef struct backup_state {
    cli_arguments arguments;
    const char *from;
    const char *to;
    snapcell_store_backup_result result;
} backup_state;

/* --- Into a folder, which is a store then --- */

static int backup_make_folder(const char *path, int *out, snapcell_error *err)
{
    if (mkdir(path, 0755) != 0) {
        if (errno == EEXIST)
            return error_set(err, SNAPCELL_E_EXISTS,
                             "%s exists already; a backup overwrites nothing", path);
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make the folder %s", path);
    }
    *out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out >= 0) return SNAPCELL_OK;
    int status = error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open the folder %s", path);
    rmdir(path);
    return status;
}

/* The file gets its name when it is whole. */
static int backup_fill_folder(backup_state *state, snapcell_store *store, int folder,
                              snapcell_error *err)
{
    cleanup_close int file =
        openat(folder, BACKUP_NEW_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make a file in %s", state->to);
    int status = snapcell_store_backup(store, file, &state->result, err);
    if (status != SNAPCELL_OK) return status;
    if (renameat(folder, BACKUP_NEW_FILE, folder, BACKUP_FILE) != 0 || fsync(folder) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot finish %s", state->to);
    return SNAPCELL_OK;
}

static int backup_to_folder(backup_state *state, snapcell_store *store, snapcell_error *err)
{
    cleanup_close int folder = -1;
    int status = backup_make_folder(state->to, &folder, err);
    if (status != SNAPCELL_OK) return status;
    status = backup_fill_folder(state, store, folder, err);
    if (status == SNAPCELL_OK) return status;
    unlinkat(folder, BACKUP_NEW_FILE, 0);
    unlinkat(folder, BACKUP_FILE, 0);
    rmdir(state->to);
    return status;
}

/* --- To standard output --- */

/* Where it is checked before a byte of it goes out. */
static int backup_temporary(snapcell_error *err)
{
    char path[4096];
    const char *folder = getenv("TMPDIR");
    if (!folder || !folder[0]) folder = "/tmp";
    snprintf(path, sizeof(path), "%s/snapcell-backup.XXXXXX", folder);
    int file = mkostemp(path, O_CLOEXEC);
    if (file < 0)
        error_set_errno(err, SNAPCELL_E_IO, errno,
                        "cannot make a temporary file in %s ($TMPDIR names another folder)",
                        folder);
    else
        unlink(path);
    return file;
}

static int backup_send(int file, snapcell_error *err)
{
    static char buffer[1 << 18];
    for (off_t at = 0;;) {
        ssize_t size = pread(file, buffer, sizeof(buffer), at);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0)
            return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the temporary file");
        if (size == 0) return SNAPCELL_OK;
        at += size;
        int status = cli_write_all(STDOUT_FILENO, "standard output", buffer, (size_t)size, err);
        if (status != SNAPCELL_OK) return status;
    }
}

static int backup_to_output(backup_state *state, snapcell_store *store, snapcell_error *err)
{
    cleanup_close int file = backup_temporary(err);
    if (file < 0) return err->code;
    int status = snapcell_store_backup(store, file, &state->result, err);
    return status == SNAPCELL_OK ? backup_send(file, err) : status;
}

/* --- The command --- */

static void backup_tell(const backup_state *state)
{
    const snapcell_store_backup_result *result = &state->result;
    if (state->arguments.json) {
        cli_print_json(json_pack(
            "{s:o, s:o, s:I, s:I, s:I}", "store", cli_json_text(state->from), "backup",
            cli_json_text(state->to), "artifacts", (json_int_t)result->artifact_count, "names",
            (json_int_t)result->name_count, "bytes", (json_int_t)result->size_bytes));
        return;
    }
    char size[CLI_SIZE_TEXT_SIZE];
    cli_print("backed up %llu artifacts and %llu names of %s in %s (%s)\n",
              (unsigned long long)result->artifact_count, (unsigned long long)result->name_count,
              state->from, state->to, cli_size_text(result->size_bytes, size));
}

static cli_status backup_run(backup_state *state)
{
    snapcell_error err;
    cli_status exit_status;
    const bool to_output = strcmp(state->to, "-") == 0;
    if (!state->to[0]) return cli_usage("DEST must be the path of a new folder, or -");
    if (to_output && state->arguments.json)
        return cli_usage("--json and the backup itself cannot both go to standard output");
    if (to_output && isatty(STDOUT_FILENO))
        return cli_usage("a backup is not for a terminal: redirect standard output");
    cli_cleanup_store snapcell_store *store =
        cli_store_open(state->from, SNAPCELL_STORE_READ, &exit_status);
    if (!store) return exit_status;
    signal(SIGXFSZ, SIG_IGN); /* a limit of files' sizes shows as EFBIG */
    int status =
        to_output ? backup_to_output(state, store, &err) : backup_to_folder(state, store, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    if (!to_output) backup_tell(state);
    return CLI_DONE;
}

static cli_status backup_main(const cli_command *command, int argc, char **argv)
{
    backup_state state = {0};
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &state.arguments, &status)) return status;
    char **operands = state.arguments.operands;
    const bool has_store = state.arguments.operand_count == 2;
    state.from = has_store ? operands[0] : state.arguments.store;
    state.to = operands[has_store ? 1 : 0];
    return backup_run(&state);
}

const cli_command cmd_backup = {
    .name = "backup",
    .operands = "[STORE] DEST",
    .summary = "copy a store while it is in use",
    .description =
        "Makes DEST, a new folder, a copy of the store (STORE, or that of --store) as it is at\n"
        "one moment, while others read and write it. Everything in the copy is checked before\n"
        "it gets its name. DEST is a store like any other: to restore it, use it, or move\n"
        "it to where the old one was once nobody uses that. With - for DEST the copy's file\n"
        "goes to standard output, to be put into a folder of its own as data.mdb; it is\n"
        "checked in a file in $TMPDIR before.",
    .options = backup_options,
    .operand_count_min = 1,
    .operand_count_max = 2,
    .run = backup_main,
};
