/* Console output of functions, passed to the embedder. */
#ifndef SNAPCELL_LOG_H
#define SNAPCELL_LOG_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum snapcell_log_level {
    SNAPCELL_LOG_DEBUG = 0,
    SNAPCELL_LOG_INFO = 1, /* console.log and console.info */
    SNAPCELL_LOG_WARN = 2,
    SNAPCELL_LOG_ERROR = 3
} snapcell_log_level;

/* One or more lines of console output, without a newline at the end. `function_name` and `text` are
 * Borrowed during the call; `text` is UTF-8 and zero-terminated. Called on the thread that runs the
 * function; it must not call back into the cell. */
typedef void snapcell_log_fn(void *user, snapcell_log_level level, const char *function_name,
                             const char *text, size_t text_size_bytes);

#ifdef __cplusplus
}
#endif
#endif
