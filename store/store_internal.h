/* Inside the store component: its parts and what they share. Nothing outside store/ includes this,
 * except its tests. The only component that includes lmdb.h.
 *
 * Who locks what, from the outside in:
 *   registry      a mutex: which environments this process has open (store_registry.c)
 *   gate          a mutex and a condition in each environment: operations and views enter it;
 *                 opening LMDB again (a larger map, writing, another generation) needs it empty
 *                 (store_gate.c)
 *   writer        a mutex in each environment, around LMDB's own between processes
 *   byte locks    open-file-description locks on data.mdb, between processes (store_lock.c)
 *
 * Generations: `gc` makes a compact copy next to data.mdb and renames it over (store_compact.c).
 * Who has the old file open notices at the next operation, and opens the new one
 * (store_environment_follow()). */
#ifndef SNAPCELL_STORE_INTERNAL_H
#define SNAPCELL_STORE_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "snapcell/store.h"

#define STORE_DATA_FILE "data.mdb"
#define STORE_LOCK_FILE "lock.mdb"
#define STORE_NEW_FILE "data.mdb.new"         /* a store being made */
#define STORE_COMPACT_FILE "data.mdb.compact" /* a compact copy being made */

#define STORE_FILE_MODE 0644
#define STORE_DIRECTORY_MODE 0755

/* The record that tells our files from other LMDB files: in database "meta", under "format". Older
 * formats are read: 1 had names without checksums, and becomes 2 when a name is written. */
#define STORE_MAGIC "snapcell store"
#define STORE_FORMAT_VERSION_NAMES 2
/* Stores with releases: programs that know nothing of them must not collect what they hold. */
#define STORE_FORMAT_VERSION_RELEASES 3
/* data.mdb may be replaced while it is in use: programs that would go on writing the old file must
 * not open it. New stores have it; an older one gets it from the first `gc` that compacts it. */
#define STORE_FORMAT_VERSION_GENERATIONS 4
#define STORE_FORMAT_VERSION_MAX STORE_FORMAT_VERSION_GENERATIONS

/* Reserved address space, not memory and not disk: so much that growing is hardly ever needed. */
#define STORE_MAP_SIZE_BYTES ((size_t)256 << 30)
#define STORE_MAP_SIZE_BYTES_MIN ((size_t)1 << 20)

/* lock.mdb has 64 bytes a reader and 192 more: 128 KiB. */
#define STORE_READERS_MAX 2046
#define STORE_LOCK_FILE_SIZE_BYTES ((off_t)(STORE_READERS_MAX + 2) * 64)

#define STORE_POOL_MAX 32

/* How long to wait for views of this process to close, and for readers and writers of others. */
#define STORE_GATE_WAIT_MS 5000
#define STORE_LOCK_WAIT_MS 10000

/* In addition to LMDB's codes, errno's and ours: data.mdb is another file by now. */
#define STORE_SUPERSEDED (-1000)

/* A part of data.mdb that views lie in: it outlives LMDB's own map. */
typedef struct store_mapping {
    uint8_t *bytes;
    size_t size_bytes;
    unsigned references; /* the environment's and those of views */
} store_mapping;

/* What keeps the bytes of an open view. */
typedef struct store_pin {
    struct store_pin *next;
    struct store_pin *previous;
    MDB_txn *txn; /* NULL once its generation is superseded: nobody writes there any more */
    store_mapping *mapping;
} store_pin;

