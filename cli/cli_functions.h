/* Functions on their way out of a store and into one, as layouts and registries hold them. */
#ifndef SNAPCELL_CLI_FUNCTIONS_H
#define SNAPCELL_CLI_FUNCTIONS_H

#include "cli.h"
#include "oci_function.h"
#include "snapcell/history.h"

/* --- Out of a store (cli_depart.c) --- */

/* An artifact that is to go out, under a name. */
typedef struct cli_departure {
    char name[SNAPCELL_NAME_SIZE_MAX + 1];
    snapcell_key key;
    const char *ref; /* as it was given: Borrowed */
    bool by_name;    /* the reference was the name */
} cli_departure;

typedef struct cli_departures {
    cli_departure *items; /* Owned; by name */
    size_t count;
} cli_departures;

/* The artifacts that references stand for, each once: of a name those for all engines; of a key or
 * a few of its digits that one, under the name that it was compiled with. Errors: as
 * snapcell_store_resolve(). Release on failure, too. */
int cli_departures_find(snapcell_store *store, char *const *refs, size_t ref_count,
                        cli_departures *out, snapcell_error *err);
/* What a release of the store holds. Errors: as snapcell_release_each_item(). */
int cli_departures_of_release(snapcell_store *store, const char *release, cli_departures *out,
                              snapcell_error *err);
void cli_departures_release(cli_departures *departures);
#define cli_cleanup_departures cleanup(cli_departures_release)

/* A function that has been read from the store and checked. */
typedef struct cli_departing {
    void *bytes; /* Owned */
    size_t size_bytes;
    oci_function function;
} cli_departing;

/* Errors: those of checking, E_NOT_FOUND, E_NOMEM. Release on success. */
int cli_departing_read(snapcell_store *store, const cli_arguments *arguments,
                       const snapcell_trust *trust, const cli_departure *departure,
                       bool has_artifact_type, cli_departing *out, snapcell_error *err);
void cli_departing_release(cli_departing *departing);
#define cli_cleanup_departing cleanup(cli_departing_release)

/* --- Into a store (cli_arrive.c) --- */

typedef struct cli_arrival {
    void *bytes; /* Owned */
    size_t size_bytes;
    char name[SNAPCELL_NAME_SIZE_MAX + 1];
    snapcell_artifact_info info; /* its manifest points into `bytes` */
} cli_arrival;

typedef struct cli_arrivals {
    const cli_arguments *arguments;
    const snapcell_trust *trust; /* NULL: the sender is trusted */
    const char *name;            /* of --name; NULL: what each is called */
    bool replace;
    const char *release;            /* to be made of them, instead of setting names; NULL: none */
    const char *who;                /* makes it; NULL: this user */
    snapcell_history_action action; /* for the history, as is the next */
    const char *origin;             /* NULL: not known */
    bool activates;                 /* the release, too */
    cli_arrival *items;             /* Owned */
    size_t count;
    size_t capacity;
} cli_arrivals;

/* Checks a function that came, with what its sender said of it, and keeps it. Takes `bytes` over,
 * on failure, too. Errors: those of checking, E_CORRUPT, E_NOMEM. */
int cli_arrivals_add(cli_arrivals *arrivals, void *bytes, size_t size_bytes, const oci_facts *facts,
                     snapcell_error *err);

/* Puts all of them into a store, or none. Errors: as snapcell_store_put_all() and
 * snapcell_release_create(). */
int cli_arrivals_store(const cli_arrivals *arrivals, snapcell_store *store, snapcell_error *err);

/* The same with the store of the command line, which is made when it is missing; tells of each.
 * `verb`: "imported". `more`: members for the object of --json, which then has `functions`, too;
 * taken over; NULL for an array alone. */
cli_status cli_arrivals_put(const cli_arrivals *arrivals, const char *verb, json_t *more);
void cli_arrivals_release(cli_arrivals *arrivals);
#define cli_cleanup_arrivals cleanup(cli_arrivals_release)

/* Which functions of an index are wanted, and what `name` renames. Errors: E_USAGE (a name for
 * several functions). */
int cli_arrivals_check_name(const char *name, const oci_facts *first, const oci_facts *other,
                            snapcell_error *err);

#endif
