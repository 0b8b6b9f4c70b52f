// The built-ins that V8 leaves out of snapshots: a context that is to be kept in one gets them
// before the bundle is evaluated, and they are part of what is kept. So a bundle finds the same
// ones at top level, in a warm-up and at run time, and what it did to them stays done.
#ifndef SNAPCELL_LATE_BUILTINS_H
#define SNAPCELL_LATE_BUILTINS_H

#include <vector>

#include <v8.h>

#include "engine.h"

namespace snapcell
{

void AppendLateBuiltInReferences(std::vector<intptr_t> *references);

// A fresh context with the whole surface, for an isolate that makes a snapshot. Its WebAssembly
// notes that a bundle that uses it at build time cannot become a snapshot, and throws; at run time
// it is V8's. Empty on failure.
v8::MaybeLocal<v8::Context> NewContextToKeep(v8::Isolate *isolate, const snapcell_host *host);

// The context that a snapshot holds. V8 adds nothing to it.
v8::MaybeLocal<v8::Context> RestoreKeptContext(v8::Isolate *isolate);

} // namespace snapcell

#endif
