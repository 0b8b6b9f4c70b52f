#include "bundle_place.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

#include "source_map.h"

namespace snapcell
{
namespace
{

constexpr char kFrame[] = "    at "; // what a stack's lines of frames begin with

struct SourceMapFree {
    void operator()(source_map *map) const { source_map_free(map); }
};
using SourceMapPointer = std::unique_ptr<source_map, SourceMapFree>;

// Parsed again for each error: errors are rare, and a map would cost every cell memory.
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

// The next frame from `*at` on that lies in the bundle.
bool NextFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace, const char *bundle_file,
               int *at, BundlePlace *out)
{
    int count = trace.IsEmpty() ? 0 : trace->GetFrameCount();
    while (*at < count) {
        v8::Local<v8::StackFrame> frame = trace->GetFrame(isolate, static_cast<uint32_t>((*at)++));
        v8::String::Utf8Value name(isolate, frame->GetScriptName());
        if (*name == nullptr || strcmp(*name, bundle_file) != 0) continue;
        if (IsRequireShim(isolate, frame) && *at < count) continue;
        out->file = *name;
        out->line = static_cast<uint32_t>(frame->GetLineNumber());
        out->column = static_cast<uint32_t>(frame->GetColumn());
        return true;
    }
    return false;
}

// Where the preset lies in the sources, or in the npm package: its own modules, and the packages
// that they are made of.
bool IsOfPreset(const std::string &file)
{
    static const char *const folders[] = {"presets/node-compat/", "build/node-compat/"};
    static const char *const parts[] = {"modules/", "node_modules/"};
    for (const char *folder : folders) {
        size_t at = file.find(folder);
        if (at == std::string::npos) continue;
        const char *rest = file.c_str() + at + strlen(folder);
        for (const char *part : parts)
            if (strncmp(rest, part, strlen(part)) == 0) return true;
    }
    return false;
}

// "@scope/name" or "name" of a path that leads into node_modules.
std::string PackageIn(const std::string &path)
{
    static const std::string folder = "node_modules/";
    size_t at = path.rfind(folder);
    if (at == std::string::npos) return "";
    size_t begin = at + folder.size();
    size_t end = path.find('/', begin);
    if (path[begin] == '@' && end != std::string::npos) end = path.find('/', end + 1);
    return end == std::string::npos ? "" : path.substr(begin, end - begin);
}

// The file that a line "// path/to/file.js" names; "" when it is another.
std::string FileInComment(const std::string &line)
{
    static const char *const endings[] = {".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx"};
    size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line.compare(begin, 3, "// ") != 0) return "";
    std::string file = line.substr(begin + 3);
    bool is_file = std::any_of(std::begin(endings), std::end(endings),
                               [&](const char *ending) { return file.ends_with(ending); });
    return is_file && file.find(' ') == std::string::npos ? file : "";
}

// "LINE:COLUMN" at `at`, at the end of a frame or before a bracket.
bool ReadPosition(const std::string &frame, size_t at, BundlePlace *out)
{
    unsigned line = 0, column = 0;
    int length = 0;
    if (sscanf(frame.c_str() + at, "%9u:%9u%n", &line, &column, &length) != 2) return false;
    size_t end = at + static_cast<size_t>(length);
    if (end < frame.size() && frame[end] != ')') return false;
    out->line = line;
    out->column = column;
    return true;
}

// Whether a line of a stack is a frame in `file`, as "    at name (FILE:LINE:COLUMN)".
bool ReadFrame(const std::string &line, const std::string &file, BundlePlace *out)
{
    if (!line.starts_with(kFrame)) return false;
    for (size_t at = line.find(file); at != std::string::npos; at = line.find(file, at + 1)) {
        bool begins = line[at - 1] == '(' || line[at - 1] == ' ';
        if (begins && line[at + file.size()] == ':' &&
            ReadPosition(line, at + file.size() + 1, out)) {
            out->file = file;
            return true;
        }
    }
    return false;
}

