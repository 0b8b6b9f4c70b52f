// engine_cell_*: an isolate made from an image, its calls and its end.
#include <atomic>
#include <cmath>
#include <memory>
#include <new>

#include <libplatform/libplatform.h>
#include <v8-snapshot.h>

#include "array_buffer_quota.h"
#include "async_frame.h"
#include "dispatch.h"
#include "error_set.h"
#include "evaluation.h"
#include "event_loop.h"
#include "external_references.h"
#include "handover.h"
#include "late_builtins.h"
#include "math_random.h"
#include "monotonic.h"
#include "platform.h"
#include "regexp_code.h"
#include "script_error.h"
#include "thread_stack.h"
#include "watchdog.h"
#include "web_modules.h"
#include "young_garbage.h"

using namespace snapcell;

struct engine_cell {
    engine_cell(const engine_image &image_, const engine_cell_options &options)
        : image(image_), array_buffers(options.memory_limit_bytes),
          prelude(PreludeOf(image_.bundle)), text(TextAfterPrelude(image_.bundle)),
          references(BuildExternalReferences(text))
    {
        startup.data = static_cast<const char *>(image.blob);
        startup.raw_size = static_cast<int>(image.blob_size_bytes);
        state.bundle = &image.bundle;
        state.host = image.bundle.host;
        state.array_buffers = &array_buffers;
        state.log = options.log;
        state.log_user = options.log_user;
        state.function_name = options.function_name != nullptr ? options.function_name : "";
        state.memory_limit_bytes = options.memory_limit_bytes;
        state.cpu_limit_ms = options.cpu_limit_ms;
        state.wall_limit_ms = options.wall_limit_ms;
        state.fetches.Bind(options.fetch_client, &array_buffers);
        state.response_limit_bytes = options.response_limit_bytes;
        if (options.timer_limit != 0) state.timer_limit = options.timer_limit;
        if (options.frozen_clock) state.FreezeClock();
        state.ResetTimeOrigin();
        overrun = options.overrun;
        overrun_user = options.overrun_user;
        state.exhausted = options.exhausted;
        state.exhausted_user = options.exhausted_user;
    }

    engine_image image;
    IsolateState state;
    ArrayBufferQuota array_buffers;
    BundleText prelude;                     // empty: there is none
    BundleText text;                        // the rest
    std::unique_ptr<BundleText> text_after; // the rest of another bundle, which went on
    double prelude_end_ms = 0;              // on the clock of the isolate
    std::vector<intptr_t> references;
    v8::StartupData startup;
    snapcell_handler_shape shape = SNAPCELL_SHAPE_FETCH;
    v8::Isolate *isolate = nullptr;
    v8::Global<v8::Context> context;
    v8::Global<v8::Function> entry;
    engine_overrun_fn *overrun = nullptr;
    void *overrun_user = nullptr;
    MathRandomState random; // of a cell that is restored
};

