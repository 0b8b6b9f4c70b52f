#include "isolate_state.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <new>

#include "absent_names.h"
#include "builtin_imports.h"
#include "event_loop.h"
#include "monotonic.h"
#include "platform.h"
#include "survey.h"
#include "web/web.h"
#include "web_modules.h"

// V8's own, which is not among its headers: what it calls before it ends the process.
namespace v8::base
{
void SetFatalFunction(void (*function)(const char *file, int line, const char *message));
} // namespace v8::base

namespace snapcell
{
namespace
{

double SteadyMs()
{
    return static_cast<double>(monotonic_now_ns()) / 1e6;
}

double WallMs()
{
    return static_cast<double>(clock_read_ns(CLOCK_REALTIME)) / 1e6;
}

// How far the heap limit is raised once it was hit, so that V8 can unwind instead of dying.
constexpr size_t kUnwindingRoomBytes = size_t{512} << 20;

size_t OnNearHeapLimit(void *data, size_t current_limit, size_t)
{
    v8::Isolate *isolate = static_cast<v8::Isolate *>(data);
    IsolateState *state = IsolateState::From(isolate);
    if (state->exhausted != nullptr) state->exhausted(state->exhausted_user);
    state->Condemn(isolate, SNAPCELL_E_MEMORY_LIMIT);
    return current_limit + kUnwindingRoomBytes;
}

// Leaves the call, if there is one that can be left.
void LeaveExhausted()
{
    v8::Isolate *isolate = v8::Isolate::TryGetCurrent();
    IsolateState *state = isolate != nullptr ? IsolateState::From(isolate) : nullptr;
    if (state != nullptr && state->exhausted != nullptr) state->exhausted(state->exhausted_user);
}

// V8 ends the process when these return.
void OnOutOfMemory(const char *, const v8::OOMDetails &)
{
    LeaveExhausted();
}

// Some shortages are fatal errors like any other; a fault in V8 is none of them.
void OnFatalError(const char *, int, const char *message)
{
    for (const char *sign : {"invalid size error", "invalid array length", "invalid table size"})
        if (message != nullptr && strstr(message, sign) != nullptr) LeaveExhausted();
}

void TakeShortages(v8::Isolate *isolate)
{
    isolate->SetOOMErrorHandler(OnOutOfMemory);
    v8::V8::SetFatalMemoryErrorCallback(OnOutOfMemory);
    v8::base::SetFatalFunction(OnFatalError);
    std::set_new_handler([] {
        LeaveExhausted();
        std::set_new_handler(nullptr); // then `new` fails, as it would have
    });
}

void OnPromiseRejected(v8::PromiseRejectMessage message)
{
    v8::Local<v8::Promise> promise = message.GetPromise();
    v8::Isolate *isolate = promise->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    auto &rejections = state->unhandled_rejections;
    if (message.GetEvent() == v8::kPromiseRejectWithNoHandler) {
        rejections.emplace_back(v8::Global<v8::Promise>(isolate, promise),
                                v8::Global<v8::Value>(isolate, message.GetValue()));
    } else if (message.GetEvent() == v8::kPromiseHandlerAddedAfterReject) {
        std::erase_if(rejections, [&](const auto &entry) { return entry.first == promise; });
        auto &told = state->told_rejections;
        auto found = std::find_if(told.begin(), told.end(),
                                  [&](const auto &entry) { return entry.first == promise; });
        if (found == told.end()) return;
        state->handled_rejections.push_back(std::move(*found));
        told.erase(found);
    }
}

v8::MaybeLocal<v8::Promise> OnDynamicImport(v8::Local<v8::Context> context, v8::Local<v8::Data>,
                                            v8::Local<v8::Value>, v8::Local<v8::String> specifier,
                                            v8::Local<v8::FixedArray>)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::String::Utf8Value name(isolate, specifier);
    if (*name != nullptr && IsBuiltinImport(*name)) return ImportBuiltin(context, *name);
    v8::Local<v8::Promise::Resolver> resolver;
    if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
    v8::Local<v8::String> message;
    if (!v8::String::NewFromUtf8(isolate,
                                 UnresolvedMessage("import()", *name ? *name : "?").c_str())
             .ToLocal(&message))
        return {};
    if (resolver->Reject(context, v8::Exception::TypeError(message)).IsNothing()) return {};
    return resolver->GetPromise();
}

void OnImportMeta(v8::Local<v8::Context> context, v8::Local<v8::Module>, v8::Local<v8::Object> meta)
{
    v8::Isolate *isolate = context->GetIsolate();
    const engine_bundle *bundle = IsolateState::From(isolate)->bundle;
    v8::Local<v8::String> name;
    if (!v8::String::NewFromUtf8(isolate, bundle->file_name).ToLocal(&name)) return;
    v8::Local<v8::String> url = v8::String::Concat(isolate, AsciiString(isolate, "file:///"), name);
    if (meta->Set(context, AsciiString(isolate, "url"), url).IsNothing()) return;
    (void)meta->Set(context, AsciiString(isolate, "main"), v8::True(isolate)).IsNothing();
}

bool OnWebAssembly(v8::Local<v8::Context> context, v8::Local<v8::String>)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    if (state->phase != Phase::kRun)
        state->RefuseSnapshot(isolate, SNAPCELL_NOTE_OBJECT,
                              "WebAssembly was compiled at build time");
    return true;
}

} // namespace

void IsolateState::Log(snapcell_log_level level, const std::string &text) const
{
    if (log != nullptr) log(log_user, level, function_name.c_str(), text.c_str(), text.size());
}