/* One open LMDB environment; all handles of this process to one directory share it. */
typedef struct store_environment {
    struct store_environment *next; /* in the registry, as are the next three */
    unsigned references;
    dev_t device; /* of the directory */
    ino_t inode;

    pid_t pid;          /* that opened it: LMDB cannot be used after fork() */
    char *path;         /* absolute */
    int directory_file; /* held open, so that its inode number is not used again */

    pthread_mutex_t mutex; /* the gate, and all below it */
    pthread_cond_t changed;
    unsigned active;   /* operations inside */
    unsigned listings; /* of those, that call back, or take long */
    unsigned attached; /* views with a transaction */
    unsigned views;    /* all open views */
    unsigned waiting;
    bool exclusive;
    store_pin *pins; /* of the views with a transaction */

    MDB_env *env;        /* NULL: must be opened again before use */
    unsigned generation; /* how often it was opened */
    bool must_sync;      /* a write failed so that file and disk may differ */
    MDB_dbi artifacts;
    MDB_dbi names;
    MDB_dbi meta;
    unsigned format_version; /* when it was opened */
    size_t map_size_bytes;
    bool writable;
    bool unlocked;  /* read without LMDB's lock file; needs the byte lock instead */
    bool byte_lock; /* the file system has open-file-description locks */
    int data_file;  /* data.mdb, for byte locks */
    ino_t data_inode;
    const uint8_t *map_begin; /* where LMDB has it; NULL: not known, views are copies */
    store_mapping *mapping;   /* where views have it; NULL: no view was opened yet */
    unsigned unlocked_readers;
    MDB_txn *pool[STORE_POOL_MAX]; /* reset read transactions */
    unsigned pool_count;

    pthread_mutex_t writer;
} store_environment;

struct snapcell_store {
    store_environment *environment;
    bool writable;
    bool no_sync; /* its writes do not wait for the disk */
};

/* --- store_registry.c: process-wide --- */

/* Finds or opens the environment in a directory; `directory_file` is taken over. */
int store_registry_acquire(const char *path, int directory_file, bool writable,
                           store_environment **out, snapcell_error *err);
void store_registry_release(store_environment *environment);

/* --- store_environment.c: LMDB open and closed --- */

int store_environment_new(const char *path, int directory_file, store_environment **out,
                          snapcell_error *err);
void store_environment_free(store_environment *environment);

/* Opens LMDB with a map of at least `map_size_bytes_min`, as far as address space allows more. Both
 * need the gate to be held exclusively, or the environment not to be shared yet. */
int store_environment_connect(store_environment *environment, bool writable,
                              size_t map_size_bytes_min, snapcell_error *err);
void store_environment_disconnect(store_environment *environment);
/* The first half of disconnecting: LMDB is closed, data_file and its locks are kept. */
void store_environment_close_lmdb(store_environment *environment);

/* Opens LMDB again: larger than `seen_size_bytes` unless it already is, and for writing if asked.
 * Waits for the gate; E_BUSY when views stay open. The caller must not be inside. */
int store_environment_grow(store_environment *environment, size_t seen_size_bytes,
                           snapcell_error *err);
int store_environment_make_writable(store_environment *environment, snapcell_error *err);
/* The same after a write of LMDB's first pages failed (MDB_PANIC), which it cannot go on from, if
 * nobody has since the generation that was seen. */
int store_environment_recover(store_environment *environment, unsigned seen_generation,
                              snapcell_error *err);
/* The same when data.mdb is another file by now. Views stay open, on the old one. E_BUSY where the
 * caller is not to wait for the listings of this process, and there are any. */
int store_environment_follow(store_environment *environment, unsigned seen_generation,
                             bool wait_for_listings, snapcell_error *err);

/* For tests: the size of maps opened from now on; 0 is the default. */
void store_map_size_set(size_t size_bytes);

/* --- store_create.c --- */

/* Makes a store in a directory that has no data.mdb; nothing to do when there is one. */
int store_create(const char *path, int directory_file, snapcell_error *err);
/* Writes that the store has at least this format. LMDB's code. */
int store_format_raise(MDB_txn *txn, MDB_dbi meta, unsigned version);

/* --- store_file.c: data.mdb and lock.mdb before LMDB sees them --- */

