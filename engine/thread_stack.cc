#include "thread_stack.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "error_set.h"
#include "snapcell/defaults.h"

extern "C" void *__libc_stack_end; // where the main thread's stack began

namespace snapcell
{
namespace
{

constexpr uintptr_t kStackBytesMax = 984 * 1024; // V8's default
constexpr uintptr_t kReserveBytes = 128 * 1024;  // for native code that JavaScript calls last
constexpr uintptr_t kUnlimitedBytes = uintptr_t{1} << 30; // of a main thread without a limit

struct Bounds {
    uintptr_t low;
    uintptr_t high;
};

// Arguments and environment lie above it, and count for its limit: a quarter of it at most.
Bounds MainStack()
{
    uintptr_t high = reinterpret_cast<uintptr_t>(__libc_stack_end);
    struct rlimit limit;
    bool limited = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < kUnlimitedBytes;
    uintptr_t size = limited ? static_cast<uintptr_t>(limit.rlim_cur) : kUnlimitedBytes;
    return {high - size / 4 * 3, high};
}

// glibc reads /proc/self/maps to find the main thread's, which would be a good part of a load.
Bounds FindThreadStack()
{
    if (getpid() == gettid()) return MainStack();
    pthread_attr_t attributes;
    void *low = nullptr;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {0, 0};
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    return {reinterpret_cast<uintptr_t>(low), reinterpret_cast<uintptr_t>(low) + size};
}

const Bounds &ThreadStack()
{
    static thread_local const Bounds bounds = FindThreadStack();
    return bounds;
}

} // namespace

int CheckStack(snapcell_error *err)
{
    uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    const Bounds &stack = ThreadStack();
    if (here < stack.low || here >= stack.high)
        return error_set(err, SNAPCELL_E_USAGE,
                         "this runs on a stack that is not its thread's own, as a coroutine does, "
                         "which the engine cannot: call it from a thread's own stack");
    uintptr_t room = here - stack.low;
    if (room >= SNAPCELL_STACK_SIZE_BYTES_MIN) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "%zu bytes of stack are left here, and the engine needs %u: call it from a "
                     "thread with a larger stack",
                     static_cast<size_t>(room), SNAPCELL_STACK_SIZE_BYTES_MIN);
}

uintptr_t StackLimitFromHere()
{
    uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    uintptr_t room = here - ThreadStack().low;
    uintptr_t reserve = room / 2 < kReserveBytes ? room / 2 : kReserveBytes;
    uintptr_t usable = room - reserve;
    return here - (usable < kStackBytesMax ? usable : kStackBytesMax);
}

} // namespace snapcell