namespace
{

// Enough for V8 to have seen all shapes of objects, and too few for its optimizing compilers.
constexpr int kRehearsals = 20;

std::atomic<uint32_t> cell_count{0}; // isolates
std::atomic<uint32_t> cell_count_max{SNAPCELL_CELLS_MAX};

bool CountCell()
{
    uint32_t count = cell_count.load(std::memory_order_relaxed);
    do {
        if (count >= cell_count_max.load(std::memory_order_relaxed)) return false;
    } while (!cell_count.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
    return true;
}

int LimitCode(watchdog_limit limit)
{
    return limit == WATCHDOG_CPU ? SNAPCELL_E_CPU_LIMIT : SNAPCELL_E_WALL_LIMIT;
}

void OnLimit(void *user, watchdog_limit limit)
{
    engine_cell *cell = static_cast<engine_cell *>(user);
    cell->state.Condemn(cell->isolate, LimitCode(limit));
}

void OnOverrun(void *user, watchdog_limit limit)
{
    engine_cell *cell = static_cast<engine_cell *>(user);
    cell->overrun(cell->overrun_user, LimitCode(limit));
}

// Every entry into a cell's isolate: entered on this thread, watched, with scopes. Left in the
// destructor.
class Entry
{
  public:
    explicit Entry(engine_cell *cell) : isolate_scope_(cell->isolate), handles_(cell->isolate)
    {
        // The cell may have come from another thread since.
        cell->isolate->SetStackLimit(StackLimitFromHere());
        watched_ =
            watchdog_begin(&watch_, cell->state.cpu_limit_ms, cell->state.wall_limit_ms, OnLimit,
                           cell->overrun != nullptr ? OnOverrun : nullptr, cell) == 0;
        cell->state.TickClock();
    }
    ~Entry()
    {
        if (watched_) watchdog_end(&watch_);
    }
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;

    bool watched() const { return watched_; }

  private:
    v8::Isolate::Scope isolate_scope_;
    v8::HandleScope handles_;
    watchdog_watch watch_;
    bool watched_;
};

// The compiler makes no other blobs. One that could not be rehashed would share its hash seed with
// all instances.
int CheckRehashable(const engine_cell &cell, snapcell_error *err)
{
    if (cell.image.kind != SNAPCELL_ARTIFACT_SNAPSHOT || cell.startup.CanBeRehashed())
        return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_CORRUPT,
                     "V8 cannot rehash the snapshot, so that all of its instances would share the "
                     "hash seed of the build: compile it again");
}

void NewIsolate(engine_cell *cell)
{
    v8::Isolate::CreateParams params;
    params.array_buffer_allocator = &cell->array_buffers;
    params.external_references = cell->references.data();
    params.constraints.ConfigureDefaultsFromHeapSize(0, cell->state.memory_limit_bytes);
    params.allow_atomics_wait = false;
    if (cell->image.kind == SNAPCELL_ARTIFACT_SNAPSHOT) params.snapshot_blob = &cell->startup;
    cell->isolate = v8::Isolate::New(params);
    AttachState(cell->isolate, &cell->state);
}

// A snapshot's context holds the evaluated bundle, and its first datum is the handler's entry.
int RestoreContext(engine_cell *cell, snapcell_error *err)
{
    v8::Local<v8::Context> context;
    v8::Local<v8::Function> entry;
    if (!RestoreKeptContext(cell->isolate).ToLocal(&context) ||
        !context->GetDataFromSnapshotOnce<v8::Function>(0).ToLocal(&entry))
        return error_set(err, SNAPCELL_E_INTERNAL, "the snapshot holds no handler");
    v8::Context::Scope entered(context);
    if (!TakeHandover(context, &cell->state))
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "what the snapshot hands over to its instances cannot be taken");
    cell->context.Reset(cell->isolate, context);
    cell->entry.Reset(cell->isolate, entry);
    cell->shape = cell->image.shape;
    KeepHiddenStacks(context);
    return SNAPCELL_OK;
}

// A string, or what a JSON text stands for.
int EnvValue(v8::Local<v8::Context> context, const engine_env &given, v8::Local<v8::Value> *out,
             snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> text;
    if (!v8::String::NewFromUtf8(isolate, given.value).ToLocal(&text))
        return error_set(err, SNAPCELL_E_TOO_LARGE, "the value of env.%s is too long", given.name);
    *out = text;
    if (!given.is_json || v8::JSON::Parse(context, text).ToLocal(out)) return SNAPCELL_OK;
    v8::String::Utf8Value why(isolate, caught.Exception());
    return error_set(err, SNAPCELL_E_USAGE, "the value of env.%s is not JSON: %s", given.name,
                     *why != nullptr ? *why : "");
}

int MakeEnv(engine_cell *cell, const engine_env *given, size_t count, snapcell_error *err)
{
    v8::Isolate *isolate = cell->isolate;
    v8::Local<v8::Context> context = cell->context.Get(isolate);
    v8::Context::Scope entered(context);
    v8::Local<v8::Object> env = v8::Object::New(isolate);
    for (size_t i = 0; i < count; i++) {
        v8::Local<v8::String> name;
        v8::Local<v8::Value> value;
        int status = EnvValue(context, given[i], &value, err);
        if (status != SNAPCELL_OK) return status;
        if (!v8::String::NewFromUtf8(isolate, given[i].name).ToLocal(&name) ||
            env->CreateDataProperty(context, name, value).IsNothing())
            return error_set(err, SNAPCELL_E_TOO_LARGE, "the name of env variable %zu is too long",
                             i + 1);
    }
    cell->state.env.Reset(isolate, env);
    return SNAPCELL_OK;
}

