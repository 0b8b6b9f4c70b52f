/* Host functions: an embedder's native functions, which JavaScript sees as global functions.
 *
 * Give the same table to the compiler and to the loader. An artifact is bound to the names in the
 * table and their order: with another table it is refused (E_OTHER_HOST). The callbacks may differ.
 * At build time the compiler's child process calls them in the compiling process, so a bundle may
 * use them at top level and in a warm-up. */
#ifndef SNAPCELL_HOST_H
#define SNAPCELL_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/artifact.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_host snapcell_host;
typedef struct snapcell_host_call snapcell_host_call;

/* A host function. Reads its arguments from `call` and sets the result there (undefined if it sets
 * none). Returns 0, or non-zero after snapcell_host_throw(). Called on the thread that runs the
 * cell; cells on other threads may call it at the same time. `call` is Borrowed during the call. */
typedef int snapcell_host_fn(void *user, snapcell_host_call *call);

typedef enum snapcell_value_type {
    SNAPCELL_VALUE_UNDEFINED = 0,
    SNAPCELL_VALUE_NULL = 1,
    SNAPCELL_VALUE_BOOLEAN = 2,
    SNAPCELL_VALUE_NUMBER = 3,
    SNAPCELL_VALUE_STRING = 4, /* UTF-8; lone surrogates become U+FFFD */
    SNAPCELL_VALUE_BYTES = 5,  /* an ArrayBuffer or a view of one */
    SNAPCELL_VALUE_JSON = 6    /* any other object or array, as JSON text */
} snapcell_value_type;

/* One argument. Pointers are Borrowed during the call of the host function. */
typedef struct snapcell_value {
    snapcell_value_type type;
    bool boolean;
    double number;
    const char *data; /* of a string, bytes or JSON; zero-terminated after its size */
    size_t size_bytes;
} snapcell_value;

/* Purpose: an empty table. `*out`: Owned, free with snapcell_host_free(). NULL on failure.
 * Thread: any. Errors: E_NOMEM. */
SNAPCELL_API int snapcell_host_new(snapcell_host **out, snapcell_error *err);

/* Purpose: add a function under `name` (a JavaScript identifier in ASCII, at most 64 characters;
 * copied). `callback`: not NULL; `user`: Borrowed for as long as the table is used; NULL is
 * allowed. Thread: one at a time, before the table is given to a compiler or loader. Errors:
 * E_USAGE (bad or duplicate name, more than 256 functions), E_NOMEM. The table is unchanged on
 * failure. */
SNAPCELL_API int snapcell_host_add(snapcell_host *host, const char *name,
                                   snapcell_host_fn *callback, void *user, snapcell_error *err);

/* Purpose: release a table; NULL is allowed. No compiler or loader may still use it. Thread: any,
 * once. Errors: none. */
SNAPCELL_API void snapcell_host_free(snapcell_host *host);

/* Purpose: the hash of the table's names that artifacts are bound to; NULL is the empty table.
 * Thread: any. Errors: none. */
SNAPCELL_API snapcell_fingerprint snapcell_host_fingerprint(const snapcell_host *host);

/* Purpose: how many arguments the function was called with. Thread: the callback's. Errors: none.
 */
SNAPCELL_API size_t snapcell_host_argument_count(const snapcell_host_call *call);

/* Purpose: argument `index`; undefined if there is none. Thread: the callback's. Errors: none. */
SNAPCELL_API snapcell_value snapcell_host_argument(const snapcell_host_call *call, size_t index);

/* Purpose: set the result. `value`: not NULL, its data is copied. The last call wins.
 * Thread: the callback's. Errors: E_NOMEM, E_USAGE (no such type). */
SNAPCELL_API int snapcell_host_return(snapcell_host_call *call, const snapcell_value *value,
                                      snapcell_error *err);

/* Purpose: make the call throw an Error with `message` (UTF-8, zero-terminated, copied, cut at
 * 1,000 bytes). Returns: -1, to be returned by the callback. Thread: the callback's. Errors: none.
 */
SNAPCELL_API int snapcell_host_throw(snapcell_host_call *call, const char *message);

#ifdef __cplusplus
}
#endif
#endif
