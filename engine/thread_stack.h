// How far down V8 may use the stack that it runs on.
#ifndef SNAPCELL_THREAD_STACK_H
#define SNAPCELL_THREAD_STACK_H

#include <cstdint>

#include "snapcell/error.h"

namespace snapcell
{

// Whether this runs on the calling thread's own stack, and enough of that is left. On another, as a
// coroutine's, V8's collector would look for pointers from there up to where the thread's begins,
// over whatever lies between them. Errors: E_USAGE.
int CheckStack(snapcell_error *err);

// The lowest address that JavaScript may reach from here on: V8's default distance from here, or
// less on a small stack, where native code keeps a reserve below it. To be called where
// CheckStack() has passed.
uintptr_t StackLimitFromHere();

} // namespace snapcell

#endif
