// How far down V8 may use the stack of the thread that it runs on.
#ifndef SNAPCELL_THREAD_STACK_H
#define SNAPCELL_THREAD_STACK_H

#include <cstdint>

namespace snapcell
{

// The lowest address that JavaScript may reach from here on, on the calling thread: V8's default
// distance from here, or less on a small stack, where native code keeps a reserve below it.
uintptr_t StackLimitFromHere();

} // namespace snapcell

#endif
