#include "event_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <libplatform/libplatform.h>

#include "error_set.h"
#include "exchange.h"
#include "platform.h"
#include "script_error.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// While the embedder waits for a body, answers to fetch() are looked for this often.
constexpr double kNapMs = 2;

// A timer of 0 ms that sets itself again would keep a clock that timers move from ever moving.
constexpr int kIdleRoundsMax = 10000;

// How many rejections are remembered that something may handle late.
constexpr size_t kToldMax = 100;

// The function that offers rejections to the bundle's listeners; empty when nothing ever listened.
v8::MaybeLocal<v8::Function> RejectionHook(v8::Local<v8::Context> context)
{
    if (context->GetNumberOfEmbedderDataFields() <= kRejectionHookSlot) return {};
    v8::Local<v8::Value> hook = context->GetEmbedderData(kRejectionHookSlot);
    return hook->IsFunction() ? hook.As<v8::Function>() : v8::MaybeLocal<v8::Function>();
}

// Handlers that were set as properties of the global object are called by what listeners are called
// by, too.
void NoticeHandlers(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Value> handler;
    for (const char *name : {"onunhandledrejection", "onrejectionhandled"})
        if (context->Global()->Get(context, AsciiString(isolate, name)).ToLocal(&handler) &&
            handler->IsFunction())
            (void)RequireWebModule(context, "listeners").IsEmpty();
}

// Did a listener take care of it?
bool OfferRejection(v8::Local<v8::Context> context, v8::Local<v8::Function> hook, bool handled,
                    v8::Local<v8::Promise> promise, v8::Local<v8::Value> reason)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> arguments[] = {v8::Boolean::New(isolate, handled), promise, reason};
    v8::Local<v8::Value> taken;
    return hook->Call(context, v8::Undefined(isolate), 3, arguments).ToLocal(&taken) &&
           taken->IsTrue();
}

void OfferHandledRejections(v8::Local<v8::Context> context, v8::Local<v8::Function> hook)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    IsolateState::Rejections handled = std::move(state->handled_rejections);
    state->handled_rejections.clear();
    for (const auto &[promise, reason] : handled) {
        v8::HandleScope scope(isolate);
        OfferRejection(context, hook, true, promise.Get(isolate), reason.Get(isolate));
    }
}

// An exception that nobody can catch is an "error" event, and else logged.
void ReportUncaught(v8::Local<v8::Context> context, v8::Local<v8::Value> error, const char *where)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Object> idl;
    v8::Local<v8::Value> report;
    v8::Local<v8::Value> arguments[] = {error, AsciiString(isolate, where)};
    if (RequireWebModule(context, "idl").ToLocal(&idl) &&
        idl->Get(context, AsciiString(isolate, "report")).ToLocal(&report) && report->IsFunction())
        (void)report.As<v8::Function>()
            ->Call(context, v8::Undefined(isolate), 2, arguments)
            .IsEmpty();
}

// Logs the rejections that nothing handles, except those of `awaited` and those that a listener
// takes care of. Returns whether listeners ran.
bool ReportRejections(v8::Local<v8::Context> context, v8::Local<v8::Promise> awaited)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    v8::Local<v8::Function> hook;
    bool listens = RejectionHook(context).ToLocal(&hook);
    IsolateState::Rejections rejections = std::move(state->unhandled_rejections);
    state->unhandled_rejections.clear();
    if (listens) OfferHandledRejections(context, hook);
    for (auto &rejection : rejections) {
        v8::HandleScope scope(isolate);
        v8::Local<v8::Promise> promise = rejection.first.Get(isolate);
        v8::Local<v8::Value> reason = rejection.second.Get(isolate);
        if (!awaited.IsEmpty() && promise == awaited) {
            state->unhandled_rejections.push_back(std::move(rejection));
            continue;
        }
        if (!listens || !OfferRejection(context, hook, false, promise, reason))
            state->Log(SNAPCELL_LOG_ERROR,
                       "Uncaught (in promise) " + DescribeValue(isolate, reason));
        if (listens && state->told_rejections.size() < kToldMax)
            state->told_rejections.push_back(std::move(rejection));
    }
    return listens && !rejections.empty();
}

