/* Cleanup by attribute: a variable so marked is released when its scope ends. Internal, C only. */
#ifndef SNAPCELL_CLEANUP_H
#define SNAPCELL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

static inline void cleanup_free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
#define cleanup_free cleanup(cleanup_free_pointer)

static inline void cleanup_close_fd(const int *fd)
{
    if (*fd >= 0) close(*fd);
}
#define cleanup_close cleanup(cleanup_close_fd)

/* Hands a pointer over: gives its value and leaves NULL behind, so that its cleanup does nothing.
 */
#define steal_pointer(pointer_to_pointer)                                                          \
    __extension__({                                                                                \
        __typeof__(*(pointer_to_pointer)) stolen_ = *(pointer_to_pointer);                         \
        *(pointer_to_pointer) = NULL;                                                              \
        stolen_;                                                                                   \
    })

#endif
