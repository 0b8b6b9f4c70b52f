// What the engine's core and the web API surface know of each other.
//
// The surface is a list of globals. Each is a lazy property of the global object: it costs a
// snapshot nothing until it is read. The first read evaluates the built-in module that the global
// comes from and takes an export of it.
//
// Built-in modules are JavaScript, bundled by esbuild from web/modules/*.js into CommonJS text
// (ASCII) at build time. The core compiles that text, kept outside the heap as an external string,
// as a function of
//   (module, exports, require, native, $$pristine)
// where require("snapcell:NAME") gives another built-in module's exports, evaluated once per
// context, `native` is an object whose properties are the native functions below, each made
// when first read, and `$$pristine` gives the built-ins as they were before any code of the
// function ran: web/rewrite.mjs makes all modules use them.
#ifndef SNAPCELL_WEB_H
#define SNAPCELL_WEB_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <v8.h>

namespace snapcell
{

// Of the context's embedder data: a function (handled, promise, reason) -> boolean that offers
// rejections to the bundle's listeners and tells whether one took care of it; built-in modules set
// it. Slots up to 5 except this one are the core's own.
constexpr uint32_t kRejectionHookSlot = 4;

// V8 calls it with the source of WebAssembly.compileStreaming().
void OnWasmStreaming(const v8::FunctionCallbackInfo<v8::Value> &info);

// Whether a URL is already in a URL parser's normal form. False for some that are.
bool IsSerializedUrl(const std::string &url);

// Throws, and notes that what the bundle did ("WebAssembly was used at build time") keeps it from
// being a snapshot.
void RefuseWasm(v8::Isolate *isolate, const char *what);

// V8 compiles the bytes that WebAssembly.instantiate() is given at once, since it has no threads,
// and reads the imports at once, too, where the standard reads them after the bytes were compiled.
// This replaces V8's function with one that does so. For contexts that have a WebAssembly.
void AddWasmInstantiate(v8::Local<v8::Context> context);
// What that function does. `functions`: V8's compile() and instantiate().
void InstantiateWasm(const v8::FunctionCallbackInfo<v8::Value> &info,
                     v8::Local<v8::Array> functions);

// Gives Uint8Array and its prototype the methods for base64 and hex that V8 does not have. Each
// costs a snapshot nothing but its name until it is read.
bool AddByteMethods(v8::Local<v8::Context> context);
void AppendByteMethodReferences(std::vector<intptr_t> *references);

// A native function that built-in modules call. The order is part of the external reference table.
struct WebNative {
    const char *name;
    v8::FunctionCallback callback;
};
std::span<const WebNative> WebNatives();

// A built-in module, in the order of generation. `source` is ASCII and never freed.
struct WebModule {
    const char *name; // as in require("snapcell:NAME")
    const char *source;
    size_t size;
};
std::span<const WebModule> WebModules();

// An expression: an array of the built-ins that modules use, in the order that these know.
std::string_view WebCapture();

// A global property: export `export_name` of module number `module`; the module's whole exports
// when empty.
struct WebGlobal {
    const char *name;
    uint32_t module;
    const char *export_name;
};
std::span<const WebGlobal> WebGlobals();

// A table of a legacy encoding, as web/tables.mjs makes it.
struct WebTable {
    const char *name;
    const uint8_t *bytes; // aligned to 8
    size_t size;
};
std::span<const WebTable> WebTables();

// SHA-256, in hex, of all modules and the lists above, made at build time: part of the engine's
// fingerprint.
const char *WebFingerprint();

} // namespace snapcell

#endif
