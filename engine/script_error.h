// From V8's exceptions to a snapcell_error: message, place and stack, through the source map.
#ifndef SNAPCELL_SCRIPT_ERROR_H
#define SNAPCELL_SCRIPT_ERROR_H

#include <v8.h>

#include "isolate_state.h"

namespace snapcell
{

// When the bundle has changed what V8 prints of stacks, by Error.stackTraceLimit or
// Error.prepareStackTrace, V8 keeps another stack for each error, in which its place is looked for.
void KeepHiddenStacks(v8::Local<v8::Context> context);

// Fills in `err` (may be NULL) from what `caught` holds; a condemned isolate gives its limit's
// error. Returns the code: E_SCRIPT, or the limit's. `prefix` goes before the message; "" for none.
int ReportCaught(v8::Isolate *isolate, const v8::TryCatch &caught, const char *prefix,
                 snapcell_error *err);

// The same for a value that was thrown or that a promise was rejected with.
int ReportValue(v8::Isolate *isolate, v8::Local<v8::Value> value, const char *prefix,
                snapcell_error *err);

// The error of a condemned isolate; SNAPCELL_OK when it is none.
int ReportCondemned(v8::Isolate *isolate, snapcell_error *err);

// One line for a log: message and place.
std::string DescribeValue(v8::Isolate *isolate, v8::Local<v8::Value> value);

// Sets a place, given in the bundle, through the source map.
void SetPlace(const engine_bundle &bundle, const std::string &file, uint32_t line, uint32_t column,
              snapcell_error *err);

} // namespace snapcell

#endif
