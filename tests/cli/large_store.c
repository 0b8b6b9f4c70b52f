/* large_store STORE COUNT: gives the store's first artifact so many names, so that its trees have
 * more pages than are checked when it is opened to read. */
#include <stdio.h>
#include <stdlib.h>

#include "store_internal.h"

typedef struct many_names {
    snapcell_key key;
    unsigned count;
} many_names;

static int take_first(void *user, const snapcell_store_name *entry)
{
    ((many_names *)user)->key = entry->key;
    return 1;
}

static int put_names(store_environment *environment, MDB_txn *txn, void *argument,
                     snapcell_error *err)
{
    const many_names *many = argument;
    const snapcell_fingerprint engine = {{1}};
    int status = MDB_SUCCESS;
    (void)err;
    for (unsigned i = 0; status == MDB_SUCCESS && i < many->count; i++) {
        char name[SNAPCELL_NAME_SIZE_MAX + 1];
        snprintf(name, sizeof(name), "zz-%0100u", i);
        status = store_name_put(environment, txn, name, &engine, &many->key);
    }
    return status;
}

int main(int argc, char **argv)
{
    snapcell_error err;
    snapcell_store *store = NULL;
    if (argc != 3) return 2;
    many_names many = {.count = (unsigned)strtoul(argv[2], NULL, 10)};
    int status = snapcell_store_open(argv[1], SNAPCELL_STORE_WRITE, &store, &err);
    if (status == SNAPCELL_OK) snapcell_store_each_name(store, take_first, &many, &err);
    if (status == SNAPCELL_OK) status = store_write(store, put_names, &many, "putting names", &err);
    if (status != SNAPCELL_OK) fprintf(stderr, "%s\n", err.message);
    snapcell_store_close(store);
    return status == SNAPCELL_OK ? 0 : 1;
}
