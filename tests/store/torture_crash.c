/* kill -9: a writer tells over a pipe what it begins and what was acknowledged, and is killed at a
 * random moment. Then the store must be what the acknowledged changes make it, with or without the
 * one that was under way. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"
#include "torture_report.h"

#define ARTIFACTS 48u
#define NAMES 20u
#define ENGINE 1
#define NOTHING UINT32_MAX

enum { ACKNOWLEDGED, WHOLE, SOUND, CREATED, IMPORTED, PROMISES };
static torture_promise promises[PROMISES] = {
    [ACKNOWLEDGED] = {"after kill -9 every acknowledged change is there, and no half one"},
    [WHOLE] = {"after kill -9 each artifact reads back whole"},
    [SOUND] = {"after kill -9 every page of the store has one use"},
    [CREATED] = {"a store whose making was killed is whole or not there"},
    [IMPORTED] = {"an import that was killed is done or not begun"},
};

typedef enum change_kind {
    CREATE,
    PUT,
    MOVE,
    REMOVE,
    REMOVE_NAME,
    COLLECT,
    CHANGE_KINDS
} change_kind;
static const char *const change_names[CHANGE_KINDS] = {"create", "put",         "move",
                                                       "remove", "remove name", "collect"};
static unsigned long killed_in[CHANGE_KINDS];

typedef struct crash_change {
    uint32_t kind;
    uint32_t name;
    uint32_t artifact;
    uint32_t done; /* 0: it begins; 1: it was acknowledged */
} crash_change;

/* What the store holds. */
typedef struct crash_model {
    bool there; /* the store itself */
    bool artifacts[ARTIFACTS];
    uint32_t names[NAMES]; /* an artifact, or NOTHING */
} crash_model;

static fixture_artifact artifacts[ARTIFACTS];
static crash_model known;
static uint32_t random_state;
static uint32_t writer_course; /* another one for each writer */
static char import_path[128];

static uint32_t below(uint32_t limit)
{
    return fixture_random(&random_state) % limit;
}

static void pause_us(long us)
{
    const struct timespec pause = {.tv_nsec = us * 1000};
    nanosleep(&pause, NULL);
}

static void name_of(uint32_t number, char out[32])
{
    snprintf(out, 32, "function-%u", number);
}

/* --- The model
 * -------------------------------------------------------------------------------------------------
 */

static bool is_named(const crash_model *model, uint32_t artifact)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        if (model->names[i] == artifact) return true;
    }
    return false;
}

static void forget_artifact(crash_model *model, uint32_t artifact)
{
    model->artifacts[artifact] = false;
    for (uint32_t i = 0; i < NAMES; i++) {
        if (model->names[i] == artifact) model->names[i] = NOTHING;
    }
}

static void forget_name(crash_model *model, uint32_t name)
{
    const uint32_t artifact = model->names[name];
    model->names[name] = NOTHING;
    if (artifact != NOTHING && !is_named(model, artifact)) model->artifacts[artifact] = false;
}

static void apply(crash_model *model, const crash_change *change)
{
    switch ((change_kind)change->kind) {
    case CREATE:
        model->there = true;
        break;
    case PUT:
        model->artifacts[change->artifact] = true;
        model->names[change->name] = change->artifact;
        break;
    case MOVE:
        if (model->artifacts[change->artifact]) model->names[change->name] = change->artifact;
        break;
    case REMOVE:
        forget_artifact(model, change->artifact);
        break;
    case REMOVE_NAME:
        forget_name(model, change->name);
        break;
    case COLLECT:
    default:
        for (uint32_t i = 0; i < ARTIFACTS; i++) {
            if (!is_named(model, i)) model->artifacts[i] = false;
        }
        break;
    }
}

static void model_empty(crash_model *model)
{
    memset(model, 0, sizeof(*model));
    for (uint32_t i = 0; i < NAMES; i++) {
        model->names[i] = NOTHING;
    }
}

