// malloc() for libraries that take as much as a script asks them for.
#ifndef SNAPCELL_WEB_COUNTED_MEMORY_H
#define SNAPCELL_WEB_COUNTED_MEMORY_H

#include <cstddef>

namespace snapcell
{

// Counted where ArrayBuffers are: nullptr when the function has not as much left. `state` is the
// isolate's IsolateState.
void *AllocateCounted(void *state, size_t size);

// Zeroes it, too. `memory` may be nullptr.
void FreeCounted(void *state, void *memory);

} // namespace snapcell

#endif
