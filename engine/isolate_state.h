// What the engine keeps for an isolate; native functions find it through the isolate.
#ifndef SNAPCELL_ISOLATE_STATE_H
#define SNAPCELL_ISOLATE_STATE_H

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <v8.h>

#include "atomics_waits.h"
#include "bundle_place.h"
#include "drawn_buffers.h"
#include "engine.h"
#include "fetch_table.h"
#include "random_draws.h"
#include "timers.h"

namespace snapcell
{

class ArrayBufferQuota;
class Exchange;
class Survey;
class WasmWorkbench;

// Where an isolate is in its life; natives whose results must be fresh look at it.
enum class Phase {
    kTopLevel, // build time: the bundle is being evaluated; what it keeps is shared by all
               // instances
    kWarm,     // build time: answering a warm-up request
    kRun,      // run time
};

struct IsolateState {
    static IsolateState *From(v8::Isolate *isolate)
    {
        return static_cast<IsolateState *>(isolate->GetData(0));
    }

    Phase phase = Phase::kRun;
    const engine_bundle *bundle = nullptr;
    const snapcell_host *host = nullptr;
    ArrayBufferQuota *array_buffers = nullptr;
    Exchange *exchange = nullptr; // of the call that runs, if its bodies are streamed
    uint32_t exchange_count = 0;

    v8::Global<v8::Object> env; // of calls; none at top level of a snapshot
    // Built-in modules that the bundle imports, while they may be in a snapshot.
    std::vector<v8::Global<v8::Module>> imports;
    v8::Global<v8::Module> prelude; // that the bundle's second module imports; empty: none

    // --- Console output ---
    snapcell_log_fn *log = nullptr;
    void *log_user = nullptr;
    std::string function_name;
    void Log(snapcell_log_level level, const std::string &text) const;

    // --- Time ---
    // Milliseconds since 1970, and since the time origin. At build time only timers move
    // both.
    double NowMs() const;
    double MonotonicMs() const;
    // Lets a frozen clock catch up with the real one: at the start of a call, and whenever the
    // event loop had to wait. JavaScript in between sees it stand still.
    void TickClock();
    void FreezeClock();
    bool clock_is_frozen() const { return frozen_; }
    // Makes now the time origin; a clock that continues the build's was at that moment by then.
    void ResetTimeOrigin();
    // Run time, of a snapshot: MonotonicMs() goes on from what it was when the snapshot was made,
    // so that moments which the bundle kept are past ones.
    void ContinueClock(double build_clock_ms);
    // Build time: moves the clock on to where MonotonicMs() gives `ms`.
    void AdvanceBuildClock(double ms);
    TimerQueue timers;
    AtomicsWaits atomics_waits;
    // Of both; infinity when there is none.
    double NextDueMs() const;

    // --- WebAssembly that is being received ---
    std::map<uint32_t, std::shared_ptr<v8::WasmStreaming>> wasm_streams;
    uint32_t wasm_stream_count = 0;
    std::shared_ptr<WasmWorkbench> wasm_workbench; // at build time, once a bundle uses it
    FetchTable fetches;

    // --- Limits ---
    // Why the isolate was condemned, as a snapcell_status; 0 while it was not. Set from the
    // watchdog's thread, too.
    std::atomic<int> condemned{0};
    uint64_t memory_limit_bytes = 0;
    engine_exhausted_fn *exhausted = nullptr;
    void *exhausted_user = nullptr;
    uint32_t cpu_limit_ms = 0;
    uint32_t wall_limit_ms = 0;
    uint64_t response_limit_bytes = 0; // 0: that of memory for a whole one, none for a streamed
    uint32_t timer_limit = SNAPCELL_TIMER_LIMIT_DEFAULT;
    // Makes the isolate stop what it runs, for good; the first reason stays.
    void Condemn(v8::Isolate *isolate, int reason);
    // Whether a response may have so many bytes; else it condemns.
    bool TakesResponse(v8::Isolate *isolate, uint64_t size_bytes, bool streamed);

    // --- Build time ---
    // Notes why this function cannot become a snapshot; the first cause stays. `what` is a clause
    // as "WebAssembly was used at build time"; the place of the calling script is added.
    void RefuseSnapshot(v8::Isolate *isolate, snapcell_note_kind kind, const std::string &what);
    std::string unsnapshotable;
    // An error that fails the build even when the bundle catches it.
    v8::Global<v8::Value> build_failure;
    snapcell_note_kind unsnapshotable_kind = SNAPCELL_NOTE_ENGINE;
    // Natives that give random values for keeps call it, with what was called as
    // "crypto.randomUUID()": at top level all instances would share what they gave, so that the
    // function cannot become a snapshot, unless that is allowed.
    void NoteEntropy(v8::Isolate *isolate, const char *what);
    bool drew = false; // such a value was given, since somebody last looked
    // The same for a value that can be found again where it is kept; of a warm-up request it must
    // not be.
    void NoteDraw(v8::Isolate *isolate, const char *what, const void *value, size_t size);
    // Run time: somebody else looks for such values, so that they do not count as drawn.
    engine_note_draw_fn *note_draw = nullptr;
    void *note_draw_user = nullptr;
    // The env of "cloudflare:workers" was read where there is none: at top level. The same.
    void NoteEnvironment(v8::Isolate *isolate);
    static constexpr char kEnvironmentWasRead[] =
        "the env of \"cloudflare:workers\" was read at top level";
    bool entropy_allowed = false;
    uint32_t entropy_trial = 0; // engine_build_options
    RandomDraws warm_draws;
    DrawnBuffers drawn_buffers; // of the same draws
    StandIns stand_ins;
    Survey *survey = nullptr; // set when the evaluation is there to be looked at
    // Run time: what HandOver() found, and every instance fills again.
    std::vector<v8::Global<v8::Value>> fresh_buffers;
    std::vector<std::string> warnings;
    uint64_t build_random = 0; // what repeatable random bytes continue from

    // --- Promises that were rejected while nothing handled them ---
    using Rejections = std::vector<std::pair<v8::Global<v8::Promise>, v8::Global<v8::Value>>>;
    Rejections unhandled_rejections;
    // Where a bundle listens for them: those reported to it, and of these those that something
    // handles since.
    Rejections told_rejections;
    Rejections handled_rejections;
    // Lets go of all that handles hold except timers, before the isolate goes away.
    void ForgetHandles();

  private:
    double time_origin_ms_ = 0; // on the steady clock
    double build_clock_ms_ = 0; // at run time: where it stopped
    bool frozen_ = false;
    double frozen_wall_ms_ = 0;
    double frozen_steady_ms_ = 0;
};

// The place of the innermost frame of the running script that lies in the bundle and in none of the
// stand-ins for Node's modules: "FILE:LINE:COLUMN", or "".
std::string CurrentPlace(v8::Isolate *isolate);
// The same in the bundle itself, not moved through the source map; line 0 when there is none.
BundlePlace CurrentBundlePlace(v8::Isolate *isolate);

// Connects an isolate with its state and sets the callbacks that need it: promise rejections,
// import(), import.meta, WebAssembly, the heap limit. `state` must outlive the isolate.
void AttachState(v8::Isolate *isolate, IsolateState *state);

} // namespace snapcell

#endif
