#include "serve_config.h"

#include <stdlib.h>
#include <string.h>

#include "error_set.h"

#define MIB (UINT64_C(1) << 20)

static void config_strings_release(serve_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (serve_strings){0};
}

/* They may be secrets. */
static void config_variables_release(serve_variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        char *value = (char *)(uintptr_t)variables->items[i].value;
        if (value != NULL) explicit_bzero(value, strlen(value));
        free(value);
        free((char *)(uintptr_t)variables->items[i].name);
    }
    free(variables->items);
    *variables = (serve_variables){0};
}

static void config_function_release(serve_function_config *function)
{
    free(function->name);
    free(function->tenant);
    config_strings_release(&function->allow_net);
    config_variables_release(&function->env);
    config_variables_release(&function->json_env);
}

int serve_config_init(serve_config *config, snapcell_error *err)
{
    (void)err;
    *config = (serve_config){
        .source = {.interval_s = 60,
                   .monitor_s = 60,
                   .min_requests = 20,
                   .max_failure_percent = 10},
        .access_log = true,
        .by_host = true,
        .image_bytes = SNAPCELL_IMAGE_BYTES_MAX_DEFAULT,
        .image_folder_bytes = SNAPCELL_IMAGE_FOLDER_BYTES_MAX_DEFAULT,
        .workers_max = 256,
        .connections_max = 16384,
        .head_bytes = 32768,
        .head_ms = 10000,
        .body_ms = 30000,
        .write_ms = 30000,
        .idle_ms = 75000,
        .drain_ms = 30000,
        .defaults =
            {
                .policy = SNAPCELL_WORKERS_RESTORE,
                .memory_mb = 128,
                .cpu_ms = 10000,
                .wall_ms = 300000,
                .wait_until_ms = 30000,
                .body_bytes = 100 * MIB,
                .workers_min = 0,
                .workers_max = 8,
                .idle_ms = 60000,
                .queue_max = 1000,
                .queue_ms = 10000,
            },
    };
    return SNAPCELL_OK;
}

void serve_config_release(serve_config *config)
{
    config_strings_release(&config->listen);
    config_strings_release(&config->trust);
    config_strings_release(&config->trusted_proxies);
    config_strings_release(&config->secret_files);
    free(config->source.reference);
    free(config->source.ca_file);
    free(config->metrics);
    free(config->image_folder);
    free(config->store);
    config_function_release(&config->defaults);
    for (size_t i = 0; i < config->function_count; i++)
        config_function_release(&config->functions[i]);
    for (size_t i = 0; i < config->route_count; i++) {
        free(config->routes[i].pattern);
        free(config->routes[i].function);
    }
    for (size_t i = 0; i < config->tenant_count; i++)
        free(config->tenants[i].name);
    free(config->functions);
    free(config->routes);
    free(config->tenants);
    *config = (serve_config){0};
}

const serve_function_config *serve_config_function(const serve_config *config, const char *name)
{
    for (size_t i = 0; i < config->function_count; i++)
        if (strcmp(config->functions[i].name, name) == 0) return &config->functions[i];
    return &config->defaults;
}