/* What the store says; artifacts are compared byte by byte on the way. */
static bool read_store(snapcell_store *store, crash_model *out)
{
    const snapcell_fingerprint engine = fixture_engine(ENGINE);
    snapcell_error err;
    model_empty(out);
    out->there = true;
    for (uint32_t i = 0; i < ARTIFACTS; i++) {
        snapcell_store_view view;
        if (snapcell_store_view_open(store, &artifacts[i].key, &view, NULL) != SNAPCELL_OK)
            continue;
        out->artifacts[i] = true;
        torture_try(&promises[WHOLE],
                    view.size_bytes == artifacts[i].size_bytes &&
                        memcmp(view.bytes, artifacts[i].bytes, view.size_bytes) == 0,
                    "artifact %u", i);
        snapcell_store_view_close(store, &view);
    }
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[32];
        snapcell_key key;
        name_of(i, name);
        if (snapcell_store_resolve(store, name, &engine, &key, NULL) != SNAPCELL_OK) continue;
        for (uint32_t j = 0; j < ARTIFACTS; j++) {
            if (memcmp(&key, &artifacts[j].key, sizeof(key)) == 0) out->names[i] = j;
        }
    }
    const bool sound = snapcell_store_check(store, &err) == SNAPCELL_OK;
    return torture_try(&promises[SOUND], sound, "%s", sound ? "" : err.message);
}

/* --- The writer
 * -------------------------------------------------------------------------------------------------
 */

static int perform(snapcell_store *store, const crash_change *change, snapcell_error *err)
{
    char name[32];
    const fixture_artifact *artifact = &artifacts[change->artifact];
    name_of(change->name, name);
    switch ((change_kind)change->kind) {
    case PUT:
        return snapcell_store_put(store, artifact->bytes, artifact->size_bytes, name, err);
    case MOVE:
        return snapcell_store_name_set(store, name, &artifact->key, err);
    case REMOVE:
        return snapcell_store_remove(store, &artifact->key, err);
    case REMOVE_NAME:
        return snapcell_store_remove_name(store, name, err);
    case COLLECT:
        return snapcell_store_gc(store, NULL, err);
    default:
        return SNAPCELL_OK;
    }
}

static bool tell(int pipe, crash_change *change, uint32_t done)
{
    change->done = done;
    return write(pipe, change, sizeof(*change)) == sizeof(*change);
}

static int write_until_killed(void *argument)
{
    static const uint8_t kinds[] = {PUT,  PUT,  PUT,    PUT,         PUT,
                                    MOVE, MOVE, REMOVE, REMOVE_NAME, COLLECT};
    const int pipe = *(const int *)argument;
    snapcell_error err;
    snapcell_store *store = NULL;
    crash_change change = {.kind = CREATE};
    random_state = writer_course;
    if (!tell(pipe, &change, 0) ||
        snapcell_store_open(fixture_store, SNAPCELL_STORE_CREATE, &store, &err) != SNAPCELL_OK ||
        !tell(pipe, &change, 1))
        return 1;
    for (;;) {
        change.kind = kinds[below(sizeof(kinds))];
        change.name = below(NAMES);
        change.artifact = below(ARTIFACTS);
        if (!tell(pipe, &change, 0)) return 1;
        int status = perform(store, &change, &err);
        /* What is not there cannot be moved or removed. */
        if (status != SNAPCELL_OK && status != SNAPCELL_E_NOT_FOUND) {
            fprintf(stderr, "%s: %s\n", change_names[change.kind], err.message);
            return 1;
        }
        if (!tell(pipe, &change, 1)) return 1;
    }
}

/* --- Rounds
 * -------------------------------------------------------------------------------------------------
 */

static bool models_equal(const crash_model *a, const crash_model *b)
{
    return a->there == b->there && memcmp(a->artifacts, b->artifacts, sizeof(a->artifacts)) == 0 &&
           memcmp(a->names, b->names, sizeof(a->names)) == 0;
}

static void tell_difference(const crash_model *expected, const crash_model *found)
{
    for (uint32_t i = 0; i < ARTIFACTS; i++) {
        if (expected->artifacts[i] != found->artifacts[i])
            fprintf(stderr, "artifact %u: expected %d\n", i, expected->artifacts[i]);
    }
    for (uint32_t i = 0; i < NAMES; i++) {
        if (expected->names[i] != found->names[i])
            fprintf(stderr, "name %u: expected %u, found %u\n", i, expected->names[i],
                    found->names[i]);
    }
}

