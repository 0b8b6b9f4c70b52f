#include "platform.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <mutex>

#include <libplatform/libplatform.h>
#include <v8-initialization.h>

#include "atomics_waits.h"
#include "error_set.h"
#include "isolate_state.h"
#include "page_pool.h"
#include "random_bytes.h"

// V8's abseil is built with a deadlock detector, whose first use clears 1.1 MB; its header is not
// among V8's.
namespace absl
{
enum class OnDeadlockCycle { kIgnore, kReport, kAbort };
void SetMutexDeadlockDetectionMode(OnDeadlockCycle mode);
} // namespace absl

namespace snapcell
{
namespace
{

// One thread a cell: no helper threads to start, to account for or to confine. Sparkplug compiles
// on that thread, in batches that a function's first call pays for: half of React's call went
// there, and long runs are no slower without.
// Contexts have no SharedArrayBuffer: there is no second thread to share memory with, and what it
// would be good for is a clock finer than performance.now().
// Scavenges go on while old objects are being marked: the young generation would grow until the
// marking is done, and be moved all at once: up to 16 ms in which nothing can end a call.
//
// Protection keys would be lost where memory is mapped from a checkpoint (restore/).
//
// This V8 keeps a snapshot's hash seed, the same everywhere, unless it is told to draw one: who
// knows the seed can make any hash table slow.
constexpr char kRunFlags[] =
    "--single-threaded --no-separate-gc-phases --no-sparkplug --no-validate-asm "
    "--enable-sharedarraybuffer-per-context --rehash-snapshot --no-memory-protection-keys";

// Where pages lie at build time: far from where the kernel and sanitizers put things.
void *const kBuildArenaAddress = reinterpret_cast<void *>(0x200000000000);

std::atomic<double> build_clock_ms{-1}; // below 0: the real clock
std::atomic<bool> dates_freeze{false};  // some isolate's does
std::atomic<pid_t> engine_pid{0};       // of the process that started the engine

class EnginePlatform final : public v8::Platform
{
  public:
    EnginePlatform(std::unique_ptr<v8::Platform> base, const engine_page_options &pages,
                   void *fixed_address)
        : base_(std::move(base)), pages_(base_->GetPageAllocator(), pages.kept_size_bytes,
                                         fixed_address, pages.huge_pages, pages.zeroed_in_place)
    {
    }

    v8::Platform *base() { return base_.get(); }
    PagePool *pages() { return &pages_; }

    v8::PageAllocator *GetPageAllocator() override { return &pages_; }
    v8::ThreadIsolatedAllocator *GetThreadIsolatedAllocator() override
    {
        return base_->GetThreadIsolatedAllocator();
    }
    void OnCriticalMemoryPressure() override { base_->OnCriticalMemoryPressure(); }
    int NumberOfWorkerThreads() override { return base_->NumberOfWorkerThreads(); }
    std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate *isolate,
                                                            v8::TaskPriority priority) override
    {
        return NewRunnerWithWaits(isolate, base_->GetForegroundTaskRunner(isolate, priority));
    }
    bool IdleTasksEnabled(v8::Isolate *isolate) override
    {
        return base_->IdleTasksEnabled(isolate);
    }
    double MonotonicallyIncreasingTime() override { return base_->MonotonicallyIncreasingTime(); }
    double CurrentClockTimeMillis() override
    {
        double fixed = build_clock_ms.load(std::memory_order_relaxed);
        if (fixed >= 0) return fixed;
        if (dates_freeze.load(std::memory_order_relaxed)) {
            v8::Isolate *isolate = v8::Isolate::TryGetCurrent();
            const IsolateState *state = isolate ? IsolateState::From(isolate) : nullptr;
            if (state != nullptr && state->clock_is_frozen()) return state->NowMs();
        }
        return base_->CurrentClockTimeMillis();
    }
    v8::TracingController *GetTracingController() override { return base_->GetTracingController(); }

  protected:
    std::unique_ptr<v8::JobHandle> CreateJobImpl(v8::TaskPriority priority,
                                                 std::unique_ptr<v8::JobTask> task,
                                                 const v8::SourceLocation &location) override
    {
        return base_->CreateJob(priority, std::move(task), location);
    }
    void PostTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                    const v8::SourceLocation &location) override
    {
        base_->PostTaskOnWorkerThread(priority, std::move(task), location);
    }
    void PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority priority,
                                           std::unique_ptr<v8::Task> task, double delay,
                                           const v8::SourceLocation &location) override
    {
        base_->PostDelayedTaskOnWorkerThread(priority, std::move(task), delay, location);
    }

  private:
    std::unique_ptr<v8::Platform> base_;
    PagePool pages_;
};

// V8 opens /dev/urandom with stdio for every isolate when it has no source of its own.
bool FillWithEntropy(unsigned char *buffer, size_t size)
{
    return FillWithRandomBytes(buffer, size);
}

// A code cache depends on the hash seed, which cannot be fixed by a flag: a cache is bound to
// flags.
bool FillRepeatably(unsigned char *buffer, size_t size)
{
    memset(buffer, 1, size);
    return true;
}

struct Engine {
    std::mutex mutex;
    bool mode_set = false;
    engine_mode mode = ENGINE_MODE_RUN;
    bool started = false;
    EngineSetup setup = EngineSetup::kRun;
    engine_page_options page_options = {SNAPCELL_PAGE_SIZE_BYTES_DEFAULT, false, false};
    PagePool *pages = nullptr;        // of our own platform
    v8::Platform *platform = nullptr; // V8's default one, inside ours or alone
};

