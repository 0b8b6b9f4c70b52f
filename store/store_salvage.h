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
} salvage_finds;

/* Finds what the trees of `file` lead to, and where they are damaged, what lies in the file
 * besides; nothing of it is checked yet. Release on failure, too. Errors: E_NOT_A_STORE, E_NOMEM,
 * E_IO. */
int salvage_find(int file, const char *path, salvage_finds *out, snapcell_error *err);
void salvage_finds_release(salvage_finds *finds);

#endif
