#include "web_modules.h"

#include <cstring>
#include <deque>

#include "bundle_text.h"
#include "web/web.h"

namespace snapcell
{
namespace
{

// Slots of the context's embedder data; V8 keeps slot 0 for itself, web.h has slot 4, and
// late_builtins.cc slot 5.
constexpr int kModuleCacheSlot =
    1;                          // an array: the exports of each evaluated module, by module number
constexpr int kNativeSlot = 2;  // the `native` object
constexpr int kRequireSlot = 3; // the `require` function
constexpr int kCapturedSlot =
    6; // an array: the built-ins as they were before any code of the function ran
constexpr char kPristineModule[] = "pristine"; // what makes functions of them for the others

// The modules' texts as V8 wants them; addresses are in the external reference table.
std::deque<StaticText> &ModuleTexts()
{
    static std::deque<StaticText> *texts = [] {
        auto *made = new std::deque<StaticText>;
        for (const WebModule &module : WebModules())
            made->emplace_back(module.source, module.size);
        return made;
    }();
    return *texts;
}

int FindModule(const char *name)
{
    std::span<const WebModule> modules = WebModules();
    for (size_t i = 0; i < modules.size(); i++)
        if (strcmp(modules[i].name, name) == 0) return static_cast<int>(i);
    return -1;
}

void GetNative(v8::Local<v8::Name>, const v8::PropertyCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    const WebNative &native = WebNatives()[info.Data().As<v8::Uint32>()->Value()];
    v8::Local<v8::Function> function;
    if (v8::Function::New(isolate->GetCurrentContext(), native.callback, v8::Local<v8::Value>(), 0,
                          v8::ConstructorBehavior::kThrow)
            .ToLocal(&function))
        info.GetReturnValue().Set(function);
}

v8::MaybeLocal<v8::Object> NativeObject(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> known = context->GetEmbedderData(kNativeSlot);
    if (known->IsObject()) return known.As<v8::Object>();
    v8::Local<v8::ObjectTemplate> shape = v8::ObjectTemplate::New(isolate);
    uint32_t index = 0;
    for (const WebNative &native : WebNatives())
        shape->SetLazyDataProperty(AsciiString(isolate, native.name), GetNative,
                                   v8::Integer::NewFromUnsigned(isolate, index++));
    v8::Local<v8::Object> object;
    if (!shape->NewInstance(context).ToLocal(&object)) return {};
    context->SetEmbedderData(kNativeSlot, object);
    return object;
}

v8::Local<v8::Array> ModuleCache(v8::Local<v8::Context> context)
{
    v8::Local<v8::Value> known = context->GetEmbedderData(kModuleCacheSlot);
    if (known->IsArray()) return known.As<v8::Array>();
    // Without holes, in which properties of Object.prototype would be seen.
    std::vector<v8::Local<v8::Value>> none(WebModules().size(),
                                           v8::Undefined(context->GetIsolate()));
    v8::Local<v8::Array> cache = v8::Array::New(context->GetIsolate(), none.data(), none.size());
    context->SetEmbedderData(kModuleCacheSlot, cache);
    return cache;
}

v8::MaybeLocal<v8::Object> RequireNumber(v8::Local<v8::Context> context, uint32_t number);

void LoadModule(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Local<v8::Object> exports;
    if (RequireNumber(info.GetIsolate()->GetCurrentContext(), info[0].As<v8::Uint32>()->Value())
            .ToLocal(&exports))
        info.GetReturnValue().Set(exports);
}

// What modules get as `require`. Each request comes by it several times: only what was not
// evaluated yet is a call of the engine's.
v8::MaybeLocal<v8::Function> RequireFunction(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> known = context->GetEmbedderData(kRequireSlot);
    if (known->IsFunction()) return known.As<v8::Function>();
    v8::ScriptOrigin origin(AsciiString(isolate, "snapcell:require"));
    v8::ScriptCompiler::Source source(
        AsciiString(isolate, "return number => modules[number] ?? load(number);"), origin);
    v8::Local<v8::String> parameters[] = {AsciiString(isolate, "modules"),
                                          AsciiString(isolate, "load")};
    v8::Local<v8::Function> load, make;
    v8::Local<v8::Value> function;
    if (!v8::Function::New(context, LoadModule, v8::Local<v8::Value>(), 1,
                           v8::ConstructorBehavior::kThrow)
             .ToLocal(&load) ||
        !v8::ScriptCompiler::CompileFunction(context, &source, 2, parameters).ToLocal(&make))
        return {};
    v8::Local<v8::Value> arguments[] = {ModuleCache(context), load};
    if (!make->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&function)) return {};
    context->SetEmbedderData(kRequireSlot, function);
    return function.As<v8::Function>();
}

v8::MaybeLocal<v8::Function> CompileModule(v8::Local<v8::Context> context, uint32_t number)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> source;
    if (!v8::String::NewExternalOneByte(isolate, &ModuleTexts()[number]).ToLocal(&source))
        return {};
    v8::ScriptOrigin origin(v8::String::Concat(isolate, AsciiString(isolate, "snapcell:"),
                                               AsciiString(isolate, WebModules()[number].name)));
    v8::ScriptCompiler::Source script(source, origin);
    v8::Local<v8::String> parameters[] = {
        AsciiString(isolate, "module"), AsciiString(isolate, "exports"),
        AsciiString(isolate, "require"), AsciiString(isolate, "native"),
        AsciiString(isolate, "$$pristine")};
    return v8::ScriptCompiler::CompileFunction(context, &script, 5, parameters);
}