std::string FileBefore(const engine_bundle &bundle, uint32_t last_line)
{
    const engine_text &text = bundle.source;
    const void *data = text.data(text.user);
    std::string file, line;
    uint32_t number = 1;
    for (size_t i = 0; data != nullptr && i < text.length && number < last_line; i++) {
        uint32_t unit = text.encoding == ARTIFACT_TEXT_UTF16LE
                            ? static_cast<const uint16_t *>(data)[i]
                            : static_cast<const uint8_t *>(data)[i];
        if (unit != '\n') {
            line += unit < 0x80 ? static_cast<char>(unit) : '?';
            continue;
        }
        std::string named = FileInComment(line);
        if (!named.empty()) file = named;
        line.clear();
        number++;
    }
    return file;
}

} // namespace

bool FindBundleFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace, const char *bundle_file,
                     BundlePlace *out)
{
    int at = 0;
    return NextFrame(isolate, trace, bundle_file, &at, out);
}

bool FindCallerFrame(v8::Isolate *isolate, v8::Local<v8::StackTrace> trace,
                     const engine_bundle &bundle, StandIns *stand_ins, BundlePlace *out)
{
    int at = 0;
    BundlePlace place;
    bool has_any = false;
    while (NextFrame(isolate, trace, bundle.file_name, &at, &place)) {
        bool is_callers = !stand_ins->Has(bundle, place);
        if (!has_any || is_callers) *out = place;
        has_any = true;
        if (is_callers) break;
    }
    return has_any;
}

std::string StandIns::FileOf(const engine_bundle &bundle, const BundlePlace &place)
{
    if (!opened_) map_ = OpenSourceMap(bundle);
    opened_ = true;
    BundlePlace moved = place;
    const char *file;
    if (map_ != nullptr &&
        source_map_find(map_.get(), place.line, place.column, &file, &moved.line, &moved.column))
        return file;
    return FileBefore(bundle, place.line);
}

bool StandIns::Has(const engine_bundle &bundle, const BundlePlace &place)
{
    const auto [known, is_new] = known_.try_emplace({place.line, place.column}, false);
    if (is_new) known->second = IsOfPreset(FileOf(bundle, place));
    return known->second;
}

bool FindBundleFrame(const std::string &stack, const char *bundle_file, BundlePlace *out)
{
    BundlePlace shim;
    for (size_t start = 0, end; start < stack.size(); start = end + 1) {
        end = std::min(stack.find('\n', start), stack.size());
        std::string line = stack.substr(start, end - start);
        if (!ReadFrame(line, bundle_file, out)) continue;
        if (!line.starts_with(std::string(kFrame) + "__require (")) return true;
        if (shim.line == 0) shim = *out;
    }
    *out = shim;
    return shim.line != 0;
}

std::string SourceUrlOf(const engine_bundle &bundle)
{
    static const std::string comment = "//# sourceURL=";
    const engine_text &text = bundle.source;
    const void *data = text.data(text.user);
    std::string url;
    size_t matched = 0; // of the comment; then the URL follows
    for (size_t i = 0; data != nullptr && i < text.length; i++) {
        uint32_t unit = text.encoding == ARTIFACT_TEXT_UTF16LE
                            ? static_cast<const uint16_t *>(data)[i]
                            : static_cast<const uint8_t *>(data)[i];
        if (matched == comment.size()) {
            if (unit > ' ' && unit < 0x7F)
                url += static_cast<char>(unit);
            else
                matched = 0;
        } else if (unit == static_cast<unsigned char>(comment[matched])) {
            if (++matched == comment.size()) url.clear();
        } else {
            matched = unit == '/' ? (matched == 2 ? 2 : 1) : 0;
        }
    }
    return url;
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

std::string PackageOf(const engine_bundle &bundle, const BundlePlace &place)
{
    if (place.line == 0) return "";
    return PackageIn(place.file != bundle.file_name ? place.file : FileBefore(bundle, place.line));
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
