// engine_build(): a bundle in, a snapshot or a code cache out.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <libplatform/libplatform.h>
#include <v8-snapshot.h>

#include "api_mentions.h"
#include "array_buffer_quota.h"
#include "dispatch.h"
#include "error_set.h"
#include "evaluation.h"
#include "event_loop.h"
#include "external_references.h"
#include "heap_census.h"
#include "late_builtins.h"
#include "module_exports.h"
#include "platform.h"
#include "script_error.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// How far timers that a bundle sets at top level may reach; what is due later is left over.
constexpr double kTopLevelHorizonMs = 1000;

// Everything that has to live as long as the isolate in which a bundle is built.
struct Workshop {
    Workshop(const engine_bundle &bundle, const engine_build_options &options)
        : array_buffers(options.memory_limit_bytes), text(bundle.source),
          references(BuildExternalReferences(text))
    {
        state.bundle = &bundle;
        state.host = bundle.host;
        state.array_buffers = &array_buffers;
        state.phase = Phase::kTopLevel;
        state.log = options.log;
        state.log_user = options.log_user;
        state.function_name = options.function_name;
        state.memory_limit_bytes = options.memory_limit_bytes;
    }

    v8::Isolate::CreateParams Params()
    {
        v8::Isolate::CreateParams params;
        params.array_buffer_allocator = &array_buffers;
        params.external_references = references.data();
        params.constraints.ConfigureDefaultsFromHeapSize(0, state.memory_limit_bytes);
        params.allow_atomics_wait = false;
        return params;
    }

    IsolateState state;
    ArrayBufferQuota array_buffers;
    BundleText text;
    std::vector<intptr_t> references;
};

// An isolate of the ordinary kind, for what needs no snapshot.
class PlainIsolate
{
  public:
    explicit PlainIsolate(Workshop *workshop)
    {
        v8::Isolate::CreateParams params = workshop->Params();
        isolate_ = v8::Isolate::New(params);
        AttachState(isolate_, &workshop->state);
        isolate_->Enter();
    }
    ~PlainIsolate()
    {
        IsolateState *state = IsolateState::From(isolate_);
        state->timers.Reset();
        state->build_failure.Reset();
        state->ForgetRejections();
        isolate_->Exit();
        v8::platform::NotifyIsolateShutdown(CurrentPlatform(), isolate_);
        isolate_->Dispose();
    }
    PlainIsolate(const PlainIsolate &) = delete;
    PlainIsolate &operator=(const PlainIsolate &) = delete;

    v8::Isolate *get() { return isolate_; }

  private:
    v8::Isolate *isolate_;
};

bool Contains(Workshop *workshop, v8::Isolate *isolate, const char *word)
{
    v8::HandleScope scope(isolate);
    v8::Local<v8::String> text;
    if (!workshop->text.NewString(isolate).ToLocal(&text)) return false;
    v8::String::Utf8Value utf8(isolate, text);
    return *utf8 != nullptr && strstr(*utf8, word) != nullptr;
}

// The formats that a bundle may have, to be tried in turn. A text that parses as no module is
// CommonJS or a script: only evaluating it tells.
int FormatsToTry(const engine_bundle &bundle, const engine_build_options &options,
                 std::vector<engine_format> *out, snapcell_error *err)
{
    if (options.format != ENGINE_FORMAT_AUTO) {
        *out = {options.format};
        return SNAPCELL_OK;
    }
    Workshop workshop(bundle, options);
    PlainIsolate isolate(&workshop);
    v8::HandleScope scope(isolate.get());
    v8::Local<v8::Context> context = NewContext(isolate.get(), nullptr);
    v8::Context::Scope entered(context);
    engine_format format;
    int status = DetectFormat(context, &workshop.text, &format, err);
    if (status != SNAPCELL_OK) return status;
    if (format == ENGINE_FORMAT_ESM)
        *out = {ENGINE_FORMAT_ESM};
    else if (Contains(&workshop, isolate.get(), "exports") ||
             Contains(&workshop, isolate.get(), "require"))
        *out = {ENGINE_FORMAT_COMMONJS, ENGINE_FORMAT_SCRIPT};
    else
        *out = {ENGINE_FORMAT_SCRIPT};
    return SNAPCELL_OK;
}

