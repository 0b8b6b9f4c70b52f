// What V8 adds to a context only when the context is not to be serialized, or after it was
// restored: WebAssembly, nothing of which can be in a snapshot, and Error.stackTraceLimit.
#ifndef SNAPCELL_LATE_BUILTINS_H
#define SNAPCELL_LATE_BUILTINS_H

#include <vector>

#include <v8.h>

namespace snapcell
{

void AppendLateBuiltInReferences(std::vector<intptr_t> *references);

// Stands in for them while a snapshot is made. The functions of the WebAssembly that a bundle sees
// note that it cannot become a snapshot, and throw; one that it kept without calling it calls the
// real one at run time.
bool AddLateBuiltIns(v8::Local<v8::Context> context);

// Takes them away again, since V8 adds the real ones without looking.
bool RemoveLateBuiltIns(v8::Local<v8::Context> context);

} // namespace snapcell

#endif
