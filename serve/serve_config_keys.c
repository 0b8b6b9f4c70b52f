/* The keys of a configuration. docs/serve.md lists them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve_address.h"
#include "serve_config_read.h"
#include "serve_route.h"
#include "snapcell/net.h"

#define KEYS_SECRET_SIZE_MAX ((size_t)1 << 20)
#define MIB_MAX ((uint64_t)1 << 20)

/* --- Environment --- */

/* `value`: Owned by the caller. */
static void keys_add_variable(config_reader *reader, serve_variables *out, const char *name,
                              const char *value)
{
    snapcell_env *items = realloc(out->items, (out->count + 1) * sizeof(*items));
    if (items == NULL) {
        reader->no_memory = true;
        return;
    }
    out->items = items;
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(items[i].name, name) == 0) { /* that of the defaults */
            free((char *)(uintptr_t)items[i].value);
            items[i].value = strdup(value);
            reader->no_memory |= items[i].value == NULL;
            return;
        }
    items[out->count] = (snapcell_env){strdup(name), strdup(value)};
    reader->no_memory |= items[out->count].name == NULL || items[out->count].value == NULL;
    if (reader->no_memory) {
        free((char *)(uintptr_t)items[out->count].name);
        free((char *)(uintptr_t)items[out->count].value);
        return;
    }
    out->count++;
}

static void keys_take_env(config_reader *reader, const serve_json_step *step, json_t *value,
                          void *base)
{
    serve_function_config *function = base;
    const char *name;
    json_t *member;
    if (!config_expect(reader, step, value, JSON_OBJECT, "an object of variables")) return;
    json_object_foreach(value, name, member)
    {
        const serve_json_step inner = {.parent = step, .key = name};
        if (json_is_string(member)) {
            if (strlen(json_string_value(member)) != json_string_length(member))
                config_problem(reader, &inner, false, "the string has a zero byte in it");
            keys_add_variable(reader, &function->env, name, json_string_value(member));
            continue;
        }
        char *text = json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text != NULL) keys_add_variable(reader, &function->json_env, name, text);
        reader->no_memory |= text == NULL;
        free(text);
    }
}

static void keys_take_secret(config_reader *reader, const serve_json_step *step, const char *name,
                             const char *path, serve_function_config *function)
{
    snapcell_error error;
    char *text = NULL;
    size_t size = 0;
    char *whole = config_path(reader, path);
    if (whole == NULL) {
        reader->no_memory = true;
        return;
    }
    if (config_read_file(whole, KEYS_SECRET_SIZE_MAX, &text, &size, &error) != SNAPCELL_OK) {
        config_problem(reader, step, false, "%s", error.message);
    } else if (strlen(text) != size) {
        config_problem(reader, step, false, "%s has a zero byte in it", whole);
    } else {
        config_hash_text(reader->config, text, size);
        while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
            text[--size] = '\0'; /* as an editor leaves it */
        keys_add_variable(reader, &function->env, name, text);
        config_add_string(reader, &reader->config->secret_files, whole);
    }
    if (text != NULL) explicit_bzero(text, size);
    free(text);
    free(whole);
}

static void keys_take_secrets(config_reader *reader, const serve_json_step *step, json_t *value,
                              void *base)
{
    const char *name;
    json_t *member;
    if (!config_expect(reader, step, value, JSON_OBJECT, "an object of paths")) return;
    json_object_foreach(value, name, member)
    {
        const serve_json_step inner = {.parent = step, .key = name};
        if (config_expect(reader, &inner, member, JSON_STRING, "the path of a file"))
            keys_take_secret(reader, &inner, name, json_string_value(member), base);
    }
}

/* --- Functions --- */

#define FUNCTION(member) offsetof(serve_function_config, member)

static const char *const keys_policies[] = {"restore", "reload", "keep", NULL};

