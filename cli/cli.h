/* What the commands of the program share: options, output, files, the store, batches. */
#ifndef SNAPCELL_CLI_H
#define SNAPCELL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "cleanup.h"
#include "snapcell/artifact.h"
#include "snapcell/compiler.h"
#include "snapcell/error.h"
#include "snapcell/http.h"
#include "snapcell/loader.h"
#include "snapcell/log.h"
#include "snapcell/sandbox.h"
#include "snapcell/store.h"
#include "snapcell/trust.h"
#include "snapcell/worker.h"

/* --- Exit statuses (cli_exit.c) --- */

typedef enum cli_status {
    CLI_DONE = 0,
    CLI_FUNCTION_FAILED = 1, /* syntax error, exception, rejected promise */
    CLI_USAGE = 2,
    CLI_TROUBLE = 3, /* store or file */
    CLI_REFUSED = 4, /* an artifact was */
    CLI_LIMIT = 5,   /* memory, CPU or wall time */
} cli_status;

/* The exit status for a snapcell_status. */
cli_status cli_status_of(int code);

/* Of two outcomes, the one that the program ends with: the higher. */
cli_status cli_worse(cli_status a, cli_status b);

/* --- Options (cli_options.c) --- */

/* Options that several commands have; below 256 an id is the option's letter. Those from
 * CLI_OPTION_STORE on, cli_parse() takes itself. */
enum {
    CLI_OPTION_COMPILE_JOBS = 'j',
    CLI_OPTION_COMPILE_MEMORY = 900,
    CLI_OPTION_COMPILE_WALL,
    CLI_OPTION_COMPILE_NO_SANDBOX,
    CLI_OPTION_STORE = 1000,
    CLI_OPTION_JSON,
    CLI_OPTION_TRUST,
    CLI_OPTION_TENANT,
    CLI_OPTION_SIGN,
};

typedef struct cli_option {
    int id;
    const char *name;  /* without the dashes; NULL ends a table */
    const char *value; /* what stands for its value in the help; NULL: a flag */
    const char *help;
} cli_option;

#define CLI_JSON_OPTION(help_text)                                                                 \
    {                                                                                              \
        CLI_OPTION_JSON, "json", NULL, help_text                                                   \
    }
#define CLI_TRUST_OPTION                                                                           \
    {                                                                                              \
        CLI_OPTION_TRUST, "trust", "KEY",                                                          \
            "accept only what is signed by this key: a public key, a file of\n"                    \
            "them, or a directory; repeatable (default: $SNAPCELL_TRUST,\n"                        \
            "separated by ':'). Without one, the store is trusted"                                 \
    }
#define CLI_TENANT_OPTION(help_text)                                                               \
    {                                                                                              \
        CLI_OPTION_TENANT, "tenant", "TENANT", help_text                                           \
    }
#define CLI_SIGN_OPTION(help_text)                                                                 \
    {                                                                                              \
        CLI_OPTION_SIGN, "sign", "KEYFILE", help_text                                              \
    }
/* How a command compiles; cli_compile_take() takes them. */
#define CLI_COMPILE_JOBS_OPTION                                                                    \
    {                                                                                              \
        CLI_OPTION_COMPILE_JOBS, "jobs", "N",                                                      \
            "how many to compile at once (default: the number of CPUs)"                            \
    }
#define CLI_COMPILE_OPTIONS                                                                        \
    {CLI_OPTION_COMPILE_MEMORY, "memory-mb", "N", "memory limit of a compile (default: 512)"},     \
        {CLI_OPTION_COMPILE_WALL, "wall-ms", "N", "time limit of a compile (default: 30000)"},     \
    {                                                                                              \
        CLI_OPTION_COMPILE_NO_SANDBOX, "no-sandbox", NULL,                                         \
            "evaluate bundles in processes without a sandbox,\nfor debugging"                      \
    }
#define CLI_OPTIONS_END                                                                            \
    {                                                                                              \
        0, NULL, NULL, NULL                                                                        \
    }

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;
    const char *operands; /* as the usage line shows them, "" when there are none */
    const char *summary;  /* one line */
    const char *description;
    const cli_option *options;
    int operand_count_min;
    int operand_count_max; /* -1: any number */
    cli_status (*run)(const cli_command *command, int argc, char **argv);
};

