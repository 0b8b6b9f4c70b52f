// V8's platform and its start: once per process.
#ifndef SNAPCELL_PLATFORM_H
#define SNAPCELL_PLATFORM_H

#include <atomic>
#include <memory>

#include <v8-platform.h>

#include "engine.h"

namespace snapcell
{

// Which flags V8 is started with.
enum class EngineSetup {
    kRun,       // fresh seeds, real clock
    kSnapshot,  // fixed seeds and no compiler whose output is not in a snapshot
    kCodeCache, // kRun's flags, since a code cache is bound to them, and the build's clock
    kBaseline,  // V8's own platform and defaults
};

// asm.js runs as the JavaScript that it is: V8 would make WebAssembly of it, which can be in no
// snapshot and no code cache.
// Fixed seeds make blobs reproducible: Math.random and the hash seed are drawn again at load. The
// optimizing compilers' code is never in a snapshot, and what they leave behind depends on timing.
inline constexpr char kSnapshotFlags[] = "--single-threaded --random-seed=1 --hash-seed=1 --no-opt "
                                         "--no-maglev --no-sparkplug --no-flush-bytecode "
                                         "--no-validate-asm "
                                         "--enable-sharedarraybuffer-per-context";

// Starts V8 with a setup; a second start with another one fails.
int StartV8(EngineSetup setup, snapcell_error *err);

// Starts V8 with the setup that building a snapshot or a code cache takes, in whichever mode.
int StartV8ForBuilding(bool snapshot, snapcell_error *err);

// The mode that engine_start() was called with.
bool StartedForBuilding();

v8::Platform *CurrentPlatform();

// Fails in a child that was forked after engine_start(): V8 and the watchdog's thread do not
// survive a fork, and locks may be held forever. Errors: E_USAGE.
int CheckProcess(snapcell_error *err);

// From here on Date asks an isolate whether its clock is frozen.
void FreezeDates();

// The clock of build time. It begins at a fixed instant, stands still while code runs, and is moved
// on by timers alone: what a bundle computes from it at top level is the same in every build.
constexpr double kBuildClockStartMs = 1735689600000; // 2025-01-01T00:00:00Z
void SetBuildClock(double elapsed_ms);

} // namespace snapcell

#endif
