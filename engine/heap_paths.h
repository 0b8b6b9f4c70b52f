// How objects of a heap are reached from what a bundle's author knows: the global object, the
// exports, variables.
#ifndef SNAPCELL_HEAP_PATHS_H
#define SNAPCELL_HEAP_PATHS_H

#include <string>
#include <unordered_map>
#include <vector>

#include <v8-profiler.h>
#include <v8.h>

namespace snapcell
{

// A value to start from and what to call it, as "exports".
struct HeapRoot {
    const char *name;
    v8::Local<v8::Value> value;
};

class HeapPaths
{
  public:
    // Takes V8's heap snapshot, and collects garbage for it. The global object is a root, too.
    HeapPaths(v8::Isolate *isolate, const std::vector<HeapRoot> &roots);
    ~HeapPaths();
    HeapPaths(const HeapPaths &) = delete;
    HeapPaths &operator=(const HeapPaths &) = delete;

    // As "globalThis.cache.instance", or "instance" where it begins at a variable of a function or
    // the module; "" when no way leads from the roots to the object.
    std::string To(v8::Local<v8::Value> object) const;

  private:
    struct Step {
        const v8::HeapGraphNode *from; // NULL at a root
        const v8::HeapGraphEdge *edge;
        const char *root;
    };
    void Search();
    std::string NameOf(v8::Isolate *isolate, const v8::HeapGraphEdge *edge) const;

    v8::Isolate *isolate_;
    const v8::HeapSnapshot *heap_;
    std::unordered_map<const v8::HeapGraphNode *, Step> steps_;
};

} // namespace snapcell

#endif
