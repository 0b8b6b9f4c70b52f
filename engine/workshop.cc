#include "workshop.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include <libplatform/libplatform.h>

#include "api_mentions.h"
#include "async_frame.h"
#include "dispatch.h"
#include "error_set.h"
#include "event_loop.h"
#include "external_references.h"
#include "platform.h"
#include "script_error.h"
#include "web_modules.h"

namespace snapcell
{

Workshop::Workshop(const engine_bundle &bundle, const engine_build_options &options)
    : array_buffers(options.memory_limit_bytes), text(bundle.source),
      references(BuildExternalReferences(text))
{
    state.bundle = &bundle;
    state.host = bundle.host;
    state.array_buffers = &array_buffers;
    state.phase = Phase::kTopLevel;
    state.timers = TimerQueue(TimerQueue::kFirstBuildId);
    state.log = options.log;
    state.log_user = options.log_user;
    state.function_name = options.function_name;
    state.memory_limit_bytes = options.memory_limit_bytes;
    state.entropy_allowed = options.entropy_allowed;
    state.entropy_trial = options.entropy_trial;
    state.build_random = static_cast<uint64_t>(options.entropy_trial) << 32;
    if (StartedForBuilding()) SetBuildClock(0); // an evaluation before may have moved it
}

v8::Isolate::CreateParams Workshop::Params()
{
    v8::Isolate::CreateParams params;
    params.array_buffer_allocator = &array_buffers;
    params.external_references = references.data();
    params.constraints.ConfigureDefaultsFromHeapSize(0, state.memory_limit_bytes);
    params.allow_atomics_wait = false;
    return params;
}

PlainIsolate::PlainIsolate(Workshop *workshop)
{
    v8::Isolate::CreateParams params = workshop->Params();
    isolate_ = v8::Isolate::New(params);
    AttachState(isolate_, &workshop->state);
    isolate_->Enter();
}

PlainIsolate::~PlainIsolate()
{
    IsolateState *state = IsolateState::From(isolate_);
    state->timers.Reset();
    state->ForgetHandles();
    isolate_->Exit();
    v8::platform::NotifyIsolateShutdown(CurrentPlatform(), isolate_);
    isolate_->Dispose();
}

namespace
{

// Timers that are due within this time run at build time, after the top level and after each
// warm-up request; later ones are kept for the instances.
constexpr double kTimerHorizonMs = 1000;

// Answers one warm-up request, so that what it compiles and keeps is in the blob.
int WarmUp(v8::Local<v8::Context> context, const Handler &handler, const snapcell_request &request,
           snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    ForgetAsyncFrame(isolate);
    v8::Local<v8::Object> env = v8::Object::New(isolate);
    IsolateState::From(isolate)->env.Reset(isolate, env);
    if (handler.shape == SNAPCELL_SHAPE_JSON) {
        // The body is the event, when there is one that is JSON.
        std::string event =
            request.body != nullptr
                ? std::string(static_cast<const char *>(request.body), request.body_size_bytes)
                : "{}";
        char *result = nullptr;
        int status =
            DispatchJson(context, handler.entry, env, event.c_str(), &result, nullptr, err);
        free(result);
        return status;
    }
    snapcell_response *response = nullptr;
    int status = DispatchFetch(context, handler.entry, env, &request, &response, err);
    if (status == SNAPCELL_OK && snapcell_response_status(response) >= 500)
        IsolateState::From(isolate)->warnings.push_back(
            std::string("warm-up ") + (request.url ? request.url : "/") +
            " was answered with status " + std::to_string(snapcell_response_status(response)));
    snapcell_response_free(response);
    return status;
}

// What a rejected promise that nothing handles is to Node at top level: the program's failure.
int FailOnUnhandledRejection(v8::Isolate *isolate, snapcell_error *err)
{
    v8::Local<v8::Value> value;
    if (!TakeUnhandledRejection(isolate).ToLocal(&value)) return SNAPCELL_OK;
    return ReportValue(isolate, value, "unhandled rejection: ", err);
}

// What a bundle must not do at top level, whether it caught the error or not.
int FailOnRefusedCall(v8::Isolate *isolate, snapcell_error *err)
{
    v8::Global<v8::Value> failure = std::move(IsolateState::From(isolate)->build_failure);
    if (failure.IsEmpty()) return SNAPCELL_OK;
    return ReportValue(isolate, failure.Get(isolate), "", err);
}

} // namespace

int WarmUpAll(v8::Local<v8::Context> context, const Handler &handler,
              const engine_build_options &options, snapcell_error *err)
{
    IsolateState *state = IsolateState::From(context->GetIsolate());
    state->phase = Phase::kWarm;
    if (state->entropy_trial != 0) state->build_random = 0; // the same in each trial
    KeepHiddenStacks(context);
    for (size_t i = 0; i < options.warm_count; i++) {
        int status = WarmUp(context, handler, options.warm[i], err);
        // Streams and schedulers leave timers of 0 ms behind.
        if (status == SNAPCELL_OK) status = RunUntilIdle(context, kTimerHorizonMs, err);
        if (status == SNAPCELL_OK) continue;
        if (err != nullptr) {
            snapcell_error inner = *err;
            snprintf(err->message, sizeof(err->message), "warm-up %.200s failed: %.700s",
                     options.warm[i].url ? options.warm[i].url : "/", inner.message);
        }
        return status;
    }
    return SNAPCELL_OK;
}

bool Mentions(Workshop *workshop, v8::Isolate *isolate, const char *word)
{
    v8::HandleScope scope(isolate);
    v8::Local<v8::String> text;
    if (!workshop->text.NewString(isolate).ToLocal(&text)) return false;
    v8::String::Utf8Value utf8(isolate, text);
    return *utf8 != nullptr && strstr(*utf8, word) != nullptr;
}

int Prepare(v8::Local<v8::Context> context, Workshop *workshop, engine_format format,
            const engine_build_options &options, Evaluation *evaluation, Handler *handler,
            snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    // V8 has no way to keep what Intl makes: see the module.
    if (options.kind == SNAPCELL_ARTIFACT_SNAPSHOT && Mentions(workshop, isolate, "Intl") &&
        RequireWebModule(context, "intl").IsEmpty())
        return error_set(err, SNAPCELL_E_INTERNAL, "the engine's module for Intl failed");
    int status = EvaluateBundle(context, &workshop->text, format, nullptr, evaluation, err);
    if (status != SNAPCELL_OK) return status;
    status = RunUntilIdle(context, kTimerHorizonMs, err);
    if (status == SNAPCELL_OK) status = FailOnRefusedCall(isolate, err);
    if (status != SNAPCELL_OK) return status;
    status = FailOnUnhandledRejection(isolate, err);
    if (status != SNAPCELL_OK) return status;
    status = SelectHandler(context, format, evaluation->exports, options.shape, handler, err);
    if (status != SNAPCELL_OK) return status;
    if (options.warm_count == 0) TouchMentionedApis(context, &workshop->text);
    status = WarmUpAll(context, *handler, options, err);
    if (status == SNAPCELL_OK) LogUnhandledRejections(isolate);
    return status;
}

} // namespace snapcell