// All of a bundle but its prelude.
int EvaluateRest(engine_cell *cell, v8::Local<v8::Context> context, BundleText *text,
                 snapcell_error *err)
{
    v8::ScriptCompiler::CachedData cache(reinterpret_cast<const uint8_t *>(cell->startup.data),
                                         cell->startup.raw_size,
                                         v8::ScriptCompiler::CachedData::BufferNotOwned);
    bool has_cache = cell->image.blob != nullptr && cell->image.bundle.prelude_length == 0;
    Evaluation evaluation;
    Handler handler;
    int status = EvaluateBundle(context, text, cell->image.format, has_cache ? &cache : nullptr,
                                &evaluation, err);
    if (status != SNAPCELL_OK) return status;
    status = SelectHandler(context, cell->image.format, evaluation.exports, cell->image.shape,
                           &handler, err);
    if (status != SNAPCELL_OK) return status;
    LogUnhandledRejections(cell->isolate);
    cell->state.imports.clear();
    cell->state.prelude.Reset();
    cell->entry.Reset(cell->isolate, handler.entry);
    cell->shape = handler.shape;
    KeepHiddenStacks(context);
    return SNAPCELL_OK;
}

void RehearseRequests(v8::Local<v8::Context> context, v8::Local<v8::Object> dispatch)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> urls;
    v8::Local<v8::Value> rehearse;
    if (!dispatch->Get(context, AsciiString(isolate, "rehearse")).ToLocal(&rehearse) ||
        !rehearse->IsFunction())
        return;
    v8::Local<v8::Value> arguments[] = {v8::Integer::New(isolate, kRehearsals),
                                        v8::Undefined(isolate)};
    if (EvaluatedWebModule(context, "url").ToLocal(&urls)) arguments[1] = urls;
    static_cast<void>(rehearse.As<v8::Function>()->Call(context, dispatch, 2, arguments).IsEmpty());
}

// What a cell that is to wait would have to do later. The built-in modules see nothing of the
// function, and it nothing of them.
void RehearseAhead(v8::Local<v8::Context> context)
{
    v8::TryCatch ignore(context->GetIsolate());
    v8::Local<v8::Object> dispatch;
    if (RequireWebModule(context, "dispatch").ToLocal(&dispatch))
        RehearseRequests(context, dispatch);
    static_cast<void>(RequireWebModule(context, "streams").IsEmpty());
}

// Of a cell that is to wait then: nothing may come due meanwhile.
int CheckIsAtRest(engine_cell *cell, snapcell_error *err)
{
    if (std::isinf(cell->state.NextDueMs()) && !cell->state.fetches.CanWake()) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "the prelude has set a timer or begun a fetch");
}

// A `code` artifact is evaluated at every load; its blob is a code cache. Its top level can read
// the env.
int EvaluateContext(engine_cell *cell, const engine_cell_options &options, snapcell_error *err)
{
    v8::Local<v8::Context> context = NewContext(cell->isolate, cell->image.bundle.host);
    v8::Context::Scope entered(context);
    cell->context.Reset(cell->isolate, context);
    int status = MakeEnv(cell, options.env, options.env_count, err);
    if (status == SNAPCELL_OK && cell->image.bundle.prelude_length > 0)
        status = EvaluatePrelude(context, &cell->prelude, options.prelude_only, err);
    if (status != SNAPCELL_OK) return status;
    if (!options.prelude_only) return EvaluateRest(cell, context, &cell->text, err);
    cell->prelude_end_ms = cell->state.MonotonicMs();
    status = CheckIsAtRest(cell, err);
    if (status == SNAPCELL_OK) RehearseAhead(context);
    return status;
}

// Its clock stood still while it waited.
int EnterAndGoOn(engine_cell *cell, snapcell_error *err)
{
    cell->state.ContinueClock(cell->prelude_end_ms);
    cell->state.ResetTimeOrigin();
    Entry entry(cell);
    if (!entry.watched())
        return error_set(err, SNAPCELL_E_INTERNAL, "the watchdog's thread cannot be started");
    v8::Local<v8::Context> context = cell->context.Get(cell->isolate);
    v8::Context::Scope entered(context);
    int status = EvaluateRest(cell, context, cell->text_after.get(), err);
    return status == SNAPCELL_OK ? ReportCondemned(cell->isolate, err) : status;
}

int EnterAndRestore(engine_cell *cell, const engine_cell_options &options, snapcell_error *err)
{
    Entry entry(cell);
    if (!entry.watched())
        return error_set(err, SNAPCELL_E_INTERNAL, "the watchdog's thread cannot be started");
    int status = SNAPCELL_OK;
    if (cell->image.kind == SNAPCELL_ARTIFACT_SNAPSHOT) {
        status = RestoreContext(cell, err);
        if (status == SNAPCELL_OK) status = MakeEnv(cell, options.env, options.env_count, err);
    } else {
        status = EvaluateContext(cell, options, err);
    }
    // A limit that was hit on the way would else come to light in the first call.
    return status == SNAPCELL_OK ? ReportCondemned(cell->isolate, err) : status;
}

