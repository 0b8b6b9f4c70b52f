/* Functions on their way out of a store. */
#include <stdlib.h>
#include <string.h>

#include "cli_functions.h"
#include "cli_release.h"
#include "error_set.h"

static int departures_add(cli_departures *departures, const char *name, const snapcell_key *key,
                          const char *ref, bool by_name, snapcell_error *err)
{
    for (size_t i = 0; i < departures->count; i++)
        if (strcmp(departures->items[i].name, name) == 0 &&
            memcmp(&departures->items[i].key, key, sizeof(*key)) == 0)
            return SNAPCELL_OK;
    cli_departure *items =
        realloc(departures->items, (departures->count + 1) * sizeof(*departures->items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of functions");
    departures->items = items;
    cli_departure *added = &items[departures->count++];
    *added = (cli_departure){.key = *key, .ref = ref, .by_name = by_name};
    snprintf(added->name, sizeof(added->name), "%s", name);
    return SNAPCELL_OK;
}

/* The artifact of a key, under its own name. */
static int departures_add_key(snapcell_store *store, cli_departures *departures, const char *ref,
                              snapcell_error *err)
{
    snapcell_key key;
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_artifact_info info;
    int status = cli_resolve(store, ref, &key, err);
    if (status == SNAPCELL_OK) status = snapcell_store_get(store, &key, &bytes, &size_bytes, err);
    if (status == SNAPCELL_OK) status = snapcell_artifact_describe(bytes, size_bytes, &info, err);
    return status == SNAPCELL_OK ? departures_add(departures, info.name, &key, ref, false, err)
                                 : status;
}

static int departure_compare(const void *a, const void *b)
{
    const cli_departure *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : memcmp(&left->key, &right->key, sizeof(left->key));
}

int cli_departures_find(snapcell_store *store, char *const *refs, size_t ref_count,
                        cli_departures *out, snapcell_error *err)
{
    cli_cleanup_names cli_names names = {0};
    *out = (cli_departures){0};
    int status = cli_names_list(store, &names, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < ref_count; i++) {
        size_t before = out->count;
        bool is_name = false;
        for (size_t j = 0; status == SNAPCELL_OK && j < names.count; j++) {
            if (strcmp(names.items[j].name, refs[i]) != 0) continue;
            is_name = true;
            status = departures_add(out, refs[i], &names.items[j].key, refs[i], true, err);
        }
        if (status == SNAPCELL_OK && out->count == before && !is_name)
            status = departures_add_key(store, out, refs[i], err);
    }
    if (out->count > 1) qsort(out->items, out->count, sizeof(*out->items), departure_compare);
    return status;
}

int cli_departures_of_release(snapcell_store *store, const char *release, cli_departures *out,
                              snapcell_error *err)
{
    cli_cleanup_names cli_names names = {0};
    *out = (cli_departures){0};
    int status = cli_release_names(store, release, &names, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < names.count; i++)
        status = departures_add(out, names.items[i].name, &names.items[i].key, release, true, err);
    return status;
}

void cli_departures_release(cli_departures *departures)
{
    free(departures->items);
    *departures = (cli_departures){0};
}

/* --- One of them --- */

static int departing_make(const cli_departure *departure, const snapcell_artifact_info *info,
                          bool has_artifact_type, cli_departing *out, snapcell_error *err)
{
    snapcell_signature signature;
    int status = cli_signature_read(out->bytes, out->size_bytes, &signature, err);
    if (status != SNAPCELL_OK) return status;
    json_t *facts = cli_facts_alone(info, &signature);
    if (!facts) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the facts of a function");
    status = oci_function_make(out->bytes, out->size_bytes, departure->name, facts, info,
                               signature.name[0] ? &signature : NULL, has_artifact_type,
                               &out->function, err);
    json_decref(facts);
    return status;
}

int cli_departing_read(snapcell_store *store, const cli_arguments *arguments,
                       const snapcell_trust *trust, const cli_departure *departure,
                       bool has_artifact_type, cli_departing *out, snapcell_error *err)
{
    snapcell_artifact_info info;
    const char *asked =
        departure->by_name ? departure->name : cli_ref_name(departure->ref, &departure->key);
    *out = (cli_departing){0};
    int status = snapcell_store_get(store, &departure->key, &out->bytes, &out->size_bytes, err);
    if (status == SNAPCELL_OK)
        status =
            cli_artifact_check(arguments, trust, out->bytes, out->size_bytes, asked, &info, err);
    if (status == SNAPCELL_OK)
        status = departing_make(departure, &info, has_artifact_type, out, err);
    if (status != SNAPCELL_OK) cli_departing_release(out);
    return status;
}

void cli_departing_release(cli_departing *departing)
{
    free(departing->bytes);
    oci_function_release(&departing->function);
    *departing = (cli_departing){0};
}
