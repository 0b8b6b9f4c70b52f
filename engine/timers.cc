#include "timers.h"

#include <limits>

#include "isolate_state.h"

namespace snapcell
{

uint32_t TimerQueue::Add(v8::Isolate *isolate, v8::Local<v8::Function> callback,
                         std::vector<v8::Local<v8::Value>> arguments, double due_ms,
                         double interval_ms)
{
    uint32_t id = next_id_++;
    Timer &timer = timers_[id];
    timer.callback.Reset(isolate, callback);
    for (v8::Local<v8::Value> argument : arguments)
        timer.arguments.emplace_back(isolate, argument);
    timer.interval_ms = interval_ms;
    timer.due_ms = due_ms;
    // Only what is left over at build time is ever asked where it was set, and only when it is
    // looked at: finding the place leaves a table of lines behind, which would be in the blob.
    if (IsolateState::From(isolate)->survey != nullptr) timer.place = CurrentBundlePlace(isolate);
    due_.emplace(due_ms, id);
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
        due_.erase(due_.begin());
        if (timer.interval_ms >= 0) {
            // At least a millisecond later, so that an interval of 0 does not keep this loop for
            // ever.
            timer.due_ms = now_ms + (timer.interval_ms < 1 ? 1 : timer.interval_ms);
            due_.emplace(timer.due_ms, id);
        } else {
            timers_.erase(id);
        }
        if (callback
                ->Call(context, context->Global(), static_cast<int>(arguments.size()),
                       arguments.data())
                .IsEmpty())
            return false;
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
        pending.push_back({timer.place, due_ms, timer.interval_ms});
    }
    return pending;
}

void TimerQueue::Reset()
{
    timers_.clear();
    due_.clear();
}

} // namespace snapcell