// What a module gets: the functions that the module "pristine" made, or for that one the built-ins.
v8::MaybeLocal<v8::Value> PristineFor(v8::Local<v8::Context> context, uint32_t number)
{
    int pristine = FindModule(kPristineModule);
    if (static_cast<int>(number) == pristine) return context->GetEmbedderData(kCapturedSlot);
    v8::Local<v8::Object> exports;
    if (!RequireNumber(context, static_cast<uint32_t>(pristine)).ToLocal(&exports)) return {};
    return exports;
}

// An object that has nothing but its own properties.
v8::Local<v8::Object> BareObject(v8::Isolate *isolate)
{
    return v8::Object::New(isolate, v8::Null(isolate), nullptr, nullptr, 0);
}

v8::MaybeLocal<v8::Object> EvaluateModule(v8::Local<v8::Context> context, uint32_t number)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> exports_key = AsciiString(isolate, "exports");
    v8::Local<v8::Object> module = BareObject(isolate);
    v8::Local<v8::Object> exports = BareObject(isolate);
    v8::Local<v8::Array> cache = ModuleCache(context);
    v8::Local<v8::Function> function, require;
    v8::Local<v8::Object> native;
    v8::Local<v8::Value> pristine, result;
    // In the cache before it is evaluated, so that modules may require each other.
    if (module->Set(context, exports_key, exports).IsNothing() ||
        cache->Set(context, number, exports).IsNothing() ||
        !CompileModule(context, number).ToLocal(&function) ||
        !RequireFunction(context).ToLocal(&require) || !NativeObject(context).ToLocal(&native) ||
        !PristineFor(context, number).ToLocal(&pristine))
        return {};
    v8::Local<v8::Value> arguments[] = {module, exports, require, native, pristine};
    if (function->Call(context, v8::Undefined(isolate), 5, arguments).IsEmpty()) {
        (void)cache->Set(context, number, v8::Undefined(isolate)).IsNothing();
        return {};
    }
    if (!module->Get(context, exports_key).ToLocal(&result) || !result->IsObject()) return {};
    if (cache->Set(context, number, result).IsNothing()) return {};
    return result.As<v8::Object>();
}

v8::MaybeLocal<v8::Object> RequireNumber(v8::Local<v8::Context> context, uint32_t number)
{
    v8::Local<v8::Value> known;
    if (!ModuleCache(context)->Get(context, number).ToLocal(&known)) return {};
    if (known->IsObject()) return known.As<v8::Object>();
    return EvaluateModule(context, number);
}

// Web IDL makes functions and attributes of the global object enumerable, classes and namespaces
// not.
v8::PropertyAttribute AttributesOf(const char *name)
{
    bool is_class = name[0] >= 'A' && name[0] <= 'Z';
    return is_class || strcmp(name, "console") == 0 ? v8::DontEnum : v8::None;
}

// The getter of every lazy global: V8 replaces the property by what it returns.
void GetWebGlobal(v8::Local<v8::Name>, const v8::PropertyCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    const WebGlobal &global = WebGlobals()[info.Data().As<v8::Uint32>()->Value()];
    v8::Local<v8::Object> exports;
    if (!RequireNumber(context, global.module).ToLocal(&exports)) return;
    if (global.export_name[0] == '\0') {
        info.GetReturnValue().Set(exports);
        return;
    }
    v8::Local<v8::Value> value;
    if (exports->Get(context, AsciiString(isolate, global.export_name)).ToLocal(&value))
        info.GetReturnValue().Set(value);
}

} // namespace

