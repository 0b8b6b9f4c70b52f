#include "late_builtins.h"

#include <cstring>
#include <memory>
#include <mutex>

#include <libplatform/libplatform.h>

#include "evaluation.h"
#include "isolate_state.h"
#include "platform.h"
#include "serializer_flag.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

using Info = v8::FunctionCallbackInfo<v8::Value>;

// Nothing that these make can be in a snapshot. The first two have the numbers that
// InstantiateWasm() expects of them, the first five those of web/modules/wasm_kept.js.
struct WasmFunction {
    const char *name;
    bool constructs;
};
constexpr WasmFunction kFunctions[] = {
    {"compile", false}, {"instantiate", false}, {"validate", false}, {"Module", true},
    {"Instance", true}, {"Memory", true},       {"Table", true},     {"Global", true},
    {"Tag", true},      {"Exception", true},
};
// These read a Response, and then do what the others do with its bytes.
constexpr const char *kStreaming[][2] = {{"compileStreaming", "compile"},
                                         {"instantiateStreaming", "instantiate"}};

// The slot of the context's embedder data with an array of V8's own functions. A guard's data is an
// index of it: what a function's data refers to becomes part of what all contexts share.
constexpr int kRealFunctionsSlot = 5;

v8::MaybeLocal<v8::Function> RealFunction(v8::Local<v8::Context> context,
                                          v8::Local<v8::Value> index)
{
    v8::Local<v8::Value> real;
    if (!context->GetEmbedderData(kRealFunctionsSlot)
             .As<v8::Array>()
             ->Get(context, index.As<v8::Uint32>()->Value())
             .ToLocal(&real))
        return {};
    return real.As<v8::Function>();
}

v8::Local<v8::Value> KeepRealFunction(v8::Local<v8::Context> context, v8::Local<v8::Value> real)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Array> functions = context->GetEmbedderData(kRealFunctionsSlot).As<v8::Array>();
    uint32_t index = functions->Length();
    (void)functions->Set(context, index, real).IsNothing();
    return v8::Integer::NewFromUnsigned(isolate, index);
}

// V8 numbers the types of WebAssembly's functions in each process, in the order in which it meets
// them, and WebAssembly.JSTag in a snapshot holds the number of its own. It is the first one: that
// of a context that V8 set up itself.
void NumberTypes()
{
    static std::once_flag once;
    std::call_once(once, [] {
        std::unique_ptr<v8::ArrayBuffer::Allocator> allocator(
            v8::ArrayBuffer::Allocator::NewDefaultAllocator());
        v8::Isolate::CreateParams params;
        params.array_buffer_allocator = allocator.get();
        v8::Isolate *isolate = v8::Isolate::New(params);
        {
            v8::Isolate::Scope entered(isolate);
            v8::HandleScope scope(isolate);
            v8::Context::New(isolate);
        }
        v8::platform::NotifyIsolateShutdown(CurrentPlatform(), isolate);
        isolate->Dispose();
    });
}

bool IsRunTime(v8::Isolate *isolate)
{
    if (IsolateState::From(isolate)->phase != Phase::kRun) return false;
    NumberTypes();
    return true;
}

std::vector<v8::Local<v8::Value>> ArgumentsOf(const Info &info)
{
    std::vector<v8::Local<v8::Value>> arguments;
    for (int i = 0; i < info.Length(); i++)
        arguments.push_back(info[i]);
    return arguments;
}

// Calls a function of the module that replaces what is kept from build time.
v8::MaybeLocal<v8::Value> CallKept(v8::Local<v8::Context> context, v8::Local<v8::Object> module,
                                   const char *name, std::vector<v8::Local<v8::Value>> arguments)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> function;
    if (!module->Get(context, AsciiString(isolate, name)).ToLocal(&function) ||
        !function->IsFunction())
        return {};
    return function.As<v8::Function>()->Call(context, v8::Undefined(isolate),
                                             static_cast<int>(arguments.size()), arguments.data());
}

// At build time: gives a stand-in, or throws and notes that there can be no snapshot.
void GiveStandIn(const Info &info, const char *name)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    std::vector<v8::Local<v8::Value>> list = ArgumentsOf(info);
    v8::Local<v8::Object> module;
    v8::Local<v8::Value> made, value;
    if (!RequireWebModule(context, "wasm_kept").ToLocal(&module) ||
        !CallKept(context, module, "make",
                  {context->GetEmbedderData(kRealFunctionsSlot), AsciiString(isolate, name),
                   v8::Array::New(isolate, list.data(), list.size()), info.NewTarget()})
             .ToLocal(&made))
        return;
    if (!made->IsArray())
        RefuseWasm(isolate, "WebAssembly was used at build time");
    else if (made.As<v8::Array>()->Get(context, 0).ToLocal(&value))
        info.GetReturnValue().Set(value);
}

