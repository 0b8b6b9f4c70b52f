// WebAssembly while a snapshot is made: V8 leaves it out then, since nothing of it can be
// serialized.
#ifndef SNAPCELL_WEBASSEMBLY_GUARD_H
#define SNAPCELL_WEBASSEMBLY_GUARD_H

#include <vector>

#include <v8.h>

namespace snapcell
{

void AppendWebAssemblyReferences(std::vector<intptr_t> *references);

// Puts an object in its place whose functions note that this bundle cannot become a snapshot, and
// throw. A function that a bundle kept without calling it calls the real one at run time.
bool AddWebAssemblyGuard(v8::Local<v8::Context> context);

// Takes the global away again: V8 adds the real one when the snapshot's context is restored.
bool RemoveWebAssemblyGuard(v8::Local<v8::Context> context);

} // namespace snapcell

#endif
