// Where the bytes of a heap are, by kind of object: what `snapcell show` prints about a snapshot.
#ifndef SNAPCELL_HEAP_CENSUS_H
#define SNAPCELL_HEAP_CENSUS_H

#include <string>

#include <v8.h>

namespace snapcell
{

// Kinds and the bytes that their objects take, as "code 123 strings 456 ...", largest first. V8's
// profiler counts what can be reached: about what a snapshot taken now will hold, V8's own built-in
// objects included. Build time only.
std::string CountHeapByKind(v8::Isolate *isolate);

// V8's heap snapshot, as Chrome's developer tools read it.
std::string HeapAsJson(v8::Isolate *isolate);

} // namespace snapcell

#endif
