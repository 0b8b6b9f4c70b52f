// The page pool, without V8: what it hands out is zero, what it keeps is bounded, and nothing is
// lost.
#include "page_pool.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <check.h>

#include "../format/check_run.h"
using snapcell::PagePool;
using snapcell::PagePoolStats;
using Permission = v8::PageAllocator::Permission;

namespace
{

constexpr size_t kChunk = 256 * 1024;

// Pages straight from the kernel, counted.
class KernelPages final : public v8::PageAllocator
{
  public:
    size_t AllocatePageSize() override { return 4096; }
    size_t CommitPageSize() override { return 4096; }
    void SetRandomMmapSeed(int64_t) override {}
    void *GetRandomMmapAddr() override { return nullptr; }
    void *AllocatePages(void *, size_t size, size_t, Permission) override
    {
        live++;
        void *pages =
            mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return pages == MAP_FAILED ? nullptr : pages;
    }
    bool FreePages(void *address, size_t size) override
    {
        live--;
        return munmap(address, size) == 0;
    }
    bool ReleasePages(void *, size_t, size_t) override { return true; }
    bool SetPermissions(void *address, size_t size, Permission permission) override
    {
        int protection = permission == kNoAccess ? PROT_NONE : PROT_READ | PROT_WRITE;
        return mprotect(address, size, protection) == 0;
    }
    bool DecommitPages(void *, size_t) override { return true; }

    int live = 0;
};

bool IsZero(const void *bytes, size_t size)
{
    const char *begin = static_cast<const char *>(bytes);
    return begin[0] == 0 && memcmp(begin, begin + 1, size - 1) == 0;
}

char *Take(PagePool *pool, size_t size)
{
    void *pages = pool->AllocatePages(nullptr, size, kChunk, Permission::kReadWrite);
    ck_assert_ptr_nonnull(pages);
    ck_assert_uint_eq(reinterpret_cast<uintptr_t>(pages) % kChunk, 0);
    return static_cast<char *>(pages);
}

// What the kernel says, as a machine that swaps would: the linker leads these calls here.
bool g_pages_are_swapped_out = false;

} // namespace

extern "C" {
int __real_mincore(void *address, size_t size, unsigned char *out);
int __wrap_mincore(void *address, size_t size, unsigned char *out);
int __real_sysinfo(struct sysinfo *out);
int __wrap_sysinfo(struct sysinfo *out);

int __wrap_mincore(void *address, size_t size, unsigned char *out)
{
    if (!g_pages_are_swapped_out) return __real_mincore(address, size, out);
    memset(out, 0, (size + 4095) / 4096);
    return 0;
}

int __wrap_sysinfo(struct sysinfo *out)
{
    int status = __real_sysinfo(out);
    out->totalswap = 1000;
    out->freeswap = g_pages_are_swapped_out ? 999 : 1000;
    return status;
}
}

START_TEST(test_pages_that_are_swapped_out_are_dropped)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr, false);
    char *run = Take(&pool, kChunk);
    memset(run, 0x5a, kChunk);
    g_pages_are_swapped_out = true;
    pool.FreePages(run, kChunk);
    ck_assert_ptr_eq(Take(&pool, kChunk), run);
    ck_assert(IsZero(run, kChunk));
    g_pages_are_swapped_out = false;
}
END_TEST

START_TEST(test_what_one_wrote_no_other_sees)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    for (size_t chunks : {1u, 2u, 5u, 32u}) {
        for (int round = 0; round < 3; round++) {
            char *pages = Take(&pool, chunks * kChunk);
            ck_assert(IsZero(pages, chunks * kChunk));
            memset(pages, 0xA5, chunks * kChunk);
            ck_assert(pool.FreePages(pages, chunks * kChunk));
        }
    }
}
END_TEST

START_TEST(test_a_freed_run_is_handed_out_again)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    char *first = Take(&pool, kChunk);
    pool.FreePages(first, kChunk);
    ck_assert_ptr_eq(Take(&pool, kChunk), first);
    pool.FreePages(first, kChunk);
    ck_assert_int_eq(kernel.live, 0);
}
END_TEST

START_TEST(test_a_trimmed_end_is_zeroed_too)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    char *pages = Take(&pool, kChunk);
    memset(pages, 1, kChunk);
    ck_assert(pool.ReleasePages(pages, kChunk, 65536));
    ck_assert(pool.FreePages(pages, 65536));
    char *again = Take(&pool, kChunk);
    ck_assert_ptr_eq(again, pages);
    ck_assert(IsZero(again, kChunk));
}
END_TEST

