#include "random_bytes.h"

#include <cerrno>

#include <sys/random.h>

namespace snapcell
{

bool FillWithRandomBytes(void *data, size_t size)
{
    char *at = static_cast<char *>(data);
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<size_t>(got);
    }
    return true;
}

} // namespace snapcell