// Answers one warm-up request, so that what it compiles and keeps is in the blob.
int WarmUp(v8::Local<v8::Context> context, const Handler &handler, const snapcell_request &request,
           snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> env = v8::Object::New(isolate);
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

int WarmUpAll(v8::Local<v8::Context> context, const Handler &handler,
              const engine_build_options &options, snapcell_error *err)
{
    IsolateState::From(context->GetIsolate())->phase = Phase::kWarm;
    for (size_t i = 0; i < options.warm_count; i++) {
        int status = WarmUp(context, handler, options.warm[i], err);
        if (status == SNAPCELL_OK) continue;
        if (err != nullptr) {
            snapcell_error inner = *err;
            snprintf(err->message, sizeof err->message, "warm-up %.200s failed: %.700s",
                     options.warm[i].url ? options.warm[i].url : "/", inner.message);
        }
        return status;
    }
    return SNAPCELL_OK;
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

// Evaluates the bundle, finds its handler and warms it up.
int Prepare(v8::Local<v8::Context> context, Workshop *workshop, engine_format format,
            const engine_build_options &options, Evaluation *evaluation, Handler *handler,
            snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    // V8 has no way to keep what Intl makes: see the module.
    if (options.kind == SNAPCELL_ARTIFACT_SNAPSHOT && Contains(workshop, isolate, "Intl") &&
        RequireWebModule(context, "intl").IsEmpty())
        return error_set(err, SNAPCELL_E_INTERNAL, "the engine's module for Intl failed");
    int status = EvaluateBundle(context, &workshop->text, format, nullptr, evaluation, err);
    if (status != SNAPCELL_OK) return status;
    status = RunUntilIdle(context, kTopLevelHorizonMs, err);
    if (status == SNAPCELL_OK) status = FailOnRefusedCall(isolate, err);
    if (status != SNAPCELL_OK) return status;
    status = FailOnUnhandledRejection(isolate, err);
    if (status != SNAPCELL_OK) return status;
    status = SelectHandler(context, format, evaluation->exports, handler, err);
    if (status != SNAPCELL_OK) return status;
    if (options.warm_count == 0) TouchMentionedApis(context, &workshop->text);
    status = WarmUpAll(context, *handler, options, err);
    if (status == SNAPCELL_OK) LogUnhandledRejections(isolate);
    return status;
}

char *CopyString(const std::string &text)
{
    char *copy = static_cast<char *>(malloc(text.size() + 1));
    if (copy != nullptr) memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

int FillResult(const Workshop &workshop, const void *blob, size_t blob_size, const Handler &handler,
               engine_format format, const std::string &apis, const std::string &heap,
               engine_build_result *out, snapcell_error *err)
{
    const std::vector<std::string> &warnings = workshop.state.warnings;
    out->blob = malloc(blob_size > 0 ? blob_size : 1);
    out->warnings = static_cast<char **>(calloc(warnings.size() + 1, sizeof(char *)));
    out->apis = CopyString(apis);
    out->heap = CopyString(heap);
    if (out->blob == nullptr || out->warnings == nullptr || out->apis == nullptr ||
        out->heap == nullptr)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a blob of %zu bytes", blob_size);
    memcpy(out->blob, blob, blob_size);
    out->blob_size_bytes = blob_size;
    out->shape = handler.shape;
    out->format = format;
    for (const std::string &warning : warnings) {
        out->warnings[out->warning_count] = CopyString(warning);
        if (out->warnings[out->warning_count] == nullptr)
            return error_set(err, SNAPCELL_E_NOMEM, "no memory for the warnings");
        out->warning_count++;
    }
    return SNAPCELL_OK;
}

// Why the state of things keeps this isolate out of a snapshot: causes that V8 would not name.
int RefuseUnsnapshotable(IsolateState *state, snapcell_error *err)
{
    if (state->unsnapshotable.empty() && !state->timers.Empty()) {
        std::string place = state->timers.FirstPlace();
        state->unsnapshotable =
            "a timer is still pending" + (place.empty() ? "" : " (" + place + ")");
    }
    if (state->unsnapshotable.empty()) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "%s", state->unsnapshotable.c_str());
}

// The creator enters its isolate and leaves it in its destructor, after the state's handles are
// gone.
int BuildSnapshot(const engine_bundle &bundle, const engine_build_options &options,
                  engine_format format, engine_build_result *out, snapcell_error *err)
{
    Workshop workshop(bundle, options);
    v8::SnapshotCreator creator(workshop.Params());
    v8::Isolate *isolate = creator.GetIsolate();
    AttachState(isolate, &workshop.state);
    Handler handler;
    std::string apis, heap;
    int status;
    {
        v8::HandleScope scope(isolate);
        v8::Local<v8::Context> context = NewContext(isolate, bundle.host);
        v8::Context::Scope entered(context);
        AddLateBuiltIns(context);
        Evaluation evaluation;
        status = Prepare(context, &workshop, format, options, &evaluation, &handler, err);
        // A refusal comes first: what failed may have failed for it.
        if (status == SNAPCELL_OK || !workshop.state.unsnapshotable.empty())
            status = RefuseUnsnapshotable(&workshop.state, err);
        if (status == SNAPCELL_OK) {
            RemoveLateBuiltIns(context);
            apis = EvaluatedWebModules(context);
            heap = CountHeapByKind(isolate);
            if (!evaluation.module.IsEmpty()) ForgetModuleExports(context, evaluation.module);
            creator.AddData(context, handler.entry);
            creator.SetDefaultContext(context);
        }
    }
    workshop.state.timers.Reset();
    workshop.state.build_failure.Reset();
    workshop.state.ForgetRejections();
    if (status != SNAPCELL_OK) return status;
    v8::StartupData blob =
        creator.CreateBlob(options.clear_code ? v8::SnapshotCreator::FunctionCodeHandling::kClear
                                              : v8::SnapshotCreator::FunctionCodeHandling::kKeep);
    std::unique_ptr<const char[]> owned(blob.data);
    if (blob.data == nullptr) return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "V8 made no blob");
    // Otherwise every instance would share one hash seed.
    if (!blob.CanBeRehashed())
        return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "V8 cannot rehash the snapshot");
    return FillResult(workshop, blob.data, static_cast<size_t>(blob.raw_size), handler, format,
                      apis, heap, out, err);
}