static const config_key keys_limits[] = {
    {.name = "memory_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = FUNCTION(memory_mb),
     .min = 1,
     .max = MIB_MAX,
     .unit = 1},
    {.name = "cpu_ms", .kind = CONFIG_NUMBER, .offset = FUNCTION(cpu_ms), .max = UINT32_MAX},
    {.name = "wall_ms", .kind = CONFIG_NUMBER, .offset = FUNCTION(wall_ms), .max = UINT32_MAX},
    {.name = "wait_until_ms",
     .kind = CONFIG_NUMBER,
     .offset = FUNCTION(wait_until_ms),
     .max = UINT32_MAX},
    {.name = "timers", .kind = CONFIG_NUMBER, .offset = FUNCTION(timers), .max = 1u << 20},
    {.name = "request_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = FUNCTION(body_bytes),
     .max = MIB_MAX,
     .unit = (uint64_t)1 << 20},
    {.name = "response_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = FUNCTION(response_bytes),
     .max = MIB_MAX,
     .unit = (uint64_t)1 << 20},
    {0},
};

static const config_key keys_pool[] = {
    {.name = "min_workers", .kind = CONFIG_NUMBER, .offset = FUNCTION(workers_min), .max = 4096},
    {.name = "max_workers",
     .kind = CONFIG_NUMBER,
     .offset = FUNCTION(workers_max),
     .min = 1,
     .max = 4096},
    {.name = "idle_ms", .kind = CONFIG_NUMBER, .offset = FUNCTION(idle_ms), .max = UINT32_MAX},
    {.name = "queue", .kind = CONFIG_NUMBER, .offset = FUNCTION(queue_max), .max = 1u << 20},
    {.name = "queue_ms", .kind = CONFIG_NUMBER, .offset = FUNCTION(queue_ms), .max = UINT32_MAX},
    {.name = "recycle_calls",
     .kind = CONFIG_NUMBER,
     .offset = FUNCTION(recycle_calls),
     .max = UINT32_MAX},
    {0},
};

static const config_key keys_function[] = {
    {.name = "policy", .kind = CONFIG_WORD, .offset = FUNCTION(policy), .words = keys_policies},
    {.name = "warm_calls",
     .kind = CONFIG_NUMBER,
     .offset = FUNCTION(warm_calls),
     .max = UINT32_MAX},
    {.name = "frozen_clock", .kind = CONFIG_FLAG, .offset = FUNCTION(frozen_clock)},
    {.name = "tenant", .kind = CONFIG_STRING, .offset = FUNCTION(tenant)},
    {.name = "env", .take = keys_take_env},
    {.name = "secrets", .take = keys_take_secrets},
    {.name = "allow_net",
     .kind = CONFIG_STRINGS,
     .offset = FUNCTION(allow_net),
     .check = snapcell_net_check_host},
    {.name = "allow_net_private", .kind = CONFIG_FLAG, .offset = FUNCTION(allow_net_private)},
    {.name = "limits", .kind = CONFIG_OBJECT, .keys = keys_limits},
    {.name = "pool", .kind = CONFIG_OBJECT, .keys = keys_pool},
    {0},
};

static void keys_check_pool(config_reader *reader, const serve_json_step *step,
                            const serve_function_config *function)
{
    if (function->workers_min > function->workers_max)
        config_problem(reader, step, false, "min_workers is %u, which is more than max_workers, %u",
                       function->workers_min, function->workers_max);
}

static void keys_take_defaults(config_reader *reader, const serve_json_step *step, json_t *value,
                               void *base)
{
    serve_config *config = base;
    config_take_object(reader, step, value, keys_function, &config->defaults);
    keys_check_pool(reader, step, &config->defaults);
}

static void keys_copy_variables(config_reader *reader, serve_variables *out,
                                const serve_variables *from)
{
    *out = (serve_variables){0};
    for (size_t i = 0; i < from->count; i++)
        keys_add_variable(reader, out, from->items[i].name, from->items[i].value);
}

