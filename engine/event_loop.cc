#include "event_loop.h"

#include <ctime>

#include <libplatform/libplatform.h>

#include "error_set.h"
#include "platform.h"
#include "script_error.h"

namespace snapcell
{
namespace
{

// A limit must be able to end a sleep: it is cut into naps of this length.
constexpr double kNapMs = 2;

void RunTasks(v8::Isolate *isolate)
{
    isolate->PerformMicrotaskCheckpoint();
    while (v8::platform::PumpMessageLoop(CurrentPlatform(), isolate))
        isolate->PerformMicrotaskCheckpoint();
}

void SleepMs(double ms)
{
    if (ms > kNapMs) ms = kNapMs;
    if (ms <= 0) return;
    struct timespec nap = {0, static_cast<long>(ms * 1e6)};
    nanosleep(&nap, nullptr);
}

// Waits (at build time: moves the clock) until the next timer is due or a nap is over, and runs
// what is due.
int RunTimers(v8::Local<v8::Context> context, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    if (StartedForBuilding())
        state->AdvanceBuildClock(state->timers.NextDueMs());
    else
        SleepMs(state->timers.NextDueMs() - state->MonotonicMs());
    v8::TryCatch caught(isolate);
    if (!state->timers.RunDue(context, state->MonotonicMs()))
        return ReportCaught(isolate, caught, "in a timer: ", err);
    return SNAPCELL_OK;
}

} // namespace

int RunUntilSettled(v8::Local<v8::Context> context, v8::Local<v8::Promise> promise,
                    snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    for (;;) {
        RunTasks(isolate);
        int status = ReportCondemned(isolate, err);
        if (status != SNAPCELL_OK) return status;
        if (promise->State() != v8::Promise::kPending) return SNAPCELL_OK;
        if (state->timers.Empty())
            return error_set(err, SNAPCELL_E_SCRIPT,
                             "the promise can never be settled: no timer and no task is left");
        status = RunTimers(context, err);
        if (status != SNAPCELL_OK) return status;
    }
}

int RunUntilIdle(v8::Local<v8::Context> context, double horizon_ms, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    double end_ms = state->MonotonicMs() + horizon_ms;
    for (;;) {
        RunTasks(isolate);
        int status = ReportCondemned(isolate, err);
        if (status != SNAPCELL_OK) return status;
        if (state->timers.Empty() || state->timers.NextDueMs() > end_ms) return SNAPCELL_OK;
        status = RunTimers(context, err);
        if (status != SNAPCELL_OK) return status;
    }
}

v8::MaybeLocal<v8::Value> TakeUnhandledRejection(v8::Isolate *isolate)
{
    auto &rejections = IsolateState::From(isolate)->unhandled_rejections;
    if (rejections.empty()) return {};
    v8::Local<v8::Value> value = rejections.front().second.Get(isolate);
    rejections.clear();
    return value;
}

void LogUnhandledRejections(v8::Isolate *isolate)
{
    IsolateState *state = IsolateState::From(isolate);
    auto rejections = std::move(state->unhandled_rejections);
    state->unhandled_rejections.clear();
    for (const auto &[promise, value] : rejections) {
        v8::HandleScope scope(isolate);
        state->Log(SNAPCELL_LOG_ERROR,
                   "Uncaught (in promise) " + DescribeValue(isolate, value.Get(isolate)));
    }
}

} // namespace snapcell
