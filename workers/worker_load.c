/* What a process is told to load: a function, its options, and whose artifacts it may trust. */
#include <stdlib.h>

#include "error_set.h"
#include "host_table.h"
#include "trust_set.h"
#include "worker_state.h"

#define MIB (UINT64_C(1) << 20)

/* In addition to a body: headers, and the fields of a message. */
#define MESSAGE_SLACK_BYTES (16 * MIB)
/* In addition to heap, ArrayBuffers and messages: the engine's own memory, and threads' stacks. */
#define DATA_SLACK_BYTES (512 * MIB)

static int worker_check_env(const snapcell_env *env, size_t count, snapcell_error *err)
{
    if (count > 0 && env == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "there are %zu variables, but env is NULL", count);
    for (size_t i = 0; i < count; i++)
        if (env[i].name == NULL || env[i].value == NULL)
            return error_set(err, SNAPCELL_E_USAGE, "variable %zu of env: its %s is NULL", i,
                             env[i].name == NULL ? "name" : "value");
    return SNAPCELL_OK;
}

int worker_check_options(const snapcell_cell_options *options, snapcell_error *err)
{
    int status = worker_check_env(options->env, options->env_count, err);
    return status == SNAPCELL_OK ? worker_check_env(options->json_env, options->json_env_count, err)
                                 : status;
}

/* 0, no limit, when there are not so many bytes. */
uint64_t worker_data_limit(const snapcell_worker *worker)
{
    uint64_t data = worker->workers->options.data_limit_bytes;
    if (data > 0) return data;
    if (__builtin_mul_overflow(worker->memory_limit_bytes, 6, &data) ||
        __builtin_add_overflow(data, DATA_SLACK_BYTES, &data))
        return 0;
    return data;
}

/* The keys' bytes stay in the group's set. `*out`: Owned, free(). */
static int worker_list_keys(const snapcell_trust *trust, cell_load *load, snapcell_error *err)
{
    load->has_trust = trust != NULL;
    load->key_count = trust != NULL ? (uint32_t)trust_entry_count(trust) : 0;
    load->keys = calloc(load->key_count + 1u, sizeof(*load->keys));
    if (load->keys == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for keys");
    for (uint32_t i = 0; i < load->key_count; i++) {
        cell_trust_key *key = &load->keys[i];
        key->public_key = trust_entry(trust, i, &key->revoked, &key->comment);
    }
    return SNAPCELL_OK;
}

/* Nothing of the host that must not be in an image is told to who makes it. */
static void worker_write_image_load(wire_writer *writer, cell_load load)
{
    load.makes_image = true;
    load.options.env_count = 0;
    load.options.json_env_count = 0;
    load.options.cpu_limit_ms = 0;
    load.options.wall_limit_ms = 0;
    cell_load_write(writer, &load);
}

int worker_write_load(snapcell_worker *worker, const snapcell_cell_options *options,
                      snapcell_error *err)
{
    const snapcell_workers *workers = worker->workers;
    cell_load load = {
        .store_path = workers->store_path,
        .ref = worker->ref,
        .logs = worker->logs,
        .policy = worker->wanted,
        .prelude_only = worker->prelude_only,
        .warm_calls = workers->options.warm_calls,
        .tier = workers->options.restore_tier,
        .call_size_max = worker->call_size_max,
        .answer_size_max = worker->answer_size_max,
        .no_sandbox = workers->options.no_sandbox,
        .has_net = worker->net.is_wanted,
        .data_limit_bytes = worker_data_limit(worker),
        .options = *options,
    };
    const snapcell_host *host = workers->options.host;
    const char *names[HOST_FUNCTION_COUNT_MAX];
    load.host_names = names;
    load.host_name_count = host != NULL ? (uint32_t)host->count : 0;
    for (uint32_t i = 0; i < load.host_name_count; i++)
        names[i] = host->functions[i].name;
    int status = worker_list_keys(workers->trust, &load, err);
    if (status == SNAPCELL_OK) cell_load_write(&worker->load, &load);
    if (status == SNAPCELL_OK && workers->images != NULL)
        worker_write_image_load(&worker->image_load, load);
    free(load.keys);
    if (status == SNAPCELL_OK && (worker->load.failed || worker->image_load.failed))
        status = error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    return status;
}

/* Of a message with so much in it, or the largest that there can be. */
static uint64_t worker_message_size(uint64_t content_bytes)
{
    uint64_t size_max = cell_body_size_max(CELL_MESSAGE_CALL);
    return content_bytes < size_max - MESSAGE_SLACK_BYTES ? content_bytes + MESSAGE_SLACK_BYTES
                                                          : size_max;
}

void worker_set_limits(snapcell_worker *worker, const snapcell_cell_options *options)
{
    worker->cpu_limit_ms = options->cpu_limit_ms;
    worker->wall_limit_ms = options->wall_limit_ms;
    worker->memory_limit_bytes = options->memory_limit_bytes > 0
                                     ? options->memory_limit_bytes
                                     : SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT;
    uint64_t answer = options->response_limit_bytes > 0 ? options->response_limit_bytes
                                                        : worker->memory_limit_bytes;
    worker->answer_size_max = worker_message_size(answer);
    worker->call_size_max = worker_message_size(worker->memory_limit_bytes);
}
