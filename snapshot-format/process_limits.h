/* Limits that a process has from outside (setrlimit(), ulimit), in words for the end of a message.
 */
#ifndef SNAPCELL_PROCESS_LIMITS_H
#define SNAPCELL_PROCESS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define LIMIT_TEXT_SIZE 160

/* Each says in `out`, of LIMIT_TEXT_SIZE, which limit of this process is the reason, and what to
 * do. False, with `out` empty: it is not. */

/* For a call that failed with `errnum`. */
bool limit_says_files(int errnum, char *out);

/* For an engine that ended for want of memory; `heap_bytes`: what its heap may hold, 0 when that is
 * not known. */
bool limit_says_address_space(uint64_t heap_bytes, char *out);

/* For a child that a signal ended after so much CPU time. */
bool limit_says_cpu(uint64_t used_ms, char *out);

/* The CPU time of a child, as of wait4(). */
uint64_t limit_cpu_ms(const struct rusage *usage);

#endif
