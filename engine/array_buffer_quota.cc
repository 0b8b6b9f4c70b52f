#include "array_buffer_quota.h"

#include <cstdlib>

namespace snapcell
{

bool ArrayBufferQuota::Take(size_t size)
{
    size_t before = used_bytes_.fetch_add(size, std::memory_order_relaxed);
    bool fits = before + size <= limit_bytes_ && before + size >= before;
    if (!fits) used_bytes_.fetch_sub(size, std::memory_order_relaxed);
    exceeded_.store(!fits, std::memory_order_relaxed);
    return fits;
}

void *ArrayBufferQuota::Allocate(size_t size)
{
    if (!Take(size)) return nullptr;
    void *data = calloc(size, 1);
    if (data == nullptr) used_bytes_.fetch_sub(size, std::memory_order_relaxed);
    return data;
}

// V8 asks for uninitialized memory where it will write all of it; a native that then fails would
// show old bytes, so that it is zeroed all the same.
void *ArrayBufferQuota::AllocateUninitialized(size_t size)
{
    return Allocate(size);
}

void ArrayBufferQuota::Free(void *data, size_t size)
{
    free(data);
    used_bytes_.fetch_sub(size, std::memory_order_relaxed);
}

} // namespace snapcell
