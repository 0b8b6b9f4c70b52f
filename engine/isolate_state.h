// What the engine keeps beside an isolate; native functions find it through the isolate.
#ifndef SNAPCELL_ISOLATE_STATE_H
#define SNAPCELL_ISOLATE_STATE_H

#include <memory>
#include <string>
#include <vector>

#include <v8.h>

#include "engine.h"
#include "timers.h"

namespace snapcell
{

class ArrayBufferQuota;

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

    // --- Console output ---
    snapcell_log_fn *log = nullptr;
    void *log_user = nullptr;
    std::string function_name;

    // --- Time ---
    // Milliseconds since 1970 and milliseconds since the time origin; at build time both stand
    // still but for timers.
    double NowMs() const;
    double MonotonicMs() const;
    double time_origin_ms = 0;
    double virtual_now_ms = 0; // build time: what the clock shows
    TimerQueue timers;

    // --- Memory ---
    ArrayBufferQuota *array_buffers = nullptr;

    // --- Build time ---
    // Why this function cannot become a snapshot; the first cause wins. Natives that give random
    // values call it in Phase::kTopLevel, since all instances would share what they gave. `what` is
    // like "crypto.randomUUID()"; the place of the calling script is added.
    void RefuseSnapshot(v8::Isolate *isolate, const char *what);
    std::string unsnapshotable;
    std::vector<std::string> warnings;

    // --- Run time ---
    const snapcell_host *host = nullptr;
    std::vector<std::pair<v8::Global<v8::Promise>, v8::Global<v8::Value>>> unhandled_rejections;
};

} // namespace snapcell

#endif
