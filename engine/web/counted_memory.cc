#include "web/counted_memory.h"

#include <cstdlib>

#include <malloc.h>

#include "array_buffer_quota.h"
#include "isolate_state.h"
#include "web/natives.h"

namespace snapcell
{

void *AllocateCounted(void *state, size_t size)
{
    void *memory = std::malloc(size > 0 ? size : 1);
    if (memory == nullptr) return nullptr;
    if (static_cast<IsolateState *>(state)->array_buffers->Reserve(malloc_usable_size(memory)))
        return memory;
    std::free(memory);
    return nullptr;
}

void FreeCounted(void *state, void *memory)
{
    if (memory == nullptr) return;
    static_cast<IsolateState *>(state)->array_buffers->Release(malloc_usable_size(memory));
    FreeMemory()(memory);
}

} // namespace snapcell