/* Begins as the defaults are. */
static serve_function_config *keys_add_function(config_reader *reader, serve_config *config,
                                                const char *name)
{
    serve_function_config *items =
        realloc(config->functions, (config->function_count + 1) * sizeof(*items));
    if (items == NULL) {
        reader->no_memory = true;
        return NULL;
    }
    config->functions = items;
    const serve_function_config *defaults = &config->defaults;
    serve_function_config *function = &items[config->function_count++];
    *function = *defaults;
    function->name = strdup(name);
    function->tenant = defaults->tenant != NULL ? strdup(defaults->tenant) : NULL;
    reader->no_memory |= function->name == NULL;
    function->allow_net = (serve_strings){0};
    for (size_t i = 0; i < defaults->allow_net.count; i++)
        config_add_string(reader, &function->allow_net, defaults->allow_net.items[i]);
    keys_copy_variables(reader, &function->env, &defaults->env);
    keys_copy_variables(reader, &function->json_env, &defaults->json_env);
    return reader->no_memory ? NULL : function;
}

/* A list of its own is not added to that of the defaults. */
static void keys_clear_hosts(serve_function_config *function)
{
    for (size_t i = 0; i < function->allow_net.count; i++)
        free(function->allow_net.items[i]);
    free(function->allow_net.items);
    function->allow_net = (serve_strings){0};
}

static void keys_take_functions(config_reader *reader, const serve_json_step *step, json_t *value,
                                void *base)
{
    const char *name;
    json_t *member;
    if (!config_expect(reader, step, value, JSON_OBJECT, "an object of functions")) return;
    json_object_foreach(value, name, member)
    {
        const serve_json_step inner = {.parent = step, .key = name};
        serve_function_config *function = keys_add_function(reader, base, name);
        if (function == NULL) return;
        if (json_object_get(member, "allow_net") != NULL) keys_clear_hosts(function);
        config_take_object(reader, &inner, member, keys_function, function);
        keys_check_pool(reader, &inner, function);
    }
}

/* --- Routes and tenants --- */

static const config_key keys_route[] = {
    {.name = "pattern", .kind = CONFIG_STRING, .offset = offsetof(serve_route_config, pattern)},
    {.name = "function", .kind = CONFIG_STRING, .offset = offsetof(serve_route_config, function)},
    {0},
};

static void keys_check_route(config_reader *reader, const serve_json_step *step,
                             const serve_route_config *route)
{
    const serve_json_step pattern = {.parent = step, .key = "pattern"};
    snapcell_error error;
    serve_routes routes = {0};
    if (route->pattern == NULL || route->function == NULL)
        config_problem(reader, step, false, "a route has a \"pattern\" and a \"function\"");
    else if (serve_routes_add(&routes, route->pattern, route->function, &error) != SNAPCELL_OK)
        config_problem(reader, &pattern, false, "%s", error.message);
    serve_routes_release(&routes);
}

static void keys_check_twice(config_reader *reader, const serve_json_step *step,
                             const serve_config *config)
{
    const serve_json_step pattern = {.parent = step, .key = "pattern"};
    const serve_route_config *last = &config->routes[config->route_count - 1];
    for (size_t i = 0; last->pattern != NULL && i + 1 < config->route_count; i++)
        if (config->routes[i].pattern != NULL &&
            strcmp(config->routes[i].pattern, last->pattern) == 0)
            config_problem(reader, &pattern, false, "the pattern '%s' is there already",
                           last->pattern);
}

static void keys_take_routes(config_reader *reader, const serve_json_step *step, json_t *value,
                             void *base)
{
    serve_config *config = base;
    if (!config_expect(reader, step, value, JSON_ARRAY, "an array of routes")) return;
    size_t count = json_array_size(value);
    config->routes = calloc(count + 1, sizeof(*config->routes));
    if (config->routes == NULL) {
        reader->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const serve_json_step inner = {.parent = step, .index = i};
        serve_route_config *route = &config->routes[config->route_count++];
        size_t before = reader->problem_count;
        config_take_object(reader, &inner, json_array_get(value, i), keys_route, route);
        if (reader->problem_count != before) continue;
        keys_check_route(reader, &inner, route);
        keys_check_twice(reader, &inner, config);
    }
}

