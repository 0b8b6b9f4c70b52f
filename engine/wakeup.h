// What a cell's thread sleeps on while its event loop has nothing to run.
#ifndef SNAPCELL_WAKEUP_H
#define SNAPCELL_WAKEUP_H

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>

namespace snapcell
{

class Wakeup
{
  public:
    // Ends a sleep, or the next one. Thread: any.
    void Wake()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        woken_ = true;
        changed_.notify_one();
    }

    // Sleeps for `ms` (infinity: without an end), or until it is woken.
    void Sleep(double ms)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        auto is_woken = [this] { return woken_; };
        if (std::isinf(ms))
            changed_.wait(lock, is_woken);
        else if (ms > 0)
            changed_.wait_for(lock, std::chrono::duration<double, std::milli>(ms), is_woken);
        woken_ = false;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

} // namespace snapcell

#endif
