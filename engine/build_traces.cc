#include "build_traces.h"

#include <libplatform/libplatform.h>

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
