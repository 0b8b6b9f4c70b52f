// WebAssembly.compileStreaming() and instantiateStreaming(): V8 hands over what they were given, a
// built-in module reads it and feeds V8 with the bytes.
#include "isolate_state.h"
#include "web/natives.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{

void OnWasmStreaming(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    IsolateState *state = IsolateState::From(isolate);
    uint32_t id = ++state->wasm_stream_count;
    state->wasm_streams[id] = v8::WasmStreaming::Unpack(isolate, info.Data());
    v8::Local<v8::Object> module;
    v8::Local<v8::Value> feed;
    v8::Local<v8::Value> arguments[] = {v8::Integer::NewFromUnsigned(isolate, id), info[0]};
    if (RequireWebModule(context, "wasm").ToLocal(&module) &&
        module->Get(context, AsciiString(isolate, "feed")).ToLocal(&feed) && feed->IsFunction())
        (void)feed.As<v8::Function>()
            ->Call(context, v8::Undefined(isolate), 2, arguments)
            .IsEmpty();
}

static std::shared_ptr<v8::WasmStreaming> FindStream(const NativeInfo &info, bool take)
{
    auto &streams = IsolateState::From(info.GetIsolate())->wasm_streams;
    auto found = streams.find(info[0].As<v8::Uint32>()->Value());
    if (found == streams.end()) return nullptr;
    std::shared_ptr<v8::WasmStreaming> stream = found->second;
    if (take) streams.erase(found);
    return stream;
}

// wasmFeed(id, Uint8Array)
void Native_wasmFeed(const NativeInfo &info)
{
    ViewBytes bytes(info[1]);
    std::shared_ptr<v8::WasmStreaming> stream = FindStream(info, false);
    if (stream != nullptr) stream->OnBytesReceived(bytes.data, bytes.size);
}

// wasmFinish(id)
void Native_wasmFinish(const NativeInfo &info)
{
    std::shared_ptr<v8::WasmStreaming> stream = FindStream(info, true);
    if (stream != nullptr) stream->Finish();
}

// wasmAbort(id, error)
void Native_wasmAbort(const NativeInfo &info)
{
    std::shared_ptr<v8::WasmStreaming> stream = FindStream(info, true);
    if (stream != nullptr) stream->Abort(info[1]);
}

} // namespace snapcell
