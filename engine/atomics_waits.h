// Timeouts of Atomics.waitAsync(). V8 posts a task for each, to be run after a while; the event
// loop must know that there is something to wait for, and at build time its clock is not V8's.
#ifndef SNAPCELL_ATOMICS_WAITS_H
#define SNAPCELL_ATOMICS_WAITS_H

#include <map>
#include <memory>

#include <v8-platform.h>

namespace snapcell
{

class AtomicsWaits
{
  public:
    // `due_ms`: on the isolate's monotonic clock.
    void Add(double due_ms, std::unique_ptr<v8::Task> task);
    bool Empty() const { return due_.empty(); }
    double NextDueMs() const; // infinity when empty
    // Settles the promises of what is due; those that were notified before are settled already.
    void RunDue(double now_ms);
    // To be called before the isolate goes away.
    void Reset() { due_.clear(); }

  private:
    std::multimap<double, std::unique_ptr<v8::Task>> due_;
};

// As a platform's own runner `base` of tasks of `isolate`, except for these timeouts.
std::shared_ptr<v8::TaskRunner> NewRunnerWithWaits(v8::Isolate *isolate,
                                                   std::shared_ptr<v8::TaskRunner> base);

} // namespace snapcell

#endif
