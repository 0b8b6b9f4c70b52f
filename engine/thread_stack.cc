#include "thread_stack.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace snapcell
{
namespace
{

constexpr uintptr_t kStackBytesMax = 984 * 1024;   // V8's default
constexpr uintptr_t kReserveBytes = 128 * 1024;    // for native code that JavaScript calls last
constexpr uintptr_t kMainStackBytes = 1024 * 1024; // that a main thread has for sure

// The lowest address of the calling thread's stack. glibc reads /proc/self/maps to find the main
// thread's, which would be a good part of a load; its size is only bounded by a limit, which hardly
// anyone sets below a megabyte.
uintptr_t FindStackLow(uintptr_t here)
{
    if (getpid() == gettid()) {
        struct rlimit limit;
        bool small = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < kMainStackBytes * 2;
        return here - (small ? limit.rlim_cur / 2 : kMainStackBytes + kReserveBytes);
    }
    pthread_attr_t attributes;
    void *low = nullptr;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return here - kReserveBytes;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    return reinterpret_cast<uintptr_t>(low);
}

} // namespace

uintptr_t StackLimitFromHere()
{
    uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    static thread_local const uintptr_t low = FindStackLow(here);
    uintptr_t room = here - low;
    uintptr_t reserve = room / 2 < kReserveBytes ? room / 2 : kReserveBytes;
    uintptr_t usable = room - reserve;
    return here - (usable < kStackBytesMax ? usable : kStackBytesMax);
}

} // namespace snapcell
