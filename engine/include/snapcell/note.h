/* What a compile noticed about a function's top level and warm-up. */
#ifndef SNAPCELL_NOTE_H
#define SNAPCELL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum snapcell_note_kind {
    SNAPCELL_NOTE_ENTROPY = 1, /* random values of crypto: bytes, UUIDs, keys */
    SNAPCELL_NOTE_RANDOM = 2,  /* Math.random() */
    SNAPCELL_NOTE_CLOCK = 3,   /* Date, performance.now() */
    SNAPCELL_NOTE_OBJECT = 4,  /* an object that cannot be in a snapshot */
    SNAPCELL_NOTE_TIMER = 5,   /* a pending timer, which goes on in each instance */
    SNAPCELL_NOTE_ENGINE = 6   /* what V8 says */
} snapcell_note_kind;

/* Texts are UTF-8, zero-terminated, never NULL, and Borrowed during the call that hands them over.
 */
typedef struct snapcell_note {
    snapcell_note_kind kind;
    bool prevents;      /* keeps the function from being a snapshot */
    bool warm;          /* in a warm-up request, not at top level */
    uint32_t count;     /* how often */
    const char *what;   /* such as "Date.now()"; a clause if it prevents */
    const char *place;  /* "FILE:LINE:COLUMN" through the source map; "": unknown, or several */
    const char *path;   /* of a kept object, such as "globalThis.cache.instance"; else "" */
    const char *advice; /* what to do about it; "" when there is nothing to do */
} snapcell_note;

/* Called on the thread that compiles. */
typedef void snapcell_note_fn(void *user, const snapcell_note *note);

#ifdef __cplusplus
}
#endif
#endif
