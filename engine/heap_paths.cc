#include "heap_paths.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <deque>

namespace snapcell
{
namespace
{

// What a person would write comes first; the inside of a Map, a function's context and the like are
// only passed through.
enum class Way { kNone, kNamed, kInside };

std::string TextOf(v8::Isolate *isolate, const v8::HeapGraphEdge *edge)
{
    v8::String::Utf8Value text(isolate, edge->GetName());
    return *text != nullptr ? *text : "";
}

// What every object of a kind shares leads from one to another, and explains nothing.
bool IsShared(const std::string &name)
{
    static const char *const shared[] = {
        "map", "shared", "code", "feedback_cell", "dispatch_handle", "script", "constructor"};
    return std::any_of(std::begin(shared), std::end(shared),
                       [&](const char *word) { return name == word; });
}

Way WayOf(v8::Isolate *isolate, const v8::HeapGraphEdge *edge)
{
    switch (edge->GetType()) {
    case v8::HeapGraphEdge::kContextVariable:
    case v8::HeapGraphEdge::kElement:
        return Way::kNamed;
    case v8::HeapGraphEdge::kProperty:
        return IsShared(TextOf(isolate, edge)) ? Way::kNone : Way::kNamed;
    case v8::HeapGraphEdge::kInternal:
        return IsShared(TextOf(isolate, edge)) ? Way::kNone : Way::kInside;
    case v8::HeapGraphEdge::kHidden:
    case v8::HeapGraphEdge::kShortcut:
    case v8::HeapGraphEdge::kWeak:
        break;
    }
    return Way::kNone;
}

bool IsIdentifier(const std::string &name)
{
    if (name.empty() || isdigit(static_cast<unsigned char>(name[0]))) return false;
    return std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return isalnum(c) || c == '_' || c == '$' || c == '#' || c >= 0x80;
    });
}

} // namespace

HeapPaths::HeapPaths(v8::Isolate *isolate, const std::vector<HeapRoot> &roots)
    : isolate_(isolate), heap_(isolate->GetHeapProfiler()->TakeHeapSnapshot())
{
    if (heap_ == nullptr) return;
    v8::HeapProfiler *profiler = isolate->GetHeapProfiler();
    // The global object itself; what a script calls so is a proxy for it.
    const v8::HeapGraphNode *top = heap_->GetRoot();
    for (int i = 0; i < top->GetChildrenCount(); i++)
        if (top->GetChild(i)->GetType() == v8::HeapGraphEdge::kShortcut)
            steps_.try_emplace(top->GetChild(i)->GetToNode(), Step{nullptr, nullptr, "globalThis"});
    for (const HeapRoot &root : roots) {
        if (root.value.IsEmpty() || !root.value->IsObject()) continue;
        const v8::HeapGraphNode *node = heap_->GetNodeById(profiler->GetObjectId(root.value));
        if (node != nullptr) steps_.try_emplace(node, Step{nullptr, nullptr, root.name});
    }
    Search();
}

HeapPaths::~HeapPaths()
{
    isolate_->GetHeapProfiler()->DeleteAllHeapSnapshots();
}

// By the number of steps that have a name; those without cost three.
void HeapPaths::Search()
{
    v8::HandleScope scope(isolate_);
    constexpr size_t kInsideCost = 3;
    std::deque<std::vector<const v8::HeapGraphNode *>> rounds(kInsideCost + 1);
    for (const auto &[node, step] : steps_)
        rounds[0].push_back(node);
    std::unordered_map<const v8::HeapGraphNode *, size_t> cost;
    for (const v8::HeapGraphNode *node : rounds[0])
        cost[node] = 0;
    for (size_t round = 0; std::any_of(rounds.begin(), rounds.end(),
                                       [](const auto &nodes) { return !nodes.empty(); });
         round++) {
        std::vector<const v8::HeapGraphNode *> now = std::move(rounds.front());
        rounds.pop_front();
        rounds.emplace_back();
        for (const v8::HeapGraphNode *node : now) {
            if (cost[node] != round) continue;
            v8::HandleScope inner(isolate_);
            for (int i = 0; i < node->GetChildrenCount(); i++) {
                const v8::HeapGraphEdge *edge = node->GetChild(i);
                Way way = WayOf(isolate_, edge);
                if (way == Way::kNone) continue;
                size_t price = way == Way::kNamed ? 1 : kInsideCost;
                const v8::HeapGraphNode *to = edge->GetToNode();
                auto known = cost.find(to);
                if (known != cost.end() && known->second <= round + price) continue;
                cost[to] = round + price;
                steps_[to] = Step{node, edge, nullptr};
                rounds[price - 1].push_back(to);
            }
        }
    }
}

std::string HeapPaths::NameOf(v8::Isolate *isolate, const v8::HeapGraphEdge *edge) const
{
    std::string name = TextOf(isolate, edge);
    switch (edge->GetType()) {
    case v8::HeapGraphEdge::kElement:
        return "[" + name + "]";
    case v8::HeapGraphEdge::kProperty:
        if (name == "__proto__") return "";
        return IsIdentifier(name) ? "." + name : "[\"" + name + "\"]";
    default:
        return "";
    }
}

std::string HeapPaths::To(v8::Local<v8::Value> object) const
{
    if (heap_ == nullptr) return "";
    v8::HandleScope scope(isolate_);
    v8::HeapProfiler *profiler = isolate_->GetHeapProfiler();
    const v8::HeapGraphNode *node = heap_->GetNodeById(profiler->GetObjectId(object));
    auto at = steps_.find(node);
    if (node == nullptr || at == steps_.end()) return "";
    std::string path;
    for (; at->second.from != nullptr; at = steps_.find(at->second.from)) {
        const v8::HeapGraphEdge *edge = at->second.edge;
        // A variable is where its author would begin to look.
        if (edge->GetType() == v8::HeapGraphEdge::kContextVariable)
            return TextOf(isolate_, edge) + path;
        path = NameOf(isolate_, edge) + path;
    }
    return at->second.root + path;
}

} // namespace snapcell
