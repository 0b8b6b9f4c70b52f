/* Functions on their way into a store. */
#include <stdlib.h>
#include <string.h>

#include "cli_functions.h"
#include "cli_history.h"
#include "cli_release.h"
#include "error_set.h"

int cli_arrivals_check_name(const char *name, const oci_facts *first, const oci_facts *other,
                            snapcell_error *err)
{
    if (!name || !first || strcmp(first->name, other->name) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "--name is for one function, and there are several, as '%s' and '%s'",
                     first->name, other->name);
}

/* --- Taking --- */

static int arrival_check(const cli_arrivals *arrivals, const oci_facts *facts, cli_arrival *arrival,
                         snapcell_error *err)
{
    int status =
        snapcell_artifact_describe(arrival->bytes, arrival->size_bytes, &arrival->info, err);
    if (status != SNAPCELL_OK) return status;
    const char *name = arrivals->name   ? arrivals->name
                       : facts->name[0] ? facts->name
                                        : arrival->info.name;
    snprintf(arrival->name, sizeof(arrival->name), "%s", name);
    status = snapcell_name_check(arrival->name, err);
    if (status == SNAPCELL_OK)
        status = cli_artifact_check(arrivals->arguments, arrivals->trust, arrival->bytes,
                                    arrival->size_bytes, arrival->name, &arrival->info, err);
    return status == SNAPCELL_OK ? oci_function_compare(facts, &arrival->info, err) : status;
}

static cli_arrival *arrivals_grow(cli_arrivals *arrivals)
{
    if (arrivals->count == arrivals->capacity) {
        size_t capacity = arrivals->capacity ? 2 * arrivals->capacity : 16;
        cli_arrival *items = realloc(arrivals->items, capacity * sizeof(*items));
        if (!items) return NULL;
        arrivals->items = items;
        arrivals->capacity = capacity;
    }
    cli_arrival *added = &arrivals->items[arrivals->count];
    memset(added, 0, sizeof(*added));
    return added;
}

int cli_arrivals_add(cli_arrivals *arrivals, void *bytes, size_t size_bytes, const oci_facts *facts,
                     snapcell_error *err)
{
    cleanup_free void *owned = bytes;
    cli_arrival *added = arrivals_grow(arrivals);
    if (!added) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of functions");
    added->bytes = bytes;
    added->size_bytes = size_bytes;
    int status = arrival_check(arrivals, facts, added, err);
    if (status != SNAPCELL_OK) return status;
    steal_pointer(&owned);
    arrivals->count++;
    return SNAPCELL_OK;
}

void cli_arrivals_release(cli_arrivals *arrivals)
{
    for (size_t i = 0; i < arrivals->count; i++)
        free(arrivals->items[i].bytes);
    free(arrivals->items);
    arrivals->items = NULL;
    arrivals->count = arrivals->capacity = 0;
}

/* --- Putting --- */

static void arrivals_who(const cli_arrivals *arrivals, char out[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1])
{
    if (arrivals->who)
        snprintf(out, SNAPCELL_HISTORY_WHO_SIZE_MAX + 1, "%s", arrivals->who);
    else
        cli_who(out);
}

static int arrivals_make_release(const cli_arrivals *arrivals, snapcell_store *store,
                                 snapcell_error *err)
{
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    cleanup_free snapcell_release_item *items = calloc(arrivals->count + 1, sizeof(*items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a release");
    for (size_t i = 0; i < arrivals->count; i++)
        items[i] = (snapcell_release_item){.name = arrivals->items[i].name,
                                           .key = arrivals->items[i].info.key};
    arrivals_who(arrivals, who);
    int status =
        snapcell_release_create(store, arrivals->release, who, items, arrivals->count, err);
    return status == SNAPCELL_OK && arrivals->activates
               ? snapcell_release_activate(store, arrivals->release, who, err)
               : status;
}

int cli_arrivals_store(const cli_arrivals *arrivals, snapcell_store *store, snapcell_error *err)
{
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    cleanup_free snapcell_store_item *items = calloc(arrivals->count + 1, sizeof(*items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of functions");
    for (size_t i = 0; i < arrivals->count; i++)
        items[i] = (snapcell_store_item){.bytes = arrivals->items[i].bytes,
                                         .size_bytes = arrivals->items[i].size_bytes,
                                         .name = arrivals->release ? NULL : arrivals->items[i].name,
                                         .origin = arrivals->origin};
    arrivals_who(arrivals, who);
    options.replace = arrivals->replace;
    options.action = arrivals->action;
    options.who = who;
    int status = snapcell_store_put_items(store, items, arrivals->count, &options, err);
    return status == SNAPCELL_OK && arrivals->release ? arrivals_make_release(arrivals, store, err)
                                                      : status;
}

static json_t *arrival_json(const cli_arrival *arrival)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    const snapcell_artifact_info *info = &arrival->info;
    return json_pack("{s:o, s:s, s:s, s:s, s:I, s:s, s:b}", "name", cli_json_text(arrival->name),
                     "key", cli_key_text(&info->key, key), "kind", cli_kind_name(info->kind),
                     "shape", cli_shape_name(info->shape), "artifact_bytes",
                     (json_int_t)info->artifact_size_bytes, "engine",
                     cli_fingerprint_text(&info->engine, engine), "current",
                     (int)cli_engine_is_this(&info->engine));
}

static void arrivals_tell(const cli_arrivals *arrivals, const char *verb, json_t *more)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    json_t *list = json_array();
    for (size_t i = 0; i < arrivals->count; i++) {
        const cli_arrival *arrival = &arrivals->items[i];
        if (arrivals->arguments->json)
            json_array_append_new(list, arrival_json(arrival));
        else
            cli_print("%s %s  %.12s\n", verb, arrival->name, cli_key_text(&arrival->info.key, key));
        if (!cli_engine_is_this(&arrival->info.engine))
            cli_message("%s (%.12s) is for another engine; `snapcell recompile %s` makes one for "
                        "this",
                        arrival->name, cli_key_text(&arrival->info.key, key), arrival->name);
    }
    if (arrivals->arguments->json && more) {
        json_object_set(more, "functions", list);
        cli_print_json(json_incref(more));
    } else if (arrivals->arguments->json) {
        cli_print_json(json_incref(list));
    }
    json_decref(list);
}

cli_status cli_arrivals_put(const cli_arrivals *arrivals, const char *verb, json_t *more)
{
    snapcell_error err;
    cli_status exit_status;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arrivals->arguments->store, SNAPCELL_STORE_CREATE, &exit_status);
    if (store) {
        int status = cli_arrivals_store(arrivals, store, &err);
        if (status == SNAPCELL_OK)
            arrivals_tell(arrivals, verb, more);
        else
            exit_status = cli_report(NULL, &err);
    }
    json_decref(more);
    return exit_status;
}