#define CLI_TRUST_COUNT_MAX 64

/* What every command line has. */
typedef struct cli_arguments {
    const char *store; /* never NULL */
    bool json;
    const char *trust[CLI_TRUST_COUNT_MAX]; /* of --trust */
    size_t trust_count;
    const char *tenant; /* of --tenant; NULL when it was not given */
    const char *sign;   /* of --sign; NULL when it was not given */
    char **operands;    /* in argv */
    int operand_count;
} cli_arguments;

/* Takes one option; returns false after a message when its value is not allowed. */
typedef bool cli_option_fn(void *user, int id, const char *value);

/* Parses `argv` (its first element is the command's name). False: the program ends with *status,
 * after --help or after a message. `take` may be NULL for commands without options of their own. */
bool cli_parse(const cli_command *command, int argc, char **argv, cli_option_fn *take, void *user,
               cli_arguments *out, cli_status *status);

/* How many words of options, as --store DIR, stand before the command of a whole command line; -1
 * after a message when the last one has no value. */
int cli_options_leading(int argc, char **argv);

/* Prints a command's help on standard output. */
void cli_help(const cli_command *command);

/* Reads a whole number between `min` and `max`, else says what is allowed and returns false. */
bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* The entry of a NULL-terminated list that `word` was probably meant to be, or NULL. */
const char *cli_guess(const char *word, const char *const *words);

/* --- Output (cli_print.c) --- */

/* To standard output; the first failure is kept for cli_finish(). */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_write(const void *data, size_t size_bytes);
/* Around the buffer, as snapcell_stream.write: for what a reader may be slow to take. */
ptrdiff_t cli_write_some(const void *data, size_t size_bytes);
/* False: something did not arrive, and its reader has not just gone. */
bool cli_flush(void);

/* Flushes standard output; says so when something could not be written, unless its reader has gone.
 * Returns the status to end with. */
cli_status cli_finish(cli_status status);

/* One line on standard error, "snapcell: " before it. */
void cli_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As it is, on standard error. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends messages to another descriptor, which is then stdio's. False when memory is short. */
bool cli_messages_to(int fd);

/* cli_message() for a command line that is wrong; returns CLI_USAGE. */
cli_status cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reports an error; of a script error, its place and stack. `subject` (may be NULL) is the file or
 * reference it is about, put before a message that does not name it. Returns the exit status. */
cli_status cli_report(const char *subject, const snapcell_error *err);

/* Whether standard error is a terminal that understands escape sequences. */
bool cli_fancy(void);

/* Prints a value on one line and releases it. NULL (out of memory) is reported; see cli_finish().
 */
void cli_print_json(json_t *value);

/* A JSON string, whatever the bytes: what is not UTF-8 becomes U+FFFD. */
json_t *cli_json_text(const char *text);

/* An array of JSON values, a line each; any number of items between begin and end. */
void cli_print_json_begin(void);
void cli_print_json_item(json_t *item);
void cli_print_json_end(void);

/* As "1.2 MB". Gives `out`. */
#define CLI_SIZE_TEXT_SIZE 24
const char *cli_size_text(uint64_t size_bytes, char out[CLI_SIZE_TEXT_SIZE]);

/* 32 hex digits. Gives `out`. */
const char *cli_hex(const uint8_t *bytes, size_t size_bytes, char *out);
const char *cli_key_text(const snapcell_key *key, char out[SNAPCELL_KEY_HEX_SIZE]);
const char *cli_fingerprint_text(const snapcell_fingerprint *fingerprint,
                                 char out[SNAPCELL_KEY_HEX_SIZE]);

const char *cli_kind_name(snapcell_artifact_kind kind);
const char *cli_shape_name(snapcell_handler_shape shape);

/* Prints `text` padded with blanks to `width` characters. */
void cli_print_padded(const char *text, size_t width);
size_t cli_text_width(const char *text);

/* A snapcell_log_fn: console output goes to standard error. `user` is NULL, or a const char * to be
 * put before each line with ": ". */
void cli_console(void *user, snapcell_log_level level, const char *function_name, const char *text,
                 size_t text_size_bytes);

/* --- Calls of a function in a worker process (cli_worker.c) --- */

