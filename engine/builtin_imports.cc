#include "builtin_imports.h"

#include "web_modules.h"

namespace snapcell
{
namespace
{

struct BuiltinImport {
    std::string_view specifier;
    const char *web_module;
    v8::Module::SyntheticModuleEvaluationSteps evaluate;
};

// Calls `take(name, value)` for each of what a module exports; ends at one that gives Nothing.
template <typename Take>
v8::Maybe<bool> EachExport(v8::Local<v8::Context> context, v8::Local<v8::Object> exports, Take take)
{
    v8::Local<v8::Array> names;
    if (!exports->GetOwnPropertyNames(context).ToLocal(&names)) return v8::Nothing<bool>();
    for (uint32_t i = 0; i < names->Length(); i++) {
        v8::Local<v8::Value> name, value;
        if (!names->Get(context, i).ToLocal(&name) ||
            !exports->Get(context, name).ToLocal(&value) ||
            take(name.As<v8::String>(), value).IsNothing())
            return v8::Nothing<bool>();
    }
    return v8::Just(true);
}

// Gives a module what its built-in module exports, and all of it as its default.
v8::MaybeLocal<v8::Value> Fill(v8::Local<v8::Context> context, v8::Local<v8::Module> module,
                               const char *web_module)
{
    v8::Isolate *isolate = context->GetIsolate();
    const auto give = [=](v8::Local<v8::String> name, v8::Local<v8::Value> value) {
        return module->SetSyntheticModuleExport(isolate, name, value);
    };
    v8::Local<v8::Object> exports;
    if (!RequireWebModule(context, web_module).ToLocal(&exports) ||
        give(AsciiString(isolate, "default"), exports).IsNothing() ||
        EachExport(context, exports, give).IsNothing())
        return {};
    v8::Local<v8::Promise::Resolver> done;
    if (!v8::Promise::Resolver::New(context).ToLocal(&done) ||
        done->Resolve(context, v8::Undefined(isolate)).IsNothing())
        return {};
    return done->GetPromise();
}

v8::MaybeLocal<v8::Value> FillAsyncHooks(v8::Local<v8::Context> context,
                                         v8::Local<v8::Module> module)
{
    return Fill(context, module, "async_hooks");
}

v8::MaybeLocal<v8::Value> FillWorkers(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    return Fill(context, module, "workers");
}

v8::MaybeLocal<v8::Value> FillNodeSupport(v8::Local<v8::Context> context,
                                          v8::Local<v8::Module> module)
{
    return Fill(context, module, "node_support");
}

constexpr BuiltinImport kImports[] = {
    {"node:async_hooks", "async_hooks", FillAsyncHooks},
    {"async_hooks", "async_hooks", FillAsyncHooks},
    {"cloudflare:workers", "workers", FillWorkers},
    {"snapcell:node", "node_support", FillNodeSupport},
};

// What a namespace object has, in an ordinary object.
v8::MaybeLocal<v8::Object> CopyExports(v8::Local<v8::Context> context,
                                       v8::Local<v8::Object> exports)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> copy = v8::Object::New(isolate, v8::Null(isolate), nullptr, nullptr, 0);
    const auto add = [=](v8::Local<v8::String> name, v8::Local<v8::Value> value) {
        return copy->CreateDataProperty(context, name, value);
    };
    if (copy->DefineOwnProperty(context, v8::Symbol::GetToStringTag(isolate),
                                AsciiString(isolate, "Module"), v8::DontEnum)
            .IsNothing() ||
        EachExport(context, exports, add).IsNothing())
        return {};
    return copy;
}

const BuiltinImport *Find(std::string_view specifier)
{
    for (const BuiltinImport &import : kImports)
        if (import.specifier == specifier) return &import;
    return nullptr;
}

} // namespace

void AppendImportReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(FillAsyncHooks));
    references->push_back(reinterpret_cast<intptr_t>(FillWorkers));
    references->push_back(reinterpret_cast<intptr_t>(FillNodeSupport));
}

bool IsBuiltinImport(std::string_view specifier)
{
    return Find(specifier) != nullptr;
}

v8::MaybeLocal<v8::Value> RequireBuiltinImport(v8::Local<v8::Context> context,
                                               std::string_view specifier)
{
    v8::Local<v8::Object> exports;
    if (!RequireWebModule(context, Find(specifier)->web_module).ToLocal(&exports)) return {};
    return exports;
}

v8::MaybeLocal<v8::Module> NewBuiltinImport(v8::Local<v8::Context> context,
                                            std::string_view specifier)
{
    v8::Isolate *isolate = context->GetIsolate();
    const BuiltinImport *import = Find(specifier);
    std::vector<v8::Local<v8::String>> names = {AsciiString(isolate, "default")};
    const auto note = [&](v8::Local<v8::String> name, v8::Local<v8::Value>) {
        names.push_back(name);
        return v8::Just(true);
    };
    v8::Local<v8::Object> exports;
    if (!RequireWebModule(context, import->web_module).ToLocal(&exports) ||
        EachExport(context, exports, note).IsNothing())
        return {};
    return v8::Module::CreateSyntheticModule(
        isolate, AsciiString(isolate, import->specifier.data()),
        v8::MemorySpan<const v8::Local<v8::String>>(names.data(), names.size()), import->evaluate);
}

v8::MaybeLocal<v8::Promise> ImportBuiltin(v8::Local<v8::Context> context,
                                          std::string_view specifier)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> exports, names;
    v8::Local<v8::Promise::Resolver> resolver;
    if (!RequireWebModule(context, Find(specifier)->web_module).ToLocal(&exports) ||
        !CopyExports(context, exports).ToLocal(&names) ||
        names->CreateDataProperty(context, AsciiString(isolate, "default"), exports).IsNothing() ||
        names->SetIntegrityLevel(context, v8::IntegrityLevel::kSealed).IsNothing() ||
        !v8::Promise::Resolver::New(context).ToLocal(&resolver) ||
        resolver->Resolve(context, names).IsNothing())
        return {};
    return resolver->GetPromise();
}

} // namespace snapcell
