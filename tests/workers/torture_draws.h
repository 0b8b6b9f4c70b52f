/* A function that draws whatever must be fresh, and what is looked for in its answers: no two of
 * them share a drawn value, clocks are those of the call, and memory is handed over zeroed. A
 * failure to call it ends the program. */
#ifndef SNAPCELL_TESTS_TORTURE_DRAWS_H
#define SNAPCELL_TESTS_TORTURE_DRAWS_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/worker.h"
#include "torture_report.h"

/* Its paths: / draws, /large draws with a buffer of a megabyte, /warm draws little, and /count
 * answers how often the instance was asked that, and the request's body. */
extern const char draws_source[];

/* The first promises of a program: the parts of an answer that no two may share, and the rest. */
enum {
    DRAWS_MATH,
    DRAWS_UUID,
    DRAWS_BYTES,
    DRAWS_AES,
    DRAWS_PAIR,
    DRAWS_NONCE,
    DRAWS_SECRET,
    DRAWS_ORIGIN,
    DRAWS_PARTS,
    DRAWS_CLOCK = DRAWS_PARTS,
    DRAWS_ZERO,
    DRAWS_PROMISES
};

/* `who`: "calls", say. */
#define DRAWS_PROMISES_OF(who)                                                                     \
    [DRAWS_MATH] = {"no two " who " draw the same sequence from Math.random()"},                   \
    [DRAWS_UUID] = {"no two " who " draw the same UUID"},                                          \
    [DRAWS_BYTES] = {"no two " who " draw the same random bytes"},                                 \
    [DRAWS_AES] = {"no two " who " generate the same AES key"},                                    \
    [DRAWS_PAIR] = {"no two " who " generate the same key pair"},                                  \
    [DRAWS_NONCE] = {"no two " who " sign by one ECDSA key with the same nonce"},                  \
    [DRAWS_SECRET] = {"no two " who " generate the same X25519 key"},                              \
    [DRAWS_ORIGIN] = {"no two " who " have the same performance.timeOrigin"},                      \
    [DRAWS_CLOCK] = {"Date and performance.now() are those of the call, and go on in it"},         \
    [DRAWS_ZERO] = {"buffers are handed over zeroed"}

/* `promises`: of the program, which begin with those above. Room for `count` answers; more are
 * not looked at. */
void draws_begin(torture_promise *promises, size_t count);
void draws_call(snapcell_worker *worker, bool is_large);
/* Compares all that was drawn. */
void draws_end(void);

#endif
