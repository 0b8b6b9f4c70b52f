#include "bundle_place.h"

#include <cstdlib>
#include <cstring>
#include <memory>

#include "source_map.h"

namespace snapcell
{
namespace
{

struct SourceMapFree {
    void operator()(source_map *map) const { source_map_free(map); }
};
using SourceMapPointer = std::unique_ptr<source_map, SourceMapFree>;

// Parsed anew for each error: errors are rare, and a map would cost every cell memory.
SourceMapPointer OpenSourceMap(const engine_bundle &bundle)
{
    if (bundle.source_map.data == nullptr) return nullptr;
    size_t size = 0;
    const char *json = bundle.source_map.data(bundle.source_map.user, &size);
    return SourceMapPointer(json != nullptr ? source_map_new(json, size) : nullptr);
}

bool IsRequireShim(v8::Isolate *isolate, v8::Local<v8::StackFrame> frame)
{
    v8::String::Utf8Value name(isolate, frame->GetFunctionName());
    return *name != nullptr && strcmp(*name, "__require") == 0;
}

} // namespace

bool FindBundleFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace, const char *bundle_file,
                     BundlePlace *out)
{
    if (trace.IsEmpty()) return false;
    for (int i = 0; i < trace->GetFrameCount(); i++) {
        v8::Local<v8::StackFrame> frame = trace->GetFrame(isolate, static_cast<uint32_t>(i));
        v8::String::Utf8Value name(isolate, frame->GetScriptName());
        if (*name == nullptr || strcmp(*name, bundle_file) != 0) continue;
        if (IsRequireShim(isolate, frame) && i + 1 < trace->GetFrameCount()) continue;
        out->file = *name;
        out->line = static_cast<uint32_t>(frame->GetLineNumber());
        out->column = static_cast<uint32_t>(frame->GetColumn());
        return true;
    }
    return false;
}

std::string BundlePlace::Text() const
{
    if (line == 0) return "";
    return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

void ApplySourceMap(const engine_bundle &bundle, BundlePlace *place)
{
    ApplySourceMap(bundle, std::vector<BundlePlace *>{place});
}

void ApplySourceMap(const engine_bundle &bundle, const std::vector<BundlePlace *> &places)
{
    SourceMapPointer map;
    for (BundlePlace *place : places) {
        if (place->line == 0 || place->file != bundle.file_name) continue;
        if (map == nullptr) map = OpenSourceMap(bundle);
        if (map == nullptr) return;
        const char *file;
        if (source_map_find(map.get(), place->line, place->column, &file, &place->line,
                            &place->column))
            place->file = file;
    }
}

std::string CleanStack(const engine_bundle &bundle, const std::string &stack)
{
    std::string kept;
    size_t start = 0;
    while (start < stack.size()) {
        size_t end = stack.find('\n', start);
        if (end == std::string::npos) end = stack.size();
        std::string line = stack.substr(start, end - start);
        bool built_in = line.find("(snapcell:") != std::string::npos ||
                        line.find("at snapcell:") != std::string::npos;
        if (!built_in) kept += (kept.empty() ? "" : "\n") + line;
        start = end + 1;
    }
    SourceMapPointer map = OpenSourceMap(bundle);
    if (map == nullptr) return kept;
    std::unique_ptr<char, decltype(&free)> moved(
        source_map_rewrite(map.get(), bundle.file_name, kept.c_str()), free);
    return moved != nullptr ? std::string(moved.get()) : kept;
}

} // namespace snapcell
