// Modules that a bundle may import although no bundler resolves them: the engine has them.
#ifndef SNAPCELL_BUILTIN_IMPORTS_H
#define SNAPCELL_BUILTIN_IMPORTS_H

#include <string_view>
#include <vector>

#include <v8.h>

namespace snapcell
{

void AppendImportReferences(std::vector<intptr_t> *references);

// Whether there is a module of that name, as "node:async_hooks".
bool IsBuiltinImport(std::string_view specifier);

// What `require` gives for it: the exports. Empty when it threw.
v8::MaybeLocal<v8::Value> RequireBuiltinImport(v8::Local<v8::Context> context,
                                               std::string_view specifier);

// A module for V8's resolver, not yet evaluated. Empty when it threw.
v8::MaybeLocal<v8::Module> NewBuiltinImport(v8::Local<v8::Context> context,
                                            std::string_view specifier);

// What import() gives: a promise of the exports. They are in an object of their own, since no
// snapshot could hold a module's namespace.
v8::MaybeLocal<v8::Promise> ImportBuiltin(v8::Local<v8::Context> context,
                                          std::string_view specifier);

} // namespace snapcell

#endif
