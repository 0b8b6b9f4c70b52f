/* Errors: one table of codes, one struct that a failing call fills in.
 *
 * Every function of snapcell that can fail returns SNAPCELL_OK (0) or one of the negative codes
 * below, and takes a `snapcell_error *err` last, which may be NULL. The message is written where
 * the failure is found: what was expected, what was there, what to do. There is no thread-local
 * "last error". */
#ifndef SNAPCELL_ERROR_H
#define SNAPCELL_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what the shared library exports; everything else is hidden. */
#if defined(__GNUC__)
#define SNAPCELL_API __attribute__((visibility("default")))
#else
#define SNAPCELL_API
#endif

/* X(name, value, what it means). Values never change and are never reused. */
#define SNAPCELL_ERROR_MAP(X)                                                                      \
    X(OK, 0, "done")                                                                               \
    X(E_USAGE, -1, "an argument is not allowed here")                                              \
    X(E_NOMEM, -2, "the host is out of memory")                                                    \
    X(E_IO, -3, "a file or system call failed")                                                    \
    X(E_NOT_FOUND, -4, "no such name, key, file or store")                                         \
    X(E_AMBIGUOUS, -5, "a key prefix matches several artifacts")                                   \
    X(E_EXISTS, -6, "the key exists with other bytes")                                             \
    X(E_FULL, -7, "the disk or the store is full")                                                 \
    X(E_BUSY, -8, "the store is locked by another process")                                        \
    X(E_READ_ONLY, -9, "the store cannot be written")                                              \
    X(E_NOT_A_STORE, -10, "the file is not a snapcell store")                                      \
    X(E_STORE_CORRUPT, -11, "the store's own structure is damaged")                                \
    X(E_CORRUPT, -12, "the artifact is truncated or altered")                                      \
    X(E_FORMAT, -13, "the artifact has a format version this build cannot read")                   \
    X(E_OTHER_ENGINE, -14, "the artifact was built for another engine")                            \
    X(E_OTHER_HOST, -15, "the artifact was built against other host functions")                    \
    X(E_SIGNATURE, -16, "the artifact is not signed by a trusted key")                             \
    X(E_TOO_LARGE, -17, "a size is above its cap")                                                 \
    X(E_SCRIPT, -18, "the function failed: syntax error, exception or rejection")                  \
    X(E_NO_HANDLER, -19, "the bundle defines no handler")                                          \
    X(E_UNSNAPSHOTABLE, -20, "V8 cannot put this function into a snapshot")                        \
    X(E_MEMORY_LIMIT, -21, "the memory limit was hit")                                             \
    X(E_CPU_LIMIT, -22, "the CPU time limit was hit")                                              \
    X(E_WALL_LIMIT, -23, "the wall time limit was hit")                                            \
    X(E_WRONG_SHAPE, -24, "the handler takes another kind of event")                               \
    X(E_DISPOSED, -25, "the cell hit a limit or failed for good; load a new one")                  \
    X(E_INTERNAL, -26, "a fault in snapcell or in V8")                                             \
    X(E_SANDBOX, -27, "the sandbox cannot be set up, or was violated")                             \
    X(E_RESPONSE_LIMIT, -28, "the response's size limit was hit")                                  \
    X(E_WORKER_DIED, -29, "the worker process died in the middle of its work")                     \
    X(E_CANCELLED, -30, "the host cancelled the call")                                             \
    X(E_HELD, -31, "a release holds it")

typedef enum snapcell_status {
#define SNAPCELL_ERROR_ENUM(name, value, text) SNAPCELL_##name = (value),
    SNAPCELL_ERROR_MAP(SNAPCELL_ERROR_ENUM)
#undef SNAPCELL_ERROR_ENUM
} snapcell_status;

/* What went wrong. A plain value: it owns nothing and needs no release. Text is UTF-8, cut at a
 * character. */
typedef struct snapcell_error {
    int32_t code;       /* a snapcell_status */
    uint32_t line;      /* of a script error, from 1; 0 where there is none */
    uint32_t column;    /* of a script error, from 1; 0 where there is none */
    char file[256];     /* of a script error, after the source map; "" where there is none */
    char message[1024]; /* one line, without "error:" before it */
    char stack[4096];   /* the JavaScript stack, lines as V8 prints them; "" where there is none */
} snapcell_error;

/* Purpose: the name of a code, as "E_NOT_FOUND". Unknown codes give "E_UNKNOWN".
 * Returns: a constant string. Borrowed forever. Thread: any. Errors: none. */
SNAPCELL_API const char *snapcell_error_name(int code);

/* Purpose: what a code means, in a few words, from the table above.
 * Returns: a constant string. Borrowed forever. Thread: any. Errors: none. */
SNAPCELL_API const char *snapcell_error_describe(int code);

#ifdef __cplusplus
}
#endif
#endif
