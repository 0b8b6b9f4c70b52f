// The functions that a surveyed bundle sees instead of V8's own.
#ifndef SNAPCELL_SURVEY_HOOKS_H
#define SNAPCELL_SURVEY_HOOKS_H

#include <v8.h>

namespace snapcell
{

// To be called before the bundle is evaluated, in a context whose isolate's state has a survey.
bool InstallSurveyHooks(v8::Local<v8::Context> context);

} // namespace snapcell

#endif
