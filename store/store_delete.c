/* Artifacts' records, by key; and the end of one, which names ask for, too. */
#include <string.h>

#include "store_internal.h"
#include "store_pages.h"

MDB_val store_key_value(const snapcell_key *key)
{
    return (MDB_val){.mv_size = sizeof(key->bytes), .mv_data = (void *)(uintptr_t)key->bytes};
}

/* A long value follows the header of its first page, which says how many there are. */
int store_artifact_check_pages(MDB_txn *txn, MDB_dbi dbi, const MDB_val *value)
{
    MDB_stat stat;
    store_lmdb_page header;
    int status = mdb_stat(txn, dbi, &stat);
    if (status != MDB_SUCCESS) return status;
    const size_t room = (stat.ms_psize - sizeof(header)) / 2 - sizeof(uint16_t);
    const size_t size = sizeof(store_lmdb_node) + sizeof(snapcell_key) + value->mv_size;
    if (size <= room) return MDB_SUCCESS;
    memcpy(&header, (const char *)value->mv_data - sizeof(header), sizeof(header));
    const store_pages pages = {.page_size = stat.ms_psize};
    const uint64_t count = header.lower | (uint64_t)header.upper << 16;
    return header.flags == STORE_LMDB_PAGE_OVERFLOW &&
                   count == store_overflow_count(&pages, value->mv_size)
               ? MDB_SUCCESS
               : MDB_CORRUPTED;
}

int store_artifact_delete(const store_environment *environment, MDB_txn *txn,
                          const snapcell_key *artifact)
{
    MDB_val value;
    MDB_val key = store_key_value(artifact);
    int status = mdb_get(txn, environment->artifacts, &key, &value);
    if (status == MDB_SUCCESS)
        status = store_artifact_check_pages(txn, environment->artifacts, &value);
    return status == MDB_SUCCESS ? mdb_del(txn, environment->artifacts, &key, NULL) : status;
}
