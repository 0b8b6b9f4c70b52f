// Which web APIs a bundle's text names: a guess at what its handler will touch.
#ifndef SNAPCELL_API_MENTIONS_H
#define SNAPCELL_API_MENTIONS_H

#include <v8.h>

#include "bundle_text.h"

namespace snapcell
{

// Reads every lazy web API global that the text names, so that the snapshot holds it ready. Without
// a warm-up nothing else tells what the handler will want, and installing an API at run time costs
// more than holding it. A name that is found as a property (`x.URL`) does not count, unless of
// globalThis or self. What fails is left lazy.
void TouchMentionedApis(v8::Local<v8::Context> context, BundleText *text);

} // namespace snapcell

#endif
