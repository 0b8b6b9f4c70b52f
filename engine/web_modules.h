// Lazy globals and the built-in modules that implement them; web/web.h says what the modules are.
#ifndef SNAPCELL_WEB_MODULES_H
#define SNAPCELL_WEB_MODULES_H

#include <string>
#include <vector>

#include <v8.h>

namespace snapcell
{

void AppendWebReferences(std::vector<intptr_t> *references);

// Makes every web API global a lazy property of the global object.
void AddWebGlobals(v8::Isolate *isolate, v8::Local<v8::ObjectTemplate> global);

// V8 gives every context a console of its own, for a debugger, which hides the one in the template.
bool ReplaceBuiltInConsole(v8::Local<v8::Context> context);

// Keeps the built-ins that the modules use, as they are now: in a new context, before anything
// else.
bool CaptureBuiltIns(v8::Local<v8::Context> context);

// A built-in module's exports; evaluated when this is the context's first use of it.
v8::MaybeLocal<v8::Object> RequireWebModule(v8::Local<v8::Context> context, const char *name);

// The same of a module that was evaluated; empty when it was not.
v8::MaybeLocal<v8::Object> EvaluatedWebModule(v8::Local<v8::Context> context, const char *name);

// Names of the modules that a context has evaluated, separated by blanks.
std::string EvaluatedWebModules(v8::Local<v8::Context> context);

// A JavaScript string from ASCII text.
v8::Local<v8::String> AsciiString(v8::Isolate *isolate, const char *text);

// For an accessor: answers with a new function of the accessor's name and data.
void GiveFunction(v8::Local<v8::Name> name, v8::FunctionCallback callback, int length,
                  const v8::PropertyCallbackInfo<v8::Value> &info);

} // namespace snapcell

#endif
