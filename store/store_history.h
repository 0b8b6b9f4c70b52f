/* Records of names' histories, in the database "meta"; docs/releases.md has their bytes. Internal
 * to store/. */
#ifndef SNAPCELL_STORE_HISTORY_H
#define SNAPCELL_STORE_HISTORY_H

#include "snapcell/history.h"
#include "store_internal.h"

/* Adds an event, and drops the oldest ones. LMDB's codes, of all. */
int store_history_add(store_environment *environment, MDB_txn *txn, const char *name,
                      const snapcell_history_event *event);
/* Drops the histories of names that are gone. */
int store_history_expire(const store_environment *environment, MDB_txn *txn);
/* Looks at every record. */
int store_history_check(const store_environment *environment, MDB_txn *txn);

#endif