static const config_key keys_tenant[] = {
    {.name = "max_workers",
     .kind = CONFIG_NUMBER,
     .offset = offsetof(serve_tenant_config, workers_max),
     .min = 1,
     .max = 4096},
    {0},
};

static void keys_take_tenants(config_reader *reader, const serve_json_step *step, json_t *value,
                              void *base)
{
    serve_config *config = base;
    const char *name;
    json_t *member;
    if (!config_expect(reader, step, value, JSON_OBJECT, "an object of tenants")) return;
    config->tenants = calloc(json_object_size(value) + 1, sizeof(*config->tenants));
    if (config->tenants == NULL) {
        reader->no_memory = true;
        return;
    }
    json_object_foreach(value, name, member)
    {
        const serve_json_step inner = {.parent = step, .key = name};
        serve_tenant_config *tenant = &config->tenants[config->tenant_count++];
        tenant->name = strdup(name);
        reader->no_memory |= tenant->name == NULL;
        config_take_object(reader, &inner, member, keys_tenant, tenant);
    }
}

/* --- The source --- */

#define SOURCE(member) offsetof(serve_source_config, member)
#define KEYS_DAY_S 86400u

static const char *const keys_failure_actions[] = {"keep", "rollback", NULL};

static const config_key keys_source[] = {
    {.name = "reference", .kind = CONFIG_STRING, .offset = SOURCE(reference)},
    {.name = "ca_file", .kind = CONFIG_STRING, .offset = SOURCE(ca_file)},
    {.name = "plain_http", .kind = CONFIG_FLAG, .offset = SOURCE(plain_http)},
    {.name = "interval_s",
     .kind = CONFIG_NUMBER,
     .offset = SOURCE(interval_s),
     .min = 1,
     .max = KEYS_DAY_S},
    {.name = "failure_action",
     .kind = CONFIG_WORD,
     .offset = SOURCE(failure_action),
     .words = keys_failure_actions},
    {.name = "monitor_s",
     .kind = CONFIG_NUMBER,
     .offset = SOURCE(monitor_s),
     .min = 1,
     .max = KEYS_DAY_S},
    {.name = "min_requests",
     .kind = CONFIG_NUMBER,
     .offset = SOURCE(min_requests),
     .min = 1,
     .max = 1u << 20},
    {.name = "max_failure_percent",
     .kind = CONFIG_NUMBER,
     .offset = SOURCE(max_failure_percent),
     .max = 99},
    {0},
};

static void keys_take_source(config_reader *reader, const serve_json_step *step, json_t *value,
                             void *base)
{
    serve_config *config = base;
    serve_source_config *source = &config->source;
    const serve_json_step reference = {.parent = step, .key = "reference"};
    const serve_json_step ca_file = {.parent = step, .key = "ca_file"};
    snapcell_error error;
    config_take_object(reader, step, value, keys_source, source);
    if (!json_is_object(value)) return;
    if (json_object_get(value, "reference") == NULL)
        config_problem(reader, step, false,
                       "a source has a \"reference\", as oci://HOST/REPOSITORY:TAG");
    else if (source->reference != NULL && config->check_source != NULL &&
             config->check_source(source->reference, &error) != SNAPCELL_OK)
        config_problem(reader, &reference, false, "%s", error.message);
    if (source->ca_file == NULL) return;
    char *whole = config_path(reader, source->ca_file);
    reader->no_memory |= whole == NULL;
    if (whole != NULL && access(whole, R_OK) != 0)
        config_problem(reader, &ca_file, false, "cannot read the certificates in %s", whole);
    free(source->ca_file);
    source->ca_file = whole;
}

