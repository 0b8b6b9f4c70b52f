#include "atomics_waits.h"

#include <cstring>
#include <limits>
#include <utility>

#include <v8.h>

#include "isolate_state.h"

namespace snapcell
{
namespace
{

// Other tasks that V8 posts for later are steps of its collector, which nobody waits for.
bool IsTimeout(const v8::SourceLocation &location)
{
    const char *file = location.FileName();
    return file != nullptr && strstr(file, "futex-emulation") != nullptr;
}

class RunnerWithWaits final : public v8::TaskRunner
{
  public:
    RunnerWithWaits(v8::Isolate *isolate, std::shared_ptr<v8::TaskRunner> base)
        : isolate_(isolate), base_(std::move(base))
    {
    }
    bool IdleTasksEnabled() override { return base_->IdleTasksEnabled(); }
    bool NonNestableTasksEnabled() const override { return base_->NonNestableTasksEnabled(); }
    bool NonNestableDelayedTasksEnabled() const override
    {
        return base_->NonNestableDelayedTasksEnabled();
    }

  protected:
    void PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation &location) override
    {
        base_->PostTask(std::move(task), location);
    }
    void PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task,
                                 const v8::SourceLocation &location) override
    {
        base_->PostNonNestableTask(std::move(task), location);
    }
    void PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s,
                             const v8::SourceLocation &location) override
    {
        base_->PostDelayedTask(std::move(task), delay_s, location);
    }
    void PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s,
                                        const v8::SourceLocation &location) override
    {
        IsolateState *state = IsTimeout(location) ? IsolateState::From(isolate_) : nullptr;
        if (state == nullptr)
            base_->PostNonNestableDelayedTask(std::move(task), delay_s, location);
        else
            state->atomics_waits.Add(state->MonotonicMs() + delay_s * 1000, std::move(task));
    }
    void PostIdleTaskImpl(std::unique_ptr<v8::IdleTask> task,
                          const v8::SourceLocation &location) override
    {
        base_->PostIdleTask(std::move(task), location);
    }

  private:
    v8::Isolate *isolate_;
    std::shared_ptr<v8::TaskRunner> base_;
};

} // namespace

void AtomicsWaits::Add(double due_ms, std::unique_ptr<v8::Task> task)
{
    due_.emplace(due_ms, std::move(task));
}

double AtomicsWaits::NextDueMs() const
{
    return due_.empty() ? std::numeric_limits<double>::infinity() : due_.begin()->first;
}

void AtomicsWaits::RunDue(double now_ms)
{
    while (!due_.empty() && due_.begin()->first <= now_ms) {
        std::unique_ptr<v8::Task> task = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        task->Run();
    }
}

std::shared_ptr<v8::TaskRunner> NewRunnerWithWaits(v8::Isolate *isolate,
                                                   std::shared_ptr<v8::TaskRunner> base)
{
    return std::make_shared<RunnerWithWaits>(isolate, std::move(base));
}

} // namespace snapcell
