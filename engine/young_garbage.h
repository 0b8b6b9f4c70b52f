// Dead objects of the young generation: their bytes stay until something else takes their place.
#ifndef SNAPCELL_YOUNG_GARBAGE_H
#define SNAPCELL_YOUNG_GARBAGE_H

#include <v8.h>

namespace snapcell
{

// Lets strings without a meaning take the place of it: of nearly all by zeros, and before that,
// with `wholly`, of all. False when V8 did not collect it as expected, so that more may be left.
bool OverwriteYoungGarbage(v8::Isolate *isolate, bool wholly);

} // namespace snapcell

#endif