// At run time: a function's arguments, with V8's own module for one that was kept.
bool TakeArguments(v8::Local<v8::Context> context, const Info &info,
                   std::vector<v8::Local<v8::Value>> *out)
{
    *out = ArgumentsOf(info);
    v8::Local<v8::Object> module;
    if (!info[0]->IsObject() || !EvaluatedWebModule(context, "wasm_kept").ToLocal(&module))
        return true;
    return CallKept(context, module, "actual", {info[0]}).ToLocal(&(*out)[0]);
}

// What `new` of a class that extends one of WebAssembly's gives is one of that class.
bool AdoptClass(v8::Local<v8::Context> context, v8::Local<v8::Value> type,
                v8::Local<v8::Object> made)
{
    v8::Local<v8::Value> prototype;
    if (!type->IsObject() || !type.As<v8::Object>()
                                  ->Get(context, AsciiString(context->GetIsolate(), "prototype"))
                                  .ToLocal(&prototype))
        return false;
    return !prototype->IsObject() || made->SetPrototypeV2(context, prototype).FromMaybe(false);
}

void Guard(const Info &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    if (!IsRunTime(isolate)) {
        GiveStandIn(info, kFunctions[info.Data().As<v8::Uint32>()->Value()].name);
        return;
    }
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Function> real;
    std::vector<v8::Local<v8::Value>> arguments;
    if (!RealFunction(context, info.Data()).ToLocal(&real) ||
        !TakeArguments(context, info, &arguments))
        return;
    int count = static_cast<int>(arguments.size());
    if (info.IsConstructCall()) {
        v8::Local<v8::Object> made;
        if (real->NewInstance(context, count, arguments.data()).ToLocal(&made) &&
            AdoptClass(context, info.NewTarget(), made))
            info.GetReturnValue().Set(made);
        return;
    }
    v8::Local<v8::Value> result;
    if (real->Call(context, v8::Undefined(isolate), count, arguments.data()).ToLocal(&result))
        info.GetReturnValue().Set(result);
}

void GuardInstantiate(const Info &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    if (!IsRunTime(isolate) || !(info[0]->IsArrayBufferView() || info[0]->IsArrayBuffer())) {
        Guard(info);
        return;
    }
    v8::Local<v8::Value> functions =
        isolate->GetCurrentContext()->GetEmbedderData(kRealFunctionsSlot);
    InstantiateWasm(info, functions.As<v8::Array>());
}

// Reads the Response for the real function, which takes bytes.
void GuardStreaming(const Info &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    if (!IsRunTime(isolate)) {
        RefuseWasm(isolate, "WebAssembly was used at build time");
        return;
    }
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Function> real;
    if (!RealFunction(context, info.Data()).ToLocal(&real)) return;
    std::vector<v8::Local<v8::Value>> arguments = ArgumentsOf(info);
    arguments.insert(arguments.begin(), real);
    v8::Local<v8::Object> module;
    v8::Local<v8::Value> read, result;
    if (RequireWebModule(context, "wasm").ToLocal(&module) &&
        module->Get(context, AsciiString(isolate, "useResponse")).ToLocal(&read) &&
        read.As<v8::Function>()
            ->Call(context, v8::Undefined(isolate), static_cast<int>(arguments.size()),
                   arguments.data())
            .ToLocal(&result))
        info.GetReturnValue().Set(result);
}

v8::MaybeLocal<v8::Function> MakeGuard(v8::Local<v8::Context> context,
                                       v8::FunctionCallback callback, v8::Local<v8::Value> real,
                                       const char *name, int length, bool constructs)
{
    v8::Local<v8::Function> guard;
    if (!v8::Function::New(context, callback, KeepRealFunction(context, real), length,
                           constructs ? v8::ConstructorBehavior::kAllow
                                      : v8::ConstructorBehavior::kThrow)
             .ToLocal(&guard))
        return {};
    guard->SetName(AsciiString(context->GetIsolate(), name));
    return guard;
}

constexpr auto kFixed =
    static_cast<v8::PropertyAttribute>(v8::ReadOnly | v8::DontEnum | v8::DontDelete);

