/* The one rule for public structs, which programs of other versions hand over. Internal.
 *
 * Such a struct begins with its `struct_size` and only ever grows at its end. What an older program
 * does not have is zero, the default. What a newer one has, and this library does not know of, must
 * be zero: an option that is set is never ignored. */
#ifndef SNAPCELL_PUBLIC_STRUCT_H
#define SNAPCELL_PUBLIC_STRUCT_H

#include <stddef.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Copies a program's struct into one of this library, which has `size_bytes` and gets its own
 * struct_size. `from`: NULL for one with nothing but zeros. `type`: its name, for the message.
 * Errors: E_USAGE; `to` is zeroed then, struct_size and all. */
int public_struct_read(void *to, size_t size_bytes, const void *from, const char *type,
                       snapcell_error *err);

/* Gives a program a struct without a struct_size: as much of it as there is room for in
 * `to_size_bytes`, and zero after what this library knows of. */
void public_struct_write(void *to, size_t to_size_bytes, const void *from, size_t size_bytes);

#ifdef __cplusplus
}
#endif
#endif
