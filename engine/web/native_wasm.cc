// WebAssembly.compileStreaming() and instantiateStreaming(): V8 hands over what they were given, a
// built-in module reads it and feeds V8 with the bytes. WebAssembly.instantiate() of bytes: see
// AddWasmInstantiate() in web.h.
#include "isolate_state.h"
#include "wasm_workbench.h"
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

// --- WebAssembly at build time: web/modules/wasm_kept.js ---

void RefuseWasm(v8::Isolate *isolate, const char *what)
{
    IsolateState::From(isolate)->RefuseSnapshot(isolate, SNAPCELL_NOTE_OBJECT, what);
    isolate->ThrowError(Ascii(isolate, "WebAssembly cannot be part of a snapshot"));
}

// wasmRefuse(what)
void Native_wasmRefuse(const NativeInfo &info)
{
    v8::String::Utf8Value what(info.GetIsolate(), info[0]);
    RefuseWasm(info.GetIsolate(), *what != nullptr ? *what : "WebAssembly was used");
}

// wasmWork(operation, arguments[]) -> what WasmWorkbench::Work() gives, or undefined
void Native_wasmWork(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    std::shared_ptr<WasmWorkbench> &bench = IsolateState::From(isolate)->wasm_workbench;
    if (bench == nullptr) bench = WasmWorkbench::New();
    v8::String::Utf8Value operation(isolate, info[0]);
    v8::Local<v8::Value> result;
    if (bench != nullptr && *operation != nullptr &&
        bench->Work(isolate->GetCurrentContext(), *operation, info[1].As<v8::Array>())
            .ToLocal(&result))
        info.GetReturnValue().Set(result);
}

// --- WebAssembly.instantiate() of bytes ---

namespace
{

// Of the array that goes along: V8's two functions, the imports, the module.
enum : uint32_t { kCompile, kInstantiate, kImports, kModule };

v8::Local<v8::Value> Item(v8::Local<v8::Context> context, v8::Local<v8::Array> array,
                          uint32_t index)
{
    v8::Local<v8::Value> item;
    if (array->Get(context, index).ToLocal(&item)) return item;
    return v8::Undefined(context->GetIsolate());
}

// Calls one of V8's functions, which return a promise. Empty when it threw.
v8::MaybeLocal<v8::Promise> CallWasm(v8::Local<v8::Context> context, v8::Local<v8::Array> data,
                                     uint32_t function, v8::Local<v8::Value> first,
                                     v8::Local<v8::Value> second)
{
    v8::Local<v8::Value> called = Item(context, data, function);
    v8::Local<v8::Value> arguments[] = {first, second};
    v8::Local<v8::Value> result;
    if (!called->IsFunction() ||
        !called.As<v8::Function>()
             ->Call(context, v8::Undefined(context->GetIsolate()), 2, arguments)
             .ToLocal(&result) ||
        !result->IsPromise())
        return {};
    return result.As<v8::Promise>();
}

void Ignore(const NativeInfo &) {}

// Given an instance: what instantiate() of bytes resolves to.
void PairUp(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Object> pair = v8::Object::New(isolate);
    v8::Local<v8::Value> module = Item(context, info.Data().As<v8::Array>(), kModule);
    if (pair->CreateDataProperty(context, Ascii(isolate, "module"), module).FromMaybe(false) &&
        pair->CreateDataProperty(context, Ascii(isolate, "instance"), info[0]).FromMaybe(false))
        info.GetReturnValue().Set(pair);
}

// Given a module: goes on with its instance.
void InstantiateModule(const NativeInfo &info)
{
    v8::Local<v8::Context> context = info.GetIsolate()->GetCurrentContext();
    v8::Local<v8::Array> data = info.Data().As<v8::Array>();
    v8::Local<v8::Value> imports = Item(context, data, kImports);
    v8::Local<v8::Promise> instance, pair;
    v8::Local<v8::Function> pair_up;
    if (data->CreateDataProperty(context, kModule, info[0]).FromMaybe(false) &&
        v8::Function::New(context, PairUp, data).ToLocal(&pair_up) &&
        CallWasm(context, data, kInstantiate, info[0], imports).ToLocal(&instance) &&
        instance->Then(context, pair_up).ToLocal(&pair))
        info.GetReturnValue().Set(pair);
}

// instantiate(bytes, imports) with bytes that compile. Empty when V8's own function is to be
// called: for a module, and where it has an error to tell.
v8::MaybeLocal<v8::Promise> InstantiateBytes(const NativeInfo &info, v8::Local<v8::Array> data)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Value> undefined = v8::Undefined(isolate);
    v8::Local<v8::Promise> compiled, ignored;
    v8::Local<v8::Array> carried = v8::Array::New(isolate, kModule + 1);
    v8::Local<v8::Function> then, ignore;
    if (info[0]->IsWasmModuleObject() || !(info[1]->IsUndefined() || info[1]->IsObject()) ||
        !CallWasm(context, data, kCompile, info[0], undefined).ToLocal(&compiled))
        return {};
    if (compiled->State() == v8::Promise::kRejected) {
        if (v8::Function::New(context, Ignore).ToLocal(&ignore))
            (void)compiled->Catch(context, ignore).IsEmpty();
        return {};
    }
    if (carried->CreateDataProperty(context, kInstantiate, Item(context, data, kInstantiate))
            .IsNothing() ||
        carried->CreateDataProperty(context, kImports, info[1]).IsNothing() ||
        !v8::Function::New(context, InstantiateModule, carried).ToLocal(&then))
        return {};
    return compiled->Then(context, then);
}

void Instantiate(const NativeInfo &info)
{
    InstantiateWasm(info, info.Data().As<v8::Array>());
}

void GetInstantiate(v8::Local<v8::Name> name, const v8::PropertyCallbackInfo<v8::Value> &info)
{
    GiveFunction(name, Instantiate, 1, info);
}

} // namespace

void InstantiateWasm(const NativeInfo &info, v8::Local<v8::Array> functions)
{
    v8::Local<v8::Context> context = info.GetIsolate()->GetCurrentContext();
    v8::Local<v8::Promise> promise;
    if (InstantiateBytes(info, functions).ToLocal(&promise) ||
        CallWasm(context, functions, kInstantiate, info[0], info[1]).ToLocal(&promise))
        info.GetReturnValue().Set(promise);
}

void AddWasmInstantiate(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Context::Scope entered(context);
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> name = AsciiString(isolate, "instantiate");
    v8::Local<v8::Value> space, compile, instantiate;
    if (!context->Global()->Get(context, AsciiString(isolate, "WebAssembly")).ToLocal(&space) ||
        !space->IsObject())
        return;
    v8::Local<v8::Object> object = space.As<v8::Object>();
    if (!object->Get(context, AsciiString(isolate, "compile")).ToLocal(&compile) ||
        !object->Get(context, name).ToLocal(&instantiate) || !compile->IsFunction() ||
        !instantiate->IsFunction())
        return;
    v8::Local<v8::Value> functions[] = {compile, instantiate};
    (void)object
        ->SetLazyDataProperty(context, name, GetInstantiate, v8::Array::New(isolate, functions, 2))
        .IsNothing();
}

} // namespace snapcell
