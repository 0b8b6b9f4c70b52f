/* The last words of a child that died, as V8 or a sanitizer writes them to stderr. Internal. */
#ifndef SNAPCELL_CHILD_WORDS_H
#define SNAPCELL_CHILD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define CHILD_CAUSE_SIZE_MAX 300

/* True when the child ended itself by `signal` since memory ran out, as its last words say: V8
 * aborts or traps then. Other signals are faults, whatever was said before. `words` is
 * zero-terminated. */
bool child_ran_out_of_memory(int signal, const char *words);

/* The line that names the cause, without decoration and without addresses, which differ from run to
 * run; "" when there is none. `out` has CHILD_CAUSE_SIZE_MAX + 1 bytes. */
void child_words_cause(const char *words, char *out);

#endif
