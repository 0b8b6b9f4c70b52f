// Letting go of a module's export table, which V8 cannot rehash.
#ifndef SNAPCELL_MODULE_EXPORTS_H
#define SNAPCELL_MODULE_EXPORTS_H

#include <v8.h>

namespace snapcell
{

// A snapshot that holds an ES module holds the module's table of exports, a hash table by name
// which V8 cannot rehash at load: all instances would share the hash seed of build time. The table
// serves importers and namespace objects alone. A bundle has no importer, and its namespace was
// read when the handler was found, so that the table is dead: this takes it out of the module.
// Nothing may use the module's namespace any more.
//
// V8 has no API for it: the field is found by V8's object layout, and left alone unless what is
// there looks exactly like a hash table with the module's exports in it. Then the blob cannot be
// rehashed and the caller refuses it. Build time only.
void ForgetModuleExports(v8::Local<v8::Context> context, v8::Local<v8::Module> module);

// The same for a built-in module that the bundle imports: what it imports by name it holds by now.
// A module whose namespace was requested keeps its table, and the blob cannot be rehashed.
void ForgetImportedExports(v8::Local<v8::Context> context, v8::Local<v8::Module> module);

} // namespace snapcell

#endif