// A class and its guard have one prototype, so that `instanceof` and `constructor` agree, and the
// same static functions.
bool TakeOver(v8::Local<v8::Context> context, v8::Local<v8::Function> real,
              v8::Local<v8::Function> guard)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> prototype_name = AsciiString(isolate, "prototype");
    v8::Local<v8::Value> prototype;
    v8::Local<v8::Array> names;
    if (!real->Get(context, prototype_name).ToLocal(&prototype) ||
        !guard->Set(context, prototype_name, prototype).FromMaybe(false) ||
        !guard->DefineOwnProperty(context, prototype_name, prototype, kFixed).FromMaybe(false) ||
        !prototype.As<v8::Object>()
             ->Set(context, AsciiString(isolate, "constructor"), guard)
             .FromMaybe(false) ||
        !real->GetOwnPropertyNames(context).ToLocal(&names))
        return false;
    for (uint32_t i = 0; i < names->Length(); i++) {
        v8::Local<v8::Value> name, value;
        if (!names->Get(context, i).ToLocal(&name) || !real->Get(context, name).ToLocal(&value) ||
            !guard->Set(context, name, value).FromMaybe(false))
            return false;
    }
    return true;
}

// Setting a property that is there keeps its attributes.
bool GuardFunction(v8::Local<v8::Context> context, v8::Local<v8::Object> space,
                   const WasmFunction &function)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> name = AsciiString(isolate, function.name);
    v8::Local<v8::Value> value, length;
    v8::Local<v8::Function> guard;
    if (!space->Get(context, name).ToLocal(&value) || !value->IsFunction()) return false;
    v8::Local<v8::Function> real = value.As<v8::Function>();
    if (!real->Get(context, AsciiString(isolate, "length")).ToLocal(&length) ||
        !MakeGuard(context, strcmp(function.name, "instantiate") == 0 ? GuardInstantiate : Guard,
                   real, function.name, length.As<v8::Int32>()->Value(), function.constructs)
             .ToLocal(&guard))
        return false;
    return (!function.constructs || TakeOver(context, real, guard)) &&
           space->Set(context, name, guard).FromMaybe(false);
}

bool AddStreaming(v8::Local<v8::Context> context, v8::Local<v8::Object> space, const char *name,
                  const char *of_bytes)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> real;
    v8::Local<v8::Function> guard;
    return space->Get(context, AsciiString(isolate, of_bytes)).ToLocal(&real) &&
           MakeGuard(context, GuardStreaming, real, name, 1, false).ToLocal(&guard) &&
           space->Set(context, AsciiString(isolate, name), guard).FromMaybe(false);
}

bool GuardWebAssembly(v8::Local<v8::Context> context)
{
    v8::Local<v8::Value> space;
    if (!context->Global()
             ->Get(context, AsciiString(context->GetIsolate(), "WebAssembly"))
             .ToLocal(&space) ||
        !space->IsObject())
        return false;
    v8::Local<v8::Object> object = space.As<v8::Object>();
    context->SetEmbedderData(kRealFunctionsSlot, v8::Array::New(context->GetIsolate()));
    for (const WasmFunction &function : kFunctions)
        if (!GuardFunction(context, object, function)) return false;
    for (const auto &[name, of_bytes] : kStreaming)
        if (!AddStreaming(context, object, name, of_bytes)) return false;
    return true;
}

} // namespace

void AppendLateBuiltInReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(Guard));
    references->push_back(reinterpret_cast<intptr_t>(GuardInstantiate));
    references->push_back(reinterpret_cast<intptr_t>(GuardStreaming));
}

v8::MaybeLocal<v8::Context> NewContextToKeep(v8::Isolate *isolate, const snapcell_host *host)
{
    // With a callback, V8 adds functions of its own for streaming, which it cannot serialize.
    isolate->SetWasmStreamingCallback(nullptr);
    v8::Local<v8::Context> context;
    {
        SerializerFlag flag(isolate, false);
        context = NewPlainContext(isolate, host);
    }
    v8::Context::Scope entered(context);
    // Code that V8 compiles while it would not serialize could not be in a snapshot.
    if (!GuardWebAssembly(context) || !CaptureBuiltIns(context)) return {};
    return context;
}

v8::MaybeLocal<v8::Context> RestoreKeptContext(v8::Isolate *isolate)
{
    SerializerFlag flag(isolate, true);
    return v8::Context::New(isolate);
}

} // namespace snapcell
