#include "public_struct.h"

#include <stdbool.h>
#include <string.h>

#include "error_set.h"

/* No struct is as large: a struct_size above it was never set, and would be read far past its
 * struct. */
#define STRUCT_SIZE_MAX 4096

static bool struct_size_can_be(size_t size_bytes)
{
    return size_bytes >= sizeof(size_t) && size_bytes <= STRUCT_SIZE_MAX &&
           size_bytes % _Alignof(size_t) == 0;
}

static bool struct_is_zero(const unsigned char *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (bytes[i] != 0) return false;
    return true;
}

int public_struct_read(void *to, size_t size_bytes, const void *from, const char *type,
                       snapcell_error *err)
{
    memset(to, 0, size_bytes);
    if (from != NULL) {
        size_t given_size;
        memcpy(&given_size, from, sizeof(given_size));
        if (!struct_size_can_be(given_size))
            return error_set(err, SNAPCELL_E_USAGE,
                             "%s.struct_size is %zu: set it to sizeof(%s), or begin with the "
                             "struct's initializer",
                             type, given_size, type);
        size_t known_size = given_size < size_bytes ? given_size : size_bytes;
        if (!struct_is_zero((const unsigned char *)from + known_size, given_size - known_size))
            return error_set(err, SNAPCELL_E_USAGE,
                             "%s has %zu bytes, of which this library knows %zu, and something is "
                             "set in the others: the program was built for a newer snapcell",
                             type, given_size, size_bytes);
        memcpy(to, from, known_size);
    }
    memcpy(to, &size_bytes, sizeof(size_bytes));
    return SNAPCELL_OK;
}

void public_struct_write(void *to, size_t to_size_bytes, const void *from, size_t size_bytes)
{
    memset(to, 0, to_size_bytes);
    memcpy(to, from, to_size_bytes < size_bytes ? to_size_bytes : size_bytes);
}
