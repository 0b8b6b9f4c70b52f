/* How snapcell's own code fills in a snapcell_error. Internal. */
#ifndef SNAPCELL_ERROR_SET_H
#define SNAPCELL_ERROR_SET_H

#include <stddef.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes code and message (printf-style, cut to fit) and clears the rest; `err` may be NULL.
 * Returns `code`, so that a failing function can say `return error_set(err, SNAPCELL_E_IO, ...)`.
 */
int error_set(snapcell_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and the text of errno value `errnum` appended; ENOSPC and EDQUOT turn the
 * code into E_FULL, ENOMEM into E_NOMEM, EROFS into E_READ_ONLY, ENOENT into E_NOT_FOUND; EMFILE
 * adds which limit that is. Returns the resulting code. */
int error_set_errno(snapcell_error *err, int code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Copies UTF-8 text into a zero-terminated field of `out_size_bytes` (at least 1), cut before a
 * character that does not fit whole; for err->file, err->stack and the like. */
void error_text_copy(char *out, size_t out_size_bytes, const char *text, size_t text_size_bytes);

#ifdef __cplusplus
}
#endif
#endif