v8::ScriptCompiler::CachedData *CacheOf(const Evaluation &evaluation)
{
    if (!evaluation.module.IsEmpty())
        return v8::ScriptCompiler::CreateCodeCache(evaluation.module->GetUnboundModuleScript());
    if (!evaluation.script.IsEmpty()) return v8::ScriptCompiler::CreateCodeCache(evaluation.script);
    return v8::ScriptCompiler::CreateCodeCacheForFunction(evaluation.function);
}

int BuildCodeCache(const engine_bundle &bundle, const engine_build_options &options,
                   engine_format format, engine_build_result *out, snapcell_error *err)
{
    Workshop workshop(bundle, options);
    PlainIsolate isolate(&workshop);
    v8::HandleScope scope(isolate.get());
    v8::Local<v8::Context> context = NewContext(isolate.get(), bundle.host);
    v8::Context::Scope entered(context);
    Evaluation evaluation;
    Handler handler;
    int status = Prepare(context, &workshop, format, options, &evaluation, &handler, err);
    if (status != SNAPCELL_OK) return status;
    std::unique_ptr<v8::ScriptCompiler::CachedData> cache(CacheOf(evaluation));
    if (cache == nullptr) return error_set(err, SNAPCELL_E_INTERNAL, "V8 made no code cache");
    return FillResult(workshop, cache->data, static_cast<size_t>(cache->length), handler, format,
                      EvaluatedWebModules(context), "", out, err);
}

} // namespace
} // namespace snapcell

extern "C" int engine_build(const engine_bundle *bundle, const engine_build_options *options,
                            engine_build_result *out, snapcell_error *err)
{
    using namespace snapcell;
    memset(out, 0, sizeof *out);
    bool snapshot = options->kind == SNAPCELL_ARTIFACT_SNAPSHOT;
    int status = StartV8ForBuilding(snapshot, err);
    if (status != SNAPCELL_OK) return status;
    std::vector<engine_format> formats;
    status = FormatsToTry(*bundle, *options, &formats, err);
    for (size_t i = 0; i < formats.size(); i++) {
        status = snapshot ? BuildSnapshot(*bundle, *options, formats[i], out, err)
                          : BuildCodeCache(*bundle, *options, formats[i], out, err);
        if (status != SNAPCELL_E_NO_HANDLER) break;
    }
    if (status != SNAPCELL_OK) engine_build_result_release(out);
    return status;
}

extern "C" void engine_build_result_release(engine_build_result *result)
{
    free(result->blob);
    for (size_t i = 0; i < result->warning_count; i++)
        free(result->warnings[i]);
    free(result->warnings);
    free(result->apis);
    free(result->heap);
    memset(result, 0, sizeof *result);
}
