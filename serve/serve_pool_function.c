/* Functions and tenants: found by name, configured, freed. */
#include <stdlib.h>
#include <string.h>

#include "serve_pool_state.h"

static uint32_t function_hash(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % SERVE_FUNCTION_HASH_SIZE;
}

serve_tenant *serve_pool_tenant(serve_pool *pool, const char *name)
{
    if (name == NULL) name = "";
    serve_tenant *tenant = pool->tenants;
    while (tenant != NULL && strcmp(tenant->name, name) != 0)
        tenant = tenant->next;
    if (tenant != NULL) return tenant;
    tenant = calloc(1, sizeof(*tenant));
    if (tenant == NULL) return NULL;
    tenant->name = strdup(name);
    if (tenant->name == NULL) {
        free(tenant);
        return NULL;
    }
    tenant->next = pool->tenants;
    pool->tenants = tenant;
    return tenant;
}

static uint32_t function_tenant_max(const serve_config *config, const serve_tenant *tenant)
{
    for (size_t i = 0; i < config->tenant_count; i++)
        if (strcmp(config->tenants[i].name, tenant->name) == 0)
            return config->tenants[i].workers_max;
    return 0;
}

/* Its workers are counted with the tenant that it has by then. */
void serve_function_configure(serve_function *function)
{
    serve_pool *pool = function->pool;
    serve_settings *settings = serve_settings_keep(pool->context->settings);
    serve_settings_drop(function->settings);
    function->settings = settings;
    function->config = serve_config_function(&settings->config, function->name);
    serve_tenant *tenant = serve_pool_tenant(pool, function->config->tenant);
    if (tenant == NULL) tenant = function->tenant;
    if (function->tenant != NULL) function->tenant->worker_count -= function->worker_count;
    function->tenant = tenant;
    if (tenant == NULL) return;
    tenant->worker_count += function->worker_count;
    tenant->workers_max = function_tenant_max(&settings->config, tenant);
}

void serve_function_free(serve_function *function)
{
    serve_settings_drop(function->settings);
    free(function->failure);
    free(function->name);
    free(function);
}

/* Most functions never fail: an error takes five KiB. */
void serve_function_set_failure(serve_function *function, const snapcell_error *why)
{
    if (function->failure == NULL) function->failure = malloc(sizeof(*function->failure));
    if (function->failure != NULL) *function->failure = *why;
}

const snapcell_error *serve_function_failure(const serve_function *function)
{
    static const snapcell_error no_memory = {.code = SNAPCELL_E_NOMEM,
                                             .message = "no memory for a worker"};
    return function->failure != NULL ? function->failure : &no_memory;
}

static void function_learn(serve_function *function, const serve_name *name)
{
    snapcell_error error;
    function->watch.is_new |= memcmp(&function->key, &name->key, sizeof(name->key)) != 0;
    function->key = function->store_key = name->key;
    function->is_early = false;
    function->is_known = serve_names_shape(&function->pool->context->names, &name->key,
                                           &function->shape, &error) == SNAPCELL_OK;
    if (!function->is_known) serve_function_set_failure(function, &error);
}

static serve_function *function_new(serve_pool *pool, const serve_name *name)
{
    serve_function *function = calloc(1, sizeof(*function));
    if (function == NULL) return NULL;
    function->pool = pool;
    function->name = strdup(name->name);
    if (function->name != NULL) serve_function_configure(function);
    if (function->tenant == NULL) {
        serve_function_free(function);
        return NULL;
    }
    function_learn(function, name);
    uint32_t hash = function_hash(name->name);
    function->next = pool->functions[hash];
    pool->functions[hash] = function;
    return function;
}

serve_function *serve_pool_function(serve_pool *pool, const serve_name *name)
{
    serve_function *function = pool->functions[function_hash(name->name)];
    while (function != NULL && strcmp(function->name, name->name) != 0)
        function = function->next;
    if (function == NULL) return function_new(pool, name);
    if (!function->is_known || memcmp(&function->store_key, &name->key, sizeof(name->key)) != 0)
        function_learn(function, name);
    return function;
}
