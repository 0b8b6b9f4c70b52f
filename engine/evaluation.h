// Evaluating a bundle in a context and finding its handler.
#ifndef SNAPCELL_EVALUATION_H
#define SNAPCELL_EVALUATION_H

#include <vector>

#include <v8.h>

#include "bundle_text.h"
#include "isolate_state.h"

namespace snapcell
{

// Bundlers keep `require` where they could not resolve everything, so it may be in a snapshot.
void AppendEvaluationReferences(std::vector<intptr_t> *references);

// A fresh context with the whole surface: lazy web APIs and host functions.
v8::Local<v8::Context> NewContext(v8::Isolate *isolate, const snapcell_host *host);
// The same with V8's own WebAssembly as it is, and without what CaptureBuiltIns() keeps: no
// built-in module can be evaluated there yet.
v8::Local<v8::Context> NewPlainContext(v8::Isolate *isolate, const snapcell_host *host);

// What evaluating a bundle gave.
struct Evaluation {
    v8::Local<v8::Value> exports; // a module's namespace, module.exports, or undefined for a script
    // Whichever the format made; what a code cache is taken from.
    v8::Local<v8::UnboundScript> script;
    v8::Local<v8::Module> module;
    v8::Local<v8::Function> function;
};

// Whether a source is a module (ESM) or not (COMMONJS), by parsing it. Needs a context of its own,
// since it leaves scripts behind. Errors: E_SCRIPT for text that is neither.
int DetectFormat(v8::Local<v8::Context> context, BundleText *text, engine_format *out,
                 snapcell_error *err);

// Compiles and evaluates a bundle, until its top level is done. `cache` (may be NULL) is a code
// cache: Borrowed. Errors: E_SCRIPT, limits.
int EvaluateBundle(v8::Local<v8::Context> context, BundleText *text, engine_format format,
                   const v8::ScriptCompiler::CachedData *cache, Evaluation *out,
                   snapcell_error *err);

// Compiles and evaluates the first of a bundle's two modules, which EvaluateBundle() then finds.
// Nothing else runs in between, so that the two are evaluated as one bundle would be. `eager`: all
// of its functions are compiled, not only when they are called. Errors: as EvaluateBundle().
int EvaluatePrelude(v8::Local<v8::Context> context, BundleText *text, bool eager,
                    snapcell_error *err);

struct Handler {
    snapcell_handler_shape shape;
    v8::Local<v8::Function> entry; // see the module "dispatch"
};

// Finds the handler in what was evaluated. `wanted` is the shape of a function, 0 when it has to be
// found out, too. Errors: E_NO_HANDLER, E_SCRIPT (a getter threw).
int SelectHandler(v8::Local<v8::Context> context, engine_format format,
                  v8::Local<v8::Value> exports, snapcell_handler_shape wanted, Handler *out,
                  snapcell_error *err);

} // namespace snapcell

#endif
