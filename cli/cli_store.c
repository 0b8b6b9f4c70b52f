/* The store as the commands see it. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "error_set.h"

snapcell_store *cli_store_open(const char *path, snapcell_store_mode mode, cli_status *status)
{
    snapcell_error err;
    snapcell_store *store = NULL;
    *status = CLI_DONE;
    cli_guard_store(path);
    if (snapcell_store_open(path, mode, &store, &err) == SNAPCELL_OK) return store;
    *status = cli_report(path, &err);
    return NULL;
}

snapcell_fingerprint cli_engine(void)
{
    snapcell_engine_info info;
    snapcell_engine_info_get(&info, sizeof(info));
    return info.fingerprint;
}

bool cli_engine_is_this(const snapcell_fingerprint *engine)
{
    snapcell_fingerprint own = cli_engine();
    return memcmp(own.bytes, engine->bytes, sizeof(own.bytes)) == 0;
}

int cli_resolve(snapcell_store *store, const char *ref, snapcell_key *out, snapcell_error *err)
{
    snapcell_fingerprint engine = cli_engine();
    int status = snapcell_store_resolve(store, ref, &engine, out, err);
    return status == SNAPCELL_E_OTHER_ENGINE ? snapcell_store_resolve(store, ref, NULL, out, err)
                                             : status;
}

static int store_add_name(void *user, const snapcell_store_name *entry)
{
    cli_names *names = user;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 64;
        cli_name *items = realloc(names->items, capacity * sizeof(*items));
        if (!items) return SNAPCELL_E_NOMEM;
        names->items = items;
        names->capacity = capacity;
    }
    cli_name *name = &names->items[names->count++];
    snprintf(name->name, sizeof(name->name), "%s", entry->name);
    name->engine = entry->engine;
    name->key = entry->key;
    return 0;
}

int cli_names_list(snapcell_store *store, cli_names *out, snapcell_error *err)
{
    *out = (cli_names){0};
    int status = snapcell_store_each_name(store, store_add_name, out, err);
    if (status == SNAPCELL_E_NOMEM)
        return error_set(err, status, "no memory for the list of names");
    return status;
}

void cli_names_release(cli_names *names)
{
    free(names->items);
    *names = (cli_names){0};
}

json_t *cli_manifest(const snapcell_artifact_info *info)
{
    return json_loadb(info->manifest, (size_t)info->manifest_size_bytes, 0, NULL);
}

uint64_t cli_source_size(const snapcell_artifact_info *info)
{
    json_t *manifest = cli_manifest(info);
    json_t *bytes = json_object_get(json_object_get(manifest, "bundle"), "bytes");
    uint64_t size_bytes =
        json_is_integer(bytes) ? (uint64_t)json_integer_value(bytes) : info->source_size_bytes;
    json_decref(manifest);
    return size_bytes;
}
