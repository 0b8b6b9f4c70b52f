// An isolate without anything of ours: of programs that look at V8 itself.
#ifndef SNAPCELL_PLAIN_PARAMS_H
#define SNAPCELL_PLAIN_PARAMS_H

#include <v8.h>

namespace snapcell
{

// The allocator stays until the process ends.
inline v8::Isolate::CreateParams PlainParams()
{
    static v8::ArrayBuffer::Allocator *allocator =
        v8::ArrayBuffer::Allocator::NewDefaultAllocator();
    v8::Isolate::CreateParams params;
    params.array_buffer_allocator = allocator;
    return params;
}

} // namespace snapcell

#endif