// Runs `call` in the cell, unless it was condemned.
template <typename Call> int WithCell(engine_cell *cell, snapcell_error *err, Call call)
{
    if (cell->state.condemned.load() != 0)
        return error_set(
            err, SNAPCELL_E_DISPOSED,
            "the cell hit a limit in an earlier call; dispose of it and load a new one");
    Entry entry(cell);
    if (!entry.watched())
        return error_set(err, SNAPCELL_E_INTERNAL, "the watchdog's thread cannot be started");
    v8::Local<v8::Context> context = cell->context.Get(cell->isolate);
    v8::Context::Scope entered(context);
    ForgetAsyncFrame(cell->isolate);
    int status = call(context, cell->entry.Get(cell->isolate), cell->state.env.Get(cell->isolate));
    cell->state.fetches.CloseAll();
    if (cell->state.condemned.load() == 0) LogUnhandledRejections(cell->isolate);
    return status;
}

} // namespace

extern "C" uint32_t engine_cell_count(void)
{
    return cell_count.load(std::memory_order_relaxed);
}

extern "C" void engine_set_cells_max(uint32_t count_max)
{
    cell_count_max.store(count_max != 0 ? count_max : SNAPCELL_CELLS_MAX,
                         std::memory_order_relaxed);
}

extern "C" int engine_check_caller(snapcell_error *err)
{
    int status = CheckProcess(err);
    return status == SNAPCELL_OK ? CheckStack(err) : status;
}

extern "C" int engine_cell_new(const engine_image *image, const engine_cell_options *options,
                               engine_cell **out, engine_cell_times *times, snapcell_error *err)
{
    *out = nullptr;
    std::unique_ptr<engine_cell, decltype(&engine_cell_free)> cell(
        new (std::nothrow) engine_cell(*image, *options), engine_cell_free);
    if (cell == nullptr) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a cell");
    int status = CheckRehashable(*cell, err);
    if (status != SNAPCELL_OK) return status;
    if (!CountCell())
        return error_set(err, SNAPCELL_E_NOMEM,
                         "%u cells live in this process, and V8 has no room for more: dispose of "
                         "some, or use another process",
                         engine_cell_count());
    uint64_t start = monotonic_now_ns();
    NewIsolate(cell.get());
    uint64_t isolate_made = monotonic_now_ns();
    status = EnterAndRestore(cell.get(), *options, err);
    if (status != SNAPCELL_OK) return status;
    times->isolate_ns = isolate_made - start;
    times->context_ns = monotonic_now_ns() - isolate_made;
    *out = cell.release();
    return SNAPCELL_OK;
}

extern "C" int engine_cell_go_on(engine_cell *cell, const engine_image *image, snapcell_error *err)
{
    if (cell->text_after != nullptr || cell->state.prelude.IsEmpty() ||
        image->kind != SNAPCELL_ARTIFACT_CODE ||
        !HaveSamePrelude(cell->image.bundle, image->bundle))
        return error_set(err, SNAPCELL_E_USAGE, "the cell does not have this bundle's prelude");
    cell->text_after.reset(new (std::nothrow) BundleText(TextAfterPrelude(image->bundle)));
    if (cell->text_after == nullptr)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a cell");
    cell->image = *image;
    return EnterAndGoOn(cell, err);
}

extern "C" int engine_cell_rebind(engine_cell *cell, const engine_env *env, size_t env_count,
                                  snapcell_error *err)
{
    cell->state.ResetTimeOrigin();
    bool restored = cell->random.is_known();
    bool refills = restored && !cell->state.fresh_buffers.empty();
    if (restored && !cell->random.Draw())
        return error_set(err, SNAPCELL_E_INTERNAL, "the system gives no random bytes");
    if (env_count == 0 && !refills) return SNAPCELL_OK;
    Entry entry(cell);
    if (!entry.watched())
        return error_set(err, SNAPCELL_E_INTERNAL, "the watchdog's thread cannot be started");
    if (refills && !RefillBuffers(cell->isolate, &cell->state))
        return error_set(err, SNAPCELL_E_INTERNAL, "the system gives no random bytes");
    return MakeEnv(cell, env, env_count, err);
}

extern "C" int engine_cell_prepare_restores(engine_cell *cell, snapcell_error *err)
{
    v8::Isolate::Scope entered(cell->isolate);
    v8::HandleScope scope(cell->isolate);
    if (cell->random.Find(cell->context.Get(cell->isolate))) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "this V8 does not keep the state of Math.random() where it is looked for");
}

