// Memory for ArrayBuffers, which V8's heap limit does not count: zeroed, and bounded for each
// isolate.
#ifndef SNAPCELL_ARRAY_BUFFER_QUOTA_H
#define SNAPCELL_ARRAY_BUFFER_QUOTA_H

#include <atomic>

#include <v8-array-buffer.h>

namespace snapcell
{

class ArrayBufferQuota final : public v8::ArrayBuffer::Allocator
{
  public:
    explicit ArrayBufferQuota(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

    void *Allocate(size_t size) override;
    void *AllocateUninitialized(size_t size) override;
    void Free(void *data, size_t size) override;

    // Counts memory that is kept elsewhere for the script. False when there is not as much left.
    bool Reserve(size_t size) { return Take(size); }
    void Release(size_t size) { used_bytes_.fetch_sub(size, std::memory_order_relaxed); }

    // Whether the last allocation was refused: V8 collects garbage and asks again before the script
    // sees a RangeError.
    bool WasExceeded() const { return exceeded_.load(std::memory_order_relaxed); }

  private:
    bool Take(size_t size);

    const size_t limit_bytes_;
    std::atomic<size_t> used_bytes_{0};
    std::atomic<bool> exceeded_{false};
};

} // namespace snapcell

#endif