/* Opens data.mdb and takes its use lock, on the very file that the directory names. */
int store_file_open(store_environment *environment, bool writable, snapcell_error *err);
void store_file_close(store_environment *environment);
/* Whether it is LMDB's, whole and ours to read: what LMDB itself would crash on. */
int store_file_check(int file, const char *path, snapcell_error *err);
/* Makes room for lock.mdb, which is written through a map: a full disk would be a SIGBUS.
 * `*out_unlocked`: it cannot be written, read without it. */
int store_file_prepare_lock(int directory_file, const char *path, bool writable, bool *out_unlocked,
                            snapcell_error *err);
int store_file_inode(int directory_file, ino_t *out);
/* Whether the directory names another data.mdb than the open one. */
bool store_file_is_superseded(const store_environment *environment);
/* Brings the names of a new data.mdb, just made or put in place of another, to disk: of itself, and
 * of its directory. Done again until the first write, since its maker may have failed to. */
int store_file_sync_names(int file, int directory_file, const char *path, snapcell_error *err);

/* --- store_lock.c: locks between processes --- */

typedef enum store_lock_byte {
    STORE_LOCK_USE = 0,    /* shared while open in a format before generations; exclusive while such
                              a data.mdb is replaced */
    STORE_LOCK_WRITE = 1,  /* exclusive in a write transaction, shared in an unlocked reader's */
    STORE_LOCK_WRITER = 2, /* exclusive around LMDB's own lock of writers: who gets it in a
                              superseded file never comes to that */
    STORE_LOCK_COMPACT = 3, /* exclusive while a compact copy is made */
} store_lock_byte;

#define STORE_LOCK_WAIT_FOREVER (-1)

/* `type`: F_RDLCK, F_WRLCK or F_UNLCK. Returns 0 or an errno value, EAGAIN when others hold it. */
int store_lock_set(int file, store_lock_byte byte, short type, int wait_ms);
/* flock(): on the directory around opening and closing LMDB and replacing data.mdb; on data.mdb,
 * too, where programs without generations may have it open. */
int store_lock_setup(int file, bool lock);

/* --- store_gate.c --- */

int store_gate_enter(store_environment *environment, snapcell_error *err);
void store_gate_leave(store_environment *environment);

/* Whom closing the gate waits for. */
typedef enum store_gate_wait {
    STORE_GATE_ALL,        /* operations and views */
    STORE_GATE_OPERATIONS, /* operations */
    STORE_GATE_SHORT,      /* operations; E_BUSY at once while there are listings */
} store_gate_wait;
int store_gate_close(store_environment *environment, store_gate_wait wait, snapcell_error *err);
/* The caller, who is inside, begins and ends a listing. */
void store_gate_list(store_environment *environment, bool begin);
void store_gate_open(store_environment *environment);

/* --- store_transaction.c --- */

/* A read transaction from the pool; enters the gate. */
int store_read_begin(store_environment *environment, MDB_txn **out, snapcell_error *err);
void store_read_end(store_environment *environment, MDB_txn *txn);
/* The same for what calls back or takes long: others of this process do not wait for its end to
 * move to another generation, but stay with it in the one that it is in. */
int store_listing_begin(store_environment *environment, MDB_txn **out, snapcell_error *err);
void store_listing_end(store_environment *environment, MDB_txn *txn);
/* Under the environment's mutex: keeps the transaction for later, or ends it. */
void store_pool_give(store_environment *environment, MDB_txn *txn);

/* What is done in a write transaction. Returns SNAPCELL_OK, a code of ours with `err` filled in, or
 * a code of LMDB's (or errno's), which are disjoint. May run again with a larger map. */
typedef int store_write_fn(store_environment *environment, MDB_txn *txn, void *argument,
                           snapcell_error *err);
/* One transaction, durable when this returns SNAPCELL_OK. */
int store_write(snapcell_store *store, store_write_fn *write, void *argument, const char *doing,
                snapcell_error *err);

/* Keeps a write past RLIMIT_FSIZE from killing the process: blocks SIGXFSZ on this thread. */
typedef struct store_signal_guard {
    sigset_t old_mask;
    bool was_pending;
} store_signal_guard;
void store_signal_guard_begin(store_signal_guard *guard);
void store_signal_guard_end(store_signal_guard *guard);

