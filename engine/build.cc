// engine_build(): a bundle in, a snapshot or a code cache out.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <libplatform/libplatform.h>
#include <v8-snapshot.h>

#include "async_frame.h"
#include "build_traces.h"
#include "error_set.h"
#include "evaluation.h"
#include "event_loop.h"
#include "handover.h"
#include "heap_census.h"
#include "instance_room.h"
#include "late_builtins.h"
#include "module_exports.h"
#include "platform.h"
#include "script_error.h"
#include "survey.h"
#include "web_modules.h"
#include "workshop.h"

namespace snapcell
{
namespace
{

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
    else if (Mentions(&workshop, isolate.get(), "exports") ||
             Mentions(&workshop, isolate.get(), "require"))
        *out = {ENGINE_FORMAT_COMMONJS, ENGINE_FORMAT_SCRIPT};
    else
        *out = {ENGINE_FORMAT_SCRIPT};
    return SNAPCELL_OK;
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

int Refuse(Refusal *refusal, snapcell_note_kind kind, const std::string &what, snapcell_error *err)
{
    refusal->kind = kind;
    refusal->what = what;
    return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "%s", what.c_str());
}

// Why the state of things keeps this isolate out of a snapshot: causes that V8 would not name.
int RefuseUnsnapshotable(const IsolateState &state, Refusal *refusal, snapcell_error *err)
{
    if (!state.unsnapshotable.empty())
        return Refuse(refusal, state.unsnapshotable_kind, state.unsnapshotable, err);
    return SNAPCELL_OK;
}

// What all instances would share and must not: one hash seed, or random values of a warm-up.
int RefuseShared(const IsolateState &state, const v8::StartupData &blob, Refusal *refusal,
                 snapcell_error *err)
{
    if (!blob.CanBeRehashed())
        return Refuse(refusal, SNAPCELL_NOTE_ENGINE, "V8 cannot rehash the snapshot", err);
    refusal->kept_draws = state.warm_draws.FindIn(blob.data, static_cast<size_t>(blob.raw_size));
    if (refusal->kept_draws.empty()) return SNAPCELL_OK;
    return Refuse(refusal, SNAPCELL_NOTE_ENTROPY,
                  "the snapshot keeps what " + state.warm_draws.what(refusal->kept_draws[0]) +
                      " gave to a warm-up request",
                  err);
}

// What V8 keeps of the bundle's evaluation and its warm-ups, and no instance should see.
int ForgetBuildTime(v8::Local<v8::Context> context, const LastMatch &last_match,
                    snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    FinalizeGarbage(isolate);
    int status = ReportCondemned(isolate, err);
    if (status != SNAPCELL_OK) return status;
    if (last_match.Forget(context)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL, "V8's last regular-expression match stays");
}

// Learned once, in an isolate that nothing else uses.
const InstanceRoom &TheInstanceRoom(const engine_bundle &bundle,
                                    const engine_build_options &options)
{
    static const InstanceRoom room = [&] {
        Workshop workshop(bundle, options);
        PlainIsolate isolate(&workshop);
        v8::HandleScope scope(isolate.get());
        v8::Local<v8::Context> scratch = NewContext(isolate.get(), nullptr);
        v8::Context::Scope entered(scratch);
        return InstanceRoom(scratch);
    }();
    return room;
}

// The creator enters its isolate and leaves it in its destructor, after the state's handles are
// freed.
int BuildSnapshot(const engine_bundle &bundle, const engine_build_options &options,
                  engine_format format, const DrawnBytes &scratch, engine_build_result *out,
                  Refusal *refusal, snapcell_error *err)
{
    const InstanceRoom &room = TheInstanceRoom(bundle, options);
    Workshop workshop(bundle, options);
    v8::SnapshotCreator creator(workshop.Params());
    v8::Isolate *isolate = creator.GetIsolate();
    AttachState(isolate, &workshop.state);
    MarkDates(isolate);
    Handler handler;
    std::string apis, heap;
    int status;
    {
        v8::HandleScope scope(isolate);
        v8::Local<v8::Context> context;
        if (!NewContextToKeep(isolate, bundle.host).ToLocal(&context))
            return error_set(err, SNAPCELL_E_INTERNAL, "V8 made no context");
        v8::Context::Scope entered(context);
        LastMatch last_match(context);
        Evaluation evaluation;
        status = Prepare(context, &workshop, format, options, &evaluation, &handler, err);
        if (status == SNAPCELL_OK) status = ForgetBuildTime(context, last_match, err);
        // A refusal comes first: what failed may have failed for it.
        if (status == SNAPCELL_OK || !workshop.state.unsnapshotable.empty())
            status = RefuseUnsnapshotable(workshop.state, refusal, err);
        if (status == SNAPCELL_OK) {
            ForgetAsyncFrame(isolate);
            apis = EvaluatedWebModules(context);
            if (options.heap != nullptr) {
                std::string text = HeapAsJson(isolate);
                options.heap(options.heap_user, text.data(), text.size());
            }
            heap = CountHeapByKind(isolate);
            if (!evaluation.module.IsEmpty()) ForgetModuleExports(context, evaluation.module);
            for (const auto &module : workshop.state.imports)
                ForgetImportedExports(context, module.Get(isolate));
            creator.AddData(context, handler.entry);
            refusal->timers_go_on = !workshop.state.timers.Empty();
            HandOver(context, workshop.state.drawn_buffers.Holding(isolate, scratch), &creator);
            creator.SetDefaultContext(context);
            // Looking for them costs time, and makes small typed arrays larger.
            if (Mentions(&workshop, isolate, "DataView")) ForgetAddresses(context);
            room.Keep(context);
        }
    }
    workshop.state.timers.Reset();
    workshop.state.ForgetHandles();
    if (status != SNAPCELL_OK) return status;
    isolate->RemoveMessageListeners(OnUncaught); // an address, which no snapshot can hold
    v8::StartupData blob =
        creator.CreateBlob(options.clear_code ? v8::SnapshotCreator::FunctionCodeHandling::kClear
                                              : v8::SnapshotCreator::FunctionCodeHandling::kKeep);
    std::unique_ptr<const char[]> owned(blob.data);
    if (blob.data == nullptr) return Refuse(refusal, SNAPCELL_NOTE_ENGINE, "V8 made no blob", err);
    status = RefuseShared(workshop.state, blob, refusal, err);
    if (status != SNAPCELL_OK) return status;
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

bool SurveyIsDue(const engine_bundle &bundle, const engine_build_options &options, int status,
                 const Refusal &refusal)
{
    if (options.note == nullptr || options.survey == ENGINE_SURVEY_NONE) return false;
    if (status == SNAPCELL_E_UNSNAPSHOTABLE) return true;
    if (status != SNAPCELL_OK) return false;
    if (refusal.timers_go_on || options.survey != ENGINE_SURVEY_WHEN_DUE) return true;
    Workshop workshop(bundle, options);
    PlainIsolate isolate(&workshop);
    v8::HandleScope scope(isolate.get());
    v8::Local<v8::String> text;
    return workshop.text.NewString(isolate.get()).ToLocal(&text) &&
           MentionsClockOrRandom(isolate.get(), text);
}

// The second try, when the first one kept random values of a warm-up: some of them may be in
// buffers that are filled before each use.
int BuildWithScratch(const engine_bundle &bundle, const engine_build_options &options,
                     engine_format format, engine_build_result *out, Refusal *refusal,
                     snapcell_error *err)
{
    DrawnBytes scratch = FindScratch(bundle, options, format);
    if (scratch.empty()) return SNAPCELL_E_UNSNAPSHOTABLE;
    engine_build_options quiet = options;
    quiet.log = nullptr; // all was logged by the first try
    *refusal = Refusal();
    return BuildSnapshot(bundle, quiet, format, scratch, out, refusal, err);
}

// V8 checks what it restores, if at all, by ending the process: what does not load must not become
// an artifact. If this process ends, its parent takes that for the refusal.
int TryToLoad(const engine_bundle &bundle, const engine_build_options &options,
              const engine_build_result &built, Refusal *refusal, snapcell_error *err)
{
    engine_image image = {};
    image.kind = SNAPCELL_ARTIFACT_SNAPSHOT;
    image.shape = built.shape;
    image.format = built.format;
    image.blob = built.blob;
    image.blob_size_bytes = built.blob_size_bytes;
    image.bundle = bundle;
    engine_cell_options cell_options = {};
    cell_options.memory_limit_bytes = options.memory_limit_bytes;
    engine_cell *cell = nullptr;
    engine_cell_times times;
    snapcell_error why = {};
    int status = engine_cell_new(&image, &cell_options, &cell, &times, &why);
    engine_cell_free(cell);
    if (status == SNAPCELL_OK) return SNAPCELL_OK;
    return Refuse(refusal, SNAPCELL_NOTE_ENGINE,
                  std::string("the snapshot cannot be loaded: ") + why.message, err);
}

// The survey comes after the blob was made, so that it cannot change it.
int BuildAndSurvey(const engine_bundle &bundle, const engine_build_options &options,
                   engine_format format, engine_build_result *out, snapcell_error *err)
{
    Refusal refusal;
    int status = options.survey == ENGINE_SURVEY_ONLY
                     ? error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "it was only looked at")
                     : BuildSnapshot(bundle, options, format, {}, out, &refusal, err);
    if (!refusal.kept_draws.empty())
        status = BuildWithScratch(bundle, options, format, out, &refusal, err);
    if (status == SNAPCELL_OK) status = TryToLoad(bundle, options, *out, &refusal, err);
    if (SurveyIsDue(bundle, options, status, refusal))
        SurveyBundle(bundle, options, format, status == SNAPCELL_OK ? nullptr : &refusal);
    return status;
}

int BuildAs(engine_format format, const engine_bundle &bundle, const engine_build_options &options,
            engine_build_result *out, snapcell_error *err)
{
    return options.kind == SNAPCELL_ARTIFACT_SNAPSHOT
               ? BuildAndSurvey(bundle, options, format, out, err)
               : BuildCodeCache(bundle, options, format, out, err);
}

// A script that was taken for CommonJS found a `require` there, and may have failed for it. If it
// fails as a script, too, what happened first is told.
int BuildAsFirstThatWorks(const std::vector<engine_format> &formats, const engine_bundle &bundle,
                          const engine_build_options &options, engine_build_result *out,
                          snapcell_error *err)
{
    int status = BuildAs(formats[0], bundle, options, out, err);
    if (formats.size() == 1 || (status != SNAPCELL_E_NO_HANDLER && status != SNAPCELL_E_SCRIPT))
        return status;
    snapcell_error second = {};
    int second_status = BuildAs(formats[1], bundle, options, out, &second);
    bool fails_again = second_status == SNAPCELL_E_SCRIPT ||
                       (second_status == SNAPCELL_E_NO_HANDLER && status == SNAPCELL_E_SCRIPT);
    if (fails_again) return status;
    if (err != nullptr) *err = second;
    return second_status;
}

} // namespace
} // namespace snapcell

extern "C" int engine_build(const engine_bundle *bundle, const engine_build_options *options,
                            engine_build_result *out, snapcell_error *err)
{
    using namespace snapcell;
    memset(out, 0, sizeof(*out));
    bool snapshot = options->kind == SNAPCELL_ARTIFACT_SNAPSHOT;
    int status = StartV8ForBuilding(snapshot, err);
    if (status != SNAPCELL_OK) return status;
    std::vector<engine_format> formats;
    status = FormatsToTry(*bundle, *options, &formats, err);
    if (status == SNAPCELL_OK) status = BuildAsFirstThatWorks(formats, *bundle, *options, out, err);
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
    memset(result, 0, sizeof(*result));
}
