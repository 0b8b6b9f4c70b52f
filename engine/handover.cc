#include "handover.h"

#include <cstring>
#include <iterator>

#include "web/natives.h"

namespace snapcell
{
namespace
{

// The datum of the context that it is; the handler's entry is number 0.
constexpr size_t kDatum = 1;

enum Field : uint32_t { kClock, kTimers, kBuffers };

bool TakeBuffers(v8::Local<v8::Context> context, v8::Local<v8::Array> buffers, IsolateState *state)
{
    v8::Isolate *isolate = context->GetIsolate();
    for (uint32_t i = 0; i < buffers->Length(); i++) {
        v8::Local<v8::Value> view;
        if (!buffers->Get(context, i).ToLocal(&view) || !view->IsArrayBufferView()) return false;
        state->fresh_buffers.emplace_back(isolate, view);
    }
    return RefillBuffers(isolate, state);
}

} // namespace

void HandOver(v8::Local<v8::Context> context, const std::vector<v8::Local<v8::Value>> &buffers,
              v8::SnapshotCreator *creator)
{
    v8::Isolate *isolate = context->GetIsolate();
    const IsolateState *state = IsolateState::From(isolate);
    double clock_ms = state->MonotonicMs();
    if (clock_ms == 0 && state->timers.Empty() && buffers.empty()) return;
    for (v8::Local<v8::Value> view : buffers) {
        ViewBytes bytes(view);
        memset(bytes.data, 0, bytes.size);
    }
    std::vector<v8::Local<v8::Value>> views = buffers;
    v8::Local<v8::Value> fields[] = {v8::Number::New(isolate, clock_ms),
                                     state->timers.Save(isolate),
                                     v8::Array::New(isolate, views.data(), views.size())};
    creator->AddData(context, v8::Array::New(isolate, fields, std::size(fields)));
}

bool TakeHandover(v8::Local<v8::Context> context, IsolateState *state)
{
    v8::Local<v8::Array> handed;
    if (!context->GetDataFromSnapshotOnce<v8::Array>(kDatum).ToLocal(&handed)) return true;
    v8::Local<v8::Value> clock, timers, buffers;
    if (!handed->Get(context, kClock).ToLocal(&clock) || !clock->IsNumber() ||
        !handed->Get(context, kTimers).ToLocal(&timers) || !timers->IsArray() ||
        !handed->Get(context, kBuffers).ToLocal(&buffers) || !buffers->IsArray())
        return false;
    state->ContinueClock(clock.As<v8::Number>()->Value());
    return state->timers.Restore(context, timers.As<v8::Array>()) &&
           TakeBuffers(context, buffers.As<v8::Array>(), state);
}

bool RefillBuffers(v8::Isolate *isolate, IsolateState *state)
{
    for (const v8::Global<v8::Value> &view : state->fresh_buffers) {
        v8::HandleScope scope(isolate);
        ViewBytes bytes(view.Get(isolate));
        if (!GiveRandomBytes(state, bytes.data, bytes.size)) return false;
    }
    return true;
}

} // namespace snapcell
