// Regular expressions are compiled when they are used, and no snapshot keeps what came of it.
#ifndef SNAPCELL_REGEXP_CODE_H
#define SNAPCELL_REGEXP_CODE_H

#include <v8.h>

namespace snapcell
{

// Has those that there are compiled, for one-byte subjects, by the module "dispatch". Collects
// garbage.
void CompileRegExps(v8::Local<v8::Context> context, v8::Local<v8::Object> dispatch);

} // namespace snapcell

#endif
