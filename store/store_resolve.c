/* What a person types, turned into a key: a name, else a key, else a prefix of one. */
#include <stdio.h>
#include <string.h>

#include "error_set.h"
#include "store_internal.h"

#define STORE_PREFIX_DIGITS_MIN 4
#define STORE_KEY_DIGITS (SNAPCELL_KEY_HEX_SIZE - 1)
#define STORE_ENGINE_DIGITS_SHOWN 8
#define STORE_LIST_MAX 8

/* Up to STORE_LIST_MAX things, with commas, for a message. */
typedef struct store_text_list {
    char text[STORE_LIST_MAX * (STORE_KEY_DIGITS + 2) + 8];
    size_t size_bytes;
    unsigned count;
} store_text_list;

static void store_text_list_add(store_text_list *list, const char *text, int digits)
{
    if (list->count <= STORE_LIST_MAX) {
        const bool full = list->count == STORE_LIST_MAX;
        const int size =
            snprintf(list->text + list->size_bytes, sizeof(list->text) - list->size_bytes, "%s%.*s",
                     list->count > 0 ? ", " : "", digits, full ? "..." : text);
        if (size > 0) list->size_bytes += (size_t)size;
    }
    list->count++;
}

/* --- Names
 * -------------------------------------------------------------------------------------------------
 */

typedef struct store_name_search {
    const char *name;
    const snapcell_fingerprint *engine; /* NULL: any */
    snapcell_key key;                   /* of the entry that fits, or the last one */
    bool found;
    store_text_list engines;
} store_name_search;

