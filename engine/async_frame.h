// What AsyncLocalStorage keeps. V8 holds one value for the code that runs, the frame, and hands it
// on from a promise to its reactions. What the engine itself calls later, timers and microtasks,
// gets it from here.
#ifndef SNAPCELL_ASYNC_FRAME_H
#define SNAPCELL_ASYNC_FRAME_H

#include <v8.h>

namespace snapcell
{

// The frame of the code that runs now; empty when nothing uses AsyncLocalStorage.
inline v8::Global<v8::Value> CaptureAsyncFrame(v8::Isolate *isolate)
{
    v8::Local<v8::Value> frame = isolate->GetContinuationPreservedEmbedderData();
    return frame->IsUndefined() ? v8::Global<v8::Value>() : v8::Global<v8::Value>(isolate, frame);
}

// Runs the code in its scope in the frame that was captured.
class AsyncFrameScope
{
  public:
    AsyncFrameScope(v8::Isolate *isolate, const v8::Global<v8::Value> &frame)
        : isolate_(isolate), outer_(isolate->GetContinuationPreservedEmbedderData())
    {
        Set(frame.IsEmpty() ? v8::Undefined(isolate).As<v8::Value>() : frame.Get(isolate));
    }
    ~AsyncFrameScope() { Set(outer_); }
    AsyncFrameScope(const AsyncFrameScope &) = delete;
    AsyncFrameScope &operator=(const AsyncFrameScope &) = delete;

  private:
    void Set(v8::Local<v8::Value> frame) { isolate_->SetContinuationPreservedEmbedderData(frame); }

    v8::Isolate *isolate_;
    v8::Local<v8::Value> outer_;
};

// Ends what AsyncLocalStorage.enterWith() began in the code before: the next call has none of it.
inline void ForgetAsyncFrame(v8::Isolate *isolate)
{
    isolate->SetContinuationPreservedEmbedderData(v8::Undefined(isolate));
}

} // namespace snapcell

#endif