v8::Local<v8::String> AsciiString(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t *>(text),
                                      v8::NewStringType::kInternalized)
        .ToLocalChecked();
}

void GiveFunction(v8::Local<v8::Name> name, v8::FunctionCallback callback, int length,
                  const v8::PropertyCallbackInfo<v8::Value> &info)
{
    v8::Local<v8::Function> function;
    if (!v8::Function::New(info.GetIsolate()->GetCurrentContext(), callback, info.Data(), length,
                           v8::ConstructorBehavior::kThrow)
             .ToLocal(&function))
        return;
    function->SetName(name.As<v8::String>());
    info.GetReturnValue().Set(function);
}

void AppendWebReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(GetWebGlobal));
    references->push_back(reinterpret_cast<intptr_t>(GetNative));
    references->push_back(reinterpret_cast<intptr_t>(LoadModule));
    for (const WebNative &native : WebNatives())
        references->push_back(reinterpret_cast<intptr_t>(native.callback));
    for (const StaticText &text : ModuleTexts())
        references->push_back(reinterpret_cast<intptr_t>(
            static_cast<const v8::String::ExternalOneByteStringResource *>(&text)));
}

void AddWebGlobals(v8::Isolate *isolate, v8::Local<v8::ObjectTemplate> global)
{
    uint32_t index = 0;
    for (const WebGlobal &web_global : WebGlobals())
        global->SetLazyDataProperty(AsciiString(isolate, web_global.name), GetWebGlobal,
                                    v8::Integer::NewFromUnsigned(isolate, index++),
                                    AttributesOf(web_global.name));
}

bool ReplaceBuiltInConsole(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> global = context->Global();
    v8::Local<v8::String> name = AsciiString(isolate, "console");
    uint32_t index = 0;
    while (index < WebGlobals().size() && strcmp(WebGlobals()[index].name, "console") != 0)
        index++;
    return global->Delete(context, name).FromMaybe(false) &&
           global
               ->SetLazyDataProperty(context, name, GetWebGlobal,
                                     v8::Integer::NewFromUnsigned(isolate, index), v8::DontEnum)
               .FromMaybe(false);
}

bool CaptureBuiltIns(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Context::Scope entered(context);
    std::string_view expression = WebCapture();
    v8::Local<v8::String> text;
    v8::Local<v8::Script> script;
    v8::Local<v8::Value> captured;
    if (!v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t *>(expression.data()),
                                    v8::NewStringType::kNormal, static_cast<int>(expression.size()))
             .ToLocal(&text) ||
        !v8::Script::Compile(context, text).ToLocal(&script) ||
        !script->Run(context).ToLocal(&captured))
        return false;
    context->SetEmbedderData(kCapturedSlot, captured);
    return true;
}

v8::MaybeLocal<v8::Object> RequireWebModule(v8::Local<v8::Context> context, const char *name)
{
    int number = FindModule(name);
    if (number < 0) return {};
    return RequireNumber(context, static_cast<uint32_t>(number));
}

v8::MaybeLocal<v8::Object> EvaluatedWebModule(v8::Local<v8::Context> context, const char *name)
{
    int number = FindModule(name);
    v8::Local<v8::Value> exports;
    if (number < 0 ||
        !ModuleCache(context)->Get(context, static_cast<uint32_t>(number)).ToLocal(&exports) ||
        !exports->IsObject())
        return {};
    return exports.As<v8::Object>();
}

std::string EvaluatedWebModules(v8::Local<v8::Context> context)
{
    std::string names;
    v8::Local<v8::Array> cache = ModuleCache(context);
    for (uint32_t i = 0; i < WebModules().size(); i++) {
        v8::Local<v8::Value> exports;
        // The one that all others use says nothing of a function.
        if (strcmp(WebModules()[i].name, kPristineModule) == 0) continue;
        if (!cache->Get(context, i).ToLocal(&exports) || !exports->IsObject()) continue;
        if (!names.empty()) names += ' ';
        names += WebModules()[i].name;
    }
    return names;
}

} // namespace snapcell
