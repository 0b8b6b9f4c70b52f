#include "array_buffer_quota.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

namespace snapcell
{
namespace
{

// From here on the kernel zeroes, and takes back: pages that a function never touched are not
// touched for it.
constexpr size_t kMappedBytesMin = size_t{1} << 20;

void *AllocateZeroed(size_t size)
{
    if (size < kMappedBytesMin) return calloc(size > 0 ? size : 1, 1);
    void *data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? nullptr : data;
}

// What malloc() takes back stays in the process as it is.
void FreeZeroed(void *data, size_t size)
{
    if (size >= kMappedBytesMin) {
        munmap(data, size);
        return;
    }
    explicit_bzero(data, size);
    free(data);
}

} // namespace

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
    void *data = AllocateZeroed(size);
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
    if (data != nullptr) FreeZeroed(data, size);
    used_bytes_.fetch_sub(size, std::memory_order_relaxed);
}

} // namespace snapcell