/* What is run; all pointers Borrowed. */
typedef struct cli_worker_run {
    const char *store; /* NULL: the default */
    const char *ref;
    const snapcell_trust *trust;
    const snapcell_cell_options *cell;
    const snapcell_request *request;
    const char *event;   /* of what takes one */
    const char *handler; /* NULL: the function itself */
    snapcell_workers_policy policy;
    uint64_t repeat;
    bool gives_event; /* the event, and no request, is what the user gave */
    bool no_sandbox;
    bool include;
    bool timings;
} cli_worker_run;

/* False, and a message: there is no such policy. */
bool cli_worker_policy(const char *name, snapcell_workers_policy *out);

/* Calls the function as often as it is to be, and prints the last answer. */
int cli_worker_run_all(const cli_worker_run *run, snapcell_error *err);

/* The line of --timings. */
void cli_print_timings(const snapcell_timings *timings, uint64_t dispose_ns);

/* --- A call with standard input and output for its bodies (cli_exchange.c) --- */

typedef struct cli_exchange {
    bool reads;     /* the request's body is standard input */
    bool prints;    /* the answer goes to standard output; else it is dropped */
    bool include;   /* its status and headers, too */
    int read_errno; /* why standard input could not be read; 0 */
} cli_exchange;

/* A response's status and headers. */
void cli_print_head(const snapcell_response *response);

/* Calls a function that answers requests. What came before an error is out by then. */
int cli_exchange_run(cli_exchange *exchange, snapcell_cell *cell, const snapcell_request *request,
                     snapcell_error *err);

/* --- A child process (cli_child.c) --- */

/* From here on a child's status is its caller's own affair, not a cli_status. */
#define CLI_CHILD_STATUS_OWN 64

typedef struct cli_child {
    const char *subject; /* what messages are about */
    /* In the child; returns its exit status. Standard output is flushed after it, and the process
     * ends without more ado. */
    int (*work)(void *user, int broker_fd);
    /* In this process: sees to it that somebody serves the other end of the child's `broker_fd`,
     * until that is closed; `broker_fd` of this process is closed after it. NULL: there is no such
     * socket, and `broker_fd` is -1. */
    void (*broker)(void *user, int broker_fd);
    void *user;
} cli_child;

/* Forks a child and waits for it. A child's death is reported in a line and becomes an exit
 * status: CLI_LIMIT when memory ran out. To be called before the engine is started and a store
 * opened in this process, which a fork would not survive. Returns the child's status. */
int cli_child_run(const cli_child *child);

/* In a child, before it enters the sandbox: where no file can be read, the time zone stays. */
void cli_keep_time_zone(void);

/* --- A crash over the store's file (cli_guard.c) --- */

/* From here on a crash ends the program with a line about the damaged store `path`, which is
 * copied, and CLI_TROUBLE. */
void cli_guard_store(const char *path);

/* --- Files (cli_file.c) --- */

/* Reads a file, or standard input when `path` is "-". `*out` is Owned: free(); a zero follows the
 * last byte. Errors: E_NOT_FOUND, E_IO, E_NOMEM, E_TOO_LARGE (above `size_max_bytes`). */
int cli_read_file(const char *path, size_t size_max_bytes, char **out, size_t *out_size_bytes,
                  snapcell_error *err);

/* `path`: what a message calls it. Errors: E_IO, E_FULL. */
int cli_write_all(int fd, const char *path, const void *data, size_t size_bytes,
                  snapcell_error *err);

/* Writes a file completely or not at all. Errors: E_EXISTS (without `force`), E_NOT_FOUND, E_IO,
 * E_FULL, E_READ_ONLY. */
int cli_write_file(const char *path, const void *data, size_t size_bytes, bool force,
                   snapcell_error *err);

/* The value of an option that takes TEXT, @FILE, or @- for standard input. `*out` is Owned:
 * free(); a zero follows the last byte. Errors: as cli_read_file(). */
int cli_read_value(const char *value, char **out, size_t *out_size_bytes, snapcell_error *err);

#define CLI_BODY_SIZE_MAX ((size_t)1 << 30)

/* --- The store (cli_store.c) --- */

/* Opens the store, or reports why not. NULL on failure, with *status set. */
snapcell_store *cli_store_open(const char *path, snapcell_store_mode mode, cli_status *status);