START_TEST(test_permissions_are_kept_and_reset)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    char *pages = Take(&pool, 2 * kChunk);
    pages[kChunk] = 1;
    ck_assert(pool.SetPermissions(pages + kChunk, 4096, Permission::kRead));
    ck_assert_int_eq(pages[kChunk], 1);
    // The kernel refuses to write to what is read-only.
    ck_assert_int_ne(madvise(pages + kChunk, 4096, MADV_POPULATE_WRITE), 0);
    ck_assert(pool.FreePages(pages, 2 * kChunk));
    char *again = Take(&pool, 2 * kChunk);
    ck_assert_ptr_eq(again, pages);
    ck_assert(IsZero(again, 2 * kChunk));
    memset(again, 1, 2 * kChunk);
}
END_TEST

START_TEST(test_decommitted_pages_come_back_zeroed)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    char *pages = Take(&pool, kChunk);
    memset(pages, 1, kChunk);
    ck_assert(pool.DecommitPages(pages, 8192));
    ck_assert(pool.RecommitPages(pages, 8192, Permission::kReadWrite));
    ck_assert(IsZero(pages, 8192));
    ck_assert_int_eq(pages[8192], 1);
    ck_assert(pool.DiscardSystemPages(pages + 8192, 4096));
    ck_assert(IsZero(pages, 12288));
    ck_assert(pool.FreePages(pages, kChunk));
}
END_TEST

static size_t CountResident(const char *begin, size_t size)
{
    std::vector<unsigned char> resident(size / 4096);
    ck_assert_int_eq(__real_mincore(const_cast<char *>(begin), size, resident.data()), 0);
    size_t count = 0;
    for (unsigned char page : resident)
        count += page & 1;
    return count;
}

// Where pages are zeroed in place, those that no one touched stay so: a reservation for
// WebAssembly's code is large, and hardly used.
START_TEST(test_decommitting_a_reservation_touches_nothing_new)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr, false, true);
    const size_t size = 256 * kChunk;
    char *range = static_cast<char *>(
        pool.AllocatePages(nullptr, size, kChunk, Permission::kNoAccessWillJitLater));
    ck_assert_ptr_nonnull(range);
    ck_assert(pool.SetPermissions(range, 4 * 4096, Permission::kReadWrite));
    memset(range, 0x5a, 4 * 4096);
    ck_assert(pool.DecommitPages(range, size));
    ck_assert_uint_le(CountResident(range, size), 4);
    ck_assert(pool.SetPermissions(range, size, Permission::kReadWrite));
    ck_assert(IsZero(range, 8 * 4096));
    // Whether a page is there is not known where some are swapped out.
    memset(range, 0x5a, 4 * 4096);
    g_pages_are_swapped_out = true;
    ck_assert(pool.DecommitPages(range, size));
    g_pages_are_swapped_out = false;
    ck_assert_uint_le(CountResident(range, size), 4);
    ck_assert(pool.SetPermissions(range, size, Permission::kReadWrite));
    ck_assert(IsZero(range, 8 * 4096));
    pool.FreePages(range, size);
}
END_TEST

START_TEST(test_kept_memory_is_bounded)
{
    KernelPages kernel;
    PagePool pool(&kernel, 4 * kChunk, nullptr);
    std::vector<char *> runs;
    for (int i = 0; i < 10; i++)
        runs.push_back(Take(&pool, kChunk));
    ck_assert_uint_eq(pool.Stats().live_bytes, 10 * kChunk);
    for (char *run : runs)
        pool.FreePages(run, kChunk);
    PagePoolStats stats = pool.Stats();
    ck_assert_uint_eq(stats.live_bytes, 0);
    ck_assert_uint_eq(stats.kept_bytes, 4 * kChunk);
    ck_assert_uint_eq(stats.cold_bytes, 6 * kChunk);
    pool.Trim(kChunk);
    ck_assert_uint_eq(pool.Stats().kept_bytes, kChunk);
    ck_assert_uint_eq(pool.Stats().cold_bytes, 9 * kChunk);
    // Cold runs are taken before new ones are made.
    for (int i = 0; i < 10; i++)
        Take(&pool, kChunk);
    ck_assert_uint_eq(pool.Stats().cold_bytes, 0);
}
END_TEST

START_TEST(test_memory_that_is_there_ahead)
{
    KernelPages kernel;
    PagePool pool(&kernel, 4 * kChunk, nullptr, false);
    pool.Populate(2 * kChunk + 100);
    ck_assert_uint_eq(pool.Stats().kept_bytes, 2 * kChunk);
    pool.Populate(8 * kChunk);
    ck_assert_uint_eq(pool.Stats().kept_bytes, 4 * kChunk);
    char *runs[4];
    for (char *&run : runs) {
        unsigned char resident[kChunk / 4096];
        run = Take(&pool, kChunk);
        ck_assert_int_eq(__real_mincore(run, kChunk, resident), 0);
        for (unsigned char page : resident)
            ck_assert_int_eq(page & 1, 1);
        ck_assert(IsZero(run, kChunk));
    }
    ck_assert_uint_eq(pool.Stats().kept_bytes, 0);
    for (char *run : runs)
        pool.FreePages(run, kChunk);
    pool.Trim(0);
    ck_assert_uint_eq(pool.Stats().cold_bytes, 4 * kChunk);
}
END_TEST