// After each round of tasks, as HTML has it, when the bundle listens; else they are logged at the
// end of the call. At build time they are the program's failure.
void TellListeners(v8::Local<v8::Context> context, v8::Local<v8::Promise> awaited)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    if (state->unhandled_rejections.empty() && state->handled_rejections.empty()) return;
    if (state->phase == Phase::kTopLevel) return;
    if (RejectionHook(context).IsEmpty()) NoticeHandlers(context);
    if (RejectionHook(context).IsEmpty()) return;
    if (ReportRejections(context, awaited)) isolate->PerformMicrotaskCheckpoint();
}

// V8's own tasks are steps of its collector, for the most part, which post the next one: a
// condemned isolate has no use for them, and they would make its end late.
void RunTasks(v8::Isolate *isolate)
{
    const IsolateState *state = IsolateState::From(isolate);
    isolate->PerformMicrotaskCheckpoint();
    while (state->condemned.load() == 0 &&
           v8::platform::PumpMessageLoop(CurrentPlatform(), isolate))
        isolate->PerformMicrotaskCheckpoint();
}

bool ExchangeWaits(const IsolateState &state)
{
    return state.exchange != nullptr && state.exchange->Waits();
}

void WaitMs(IsolateState &state, double ms)
{
    if (!ExchangeWaits(state)) {
        state.fetches.Wait(ms);
        return;
    }
    state.exchange->Wait(state.fetches.CanWake() ? std::min(ms, kNapMs) : ms);
    state.fetches.Poll();
}

// What a timer throws at top level is the bundle's failure; later, nobody's.
int RunTimers(v8::Local<v8::Context> context, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    v8::TryCatch caught(isolate);
    if (state->timers.RunDue(context, state->MonotonicMs())) return SNAPCELL_OK;
    if (state->phase == Phase::kTopLevel || !caught.HasCaught() || !caught.CanContinue())
        return ReportCaught(isolate, caught, "in a timer: ", err);
    ReportUncaught(context, caught.Exception(), "a timer");
    return SNAPCELL_OK;
}

// Waits (at build time: moves the clock) until the next timer is due, the embedder may get on with
// a body, something came for fetch(), or a limit was hit, and runs what is due.
int WaitAndRun(v8::Local<v8::Context> context, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    state->TickClock();
    if (StartedForBuilding())
        state->AdvanceBuildClock(state->NextDueMs());
    else
        WaitMs(*state, state->NextDueMs() - state->MonotonicMs());
    state->TickClock();
    if (state->exchange != nullptr) state->exchange->Poll(context);
    if (state->condemned.load() == 0) state->atomics_waits.RunDue(state->MonotonicMs());
    int status = RunTimers(context, err);
    if (status != SNAPCELL_OK) return status;
    v8::TryCatch caught(isolate);
    if (!state->fetches.RunReady(context)) return ReportCaught(isolate, caught, "in fetch: ", err);
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
        TellListeners(context, promise);
        if (promise->State() != v8::Promise::kPending) return SNAPCELL_OK;
        if (std::isinf(state->NextDueMs()) && !ExchangeWaits(*state) && !state->fetches.CanWake()) {
            (void)ReportRejections(context, promise); // one may be why
            return error_set(err, SNAPCELL_E_SCRIPT,
                             "the promise can never be settled: no timer, no task and no fetch is "
                             "left");
        }
        status = WaitAndRun(context, err);
        if (status != SNAPCELL_OK) return status;
    }
}

int RunUntilIdle(v8::Local<v8::Context> context, double horizon_ms, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    double end_ms = state->MonotonicMs() + horizon_ms;
    for (int rounds = 0;; rounds++) {
        RunTasks(isolate);
        int status = ReportCondemned(isolate, err);
        if (status != SNAPCELL_OK) return status;
        if (std::isinf(state->NextDueMs()) || state->NextDueMs() > end_ms) return SNAPCELL_OK;
        if (rounds == kIdleRoundsMax) return SNAPCELL_OK;
        status = WaitAndRun(context, err);
        if (status != SNAPCELL_OK) return status;
    }
}

void OnUncaught(v8::Local<v8::Message> message, v8::Local<v8::Value> error)
{
    v8::Isolate *isolate = message->GetIsolate();
    v8::HandleScope scope(isolate);
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    if (!context.IsEmpty()) ReportUncaught(context, error, "");
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
    if (IsolateState::From(isolate)->unhandled_rejections.empty()) return;
    v8::HandleScope scope(isolate);
    if (ReportRejections(isolate->GetCurrentContext(), {})) isolate->PerformMicrotaskCheckpoint();
}

} // namespace snapcell
