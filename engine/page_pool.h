// A page allocator for V8 that keeps what isolates free, instead of asking the kernel again for
// every isolate.
//
// V8 maps, trims and unmaps 256 KiB chunks: for a small isolate that is a good part of its load.
// The pool carves runs of chunks out of arenas and keeps freed runs, zeroed, for the next isolate.
// What an isolate wrote is gone before another one can see it. Kept memory is bounded; above the
// bound a run's memory goes back to the kernel and its addresses stay.
#ifndef SNAPCELL_PAGE_POOL_H
#define SNAPCELL_PAGE_POOL_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <v8-platform.h>

namespace snapcell
{

struct PagePoolStats {
    size_t live_bytes; // in use by isolates
    size_t kept_bytes; // zeroed and ready
    size_t cold_bytes; // addresses alone
};

class PagePool final : public v8::PageAllocator
{
  public:
    // `base` serves what the pool does not: odd sizes, and everything once the arenas are full.
    // Borrowed.
    // `fixed_address`, when not NULL, is where arenas are put if they can: V8 leaves halves of
    // addresses in a snapshot's read-only pages, so that they have to be the same in every build.
    // `zeroed_in_place`: as in engine_page_options.
    PagePool(v8::PageAllocator *base, size_t kept_bytes_max, void *fixed_address,
             bool huge_pages = false, bool zeroed_in_place = false);
    // No page of the pool may be in use any more.
    ~PagePool() override;
    PagePool(const PagePool &) = delete;
    PagePool &operator=(const PagePool &) = delete;

    // Gives memory of kept runs back to the kernel until at most `kept_bytes` are left.
    void Trim(size_t kept_bytes);
    // Keeps so much more, as far as the bound lets it, that was touched and is zero.
    void Populate(size_t bytes);
    PagePoolStats Stats() const;

    size_t AllocatePageSize() override { return base_->AllocatePageSize(); }
    size_t CommitPageSize() override { return base_->CommitPageSize(); }
    void SetRandomMmapSeed(int64_t seed) override { base_->SetRandomMmapSeed(seed); }
    void *GetRandomMmapAddr() override { return base_->GetRandomMmapAddr(); }
    void *AllocatePages(void *hint, size_t size, size_t alignment, Permission permission) override;
    bool FreePages(void *address, size_t size) override;
    bool ReleasePages(void *address, size_t size, size_t new_size) override;
    bool SetPermissions(void *address, size_t size, Permission permission) override;
    bool RecommitPages(void *address, size_t size, Permission permission) override;
    bool DiscardSystemPages(void *address, size_t size) override;
    bool DecommitPages(void *address, size_t size) override;
    bool SealPages(void *address, size_t size) override { return base_->SealPages(address, size); }

  private:
    static constexpr size_t kChunkBytes = 256 * 1024;
    static constexpr size_t kChunksPerArena = 256;
    static constexpr size_t kArenaBytes = kChunkBytes * kChunksPerArena;
    static constexpr size_t kArenasMax = 1024;
    static constexpr size_t kRunChunksMax = 32; // longer ones are rare: the kernel's business
    static constexpr size_t kShards = 8;

    // A run of chunks in use; kept at the place of its first chunk.
    struct Run {
        uint32_t chunks = 0;
        std::atomic<bool> altered{
            false}; // not readable and writable all over, as it was handed out
    };
    struct Arena {
        char *base = nullptr;
        size_t used_chunks = 0;
        Run runs[kChunksPerArena];
    };
    // Kept runs are sorted, the lowest address last, and the lowest is handed out first: isolates
    // take and free their runs in the same order each, so that a run serves the same purpose again,
    // and no more of it becomes resident than that purpose touches. Threads share the shards out
    // among themselves, so that they seldom meet, and find what they freed last.
    struct Shard {
        std::mutex mutex;
        std::vector<char *> kept[kRunChunksMax + 1];
    };
    // A reservation for code, as large as V8 makes it, and what of it an isolate may have written.
    struct CodeRange {
        char *base;
        size_t size;
        size_t alignment;
        char *touched_begin;
        char *touched_end;
        bool in_use;
    };

    Arena *FindArena(const void *address) const;
    Run *FindRun(Arena *arena, const void *address) const;
    Shard *OwnShard();
    char *TakeRun(size_t chunks);
    char *TakeKept(Shard *shard, size_t chunks);
    char *TakeCold(size_t chunks);
    char *CarveRun(size_t chunks);
    Arena *AddArena();
    void KeepRun(char *run, size_t chunks);
    void GiveRun(Arena *arena, char *run, size_t chunks, bool altered);
    bool Drop(void *address, size_t size);
    bool Replace(void *address, size_t size);

    void *TakeCodeRange(size_t size, size_t alignment, Permission permission);
    CodeRange *FindCodeRange(const void *address);
    bool GiveCodeRange(void *address);
    void NoteCodePermission(void *address, size_t size, Permission permission);

    v8::PageAllocator *const base_;
    const size_t kept_bytes_max_;
    char *const fixed_address_;
    const bool huge_pages_;
    const bool zeroed_in_place_;
    std::atomic<size_t> live_bytes_{0};
    std::atomic<size_t> kept_bytes_{0};
    std::atomic<size_t> cold_bytes_{0};
    Shard shards_[kShards];

    std::mutex arenas_mutex_; // guards adding arenas, carving, and the cold runs
    std::atomic<size_t> arena_count_{0};
    std::atomic<Arena *> arenas_[kArenasMax] = {};
    std::vector<char *> cold_[kRunChunksMax + 1];

    std::mutex code_mutex_;
    std::vector<CodeRange> code_ranges_;
};

} // namespace snapcell

#endif
