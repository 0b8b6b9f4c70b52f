#include "regexp_code.h"

#include <vector>

#include <v8-profiler.h>

#include "web_modules.h"

namespace snapcell
{
namespace
{

class RegExps final : public v8::QueryObjectPredicate
{
  public:
    bool Filter(v8::Local<v8::Object> object) override { return object->IsRegExp(); }
};

} // namespace

void CompileRegExps(v8::Local<v8::Context> context, v8::Local<v8::Object> dispatch)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> compile;
    if (!dispatch->Get(context, AsciiString(isolate, "compileRegExp")).ToLocal(&compile) ||
        !compile->IsFunction())
        return;
    RegExps are_wanted;
    std::vector<v8::Global<v8::Object>> regexps;
    isolate->GetHeapProfiler()->QueryObjects(context, &are_wanted, &regexps);
    for (const auto &regexp : regexps) {
        v8::HandleScope scope(isolate);
        v8::Local<v8::Value> argument = regexp.Get(isolate);
        if (compile.As<v8::Function>()->Call(context, dispatch, 1, &argument).IsEmpty()) return;
    }
}

} // namespace snapcell
