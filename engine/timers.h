// setTimeout and setInterval: a queue of callbacks by due time, run by the engine's event loop.
#ifndef SNAPCELL_TIMERS_H
#define SNAPCELL_TIMERS_H

#include <cstdint>
#include <map>
#include <vector>

#include <v8.h>

#include "bundle_place.h"

namespace snapcell
{

class TimerQueue
{
  public:
    // Where the numbers of timers begin at build time. A bundle may keep one and clear it in a
    // request, when the timer is long over: then it must not be the number of another.
    static constexpr uint32_t kFirstBuildId = 1u << 30;

    explicit TimerQueue(uint32_t first_id = 1) : next_id_(first_id) {}
    // Adds a timer that is due at `due_ms` (on the isolate's monotonic clock); `interval_ms` below
    // 0: once.
    uint32_t Add(v8::Isolate *isolate, v8::Local<v8::Function> callback,
                 std::vector<v8::Local<v8::Value>> arguments, double due_ms, double interval_ms);
    void Clear(uint32_t id);

    // Timers are native memory, which no heap limit counts: there is a most.
    size_t Count() const { return timers_.size(); }
    bool Empty() const { return due_.empty(); }
    double NextDueMs() const; // infinity when empty
    // Runs what is due at `now_ms`, microtasks after each. False when a callback threw or was
    // terminated; the exception is then in the caller's TryCatch.
    bool RunDue(v8::Local<v8::Context> context, double now_ms);
    // The pending timers, in the order in which they are due.
    struct Pending {
        BundlePlace place; // where it was set, in the bundle
        double due_ms;
        double interval_ms; // below 0: once
        bool warm;          // set in a warm-up request
    };
    std::vector<Pending> ListPending() const;
    // What a snapshot keeps of the queue: each instance sets its timers again, under the same
    // numbers, on a clock that continues the build's.
    v8::Local<v8::Array> Save(v8::Isolate *isolate) const;
    // False when `saved` was not made by Save().
    bool Restore(v8::Local<v8::Context> context, v8::Local<v8::Array> saved);
    // Drops every timer; to be called before the isolate goes away.
    void Reset();

  private:
    struct Timer {
        v8::Global<v8::Function> callback;
        std::vector<v8::Global<v8::Value>> arguments;
        v8::Global<v8::Value> frame; // see async_frame.h
        double interval_ms = -1;
        double due_ms = 0;
        BundlePlace place;
        bool warm = false;
    };
    bool RestoreOne(v8::Local<v8::Context> context, v8::Local<v8::Value> saved);
    Timer &Insert(uint32_t id, v8::Isolate *isolate, v8::Local<v8::Function> callback,
                  const std::vector<v8::Local<v8::Value>> &arguments, double due_ms,
                  double interval_ms);
    std::map<uint32_t, Timer> timers_;
    std::multimap<double, uint32_t> due_; // by due time, then in order of adding
    uint32_t next_id_;
};

} // namespace snapcell

#endif
