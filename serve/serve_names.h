/* The functions that a store has for this engine, by name. Internal to serve/.
 *
 * The store is opened only while its names are read, so that a server keeps nobody from collecting
 * its garbage. Whether it has changed shows in the file's time and size. */
#ifndef SNAPCELL_SERVE_NAMES_H
#define SNAPCELL_SERVE_NAMES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "snapcell/artifact.h"
#include "snapcell/store.h"

typedef struct serve_name {
    char *name;
    snapcell_key key;
} serve_name;

typedef struct serve_names {
    char *store_path;
    serve_name *items; /* sorted, without regard to case */
    size_t count;
    size_t capacity;
    size_t other_count; /* names that the store has for other engines only */
    struct stat seen;   /* of the store's file, when the names were read */
} serve_names;

/* Release with serve_names_release(), on failure too. Errors: those of opening and listing. */
int serve_names_open(serve_names *names, const char *store_path, snapcell_error *err);
void serve_names_release(serve_names *names);

/* Reads the names again when the store has changed. `*changed`: whether it did that. On failure the
 * old ones stay. Errors: as serve_names_open(). */
int serve_names_refresh(serve_names *names, bool *changed, snapcell_error *err);

/* By name as it is, else without regard to case; NULL when there is none. Borrowed until the next
 * refresh. */
const serve_name *serve_names_find(const serve_names *names, const char *name, size_t size_bytes);

/* What a function answers to, by its artifact. Errors: those of reading it. */
int serve_names_shape(const serve_names *names, const snapcell_key *key,
                      snapcell_handler_shape *out, snapcell_error *err);

#endif
