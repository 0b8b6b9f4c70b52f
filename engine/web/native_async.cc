// What the module "async_hooks" needs of the engine.
#include "isolate_state.h"
#include "web/natives.h"

namespace snapcell
{

// asyncFrame() -> what setAsyncFrame() set for the code that runs, else undefined
void Native_asyncFrame(const NativeInfo &info)
{
    info.GetReturnValue().Set(info.GetIsolate()->GetContinuationPreservedEmbedderData());
}

// setAsyncFrame(frame)
void Native_setAsyncFrame(const NativeInfo &info)
{
    info.GetIsolate()->SetContinuationPreservedEmbedderData(info[0]);
}

// environment() -> the env of the call that runs, or undefined where there is none: at build time,
// outside of warm-up requests
void Native_environment(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    if (!state->env.IsEmpty())
        info.GetReturnValue().Set(state->env.Get(isolate));
    else
        state->NoteEnvironment(isolate);
}

} // namespace snapcell
