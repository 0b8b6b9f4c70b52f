#include "timers.h"

#include <limits>

#include "async_frame.h"
#include "isolate_state.h"

namespace snapcell
{
namespace
{

// The next number is saved, then each timer: its number, what is left of its delay, its interval,
// its callback, its frame (see async_frame.h), then its arguments.
constexpr uint32_t kFrameAt = 4;
constexpr uint32_t kArgumentsAt = 5;

bool CallIn(v8::Local<v8::Context> context, const v8::Global<v8::Value> &frame,
            v8::Local<v8::Function> callback, std::vector<v8::Local<v8::Value>> *arguments)
{
    AsyncFrameScope in_its_frame(context->GetIsolate(), frame);
    return !callback
                ->Call(context, context->Global(), static_cast<int>(arguments->size()),
                       arguments->data())
                .IsEmpty();
}

} // namespace

TimerQueue::Timer &TimerQueue::Insert(uint32_t id, v8::Isolate *isolate,
                                      v8::Local<v8::Function> callback,
                                      const std::vector<v8::Local<v8::Value>> &arguments,
                                      double due_ms, double interval_ms)
{
    Timer &timer = timers_[id];
    timer.callback.Reset(isolate, callback);
    for (v8::Local<v8::Value> argument : arguments)
        timer.arguments.emplace_back(isolate, argument);
    timer.interval_ms = interval_ms;
    timer.due_ms = due_ms;
    due_.emplace(due_ms, id);
    return timer;
}

uint32_t TimerQueue::Add(v8::Isolate *isolate, v8::Local<v8::Function> callback,
                         std::vector<v8::Local<v8::Value>> arguments, double due_ms,
                         double interval_ms)
{
    uint32_t id = next_id_++;
    Timer &timer = Insert(id, isolate, callback, arguments, due_ms, interval_ms);
    const IsolateState *state = IsolateState::From(isolate);
    timer.warm = state->phase == Phase::kWarm;
    timer.frame = CaptureAsyncFrame(isolate);
    // Only what is left over at build time is ever asked where it was set, and only when it is
    // looked at: finding the place leaves a table of lines behind, which would be in the blob.
    if (state->survey != nullptr) timer.place = CurrentBundlePlace(isolate);
    return id;
}

void TimerQueue::Clear(uint32_t id)
{
    auto found = timers_.find(id);
    if (found == timers_.end()) return;
    auto [first, last] = due_.equal_range(found->second.due_ms);
    for (auto entry = first; entry != last; ++entry) {
        if (entry->second == id) {
            due_.erase(entry);
            break;
        }
    }
    timers_.erase(found);
}

double TimerQueue::NextDueMs() const
{
    return due_.empty() ? std::numeric_limits<double>::infinity() : due_.begin()->first;
}

bool TimerQueue::RunDue(v8::Local<v8::Context> context, double now_ms)
{
    v8::Isolate *isolate = context->GetIsolate();
    // Timers that callbacks add wait for the next round, even when they are due at once.
    uint32_t last_id = next_id_;
    while (!due_.empty() && due_.begin()->first <= now_ms && due_.begin()->second < last_id) {
        v8::HandleScope scope(isolate);
        uint32_t id = due_.begin()->second;
        Timer &timer = timers_[id];
        v8::Local<v8::Function> callback = timer.callback.Get(isolate);
        std::vector<v8::Local<v8::Value>> arguments;
        for (const auto &argument : timer.arguments)
            arguments.push_back(argument.Get(isolate));
        v8::Global<v8::Value> frame(isolate, timer.frame);
        due_.erase(due_.begin());
        if (timer.interval_ms >= 0) {
            // At least a millisecond later, so that an interval of 0 does not keep this loop
            // going forever.
            timer.due_ms = now_ms + (timer.interval_ms < 1 ? 1 : timer.interval_ms);
            due_.emplace(timer.due_ms, id);
        } else {
            timers_.erase(id);
        }
        if (!CallIn(context, frame, callback, &arguments)) return false;
        isolate->PerformMicrotaskCheckpoint();
        if (isolate->IsExecutionTerminating()) return false;
    }
    return true;
}

std::vector<TimerQueue::Pending> TimerQueue::ListPending() const
{
    std::vector<Pending> pending;
    for (const auto &[due_ms, id] : due_) {
        const Timer &timer = timers_.at(id);
        pending.push_back({timer.place, due_ms, timer.interval_ms, timer.warm});
    }
    return pending;
}

v8::Local<v8::Array> TimerQueue::Save(v8::Isolate *isolate) const
{
    std::vector<v8::Local<v8::Value>> saved = {v8::Integer::NewFromUnsigned(isolate, next_id_)};
    for (const auto &[due_ms, id] : due_) {
        const Timer &timer = timers_.at(id);
        std::vector<v8::Local<v8::Value>> entry = {
            v8::Integer::NewFromUnsigned(isolate, id), v8::Number::New(isolate, due_ms),
            v8::Number::New(isolate, timer.interval_ms), timer.callback.Get(isolate),
            timer.frame.IsEmpty() ? v8::Undefined(isolate).As<v8::Value>()
                                  : timer.frame.Get(isolate)};
        for (const auto &argument : timer.arguments)
            entry.push_back(argument.Get(isolate));
        saved.push_back(v8::Array::New(isolate, entry.data(), entry.size()));
    }
    return v8::Array::New(isolate, saved.data(), saved.size());
}

bool TimerQueue::RestoreOne(v8::Local<v8::Context> context, v8::Local<v8::Value> saved)
{
    if (!saved->IsArray()) return false;
    v8::Local<v8::Array> entry = saved.As<v8::Array>();
    std::vector<v8::Local<v8::Value>> items(entry->Length());
    for (uint32_t at = 0; at < items.size(); at++)
        if (!entry->Get(context, at).ToLocal(&items[at])) return false;
    if (items.size() < kArgumentsAt || !items[0]->IsUint32() || !items[1]->IsNumber() ||
        !items[2]->IsNumber() || !items[3]->IsFunction())
        return false;
    Timer &timer = Insert(items[0].As<v8::Uint32>()->Value(), context->GetIsolate(),
                          items[3].As<v8::Function>(), {items.begin() + kArgumentsAt, items.end()},
                          items[1].As<v8::Number>()->Value(), items[2].As<v8::Number>()->Value());
    if (!items[kFrameAt]->IsUndefined()) timer.frame.Reset(context->GetIsolate(), items[kFrameAt]);
    return true;
}

bool TimerQueue::Restore(v8::Local<v8::Context> context, v8::Local<v8::Array> saved)
{
    v8::Local<v8::Value> next_id;
    if (!saved->Get(context, 0).ToLocal(&next_id) || !next_id->IsUint32()) return false;
    next_id_ = next_id.As<v8::Uint32>()->Value();
    for (uint32_t i = 1; i < saved->Length(); i++) {
        v8::Local<v8::Value> entry;
        if (!saved->Get(context, i).ToLocal(&entry) || !RestoreOne(context, entry)) return false;
    }
    return true;
}

void TimerQueue::Reset()
{
    timers_.clear();
    due_.clear();
}

} // namespace snapcell
