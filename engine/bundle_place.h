// Places in a bundle's source: which frame of a stack is the bundle's, and where the source map
// says it came from.
#ifndef SNAPCELL_BUNDLE_PLACE_H
#define SNAPCELL_BUNDLE_PLACE_H

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <v8.h>

#include "engine.h"
#include "source_map.h"

namespace snapcell
{

struct BundlePlace {
    std::string file;
    uint32_t line = 0;   // from 1; 0: unknown
    uint32_t column = 0; // from 1

    bool operator==(const BundlePlace &other) const = default;
    std::string Text() const; // "FILE:LINE:COLUMN"; "" when unknown
};

// The innermost frame that lies in `bundle_file`; built-in modules and the bundler's require shim
// are passed over.
bool FindBundleFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace, const char *bundle_file,
                     BundlePlace *out);
// The same in a stack as V8 prints it.
bool FindBundleFrame(const std::string &stack, const char *bundle_file, BundlePlace *out);

// What the bundle's last comment "//# sourceURL=" says, which V8 takes for its name in stacks and
// messages; "" without one, or when there is more than ASCII in it.
std::string SourceUrlOf(const engine_bundle &bundle);

// What a bundle has of presets/node-compat, which stands in for Node's modules: what that does, its
// caller wanted.
class StandIns
{
  public:
    // Of a place in the bundle itself.
    bool Has(const engine_bundle &bundle, const BundlePlace &place);

  private:
    std::string FileOf(const engine_bundle &bundle, const BundlePlace &place);

    bool opened_ = false;
    std::shared_ptr<source_map> map_; // nullptr: there is none
    std::map<std::pair<uint32_t, uint32_t>, bool> known_;
};

// The innermost frame that lies in the bundle and not in a stand-in; the innermost of the bundle
// where all do.
bool FindCallerFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace,
                     const engine_bundle &bundle, StandIns *stand_ins, BundlePlace *out);

// Moves a place in the bundle to the file that the bundle was made from; without a source map it
// stays.
void ApplySourceMap(const engine_bundle &bundle, BundlePlace *place);
// The same for many: the map is parsed once.
void ApplySourceMap(const engine_bundle &bundle, const std::vector<BundlePlace *> &places);

// The npm package whose code is at a place, once the source map was applied; without one, as the
// bundler's comments before it say ("// node_modules/long/index.js"). "" when nothing names one.
std::string PackageOf(const engine_bundle &bundle, const BundlePlace &place);

// A stack as V8 prints it, without the frames of built-in modules and moved through the source map.
std::string CleanStack(const engine_bundle &bundle, const std::string &stack);

} // namespace snapcell

#endif