static inline void cli_store_release(snapcell_store **store)
{
    snapcell_store_close(*store);
}
#define cli_cleanup_store cleanup(cli_store_release)

/* This build's engine. */
snapcell_fingerprint cli_engine(void);
bool cli_engine_is_this(const snapcell_fingerprint *engine);

/* A reference to a key: a name's artifact for this engine, else its only one for another. Errors:
 * as snapcell_store_resolve(). */
int cli_resolve(snapcell_store *store, const char *ref, snapcell_key *out, snapcell_error *err);

/* A name held in memory, for work that writes to the store. */
typedef struct cli_name {
    char name[SNAPCELL_NAME_SIZE_MAX + 1];
    snapcell_fingerprint engine;
    snapcell_key key;
} cli_name;

typedef struct cli_names {
    cli_name *items;
    size_t count;
    size_t capacity;
} cli_names;

/* Every name in the store, in byte order. Release with cli_names_release(), on failure too. */
int cli_names_list(snapcell_store *store, cli_names *out, snapcell_error *err);
void cli_names_release(cli_names *names);
#define cli_cleanup_names cleanup(cli_names_release)

/* An artifact's manifest, or NULL when it is not JSON. Owned: json_decref(). */
json_t *cli_manifest(const snapcell_artifact_info *info);

/* The size of the bundle's file; what V8 reads of it may be of another size. */
uint64_t cli_source_size(const snapcell_artifact_info *info);

/* --- Facts of an artifact (cli_facts.c) --- */

/* What `show --json` prints. Owned: json_decref(); NULL when memory is short. */
json_t *cli_facts_in_store(const snapcell_artifact_info *info, const cli_names *names,
                           const snapcell_signature *signature);
/* The same without what depends on a store or an engine: the same artifact has the same facts. */
json_t *cli_facts_alone(const snapcell_artifact_info *info, const snapcell_signature *signature);

/* Zeroed when there is none. Errors: as snapcell_artifact_signature(). */
int cli_signature_read(const void *bytes, size_t size_bytes, snapcell_signature *out,
                       snapcell_error *err);

/* --- Signatures (cli_trust.c) --- */

/* The trust set of --trust, else of $SNAPCELL_TRUST; NULL when there is neither. Owned:
 * snapcell_trust_free(). Errors: as snapcell_trust_add(). */
int cli_trust_open(const cli_arguments *arguments, snapcell_trust **out, snapcell_error *err);

static inline void cli_trust_release(snapcell_trust **trust)
{
    snapcell_trust_free(*trust);
}
#define cli_cleanup_trust cleanup(cli_trust_release)

/* Checks an artifact: as snapcell_artifact_inspect() without a trust set, else as
 * snapcell_trust_check(), for any tenant unless --tenant was given. `name`: NULL when it was
 * not requested by one. */
int cli_artifact_check(const cli_arguments *arguments, const snapcell_trust *trust,
                       const void *bytes, size_t size_bytes, const char *name,
                       snapcell_artifact_info *info, snapcell_error *err);

/* What `ref` is as a name: NULL when it is the whole key. With a trust set, a few digits are none.
 */
const char *cli_ref_name(const char *ref, const snapcell_key *key);

/* The key of --sign, NULL when that was not given; warns when others can read its file. From here
 * on other processes of this user cannot look into this one. Owned: snapcell_signing_key_free().
 * Errors: as snapcell_signing_key_open(). */
int cli_signing_key_open(const cli_arguments *arguments, snapcell_signing_key **out,
                         snapcell_error *err);

/* A trust set of that key alone, for what it signed itself. Errors: E_NOMEM. */
int cli_trust_of_key(const snapcell_signing_key *key, snapcell_trust **out, snapcell_error *err);

/* --- Requests (cli_request.c) --- */

/* A warm-up request: a URL path, or a JSON file. */
typedef struct cli_warm {
    json_t *document;
    snapcell_header *headers;
    char *body;
    snapcell_request request;
} cli_warm;

int cli_warm_init(cli_warm *warm, const char *text, snapcell_error *err);
void cli_warm_release(cli_warm *warm);

/* Splits "NAME: VALUE" in place into a header that points into `text`. False when it is not a
 * header.
 */
bool cli_header_split(char *text, snapcell_header *out);

/* --- Compiles (cli_result.c) --- */

