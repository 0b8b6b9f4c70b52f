/* Runs a bundle of tests inside of the engine: builds it in a child process, materializes it here
 * and calls it. A bundle answers "ok N" when its N tests passed.
 *   area_runner BUNDLE.js [--warm] [--stats] [--event JSON]...
 * --warm: a warm-up call ran all tests at build time; they have to pass after it as well.
 * --stats: prints sizes and times, for people who measure. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "engine.h"

#define MEMORY_LIMIT_BYTES ((uint64_t)256 << 20)
#define BLOB_SIZE_MAX (64u << 20)
#define EVENTS_MAX 1000

typedef struct runner {
    const char *path;
    bool warm;
    bool stats;
    const char *events[EVENTS_MAX];
    size_t event_count;
    char *source;
    size_t source_size;
} runner;

static const void *runner_source(void *user)
{
    return ((runner *)user)->source;
}

static void runner_log(void *user, snapcell_log_level level, const char *function_name,
                       const char *text, size_t text_size_bytes)
{
    (void)user;
    (void)function_name;
    fprintf(stderr, "[%d] %.*s\n", (int)level, (int)text_size_bytes, text);
}

static engine_bundle runner_bundle(runner *self)
{
    const char *slash = strrchr(self->path, '/');
    return (engine_bundle){.file_name = slash ? slash + 1 : self->path,
                           .source = {.encoding = ARTIFACT_TEXT_LATIN1,
                                      .length = self->source_size,
                                      .data = runner_source,
                                      .user = self}};
}

static int runner_fail(const char *what, const snapcell_error *err)
{
    fprintf(stderr, "%s: %s\n%s\n", what, err->message, err->stack);
    return 1;
}

static int runner_build(runner *self, int out)
{
    snapcell_error err = {0};
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    warm.url = "/warm";
    engine_bundle bundle = runner_bundle(self);
    engine_build_options options = {.kind = SNAPCELL_ARTIFACT_SNAPSHOT,
                                    .warm = &warm,
                                    .warm_count = self->warm ? 1 : 0,
                                    .memory_limit_bytes = MEMORY_LIMIT_BYTES,
                                    .log = runner_log,
                                    .function_name = "area"};
    engine_build_result result = {0};
    if (engine_start(ENGINE_MODE_BUILD, &err) || engine_build(&bundle, &options, &result, &err))
        return runner_fail("build", &err);
    if (self->stats) fprintf(stderr, "modules in the blob: %s\n", result.apis);
    char header[2] = {(char)result.shape, (char)result.format};
    if (write(out, header, sizeof(header)) != sizeof(header)) return 1;
    for (size_t done = 0; done < result.blob_size_bytes;) {
        ssize_t put = write(out, (char *)result.blob + done, result.blob_size_bytes - done);
        if (put < 0) return 1;
        done += (size_t)put;
    }
    engine_build_result_release(&result);
    return 0;
}

/* Reads all that the child writes. */
static size_t runner_read_all(int in, char *out, size_t size_max)
{
    size_t size = 0;
    while (size < size_max) {
        ssize_t got = read(in, out + size, size_max - size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size += (size_t)got;
    }
    return size;
}

static int runner_build_in_child(runner *self, char *out, size_t *size)
{
    int ends[2];
    if (pipe(ends) != 0) return 1;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(runner_build(self, ends[1]));
    }
    close(ends[1]);
    *size = runner_read_all(ends[0], out, BLOB_SIZE_MAX);
    close(ends[0]);
    int status = 0;
    return child < 0 || waitpid(child, &status, 0) != child || status != 0 || *size < 2;
}

static double runner_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int runner_fetch(engine_cell *cell)
{
    snapcell_error err = {0};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    request.url = "http://localhost/run?q=1";
    if (engine_cell_fetch(cell, &request, &response, &err)) return runner_fail("fetch", &err);
    const char *body = snapcell_response_body(response, NULL);
    int failed = strncmp(body, "ok", 2) != 0;
    fprintf(failed ? stderr : stdout, "%s\n", body);
    snapcell_response_free(response);
    return failed;
}

static int runner_invoke(engine_cell *cell, const char *event)
{
    snapcell_error err = {0};
    cleanup_free char *result = NULL;
    size_t size = 0;
    if (engine_cell_invoke(cell, event, &result, &size, &err)) return runner_fail("invoke", &err);
    printf("%s\n", result);
    return 0;
}

static int runner_run(runner *self, const char *blob, size_t blob_size)
{
    snapcell_error err = {0};
    engine_image image = {.kind = SNAPCELL_ARTIFACT_SNAPSHOT,
                          .shape = (snapcell_handler_shape)blob[0],
                          .format = (engine_format)blob[1],
                          .blob = blob + 2,
                          .blob_size_bytes = blob_size - 2,
                          .bundle = runner_bundle(self)};
    engine_env env = {.name = "NAME", .value = "value"};
    engine_cell_options options = {.function_name = "area",
                                   .memory_limit_bytes = MEMORY_LIMIT_BYTES,
                                   .env = &env,
                                   .env_count = 1,
                                   .log = runner_log};
    engine_cell_times times = {0};
    engine_cell *cell = NULL;
    double start = runner_now_ms();
    if (engine_cell_new(&image, &options, &cell, &times, &err)) return runner_fail("new", &err);
    double made = runner_now_ms();
    int status = self->event_count > 0 ? 0 : runner_fetch(cell);
    for (size_t i = 0; i < self->event_count && status == 0; i++)
        status = runner_invoke(cell, self->events[i]);
    if (self->stats)
        fprintf(stderr, "blob %zu bytes, load %.3f ms, call %.3f ms\n", blob_size - 2, made - start,
                runner_now_ms() - made);
    engine_cell_free(cell);
    return status;
}

static int runner_load(runner *self)
{
    FILE *file = fopen(self->path, "rb");
    if (file == NULL) return 1;
    self->source = malloc(BLOB_SIZE_MAX);
    if (self->source != NULL) self->source_size = fread(self->source, 1, BLOB_SIZE_MAX, file);
    fclose(file);
    return self->source_size == 0;
}

int main(int argc, char **argv)
{
    runner self = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--warm") == 0)
            self.warm = true;
        else if (strcmp(argv[i], "--stats") == 0)
            self.stats = true;
        else if (strcmp(argv[i], "--event") == 0 && i + 1 < argc && self.event_count < EVENTS_MAX)
            self.events[self.event_count++] = argv[++i];
        else
            self.path = argv[i];
    }
    if (self.path == NULL || runner_load(&self)) {
        fprintf(stderr, "usage: area_runner BUNDLE.js [--warm] [--stats] [--event JSON]...\n");
        return 2;
    }
    cleanup_free char *blob = malloc(BLOB_SIZE_MAX);
    size_t blob_size = 0;
    snapcell_error err = {0};
    int status = 1;
    if (blob == NULL || runner_build_in_child(&self, blob, &blob_size))
        fprintf(stderr, "%s could not be built\n", self.path);
    else if (engine_start(ENGINE_MODE_RUN, &err))
        status = runner_fail("start", &err);
    else
        status = runner_run(&self, blob, blob_size);
    for (int i = 0; i < 20 && self.stats && status == 0; i++)
        status = runner_run(&self, blob, blob_size);
    free(self.source);
    return status;
}