/* With the change under way, or without it; then what is there is what is known. */
static void judge(torture_promise *promise, const crash_change *pending)
{
    crash_model with = known;
    crash_model found;
    snapcell_error err;
    snapcell_store *store = NULL;
    if (pending != NULL) apply(&with, pending);
    int status = snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &store, &err);
    model_empty(&found);
    /* A writer that dies once its change is on disk, but not told to readers yet, leaves that to
     * the next writer: here is one. */
    if (status == SNAPCELL_OK) snapcell_store_remove_name(store, "nothing", NULL);
    if (status == SNAPCELL_OK) read_store(store, &found);
    snapcell_store_close(store);
    const bool kept = (status == SNAPCELL_OK || status == SNAPCELL_E_NOT_FOUND) &&
                      (models_equal(&found, &known) || models_equal(&found, &with));
    torture_try(promise, kept, "%s: %s",
                pending != NULL ? change_names[pending->kind] : "nothing under way",
                status == SNAPCELL_OK ? "it holds something else" : err.message);
    if (!kept) tell_difference(&known, &found);
    known = found;
}

/* Applies what was acknowledged. Returns whether a change is under way, which is then `last`. */
static bool read_acknowledged(int pipe, crash_change *last)
{
    bool pending = false;
    while (read(pipe, last, sizeof(*last)) == sizeof(*last)) {
        pending = last->done == 0;
        if (!pending) apply(&known, last);
    }
    return pending;
}

static void remove_store(void)
{
    char path[128];
    static const char *const names[] = {"/data.mdb", "/lock.mdb", "/data.mdb.new",
                                        "/data.mdb.compact", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", fixture_store, names[i]);
        remove(path);
    }
    model_empty(&known);
}

/* `held`: this process has the store open meanwhile, so that nobody cleans up by opening first. */
static void kill_writer(bool creating, bool held)
{
    int ends[2];
    crash_change last;
    if (pipe(ends) != 0) abort();
    snapcell_store *store = held ? fixture_open(SNAPCELL_STORE_WRITE) : NULL;
    writer_course = fixture_random(&random_state) | 1;
    pid_t pid = fixture_start(write_until_killed, &ends[1]);
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    poll(&ready, 1, 10000);
    pause_us(creating ? below(300) : below(6000));
    kill(pid, SIGKILL);
    const int ended = fixture_wait(pid);
    const bool pending = read_acknowledged(ends[0], &last);
    close(ends[0]);
    if (pending) killed_in[last.kind]++;
    if (ended != 1000 + SIGKILL) torture_try(&promises[ACKNOWLEDGED], false, "writer: %d", ended);
    judge(&promises[creating ? CREATED : ACKNOWLEDGED], pending ? &last : NULL);
    snapcell_store_close(store);
}

static int run_import(void *argument)
{
    const crash_change *change = argument;
    char name[32];
    name_of(change->name, name);
    const char *program = getenv("SNAPCELL_WORKER");
    if (program == NULL) return 3;
    if (freopen("/dev/null", "w", stdout) == NULL || dup2(fileno(stdout), STDERR_FILENO) < 0)
        return 3;
    execl(program, program, "import", import_path, "--name", name, "--store", fixture_store,
          (char *)NULL);
    return 3;
}

static void kill_import(void)
{
    crash_change change = {.kind = PUT, .name = below(NAMES), .artifact = below(ARTIFACTS)};
    const fixture_artifact *artifact = &artifacts[change.artifact];
    fixture_write_file(import_path, artifact->bytes, artifact->size_bytes);
    pid_t pid = fixture_start(run_import, &change);
    pause_us(below(20000));
    kill(pid, SIGKILL);
    const int ended = fixture_wait(pid);
    if (ended == 0) apply(&known, &change);
    if (ended != 0 && ended != 1000 + SIGKILL)
        torture_try(&promises[IMPORTED], false, "import: status %d", ended);
    judge(&promises[IMPORTED], ended == 0 ? NULL : &change);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 20);
    random_state = options.seed;
    fixture_setup_fast();
    snprintf(import_path, sizeof(import_path), "%s/artifact", fixture_directory);
    model_empty(&known);
    for (uint32_t i = 0; i < ARTIFACTS; i++) {
        artifacts[i] =
            fixture_artifact_new(i, ENGINE, i % 3 == 0 ? 20000 + i * 1000 : 200 + i * 40);
    }
    for (unsigned long i = 0; i < options.count; i++) {
        const bool creating = i % 10 == 0;
        if (creating) remove_store();
        if (creating || !known.there || i % 10 != 5)
            kill_writer(creating, known.there && i % 2 == 1);
        else
            kill_import();
        torture_progress(i, options.count);
    }
    for (size_t i = 0; i < CHANGE_KINDS; i++) {
        fprintf(stderr, "killed in %s: %lu\n", change_names[i], killed_in[i]);
    }
    fixture_teardown();
    return torture_report(promises, PROMISES);
}
