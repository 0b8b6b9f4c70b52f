#include <string.h>

#include "error_set.h"
#include "snapcell/artifact.h"
#include "utf8.h"

int snapcell_name_check(const char *name, snapcell_error *err)
{
    const size_t size = strnlen(name, SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1);
    if (size == 0) return error_set(err, SNAPCELL_E_USAGE, "a function's name cannot be empty");
    if (size > SNAPCELL_ARTIFACT_NAME_SIZE_MAX)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a function's name has at most %d bytes: '%.40s...' is longer",
                         SNAPCELL_ARTIFACT_NAME_SIZE_MAX, name);
    if (utf8_is_name((const uint8_t *)name, size)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "a function's name is UTF-8 without control characters and '/': this one of "
                     "%zu bytes is not",
                     size);
}