double IsolateState::NowMs() const
{
    if (StartedForBuilding()) return kBuildClockStartMs + build_clock_ms_;
    return frozen_ ? frozen_wall_ms_ : WallMs();
}

double IsolateState::MonotonicMs() const
{
    if (StartedForBuilding()) return build_clock_ms_;
    return build_clock_ms_ + (frozen_ ? frozen_steady_ms_ : SteadyMs()) - time_origin_ms_;
}

void IsolateState::TickClock()
{
    if (!frozen_) return;
    frozen_wall_ms_ = WallMs();
    frozen_steady_ms_ = SteadyMs();
}

void IsolateState::FreezeClock()
{
    frozen_ = true;
    TickClock();
    FreezeDates();
}

void IsolateState::ResetTimeOrigin()
{
    time_origin_ms_ = SteadyMs();
    TickClock();
}

void IsolateState::ContinueClock(double build_clock_ms)
{
    build_clock_ms_ = build_clock_ms;
}

void IsolateState::AdvanceBuildClock(double ms)
{
    if (ms <= build_clock_ms_) return;
    build_clock_ms_ = ms;
    SetBuildClock(ms);
}

double IsolateState::NextDueMs() const
{
    return std::min(timers.NextDueMs(), atomics_waits.NextDueMs());
}

void IsolateState::ForgetHandles()
{
    atomics_waits.Reset();
    fresh_buffers.clear();
    env.Reset();
    imports.clear();
    prelude.Reset();
    drawn_buffers.Reset();
    build_failure.Reset();
    unhandled_rejections.clear();
    told_rejections.clear();
    handled_rejections.clear();
}

void IsolateState::Condemn(v8::Isolate *isolate, int reason)
{
    int none = 0;
    condemned.compare_exchange_strong(none, reason);
    isolate->TerminateExecution();
    fetches.wakeup().Wake();
}

bool IsolateState::TakesResponse(v8::Isolate *isolate, uint64_t size_bytes, bool streamed)
{
    uint64_t limit = response_limit_bytes;
    if (limit == 0) limit = streamed ? UINT64_MAX : memory_limit_bytes;
    if (size_bytes <= limit || phase != Phase::kRun) return true;
    Condemn(isolate, SNAPCELL_E_RESPONSE_LIMIT);
    return false;
}

void IsolateState::RefuseSnapshot(v8::Isolate *isolate, snapcell_note_kind kind,
                                  const std::string &what)
{
    if (survey != nullptr || !unsnapshotable.empty()) return;
    std::string place = CurrentPlace(isolate);
    unsnapshotable = what + (place.empty() ? "" : " (" + place + ")");
    unsnapshotable_kind = kind;
}

void IsolateState::NoteEntropy(v8::Isolate *isolate, const char *what)
{
    drew = true;
    if (phase == Phase::kRun) return;
    if (survey != nullptr)
        survey->NoteEntropy(isolate, what);
    else if (phase == Phase::kTopLevel && !entropy_allowed && entropy_trial == 0)
        RefuseSnapshot(isolate, SNAPCELL_NOTE_ENTROPY,
                       std::string(what) + " was called at top level");
}

void IsolateState::NoteEnvironment(v8::Isolate *isolate)
{
    if (phase != Phase::kTopLevel) return;
    if (survey != nullptr)
        survey->NoteEnvironment(isolate);
    else
        RefuseSnapshot(isolate, SNAPCELL_NOTE_OBJECT, kEnvironmentWasRead);
}

void IsolateState::NoteDraw(v8::Isolate *isolate, const char *what, const void *value, size_t size)
{
    if (note_draw != nullptr && size >= DRAW_SIZE_MIN) {
        note_draw(note_draw_user, value, size);
        return;
    }
    NoteEntropy(isolate, what);
    if (phase == Phase::kWarm && !entropy_allowed)
        warm_draws.Add(what, survey != nullptr ? CurrentBundlePlace(isolate) : BundlePlace(), value,
                       size);
}

BundlePlace CurrentBundlePlace(v8::Isolate *isolate)
{
    BundlePlace place;
    IsolateState *state = IsolateState::From(isolate);
    const engine_bundle *bundle = state->bundle;
    if (bundle == nullptr) return place;
    v8::HandleScope scope(isolate);
    v8::Local<v8::StackTrace> trace =
        v8::StackTrace::CurrentStackTrace(isolate, 16, v8::StackTrace::kOverview);
    FindCallerFrame(isolate, trace, *bundle, &state->stand_ins, &place);
    return place;
}

std::string CurrentPlace(v8::Isolate *isolate)
{
    BundlePlace place = CurrentBundlePlace(isolate);
    if (place.line != 0) ApplySourceMap(*IsolateState::From(isolate)->bundle, &place);
    return place.Text();
}

void AttachState(v8::Isolate *isolate, IsolateState *state)
{
    isolate->SetData(0, state);
    isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    isolate->SetPromiseRejectCallback(OnPromiseRejected);
    isolate->SetHostImportModuleDynamicallyCallback(OnDynamicImport);
    isolate->SetHostInitializeImportMetaObjectCallback(OnImportMeta);
    isolate->SetAllowWasmCodeGenerationCallback(OnWebAssembly);
    isolate->SetWasmStreamingCallback(OnWasmStreaming);
    isolate->AddMessageListener(OnUncaught);
    isolate->AddNearHeapLimitCallback(OnNearHeapLimit, isolate);
    if (state->exhausted != nullptr) TakeShortages(isolate);
}

} // namespace snapcell
