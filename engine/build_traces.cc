#include "build_traces.h"

#include <vector>

#include <libplatform/libplatform.h>
#include <v8-internal.h>
#include <v8-profiler.h>

#include "platform.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// Callbacks may register more, which is garbage again.
constexpr int kFinalizeRoundsMax = 8;

v8::MaybeLocal<v8::Value> RegExpExec(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::RegExp> any;
    v8::Local<v8::Value> exec;
    if (!v8::RegExp::New(context, v8::String::Empty(isolate), v8::RegExp::kNone).ToLocal(&any) ||
        !any->Get(context, AsciiString(isolate, "exec")).ToLocal(&exec))
        return {};
    return exec;
}

class DataViews final : public v8::QueryObjectPredicate
{
  public:
    bool Filter(v8::Local<v8::Object> object) override { return object->IsDataView(); }
};

// The words of a DataView among which the address is: after the object's own fields and the
// buffer.
constexpr int kAddressWordMin = 5, kAddressWordMax = 8;

// It is found by what it must be, not by its place alone.
void ForgetAddress(v8::Local<v8::DataView> view)
{
    using v8::internal::Address;
    Address bytes = reinterpret_cast<Address>(view->Buffer()->Data());
    if (bytes == 0) return;
    Address *words = reinterpret_cast<Address *>(v8::internal::ValueHelper::ValueAsAddress(*view) -
                                                 v8::internal::kHeapObjectTag);
    for (int i = kAddressWordMin; i <= kAddressWordMax; i++) {
        if (words[i] != bytes + view->ByteOffset()) continue;
        words[i] = 0;
        return;
    }
}

} // namespace

void MarkDates(v8::Isolate *isolate)
{
    isolate->DateTimeConfigurationChangeNotification();
}

LastMatch::LastMatch(v8::Local<v8::Context> context)
    : exec_(RegExpExec(context).FromMaybe(v8::Local<v8::Value>()))
{
}

bool LastMatch::Forget(v8::Local<v8::Context> context) const
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::Local<v8::RegExp> any;
    v8::Local<v8::Value> nothing = v8::String::Empty(isolate);
    return !exec_.IsEmpty() && exec_->IsFunction() &&
           v8::RegExp::New(context, v8::String::Empty(isolate), v8::RegExp::kNone).ToLocal(&any) &&
           !exec_.As<v8::Function>()->Call(context, any, 1, &nothing).IsEmpty();
}

void ForgetAddresses(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    DataViews are_wanted;
    std::vector<v8::Global<v8::Object>> views;
    isolate->GetHeapProfiler()->QueryObjects(context, &are_wanted, &views);
    for (const auto &view : views)
        ForgetAddress(view.Get(isolate).As<v8::DataView>());
}

void FinalizeGarbage(v8::Isolate *isolate)
{
    for (int round = 0; round < kFinalizeRoundsMax; round++) {
        isolate->ClearKeptObjects();
        isolate->LowMemoryNotification();
        bool ran = false;
        while (v8::platform::PumpMessageLoop(CurrentPlatform(), isolate)) {
            ran = true;
            isolate->PerformMicrotaskCheckpoint();
        }
        if (!ran) return;
    }
}

} // namespace snapcell
