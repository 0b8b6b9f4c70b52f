#include "late_builtins.h"

#include "isolate_state.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

constexpr const char *kFunctions[] = {"Module",
                                      "Instance",
                                      "Memory",
                                      "Table",
                                      "Global",
                                      "Tag",
                                      "compile",
                                      "validate",
                                      "compileStreaming",
                                      "instantiate",
                                      "instantiateStreaming"};

// The real function of the same name, which V8 has put on the global object by run time.
v8::MaybeLocal<v8::Function> RealFunction(v8::Local<v8::Context> context, v8::Local<v8::Value> name)
{
    v8::Local<v8::Value> space, function;
    if (!context->Global()
             ->Get(context, AsciiString(context->GetIsolate(), "WebAssembly"))
             .ToLocal(&space) ||
        !space->IsObject() || !space.As<v8::Object>()->Get(context, name).ToLocal(&function) ||
        !function->IsFunction())
        return {};
    return function.As<v8::Function>();
}

void Guard(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Function> real;
    v8::Local<v8::Value> result;
    if (state->phase != Phase::kRun) {
        state->RefuseSnapshot(isolate, SNAPCELL_NOTE_OBJECT, "WebAssembly was used at build time");
        isolate->ThrowError(AsciiString(isolate, "WebAssembly cannot be part of a snapshot"));
        return;
    }
    if (!RealFunction(context, info.Data()).ToLocal(&real)) return;
    std::vector<v8::Local<v8::Value>> arguments;
    for (int i = 0; i < info.Length(); i++)
        arguments.push_back(info[i]);
    int count = static_cast<int>(arguments.size());
    v8::MaybeLocal<v8::Value> outcome;
    if (info.IsConstructCall()) {
        v8::Local<v8::Object> made;
        if (real->NewInstance(context, count, arguments.data()).ToLocal(&made)) outcome = made;
    } else {
        outcome = real->Call(context, v8::Undefined(isolate), count, arguments.data());
    }
    if (outcome.ToLocal(&result)) info.GetReturnValue().Set(result);
}

// V8's own default.
constexpr int kStackTraceLimit = 10;

bool AddWebAssembly(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> space = v8::Object::New(isolate);
    for (const char *name : kFunctions) {
        v8::Local<v8::String> key = AsciiString(isolate, name);
        v8::Local<v8::Function> function;
        if (!v8::Function::New(context, Guard, key).ToLocal(&function) ||
            space->Set(context, key, function).IsNothing())
            return false;
    }
    return context->Global()
        ->DefineOwnProperty(context, AsciiString(isolate, "WebAssembly"), space, v8::DontEnum)
        .FromMaybe(false);
}

v8::MaybeLocal<v8::Object> ErrorConstructor(v8::Local<v8::Context> context)
{
    v8::Local<v8::Value> error;
    v8::Local<v8::String> name = AsciiString(context->GetIsolate(), "Error");
    if (!context->Global()->Get(context, name).ToLocal(&error) || !error->IsObject()) return {};
    return error.As<v8::Object>();
}

} // namespace

void AppendLateBuiltInReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(Guard));
}

bool AddLateBuiltIns(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> error;
    return AddWebAssembly(context) && ErrorConstructor(context).ToLocal(&error) &&
           error
               ->Set(context, AsciiString(isolate, "stackTraceLimit"),
                     v8::Integer::New(isolate, kStackTraceLimit))
               .FromMaybe(false);
}

bool RemoveLateBuiltIns(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> error;
    return context->Global()
               ->Delete(context, AsciiString(isolate, "WebAssembly"))
               .FromMaybe(false) &&
           ErrorConstructor(context).ToLocal(&error) &&
           error->Delete(context, AsciiString(isolate, "stackTraceLimit")).FromMaybe(false);
}

} // namespace snapcell