// Never destroyed: V8's platform has to outlive every thread that uses it.
Engine &TheEngine()
{
    static Engine *engine = new Engine;
    return *engine;
}

// NULL: there are none of our own, or not yet.
PagePool *EnginePages()
{
    Engine &engine = TheEngine();
    std::lock_guard<std::mutex> guard(engine.mutex);
    return engine.pages;
}

v8::Platform *StartPlainly()
{
    v8::Platform *platform = v8::platform::NewDefaultPlatform().release();
    v8::V8::InitializePlatform(platform);
    v8::V8::Initialize();
    return platform;
}

void StartWithPool(Engine *engine, EngineSetup setup)
{
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    v8::V8::SetFlagsFromString(setup == EngineSetup::kSnapshot ? kSnapshotFlags : kRunFlags);
    if (setup != EngineSetup::kSnapshot)
        v8::V8::SetEntropySource(setup == EngineSetup::kCodeCache ? FillRepeatably
                                                                  : FillWithEntropy);
    if (setup != EngineSetup::kRun) SetBuildClock(0);
    auto *platform =
        new EnginePlatform(v8::platform::NewSingleThreadedDefaultPlatform(), engine->page_options,
                           setup == EngineSetup::kRun ? nullptr : kBuildArenaAddress);
    v8::V8::InitializePlatform(platform);
    v8::V8::Initialize();
    engine->platform = platform->base();
    engine->pages = platform->pages();
}

} // namespace

int StartV8(EngineSetup setup, snapcell_error *err)
{
    Engine &engine = TheEngine();
    std::lock_guard<std::mutex> guard(engine.mutex);
    if (engine.started) {
        if (engine.setup == setup) return SNAPCELL_OK;
        return error_set(err, SNAPCELL_E_USAGE,
                         "V8 was started in this process for another purpose; use another process");
    }
    if (setup == EngineSetup::kBaseline)
        engine.platform = StartPlainly();
    else
        StartWithPool(&engine, setup);
    engine.started = true;
    engine.setup = setup;
    return SNAPCELL_OK;
}

int StartV8ForBuilding(bool snapshot, snapcell_error *err)
{
    if (TheEngine().mode == ENGINE_MODE_BASELINE) return SNAPCELL_OK;
    return StartV8(snapshot ? EngineSetup::kSnapshot : EngineSetup::kCodeCache, err);
}

bool StartedForBuilding()
{
    return TheEngine().mode == ENGINE_MODE_BUILD;
}

// PumpMessageLoop() and NotifyIsolateShutdown() cast to the default platform, so that they want
// that one.
v8::Platform *CurrentPlatform()
{
    return TheEngine().platform;
}

int CheckProcess(snapcell_error *err)
{
    pid_t pid = engine_pid.load(std::memory_order_relaxed);
    if (pid == 0 || pid == getpid()) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "this process was forked after the engine was started, which does not survive "
                     "that: fork before the first use of it, or start another program");
}

void FreezeDates()
{
    dates_freeze.store(true, std::memory_order_relaxed);
}

void SetBuildClock(double elapsed_ms)
{
    build_clock_ms.store(kBuildClockStartMs + elapsed_ms, std::memory_order_relaxed);
}

} // namespace snapcell

using snapcell::EngineSetup;

extern "C" void engine_leave_process(void)
{
    snapcell::engine_pid.store(0, std::memory_order_relaxed);
}

extern "C" int engine_start(engine_mode mode, snapcell_error *err)
{
    int status = snapcell::CheckProcess(err);
    if (status != SNAPCELL_OK) return status;
    snapcell::Engine &engine = snapcell::TheEngine();
    {
        std::lock_guard<std::mutex> guard(engine.mutex);
        if (engine.mode_set && engine.mode != mode)
            return error_set(err, SNAPCELL_E_USAGE,
                             "the engine was started in this process for another purpose; "
                             "use another process");
        engine.mode_set = true;
        snapcell::engine_pid.store(getpid(), std::memory_order_relaxed);
        engine.mode = mode;
    }
    switch (mode) {
    case ENGINE_MODE_RUN:
        return snapcell::StartV8(EngineSetup::kRun, err);
    case ENGINE_MODE_BASELINE:
        return snapcell::StartV8(EngineSetup::kBaseline, err);
    case ENGINE_MODE_BUILD:
        break;
    }
    // Flags depend on what is built: engine_build() starts V8.
    return SNAPCELL_OK;
}

extern "C" void engine_set_page_options(const engine_page_options *options)
{
    snapcell::Engine &engine = snapcell::TheEngine();
    std::lock_guard<std::mutex> guard(engine.mutex);
    engine.page_options = *options;
}

extern "C" void engine_trim_pages(uint64_t kept_size_bytes)
{
    snapcell::PagePool *pages = snapcell::EnginePages();
    if (pages != nullptr) pages->Trim(kept_size_bytes);
}

extern "C" void engine_populate_pages(uint64_t size_bytes)
{
    snapcell::PagePool *pages = snapcell::EnginePages();
    if (pages != nullptr) pages->Populate(size_bytes);
}

extern "C" const char *engine_v8_version(void)
{
    return v8::V8::GetVersion();
}

extern "C" const char *engine_v8_flags(void)
{
    return snapcell::kRunFlags;
}

extern "C" const char *engine_architecture(void)
{
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#else
#error "no V8 is known for this architecture"
#endif
}