static int store_search_name(MDB_cursor *cursor, store_name_search *search)
{
    store_name_entry entry;
    /* With its zero byte it is where the entries of this name begin. */
    MDB_val key = {.mv_size = strlen(search->name) + 1, .mv_data = (void *)(uintptr_t)search->name};
    MDB_val value;
    int status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (status == MDB_SUCCESS) {
        char hex[SNAPCELL_KEY_HEX_SIZE];
        status = store_name_parse(&key, &value, &entry);
        if (status != MDB_SUCCESS) return status;
        if (strcmp(entry.name, search->name) != 0) return MDB_SUCCESS;
        search->key = *entry.key;
        search->found = search->engine != NULL &&
                        memcmp(entry.engine, search->engine, sizeof(*entry.engine)) == 0;
        if (search->found) return MDB_SUCCESS;
        snapcell_fingerprint_format(entry.engine, hex);
        store_text_list_add(&search->engines, hex, STORE_ENGINE_DIGITS_SHOWN);
        status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

static int store_name_other_engine(const store_environment *environment,
                                   const store_name_search *search, snapcell_error *err)
{
    char hex[SNAPCELL_KEY_HEX_SIZE];
    if (search->engine == NULL) {
        return error_set(err, SNAPCELL_E_AMBIGUOUS,
                         "'%s' has artifacts for %u engines in the store %s (%s): say which one, "
                         "by its key",
                         search->name, search->engines.count, environment->path,
                         search->engines.text);
    }
    snapcell_fingerprint_format(search->engine, hex);
    return error_set(err, SNAPCELL_E_OTHER_ENGINE,
                     "'%s' is in the store %s for another engine only (%s, this one is %.*s): "
                     "`snapcell recompile %s` makes the missing artifact",
                     search->name, environment->path, search->engines.text,
                     STORE_ENGINE_DIGITS_SHOWN, hex, search->name);
}

/* --- Keys and prefixes
 * -------------------------------------------------------------------------------------------------
 */

static int store_digit(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/* The smallest key that begins with these digits. Returns how many there are, 0 when the text is
 * no prefix. */
static size_t store_prefix_parse(const char *text, snapcell_key *out)
{
    size_t count = 0;
    memset(out, 0, sizeof(*out));
    for (; text[count] != '\0'; count++) {
        const int digit = store_digit(text[count]);
        if (digit < 0 || count == STORE_KEY_DIGITS) return 0;
        out->bytes[count / 2] |= (uint8_t)(count % 2 == 0 ? digit << 4 : digit);
    }
    return count >= STORE_PREFIX_DIGITS_MIN ? count : 0;
}

static bool store_prefix_matches(const snapcell_key *key, const snapcell_key *prefix, size_t digits)
{
    if (memcmp(key->bytes, prefix->bytes, digits / 2) != 0) return false;
    return digits % 2 == 0 || key->bytes[digits / 2] >> 4 == prefix->bytes[digits / 2] >> 4;
}

static int store_search_prefix(MDB_cursor *cursor, const snapcell_key *prefix, size_t digits,
                               snapcell_key *out, store_text_list *keys)
{
    char hex[SNAPCELL_KEY_HEX_SIZE];
    MDB_val key = {.mv_size = sizeof(*prefix), .mv_data = (void *)(uintptr_t)prefix};
    int status = mdb_cursor_get(cursor, &key, NULL, MDB_SET_RANGE);
    while (status == MDB_SUCCESS) {
        if (key.mv_size != sizeof(*out)) return MDB_CORRUPTED;
        if (!store_prefix_matches(key.mv_data, prefix, digits)) return MDB_SUCCESS;
        memcpy(out, key.mv_data, sizeof(*out));
        snapcell_key_format(out, hex);
        store_text_list_add(keys, hex, STORE_KEY_DIGITS);
        status = mdb_cursor_get(cursor, &key, NULL, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

static int store_resolve_key(const store_environment *environment, MDB_txn *txn, const char *ref,
                             snapcell_key *out, snapcell_error *err)
{
    MDB_cursor *cursor;
    snapcell_key prefix;
    snapcell_key found;
    store_text_list keys = {0};
    const size_t digits = store_prefix_parse(ref, &prefix);
    if (digits > 0) {
        int status = mdb_cursor_open(txn, environment->artifacts, &cursor);
        if (status == MDB_SUCCESS) {
            status = store_search_prefix(cursor, &prefix, digits, &found, &keys);
            mdb_cursor_close(cursor);
        }
        if (status != MDB_SUCCESS) return store_error(environment, status, "looking up a key", err);
    }
    if (keys.count == 1) {
        *out = found;
        return SNAPCELL_OK;
    }
    if (keys.count > 1) {
        return error_set(err, SNAPCELL_E_AMBIGUOUS,
                         "'%s' begins %u keys in the store %s (%s): give more digits", ref,
                         keys.count, environment->path, keys.text);
    }
    return error_set(err, SNAPCELL_E_NOT_FOUND,
                     "no function or artifact '%.200s' in the store %s: expected a name, a key of "
                     "%d hex digits or its first %d or more; `snapcell ls` lists what is there",
                     ref, environment->path, STORE_KEY_DIGITS, STORE_PREFIX_DIGITS_MIN);
}

/* Whether `ref` is the whole key of an artifact that is here. */
static int store_find_whole_key(const store_environment *environment, MDB_txn *txn, const char *ref,
                                snapcell_key *out, bool *found)
{
    snapcell_key parsed;
    *found = false;
    if (store_prefix_parse(ref, &parsed) != STORE_KEY_DIGITS) return MDB_SUCCESS;
    MDB_val key = {.mv_size = sizeof(parsed), .mv_data = &parsed};
    MDB_val value;
    const int status = mdb_get(txn, environment->artifacts, &key, &value);
    if (status == MDB_NOTFOUND) return MDB_SUCCESS;
    if (status != MDB_SUCCESS) return status;
    *out = parsed;
    *found = true;
    return MDB_SUCCESS;
}

/* A whole key means itself, so that no name can hide it. A name that exists is taken as a
 * name, even where it could be a prefix too: another function than the one that was meant would be
 * worse than an error. */
static int store_resolve(const store_environment *environment, MDB_txn *txn, const char *ref,
                         const snapcell_fingerprint *engine, snapcell_key *out, snapcell_error *err)
{
    MDB_cursor *cursor;
    bool found;
    int status = store_find_whole_key(environment, txn, ref, out, &found);
    if (status != MDB_SUCCESS) return store_error(environment, status, "looking up a key", err);
    if (found) return SNAPCELL_OK;

    store_name_search search = {.name = ref, .engine = engine};
    const size_t size = strnlen(ref, SNAPCELL_NAME_SIZE_MAX + 1);
    if (size > 0 && size <= SNAPCELL_NAME_SIZE_MAX) {
        status = mdb_cursor_open(txn, environment->names, &cursor);
        if (status == MDB_SUCCESS) {
            status = store_search_name(cursor, &search);
            mdb_cursor_close(cursor);
        }
        if (status != MDB_SUCCESS)
            return store_error(environment, status, "looking up a name", err);
    }
    if (search.found || (engine == NULL && search.engines.count == 1)) {
        *out = search.key;
        return SNAPCELL_OK;
    }
    if (search.engines.count > 0) return store_name_other_engine(environment, &search, err);
    return store_resolve_key(environment, txn, ref, out, err);
}

int snapcell_store_resolve(snapcell_store *store, const char *ref,
                           const snapcell_fingerprint *engine, snapcell_key *out,
                           snapcell_error *err)
{
    MDB_txn *txn;
    if (ref == NULL) return error_set(err, SNAPCELL_E_USAGE, "no name or key to look up: NULL");
    int status = store_read_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_resolve(store->environment, txn, ref, engine, out, err);
    store_read_end(store->environment, txn);
    return status;
}