START_TEST(test_code_ranges_are_kept_closed_and_empty)
{
    KernelPages kernel;
    PagePool pool(&kernel, kChunk, nullptr);
    constexpr size_t kSize = size_t{64} << 20;
    char *range =
        static_cast<char *>(pool.AllocatePages(nullptr, kSize, kChunk, Permission::kNoAccess));
    ck_assert_ptr_nonnull(range);
    ck_assert(pool.SetPermissions(range + kChunk, kChunk, Permission::kReadWrite));
    memset(range + kChunk, 0x90, kChunk);
    ck_assert(pool.FreePages(range, kSize));
    ck_assert_int_eq(kernel.live, 1);
    ck_assert_ptr_eq(pool.AllocatePages(nullptr, kSize, kChunk, Permission::kNoAccess), range);
    // Nothing can be read until it is opened, and then it is zero.
    ck_assert_int_ne(madvise(range + kChunk, kChunk, MADV_POPULATE_READ), 0);
    ck_assert(pool.SetPermissions(range + kChunk, kChunk, Permission::kReadWrite));
    ck_assert(IsZero(range + kChunk, kChunk));
    // Two at once are two.
    ck_assert_ptr_ne(pool.AllocatePages(nullptr, kSize, kChunk, Permission::kNoAccess), range);
}
END_TEST

START_TEST(test_odd_sizes_go_to_the_kernel)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    void *small = pool.AllocatePages(nullptr, 8192, 4096, Permission::kReadWrite);
    void *long_run = pool.AllocatePages(nullptr, 33 * kChunk, kChunk, Permission::kReadWrite);
    ck_assert_int_eq(kernel.live, 2);
    ck_assert(pool.FreePages(small, 8192));
    ck_assert(pool.FreePages(long_run, 33 * kChunk));
    ck_assert_int_eq(kernel.live, 0);
    ck_assert_uint_eq(pool.Stats().live_bytes, 0);
}
END_TEST

START_TEST(test_arenas_lie_where_they_are_wanted)
{
    KernelPages kernel;
    char *const wanted = reinterpret_cast<char *>(0x210000000000);
    PagePool pool(&kernel, 64 * kChunk, wanted);
    ck_assert_ptr_eq(Take(&pool, kChunk), wanted);
    // Where something else lies, another place will do.
    PagePool other(&kernel, 64 * kChunk, wanted);
    ck_assert_ptr_ne(Take(&other, kChunk), wanted);
}
END_TEST

START_TEST(test_threads_share_the_pool)
{
    KernelPages kernel;
    PagePool pool(&kernel, 64 * kChunk, nullptr);
    constexpr int kRounds = 500;
    auto work = [&pool](unsigned seed) {
        for (int i = 0; i < kRounds; i++) {
            size_t size = (1 + static_cast<size_t>(rand_r(&seed)) % 4) * kChunk;
            char *a = Take(&pool, size);
            char *b = Take(&pool, kChunk);
            ck_assert(a[0] == 0 && a[size - 1] == 0 && b[0] == 0);
            a[0] = a[size - 1] = b[0] = 1;
            pool.SetPermissions(b, 4096, Permission::kRead);
            pool.FreePages(a, size);
            pool.FreePages(b, kChunk);
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; i++)
        threads.emplace_back(work, i + 1);
    for (std::thread &thread : threads)
        thread.join();
    PagePoolStats stats = pool.Stats();
    ck_assert_uint_eq(stats.live_bytes, 0);
    ck_assert_uint_le(stats.kept_bytes, 64 * kChunk);
    // No run was lost on the way: what was carved is kept or cold, and four threads need few.
    ck_assert_uint_le(stats.kept_bytes + stats.cold_bytes, 4 * (4 * 10 + 4) * kChunk);
}
END_TEST

int main()
{
    Suite *suite = suite_create("page_pool");
    TCase *tcase = tcase_create("page_pool");
    tcase_add_test(tcase, test_what_one_wrote_no_other_sees);
    tcase_add_test(tcase, test_pages_that_are_swapped_out_are_dropped);
    tcase_add_test(tcase, test_a_freed_run_is_handed_out_again);
    tcase_add_test(tcase, test_a_trimmed_end_is_zeroed_too);
    tcase_add_test(tcase, test_permissions_are_kept_and_reset);
    tcase_add_test(tcase, test_decommitted_pages_come_back_zeroed);
    tcase_add_test(tcase, test_decommitting_a_reservation_touches_nothing_new);
    tcase_add_test(tcase, test_kept_memory_is_bounded);
    tcase_add_test(tcase, test_memory_that_is_there_ahead);
    tcase_add_test(tcase, test_code_ranges_are_kept_closed_and_empty);
    tcase_add_test(tcase, test_odd_sizes_go_to_the_kernel);
    tcase_add_test(tcase, test_arenas_lie_where_they_are_wanted);
    tcase_add_test(tcase, test_threads_share_the_pool);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
