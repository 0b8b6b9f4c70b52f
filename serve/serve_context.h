/* What the parts of a server share. Internal to serve/. One thread uses all of it. */
#ifndef SNAPCELL_SERVE_CONTEXT_H
#define SNAPCELL_SERVE_CONTEXT_H

#include <uv.h>

#include "serve_config.h"
#include "serve_log.h"
#include "serve_metrics.h"
#include "serve_names.h"
#include "serve_route.h"
#include "serve_watch.h"
#include "snapcell/trust.h"

/* A configuration in use. What began with one ends with it: it is freed with its last user. */
typedef struct serve_settings {
    serve_config config;
    serve_routes routes;
    size_t user_count;
} serve_settings;

typedef struct serve_context {
    uv_loop_t *loop;
    serve_settings *settings; /* the current ones */
    serve_names names;
    serve_log log;
    serve_metrics metrics;
    serve_watch watch;
    const snapcell_trust *trust; /* NULL: the store is trusted */
    const char *single;          /* the function for all requests; NULL: by routes */
    bool dev;
    bool no_sandbox;
    bool drains;
} serve_context;

static inline serve_settings *serve_settings_keep(serve_settings *settings)
{
    settings->user_count++;
    return settings;
}

static inline void serve_settings_drop(serve_settings *settings)
{
    if (settings == NULL || --settings->user_count > 0) return;
    serve_routes_release(&settings->routes);
    serve_config_release(&settings->config);
    free(settings);
}

#endif