extern "C" void engine_cell_rehearse(engine_cell *cell)
{
    v8::Isolate *isolate = cell->isolate;
    Entry entry(cell);
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Context> context = cell->context.Get(isolate);
    v8::Context::Scope entered(context);
    v8::Local<v8::Object> dispatch;
    if (!EvaluatedWebModule(context, "dispatch").ToLocal(&dispatch)) return;
    CompileRegExps(context, dispatch);
    if (cell->shape == SNAPCELL_SHAPE_FETCH) RehearseRequests(context, dispatch);
}

extern "C" bool engine_cell_drew(engine_cell *cell)
{
    bool drew = cell->state.drew;
    cell->state.drew = false;
    return drew;
}

extern "C" void engine_cell_note_draws(engine_cell *cell, engine_note_draw_fn *note, void *user)
{
    cell->state.note_draw = note;
    cell->state.note_draw_user = user;
}

extern "C" bool engine_cell_clear_leftovers(engine_cell *cell, bool wholly)
{
    Entry entry(cell);
    return entry.watched() && RefillBuffers(cell->isolate, &cell->state) &&
           OverwriteYoungGarbage(cell->isolate, wholly);
}

extern "C" size_t engine_cell_size_bytes(engine_cell *cell)
{
    v8::HeapStatistics statistics;
    v8::Isolate::Scope entered(cell->isolate);
    cell->isolate->GetHeapStatistics(&statistics);
    return statistics.total_physical_size() + statistics.malloced_memory();
}

extern "C" uint64_t engine_cell_hash_probe(engine_cell *cell)
{
    v8::Isolate::Scope entered(cell->isolate);
    v8::HandleScope scope(cell->isolate);
    uint64_t probe = 0;
    for (const char *text : {"the seed of this heap", "is seen in its strings"})
        probe = probe << 32 | static_cast<uint32_t>(v8::String::NewFromUtf8(cell->isolate, text)
                                                        .FromMaybe(v8::String::Empty(cell->isolate))
                                                        ->GetIdentityHash());
    return probe;
}

extern "C" int engine_cell_fetch(engine_cell *cell, const snapcell_request *request,
                                 snapcell_response **out, snapcell_error *err)
{
    *out = nullptr;
    if (cell->shape != SNAPCELL_SHAPE_FETCH)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         "%s is a handler(event): give it an event, not a request",
                         cell->state.function_name.c_str());
    return WithCell(cell, err, [&](auto context, auto entry, auto env) {
        return DispatchFetch(context, entry, env, request, out, err);
    });
}

extern "C" int engine_cell_stream(engine_cell *cell, const snapcell_request *request,
                                  const snapcell_stream *stream, snapcell_error *err)
{
    if (cell->shape != SNAPCELL_SHAPE_FETCH)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         "%s is a handler(event): give it an event, not a request",
                         cell->state.function_name.c_str());
    return WithCell(cell, err, [&](auto context, auto entry, auto env) {
        return DispatchStream(context, entry, env, request, *stream, err);
    });
}

extern "C" int engine_cell_invoke(engine_cell *cell, const char *event_json, char **out,
                                  size_t *out_size_bytes, snapcell_error *err)
{
    *out = nullptr;
    if (cell->shape != SNAPCELL_SHAPE_JSON)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         "%s is a fetch handler: give it a request, not an event",
                         cell->state.function_name.c_str());
    return WithCell(cell, err, [&](auto context, auto entry, auto env) {
        return DispatchJson(context, entry, env, event_json != nullptr ? event_json : "{}", out,
                            out_size_bytes, err);
    });
}

extern "C" int engine_cell_call(engine_cell *cell, const char *handler, const char *event_json,
                                char **out, size_t *out_size_bytes, snapcell_error *err)
{
    *out = nullptr;
    return WithCell(cell, err, [&](auto context, auto entry, auto env) {
        return DispatchNamed(context, entry, env, handler, event_json, out, out_size_bytes, err);
    });
}

extern "C" void engine_cell_free(engine_cell *cell)
{
    if (cell == nullptr) return;
    if (cell->isolate != nullptr) {
        cell->state.timers.Reset();
        cell->state.fetches.CloseAll();
        cell->state.ForgetHandles();
        cell->state.wasm_streams.clear();
        cell->context.Reset();
        cell->entry.Reset();
        v8::platform::NotifyIsolateShutdown(CurrentPlatform(), cell->isolate);
        cell->isolate->Dispose();
        cell_count.fetch_sub(1, std::memory_order_relaxed);
    }
    delete cell;
}