/* What became of one bundle of compile or recompile. */
typedef struct cli_result {
    const char *name;    /* Borrowed */
    const char *subject; /* the file, or the reference; Borrowed */
    int code;            /* SNAPCELL_OK, or the code that `error` describes */
    snapcell_error error;
    snapcell_key key;
    snapcell_artifact_kind kind;
    snapcell_handler_shape shape;
    uint64_t source_size_bytes;
    uint64_t blob_size_bytes;
    uint64_t artifact_size_bytes;
    double compile_ms;
    bool cached;
    json_t *warnings; /* an array, or NULL; Owned */
    json_t *manifest; /* or NULL; Owned */
    json_t *notes;    /* an array as in the manifest, or NULL; Owned */
    bool explain;     /* print manifest and notes, too */
} cli_result;

void cli_result_take_info(cli_result *result, const snapcell_artifact_info *info);
void cli_result_take_compiled(cli_result *result, const snapcell_compiled *compiled);

/* How what was compiled is signed. */
typedef struct cli_signer {
    const snapcell_signing_key *key; /* NULL: it is not */
    const char *name;
    const char *tenant; /* NULL: for none */
} cli_signer;

/* What was compiled, to be put: signed, if there is a key. `*owned`: Owned, free(); bytes that the
 * item needs, or NULL. The item Borrows the others. */
int cli_compiled_item(const snapcell_compiled *compiled, const cli_signer *signer,
                      cli_result *result, snapcell_store_item *out, void **owned,
                      snapcell_error *err);
/* Prints it, the failure included; returns its exit status. */
cli_status cli_result_print(const cli_result *result, bool json);
void cli_result_release(cli_result *result);

/* --- compile --explain (cli_explain.c) --- */

/* A snapcell_note_fn that keeps notes in `user`, a cli_result. */
void cli_explain_note(void *user, const snapcell_note *note);
/* What a result's manifest and notes tell. Owned: json_decref(). */
json_t *cli_explain_json(const cli_result *result);
void cli_explain_print(const cli_result *result);

/* Milliseconds on the monotonic clock. */
double cli_now_ms(void);

/* --- How a command compiles (cli_compile.c) --- */

/* Takes an option of CLI_COMPILE_JOBS_OPTION or CLI_COMPILE_OPTIONS. `jobs`: NULL where there is no
 * such option. Returns false after a message when its value is not allowed. */
bool cli_compile_take(snapcell_compile_options *options, size_t *jobs, int id, const char *value);

/* --- Batches (cli_batch.c) --- */

typedef struct cli_batch {
    size_t count;
    size_t jobs;                             /* how many at once */
    void (*work)(void *user, size_t index);  /* on any thread */
    void (*print)(void *user, size_t index); /* in order, one at a time, once its work is done */
    const char *(*label)(void *user, size_t index); /* for the progress line */
    void *user;
} cli_batch;

/* False when memory is short; nothing was done then. */
bool cli_batch_run(const cli_batch *batch);

/* How many CPUs this process may use. */
size_t cli_cpu_count(void);

/* --- recompile, which `run --recompile` does too (cmd_recompile.c) --- */

/* Makes the artifact for this engine that `ref` lacks and puts it, unsigned. Errors: those of
 * resolving, recompiling and putting. */
int cli_recompile_ref(const char *store_path, const char *ref, bool no_sandbox,
                      snapcell_error *err);

/* --- The commands --- */

extern const cli_command cmd_backup;
extern const cli_command cmd_compile;
extern const cli_command cmd_keygen;
extern const cli_command cmd_sign;
extern const cli_command cmd_run;
extern const cli_command cmd_ls;
extern const cli_command cmd_show;
extern const cli_command cmd_rm;
extern const cli_command cmd_gc;
extern const cli_command cmd_verify;
extern const cli_command cmd_salvage;
extern const cli_command cmd_export;
extern const cli_command cmd_history;
extern const cli_command cmd_import;
extern const cli_command cmd_push;
extern const cli_command cmd_pull;
extern const cli_command cmd_copy;
extern const cli_command cmd_release;
extern const cli_command cmd_stat;
extern const cli_command cmd_rebuild;
extern const cli_command cmd_recompile;
extern const cli_command cmd_engine;
extern const cli_command cmd_serve;
extern const cli_command cmd_bench; /* in bench/ */

#endif
