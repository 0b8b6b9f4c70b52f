#include "page_pool.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14; older kernels refuse it
#endif

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>

namespace snapcell
{
namespace
{

// Reservations from this size on are for code: V8 makes no other of this size.
constexpr size_t kCodeRangeBytesMin = size_t{32} << 20;
constexpr size_t kPageBytes = 4096;

int Protection(v8::PageAllocator::Permission permission)
{
    switch (permission) {
    case v8::PageAllocator::kRead:
        return PROT_READ;
    case v8::PageAllocator::kReadWrite:
        return PROT_READ | PROT_WRITE;
    case v8::PageAllocator::kReadWriteExecute:
        return PROT_READ | PROT_WRITE | PROT_EXEC;
    case v8::PageAllocator::kReadExecute:
        return PROT_READ | PROT_EXEC;
    case v8::PageAllocator::kNoAccess:
    case v8::PageAllocator::kNoAccessWillJitLater:
        break;
    }
    return PROT_NONE;
}

// Whether a page that is not resident may hold data all the same.
bool SwapIsInUse()
{
    struct sysinfo facts;
    return sysinfo(&facts) != 0 || facts.freeswap != facts.totalswap;
}

// Zeroes what is resident: pages that no one touched are zero, and touching them would make them
// cost memory.
void ZeroResident(char *begin, size_t size)
{
    constexpr size_t kPagesMax = 64; // of one chunk
    unsigned char resident[kPagesMax];
    for (size_t done = 0; done < size; done += kPagesMax * kPageBytes) {
        size_t part = size - done < kPagesMax * kPageBytes ? size - done : kPagesMax * kPageBytes;
        bool known = mincore(begin + done, part, resident) == 0;
        for (size_t page = 0; page * kPageBytes < part; page++)
            if (!known || (resident[page] & 1) != 0)
                memset(begin + done + page * kPageBytes, 0, kPageBytes);
    }
}

// Memory with the wanted alignment, straight from the kernel.
char *MapAligned(size_t size, size_t alignment, int protection)
{
    size_t padded = size + alignment;
    void *mapped =
        mmap(nullptr, padded, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    char *begin = static_cast<char *>(mapped);
    uintptr_t misfit = reinterpret_cast<uintptr_t>(begin) % alignment;
    char *aligned = misfit == 0 ? begin : begin + (alignment - misfit);
    if (aligned > begin) munmap(begin, static_cast<size_t>(aligned - begin));
    char *end = begin + padded;
    if (aligned + size < end) munmap(aligned + size, static_cast<size_t>(end - (aligned + size)));
    return aligned;
}

char *MapAt(char *address, size_t size)
{
    void *mapped = mmap(address, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    // Kernels before 4.17 take the flag for a mere hint.
    if (mapped == address) return address;
    munmap(mapped, size);
    return nullptr;
}

} // namespace

PagePool::PagePool(v8::PageAllocator *base, size_t kept_bytes_max, void *fixed_address,
                   bool huge_pages, bool zeroed_in_place)
    : base_(base), kept_bytes_max_(kept_bytes_max),
      fixed_address_(static_cast<char *>(fixed_address)), huge_pages_(huge_pages),
      zeroed_in_place_(zeroed_in_place)
{
}

PagePool::~PagePool()
{
    for (size_t i = 0; i < arena_count_.load(); i++) {
        Arena *arena = arenas_[i].load();
        munmap(arena->base, kArenaBytes);
        delete arena;
    }
    for (const CodeRange &range : code_ranges_)
        base_->FreePages(range.base, range.size);
}

// --- Runs of chunks
// -----------------------------------------------------------------------------------------------

PagePool::Arena *PagePool::FindArena(const void *address) const
{
    const char *wanted = static_cast<const char *>(address);
    size_t count = arena_count_.load(std::memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        Arena *arena = arenas_[i].load(std::memory_order_relaxed);
        if (wanted >= arena->base && wanted < arena->base + kArenaBytes) return arena;
    }
    return nullptr;
}

// The run that an address lies in: V8 changes permissions in the middle of runs.
PagePool::Run *PagePool::FindRun(Arena *arena, const void *address) const
{
    size_t chunk =
        static_cast<size_t>(static_cast<const char *>(address) - arena->base) / kChunkBytes;
    while (chunk > 0 && arena->runs[chunk].chunks == 0)
        chunk--;
    return &arena->runs[chunk];
}

PagePool::Shard *PagePool::OwnShard()
{
    static std::atomic<size_t> next{0};
    static thread_local size_t own = next.fetch_add(1, std::memory_order_relaxed) % kShards;
    return &shards_[own];
}

char *PagePool::TakeKept(Shard *shard, size_t chunks)
{
    std::lock_guard<std::mutex> guard(shard->mutex);
    std::vector<char *> &kept = shard->kept[chunks];
    if (kept.empty()) return nullptr;
    char *run = kept.back();
    kept.pop_back();
    kept_bytes_.fetch_sub(chunks * kChunkBytes, std::memory_order_relaxed);
    return run;
}

char *PagePool::TakeCold(size_t chunks)
{
    std::lock_guard<std::mutex> guard(arenas_mutex_);
    if (cold_[chunks].empty()) return nullptr;
    char *run = cold_[chunks].back();
    cold_[chunks].pop_back();
    cold_bytes_.fetch_sub(chunks * kChunkBytes, std::memory_order_relaxed);
    return run;
}

PagePool::Arena *PagePool::AddArena()
{
    size_t count = arena_count_.load(std::memory_order_relaxed);
    if (count == kArenasMax) return nullptr;
    Arena *arena = new (std::nothrow) Arena;
    if (arena == nullptr) return nullptr;
    if (fixed_address_ != nullptr)
        arena->base = MapAt(fixed_address_ + count * kArenaBytes, kArenaBytes);
    if (arena->base == nullptr)
        arena->base = MapAligned(kArenaBytes, size_t{2} << 20, PROT_READ | PROT_WRITE);
    if (arena->base == nullptr) {
        delete arena;
        return nullptr;
    }
    // Only on request: a page that is touched for a few bytes must not cost 2 MiB.
    madvise(arena->base, kArenaBytes, huge_pages_ ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    arenas_[count].store(arena, std::memory_order_relaxed);
    arena_count_.store(count + 1, std::memory_order_release);
    return arena;
}

char *PagePool::CarveRun(size_t chunks)
{
    std::lock_guard<std::mutex> guard(arenas_mutex_);
    size_t count = arena_count_.load(std::memory_order_relaxed);
    Arena *arena = count > 0 ? arenas_[count - 1].load(std::memory_order_relaxed) : nullptr;
    if (arena == nullptr || arena->used_chunks + chunks > kChunksPerArena) arena = AddArena();
    if (arena == nullptr) return nullptr;
    char *run = arena->base + arena->used_chunks * kChunkBytes;
    arena->used_chunks += chunks;
    return run;
}

char *PagePool::TakeRun(size_t chunks)
{
    Shard *own = OwnShard();
    char *run = TakeKept(own, chunks);
    for (Shard &other : shards_)
        if (run == nullptr && &other != own) run = TakeKept(&other, chunks);
    if (run == nullptr) run = TakeCold(chunks);
    if (run == nullptr) run = CarveRun(chunks);
    return run;
}

void PagePool::KeepRun(char *run, size_t chunks)
{
    Shard *own = OwnShard();
    std::lock_guard<std::mutex> guard(own->mutex);
    std::vector<char *> &kept = own->kept[chunks];
    kept.insert(std::lower_bound(kept.begin(), kept.end(), run, std::greater<char *>()), run);
    kept_bytes_.fetch_add(chunks * kChunkBytes, std::memory_order_relaxed);
}

// Zeroed here, before any other isolate can be handed the run.
void PagePool::GiveRun(Arena *arena, char *run, size_t chunks, bool altered)
{
    size_t bytes = chunks * kChunkBytes;
    if (altered) mprotect(run, bytes, PROT_READ | PROT_WRITE);
    live_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    arena->runs[static_cast<size_t>(run - arena->base) / kChunkBytes].chunks = 0;
    bool is_kept = kept_bytes_.load(std::memory_order_relaxed) + bytes <= kept_bytes_max_;
    if (zeroed_in_place_)
        memset(run, 0, bytes);
    else if (is_kept && !SwapIsInUse())
        ZeroResident(run, bytes);
    else
        madvise(run, bytes, MADV_DONTNEED);
    if (!is_kept) {
        std::lock_guard<std::mutex> guard(arenas_mutex_);
        cold_[chunks].push_back(run);
        cold_bytes_.fetch_add(bytes, std::memory_order_relaxed);
        return;
    }
    KeepRun(run, chunks);
}

void PagePool::Populate(size_t bytes)
{
    for (size_t done = 0; done + kChunkBytes <= bytes; done += kChunkBytes) {
        bool fits = kept_bytes_.load(std::memory_order_relaxed) + kChunkBytes <= kept_bytes_max_;
        char *run = fits ? CarveRun(1) : nullptr;
        if (run == nullptr) return;
        if (madvise(run, kChunkBytes, MADV_POPULATE_WRITE) != 0) memset(run, 0, kChunkBytes);
        KeepRun(run, 1);
    }
}

void PagePool::Trim(size_t kept_bytes)
{
    if (zeroed_in_place_) return;
    for (Shard &shard : shards_) {
        std::lock_guard<std::mutex> guard(shard.mutex);
        for (size_t chunks = 1; chunks <= kRunChunksMax; chunks++) {
            std::vector<char *> &kept = shard.kept[chunks];
            while (!kept.empty() && kept_bytes_.load(std::memory_order_relaxed) > kept_bytes) {
                char *run = kept.back();
                kept.pop_back();
                size_t bytes = chunks * kChunkBytes;
                kept_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
                madvise(run, bytes, MADV_DONTNEED);
                std::lock_guard<std::mutex> arenas_guard(arenas_mutex_);
                cold_[chunks].push_back(run);
                cold_bytes_.fetch_add(bytes, std::memory_order_relaxed);
            }
        }
    }
}

PagePoolStats PagePool::Stats() const
{
    return {live_bytes_.load(), kept_bytes_.load(), cold_bytes_.load()};
}

// What is there is gone, and zeros are in its place when it is next read.
bool PagePool::Drop(void *address, size_t size)
{
    if (!zeroed_in_place_) return madvise(address, size, MADV_DONTNEED) == 0;
    if (SwapIsInUse()) return Replace(address, size);
    if (mprotect(address, size, PROT_READ | PROT_WRITE) != 0) return false;
    // Of a reservation for WebAssembly's code, most was never touched.
    ZeroResident(static_cast<char *>(address), size);
    return true;
}

// Where a page that is not resident may have data, touching all would make all of it cost memory:
// new memory takes its place. A restore of the process's memory finds that.
bool PagePool::Replace(void *address, size_t size)
{
    void *mapped = mmap(address, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (mapped != address) return false;
    // As the rest of an arena, so that the kernel joins the two.
    if (FindArena(address) != nullptr && !huge_pages_) madvise(address, size, MADV_NOHUGEPAGE);
    return true;
}

// --- Code ranges
// -------------------------------------------------------------------------------------------------

void *PagePool::TakeCodeRange(size_t size, size_t alignment, Permission permission)
{
    std::lock_guard<std::mutex> guard(code_mutex_);
    for (CodeRange &range : code_ranges_) {
        if (range.in_use || range.size != size || range.alignment < alignment) continue;
        range.in_use = true;
        return range.base;
    }
    void *base = base_->AllocatePages(nullptr, size, alignment, permission);
    if (base == nullptr) return nullptr;
    char *begin = static_cast<char *>(base);
    code_ranges_.push_back({begin, size, alignment, nullptr, nullptr, true});
    return base;
}

PagePool::CodeRange *PagePool::FindCodeRange(const void *address)
{
    const char *wanted = static_cast<const char *>(address);
    for (CodeRange &range : code_ranges_)
        if (wanted >= range.base && wanted < range.base + range.size) return &range;
    return nullptr;
}

// What was made accessible is dropped and closed again: no isolate finds another one's code, or
// memory to write it to.
bool PagePool::GiveCodeRange(void *address)
{
    std::lock_guard<std::mutex> guard(code_mutex_);
    CodeRange *range = FindCodeRange(address);
    if (range == nullptr || range->base != address || !range->in_use) return false;
    if (range->touched_begin != nullptr) {
        size_t size = static_cast<size_t>(range->touched_end - range->touched_begin);
        Drop(range->touched_begin, size);
        mprotect(range->touched_begin, size, PROT_NONE);
        range->touched_begin = range->touched_end = nullptr;
    }
    range->in_use = false;
    return true;
}

void PagePool::NoteCodePermission(void *address, size_t size, Permission permission)
{
    if (permission == kNoAccess || permission == kNoAccessWillJitLater) return;
    std::lock_guard<std::mutex> guard(code_mutex_);
    CodeRange *range = FindCodeRange(address);
    if (range == nullptr) return;
    char *begin = static_cast<char *>(address);
    if (range->touched_begin == nullptr || begin < range->touched_begin)
        range->touched_begin = begin;
    if (range->touched_end == nullptr || begin + size > range->touched_end)
        range->touched_end = begin + size;
}

// --- v8::PageAllocator
// --------------------------------------------------------------------------------------------

void *PagePool::AllocatePages(void *hint, size_t size, size_t alignment, Permission permission)
{
    if (size >= kCodeRangeBytesMin && permission != kReadWrite)
        return TakeCodeRange(size, alignment, permission);
    size_t chunks = (size + kChunkBytes - 1) / kChunkBytes;
    // Small odd sizes would waste most of a chunk.
    bool fits = alignment <= kChunkBytes && size >= kChunkBytes / 4 && chunks <= kRunChunksMax;
    char *run = fits ? TakeRun(chunks) : nullptr;
    if (run == nullptr) return base_->AllocatePages(hint, size, alignment, permission);
    Arena *arena = FindArena(run);
    Run *record = &arena->runs[static_cast<size_t>(run - arena->base) / kChunkBytes];
    record->altered.store(false, std::memory_order_relaxed);
    record->chunks = static_cast<uint32_t>(chunks);
    live_bytes_.fetch_add(chunks * kChunkBytes, std::memory_order_relaxed);
    if (permission != kReadWrite) SetPermissions(run, size, permission);
    return run;
}

bool PagePool::FreePages(void *address, size_t size)
{
    Arena *arena = FindArena(address);
    if (arena == nullptr) return GiveCodeRange(address) || base_->FreePages(address, size);
    Run *run = FindRun(arena, address);
    GiveRun(arena, static_cast<char *>(address), run->chunks,
            run->altered.load(std::memory_order_relaxed));
    return true;
}

// The end of a run stays part of it; it is zeroed with the rest.
bool PagePool::ReleasePages(void *address, size_t size, size_t new_size)
{
    if (FindArena(address) != nullptr) return true;
    return base_->ReleasePages(address, size, new_size);
}

bool PagePool::SetPermissions(void *address, size_t size, Permission permission)
{
    Arena *arena = FindArena(address);
    if (arena == nullptr) {
        NoteCodePermission(address, size, permission);
        return base_->SetPermissions(address, size, permission);
    }
    Run *run = FindRun(arena, address);
    bool altered = run->altered.load(std::memory_order_relaxed);
    if (!altered && permission == kReadWrite) return true;
    run->altered.store(true, std::memory_order_relaxed);
    return mprotect(address, size, Protection(permission)) == 0;
}

bool PagePool::RecommitPages(void *address, size_t size, Permission permission)
{
    return SetPermissions(address, size, permission);
}

bool PagePool::DiscardSystemPages(void *address, size_t size)
{
    if (zeroed_in_place_) return true; // V8 takes what it discards for anything
    if (FindArena(address) == nullptr) return base_->DiscardSystemPages(address, size);
    return madvise(address, size, MADV_DONTNEED) == 0;
}

bool PagePool::DecommitPages(void *address, size_t size)
{
    Arena *arena = FindArena(address);
    if (arena == nullptr && !zeroed_in_place_) return base_->DecommitPages(address, size);
    if (arena != nullptr) FindRun(arena, address)->altered.store(true, std::memory_order_relaxed);
    return Drop(address, size) && mprotect(address, size, PROT_NONE) == 0;
}

} // namespace snapcell