/* --- store_pins.c --- */

/* Where a value of LMDB's lies in a map of ours, which is then referenced once more; NULL where
 * there is none, as for want of address space. */
const uint8_t *store_mapping_find(store_environment *environment, const MDB_val *value,
                                  store_mapping **out);
/* Under the environment's mutex, as the next three. NULL is allowed. */
void store_mapping_release(store_mapping *mapping);
void store_pin_add(store_environment *environment, store_pin *pin);
/* Also releases the mapping. Gives the transaction back that the pin had; NULL: none. */
MDB_txn *store_pin_remove(store_environment *environment, store_pin *pin);
/* The views of a superseded file need no transaction. The gate must be held exclusively. */
void store_pins_detach(store_environment *environment);

/* --- store_compact.c --- */

/* Replaces data.mdb by a compact copy while others read and write. Does nothing, and that
 * is not an error, where the store cannot be replaced. */
int store_compact(snapcell_store *store, uint64_t *out_freed_size_bytes, snapcell_error *err);
/* Writes a compact copy to an empty file, of the state at a moment during the call, checked page by
 * page. `transaction`: not 0: what its state is called. The caller is inside the gate. LMDB's codes
 * or ours. */
int store_copy_compact(store_environment *environment, int file, uint64_t transaction,
                       snapcell_error *err);

/* --- store_error.c --- */

/* Fills in `err` for a code of LMDB's or errno's that came up while `doing` ("reading names"). */
int store_error(const store_environment *environment, int status, const char *doing,
                snapcell_error *err);
/* As store_error(), for a function that gives either kind of code. */
int store_error_any(const store_environment *environment, int status, const char *doing,
                    snapcell_error *err);

/* --- store_artifacts.c --- */

/* Before an artifact is deleted: LMDB frees as many pages as the first of them says. Both give
 * LMDB's code. */
int store_artifact_check_pages(MDB_txn *txn, MDB_dbi dbi, const MDB_val *value);
/* Borrows from the key. */
MDB_val store_key_value(const snapcell_key *key);

int store_artifact_delete(const store_environment *environment, MDB_txn *txn,
                          const snapcell_key *artifact);
int store_artifact_find(const store_environment *environment, MDB_txn *txn, const snapcell_key *key,
                        MDB_val *out, snapcell_error *err);
/* `*out`: Owned, free(). */
int store_artifact_copy(const MDB_val *value, void **out, size_t *out_size_bytes,
                        snapcell_error *err);

/* --- store_names.c --- */

/* A record of the database "names". */
typedef struct store_name_entry {
    const char *name; /* zero-terminated, Borrowed from the transaction, as are the others */
    const snapcell_fingerprint *engine;
    const snapcell_key *key;
} store_name_entry;

/* Splits a record; SNAPCELL_OK or MDB_CORRUPTED, also when its checksum does not fit. */
int store_name_parse(const MDB_val *key, const MDB_val *value, store_name_entry *out);
/* Looks at every record. LMDB's code. */
int store_names_check(const store_environment *environment, MDB_txn *txn);
/* Makes a name point to a key; writes nothing when it does. LMDB's code. */
int store_name_put(store_environment *environment, MDB_txn *txn, const char *name,
                   const snapcell_fingerprint *engine, const snapcell_key *key);
/* The key that a name points to; MDB_NOTFOUND when there is none. LMDB's codes, of both. */
int store_name_get(const store_environment *environment, MDB_txn *txn, const char *name,
                   const snapcell_fingerprint *engine, snapcell_key *out);
int store_name_delete(const store_environment *environment, MDB_txn *txn, const char *name,
                      const snapcell_fingerprint *engine);
/* For any engine. LMDB's code. */
int store_name_exists(const store_environment *environment, MDB_txn *txn, const char *name,
                      bool *out);

#endif
