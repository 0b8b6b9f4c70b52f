/* What can be found in a damaged data.mdb. Internal to store/. */
#ifndef SNAPCELL_STORE_SALVAGE_H
#define SNAPCELL_STORE_SALVAGE_H

#include "snapcell/store.h"
#include "store_pages.h"

/* Where something was found; the less, the more it is believed. */
typedef enum salvage_rank {
    SALVAGE_NEWEST, /* in the trees of the newest meta page */
    SALVAGE_OLDER,  /* of the other one */
    SALVAGE_LOOSE,  /* in a page that no tree leads to */
    SALVAGE_SPARE,  /* of an older state: removed, or a copy of what is still there */
} salvage_rank;

typedef struct salvage_artifact {
    snapcell_key key;
    uint64_t offset; /* in the file */
    uint64_t size_bytes;
    salvage_rank rank;
} salvage_artifact;

typedef struct salvage_name {
    char name[SNAPCELL_NAME_SIZE_MAX + 1];
    snapcell_fingerprint engine;
    snapcell_key key;
    salvage_rank rank;
} salvage_name;

/* A record of releases or of a name's history, as it was written. */
typedef struct salvage_record {
    uint8_t key[STORE_LMDB_KEY_SIZE_MAX];
    size_t key_size_bytes;
    uint8_t *value; /* Owned */
    size_t value_size_bytes;
} salvage_record;

/* Each thing may have been found several times. */
typedef struct salvage_finds {
    store_pages pages;
    uint64_t file_size_bytes;
    bool damaged;                /* in structure, by the strict check */
    bool complete;               /* the newest trees could be followed whole */
    salvage_artifact *artifacts; /* Owned, as is the next */
    size_t artifact_count;
    salvage_name *names;
    size_t name_count;
    salvage_record *records; /* Owned; what is believed more comes first */
    size_t record_count;
    size_t record_lost_count; /* damaged ones, in the newest state */
    bool records_complete;    /* they could all be found */
} salvage_finds;

/* Finds what the trees of `file` lead to, and where they are damaged, what lies in the file
 * besides; nothing of it is checked yet. Release on failure, too. Errors: E_NOT_A_STORE, E_NOMEM,
 * E_IO. */
int salvage_find(int file, const char *path, salvage_finds *out, snapcell_error *err);
void salvage_finds_release(salvage_finds *finds);

/* --- store_salvage_records.c --- */

/* What was put of releases. Pointers are Owned; release on failure, too. */
typedef struct salvage_releases {
    char (*lost)[SNAPCELL_NAME_SIZE_MAX + 1]; /* of them, an artifact is lost */
    size_t lost_count;
    char (*kept)[SNAPCELL_NAME_SIZE_MAX + 1];
    size_t kept_count;
} salvage_releases;

/* Puts the records into the new store, which has the artifacts that are left: releases that are
 * whole, their order, and all events and histories. */
int salvage_put_records(snapcell_store *to, const salvage_finds *finds, salvage_releases *out,
                        snapcell_error *err);
void salvage_releases_release(salvage_releases *releases);

#endif
