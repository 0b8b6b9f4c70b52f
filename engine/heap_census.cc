#include "heap_census.h"

#include <algorithm>
#include <array>
#include <utility>

#include <v8-profiler.h>

namespace snapcell
{
namespace
{

enum Kind { kCode, kFunctions, kStrings, kShapes, kObjects, kArrays, kNumbers, kOther, kKindCount };

constexpr const char *kNames[kKindCount] = {"code",    "functions", "strings", "maps",
                                            "objects", "arrays",    "numbers", "other"};

Kind KindOf(v8::HeapGraphNode::Type type)
{
    switch (type) {
    case v8::HeapGraphNode::kCode:
        return kCode;
    case v8::HeapGraphNode::kClosure:
        return kFunctions;
    case v8::HeapGraphNode::kString:
    case v8::HeapGraphNode::kConsString:
    case v8::HeapGraphNode::kSlicedString:
    case v8::HeapGraphNode::kSymbol:
        return kStrings;
    case v8::HeapGraphNode::kObjectShape:
        return kShapes;
    case v8::HeapGraphNode::kObject:
    case v8::HeapGraphNode::kRegExp:
        return kObjects;
    case v8::HeapGraphNode::kArray:
        return kArrays;
    case v8::HeapGraphNode::kHeapNumber:
    case v8::HeapGraphNode::kBigInt:
        return kNumbers;
    default:
        return kOther;
    }
}

class TextStream : public v8::OutputStream
{
  public:
    explicit TextStream(std::string *text) : text_(text) {}
    void EndOfStream() override {}
    int GetChunkSize() override { return 1 << 16; }
    WriteResult WriteAsciiChunk(char *data, int size) override
    {
        text_->append(data, static_cast<size_t>(size));
        return kContinue;
    }

  private:
    std::string *text_;
};

} // namespace

std::string HeapAsJson(v8::Isolate *isolate)
{
    v8::HandleScope scope(isolate);
    v8::HeapProfiler *profiler = isolate->GetHeapProfiler();
    const v8::HeapSnapshot *heap = profiler->TakeHeapSnapshot();
    std::string text;
    TextStream stream(&text);
    if (heap != nullptr) heap->Serialize(&stream);
    profiler->DeleteAllHeapSnapshots();
    return text;
}

std::string CountHeapByKind(v8::Isolate *isolate)
{
    v8::HandleScope scope(isolate);
    v8::HeapProfiler *profiler = isolate->GetHeapProfiler();
    const v8::HeapSnapshot *heap = profiler->TakeHeapSnapshot();
    if (heap == nullptr) return "";
    std::array<std::pair<size_t, Kind>, kKindCount> counts;
    for (int kind = 0; kind < kKindCount; kind++)
        counts[static_cast<size_t>(kind)] = {0, static_cast<Kind>(kind)};
    for (int i = 0; i < heap->GetNodesCount(); i++) {
        const v8::HeapGraphNode *node = heap->GetNode(i);
        counts[KindOf(node->GetType())].first += node->GetShallowSize();
    }
    profiler->DeleteAllHeapSnapshots();
    std::sort(counts.begin(), counts.end(), [](const auto &a, const auto &b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::string text;
    for (const auto &[bytes, kind] : counts) {
        if (!text.empty()) text += ' ';
        text += kNames[kind];
        text += ' ';
        text += std::to_string(bytes);
    }
    return text;
}

} // namespace snapcell