/* --- The whole --- */

#define SERVER(member) offsetof(serve_config, member)

static int keys_check_address(const char *text, snapcell_error *err)
{
    serve_address address;
    return serve_address_parse(text, &address, err);
}

static const config_key keys_timeouts[] = {
    {.name = "head_ms",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(head_ms),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "body_ms",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(body_ms),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "write_ms",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(write_ms),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "idle_ms",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(idle_ms),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "drain_ms", .kind = CONFIG_NUMBER, .offset = SERVER(drain_ms), .max = UINT32_MAX},
    {0},
};

static const config_key keys_server_limits[] = {
    {.name = "memory_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = SERVER(memory_mb),
     .min = 64,
     .max = (uint64_t)1 << 30,
     .unit = 1},
    {.name = "workers",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(workers_max),
     .min = 1,
     .max = 65536},
    {.name = "connections",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(connections_max),
     .min = 1,
     .max = 1u << 20},
    {.name = "head_bytes",
     .kind = CONFIG_NUMBER,
     .offset = SERVER(head_bytes),
     .min = 256,
     .max = 65000},
    {0},
};

static void keys_take_image_folder(config_reader *reader, const serve_json_step *step,
                                   json_t *value, void *base)
{
    serve_config *config = base;
    if (!config_expect(reader, step, value, JSON_STRING, "the path of a folder")) return;
    free(config->image_folder);
    config->image_folder = config_path(reader, json_string_value(value));
    reader->no_memory |= config->image_folder == NULL;
}

static const config_key keys_images[] = {
    {.name = "memory_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = SERVER(image_bytes),
     .max = MIB_MAX,
     .unit = (uint64_t)1 << 20},
    {.name = "folder", .take = keys_take_image_folder},
    {.name = "folder_mb",
     .kind = CONFIG_NUMBER_64,
     .offset = SERVER(image_folder_bytes),
     .min = 1,
     .max = MIB_MAX,
     .unit = (uint64_t)1 << 20},
    {0},
};

/* Read before all others: functions begin with them. */
static void keys_pass_over(config_reader *reader, const serve_json_step *step, json_t *value,
                           void *base)
{
    (void)reader;
    (void)step;
    (void)value;
    (void)base;
}

static const config_key keys_all[] = {
    {.name = "listen",
     .kind = CONFIG_STRINGS,
     .offset = SERVER(listen),
     .check = keys_check_address},
    {.name = "metrics", .kind = CONFIG_STRING, .offset = SERVER(metrics)},
    {.name = "source", .take = keys_take_source},
    {.name = "trusted_proxies",
     .kind = CONFIG_STRINGS,
     .offset = SERVER(trusted_proxies),
     .check = serve_address_check_range},
    {.name = "routes", .take = keys_take_routes},
    {.name = "by_host", .kind = CONFIG_FLAG, .offset = SERVER(by_host)},
    {.name = "access_log", .kind = CONFIG_FLAG, .offset = SERVER(access_log)},
    {.name = "functions", .take = keys_take_functions},
    {.name = "tenants", .take = keys_take_tenants},
    {.name = "limits", .kind = CONFIG_OBJECT, .keys = keys_server_limits},
    {.name = "images", .kind = CONFIG_OBJECT, .keys = keys_images},
    {.name = "timeouts", .kind = CONFIG_OBJECT, .keys = keys_timeouts},
    {.name = "defaults", .take = keys_pass_over},
    {0},
};

void config_take_all(config_reader *reader, json_t *value, serve_config *config)
{
    if (!config_expect(reader, NULL, value, JSON_OBJECT, "an object")) return;
    json_t *defaults = json_object_get(value, "defaults");
    const serve_json_step step = {.key = "defaults"};
    if (defaults != NULL) keys_take_defaults(reader, &step, defaults, config);
    config_take_object(reader, NULL, value, keys_all, config);
}
