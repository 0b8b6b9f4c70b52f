#include "evaluation.h"

#include <cstring>
#include <string>
#include <string_view>

#include "absent_names.h"
#include "builtin_imports.h"
#include "error_set.h"
#include "event_loop.h"
#include "host_functions.h"
#include "script_error.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

constexpr std::string_view kPreludeSpecifier = "snapcell:prelude";

v8::Local<v8::Module> PreludeModule(v8::Isolate *isolate)
{
    return IsolateState::From(isolate)->prelude.Get(isolate);
}

// Where in the bundle the module begins that is compiled next.
v8::Location Beginning(v8::Isolate *isolate)
{
    const size_t length = IsolateState::From(isolate)->bundle->prelude_length;
    v8::Local<v8::Module> prelude = PreludeModule(isolate);
    return prelude.IsEmpty() ? v8::Location(0, 0)
                             : prelude->SourceOffsetToLocation(static_cast<int>(length));
}

v8::ScriptOrigin Origin(v8::Isolate *isolate, bool is_module)
{
    const engine_bundle *bundle = IsolateState::From(isolate)->bundle;
    v8::Local<v8::String> name =
        v8::String::NewFromUtf8(isolate, bundle->file_name).FromMaybe(v8::String::Empty(isolate));
    v8::Location beginning = Beginning(isolate);
    return v8::ScriptOrigin(name, beginning.GetLineNumber(), beginning.GetColumnNumber(), false, -1,
                            v8::Local<v8::Value>(), false, false, is_module);
}

// Source takes ownership of the CachedData object, not of the bytes in it.
v8::ScriptCompiler::CachedData *CopyOf(const v8::ScriptCompiler::CachedData *cache)
{
    if (cache == nullptr) return nullptr;
    return new v8::ScriptCompiler::CachedData(cache->data, cache->length,
                                              v8::ScriptCompiler::CachedData::BufferNotOwned);
}

v8::ScriptCompiler::CompileOptions OptionsFor(const v8::ScriptCompiler::CachedData *cache)
{
    return cache != nullptr ? v8::ScriptCompiler::kConsumeCodeCache
                            : v8::ScriptCompiler::kNoCompileOptions;
}

v8::MaybeLocal<v8::Function> CompileCommonJs(v8::Local<v8::Context> context, BundleText *text,
                                             const v8::ScriptCompiler::CachedData *cache)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> source_text;
    if (!text->NewString(isolate).ToLocal(&source_text)) return {};
    v8::ScriptCompiler::Source source(source_text, Origin(isolate, false), CopyOf(cache));
    v8::Local<v8::String> parameters[] = {
        AsciiString(isolate, "exports"), AsciiString(isolate, "require"),
        AsciiString(isolate, "module"), AsciiString(isolate, "__filename"),
        AsciiString(isolate, "__dirname")};
    return v8::ScriptCompiler::CompileFunction(context, &source, 5, parameters, 0, nullptr,
                                               OptionsFor(cache));
}

v8::MaybeLocal<v8::Module> CompileEsModule(v8::Isolate *isolate, BundleText *text,
                                           const v8::ScriptCompiler::CachedData *cache,
                                           v8::ScriptCompiler::CompileOptions options)
{
    v8::Local<v8::String> source_text;
    if (!text->NewString(isolate).ToLocal(&source_text)) return {};
    v8::ScriptCompiler::Source source(source_text, Origin(isolate, true), CopyOf(cache));
    return v8::ScriptCompiler::CompileModule(isolate, &source, options);
}

bool IsResolved(v8::Isolate *isolate, std::string_view specifier)
{
    return IsBuiltinImport(specifier) ||
           (specifier == kPreludeSpecifier && !PreludeModule(isolate).IsEmpty());
}

// What a module imports must be there: the bundler was to resolve all that the engine does not
// have.
int RefuseImports(v8::Local<v8::Context> context, v8::Local<v8::Module> module, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::FixedArray> requests = module->GetModuleRequests();
    for (int i = 0; i < requests->Length(); i++) {
        v8::Local<v8::ModuleRequest> request = requests->Get(context, i).As<v8::ModuleRequest>();
        v8::String::Utf8Value specifier(isolate, request->GetSpecifier());
        if (*specifier != nullptr && IsResolved(isolate, *specifier)) continue;
        v8::Location place = module->SourceOffsetToLocation(request->GetSourceOffset());
        int status = error_set(err, SNAPCELL_E_SCRIPT, "%s",
                               UnresolvedMessage("import", *specifier ? *specifier : "?").c_str());
        const engine_bundle *bundle = IsolateState::From(isolate)->bundle;
        SetPlace(*bundle, bundle->file_name, static_cast<uint32_t>(place.GetLineNumber()) + 1,
                 static_cast<uint32_t>(place.GetColumnNumber()) + 1, err);
        return status;
    }
    return SNAPCELL_OK;
}

// Called for what IsResolved() alone: a module with others was refused before.
v8::MaybeLocal<v8::Module> ResolveImport(v8::Local<v8::Context> context,
                                         v8::Local<v8::String> specifier, v8::Local<v8::FixedArray>,
                                         v8::Local<v8::Module>)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::String::Utf8Value name(isolate, specifier);
    v8::Local<v8::Module> module;
    if (*name != nullptr && *name == kPreludeSpecifier) return PreludeModule(isolate);
    if (*name == nullptr || !NewBuiltinImport(context, *name).ToLocal(&module)) return {};
    IsolateState::From(isolate)->imports.emplace_back(isolate, module);
    return module;
}

int EvaluateModule(v8::Local<v8::Context> context, BundleText *text,
                   const v8::ScriptCompiler::CachedData *cache,
                   v8::ScriptCompiler::CompileOptions options, v8::Local<v8::Promise> *promise,
                   v8::Local<v8::Module> *out, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Module> module;
    v8::Local<v8::Value> result;
    if (!CompileEsModule(isolate, text, cache, options).ToLocal(&module))
        return ReportCaught(isolate, caught, "", err);
    int status = RefuseImports(context, module, err);
    if (status != SNAPCELL_OK) return status;
    if (module->InstantiateModule(context, ResolveImport).IsNothing() ||
        !module->Evaluate(context).ToLocal(&result))
        return ReportCaught(isolate, caught, "", err);
    *promise = result.As<v8::Promise>();
    *out = module;
    return SNAPCELL_OK;
}

// What the top level threw.
int ReportRejected(v8::Isolate *isolate, v8::Local<v8::Promise> promise, snapcell_error *err)
{
    if (promise->State() != v8::Promise::kRejected) return SNAPCELL_OK;
    promise->MarkAsHandled();
    IsolateState::From(isolate)->unhandled_rejections.clear();
    return ReportValue(isolate, promise->Result(), "", err);
}

int EvaluateEsModule(v8::Local<v8::Context> context, BundleText *text,
                     const v8::ScriptCompiler::CachedData *cache, Evaluation *out,
                     snapcell_error *err)
{
    v8::TryCatch caught(context->GetIsolate());
    v8::Local<v8::Promise> promise;
    int status =
        EvaluateModule(context, text, cache, OptionsFor(cache), &promise, &out->module, err);
    if (status == SNAPCELL_OK) status = RunUntilSettled(context, promise, err);
    if (status == SNAPCELL_OK) status = ReportRejected(context->GetIsolate(), promise, err);
    if (status != SNAPCELL_OK) return status;
    out->exports = out->module->GetModuleNamespace();
    return SNAPCELL_OK;
}

// `require` of a CommonJS bundle: what is still required was not bundled.
void RequireImport(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::String::Utf8Value specifier(isolate, info[0]);
    const char *name = *specifier != nullptr ? *specifier : "?";
    if (IsBuiltinImport(name)) {
        v8::Local<v8::Value> exports;
        if (RequireBuiltinImport(isolate->GetCurrentContext(), name).ToLocal(&exports))
            info.GetReturnValue().Set(exports);
        return;
    }
    std::string message = UnresolvedMessage("require", name);
    v8::Local<v8::String> text;
    if (v8::String::NewFromUtf8(isolate, message.c_str()).ToLocal(&text)) isolate->ThrowError(text);
}

int EvaluateCommonJs(v8::Local<v8::Context> context, BundleText *text,
                     const v8::ScriptCompiler::CachedData *cache, Evaluation *out,
                     snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Function> function, require;
    v8::Local<v8::Object> module = v8::Object::New(isolate);
    v8::Local<v8::Object> exports = v8::Object::New(isolate);
    v8::Local<v8::String> key = AsciiString(isolate, "exports");
    v8::Local<v8::Value> name = Origin(isolate, false).ResourceName();
    if (!CompileCommonJs(context, text, cache).ToLocal(&function) ||
        !v8::Function::New(context, RequireImport).ToLocal(&require) ||
        module->Set(context, key, exports).IsNothing())
        return ReportCaught(isolate, caught, "", err);
    v8::Local<v8::Value> arguments[] = {exports, require, module, name, AsciiString(isolate, "/")};
    if (function->Call(context, exports, 5, arguments).IsEmpty() ||
        !module->Get(context, key).ToLocal(&out->exports))
        return ReportCaught(isolate, caught, "", err);
    out->function = function;
    return SNAPCELL_OK;
}

int EvaluateScript(v8::Local<v8::Context> context, BundleText *text,
                   const v8::ScriptCompiler::CachedData *cache, Evaluation *out,
                   snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> source_text;
    v8::Local<v8::UnboundScript> script;
    if (!text->NewString(isolate).ToLocal(&source_text))
        return ReportCaught(isolate, caught, "", err);
    v8::ScriptCompiler::Source source(source_text, Origin(isolate, false), CopyOf(cache));
    if (!v8::ScriptCompiler::CompileUnboundScript(isolate, &source, OptionsFor(cache))
             .ToLocal(&script) ||
        script->BindToCurrentContext()->Run(context).IsEmpty())
        return ReportCaught(isolate, caught, "", err);
    out->exports = v8::Undefined(isolate);
    out->script = script;
    return SNAPCELL_OK;
}

const char *FormatName(engine_format format)
{
    switch (format) {
    case ENGINE_FORMAT_ESM:
        return "esm";
    case ENGINE_FORMAT_COMMONJS:
        return "commonjs";
    default:
        return "script";
    }
}

// As "GET,POST"; empty for what exports nothing.
std::string NamesOf(v8::Local<v8::Context> context, v8::Local<v8::Value> exports)
{
    v8::TryCatch ignore(context->GetIsolate());
    v8::Local<v8::Array> names;
    if (!exports->IsObject() ||
        !exports.As<v8::Object>()->GetOwnPropertyNames(context).ToLocal(&names))
        return "";
    v8::String::Utf8Value text(context->GetIsolate(), names);
    return *text != nullptr ? *text : "";
}

int ReportNoHandler(v8::Local<v8::Context> context, engine_format format,
                    v8::Local<v8::Value> exports, snapcell_error *err)
{
    if (format == ENGINE_FORMAT_SCRIPT)
        return error_set(err, SNAPCELL_E_NO_HANDLER,
                         "no handler: a script must call `addEventListener(\"fetch\", ...)` or set "
                         "`globalThis.handler`; what it exports is lost in it: bundle that as a "
                         "module (esbuild: --format=esm)");
    std::string names = NamesOf(context, exports);
    return error_set(
        err, SNAPCELL_E_NO_HANDLER,
        "no handler: expected `export default { fetch }`, an exported `handler`, "
        "`module.exports`, a fetch listener or `globalThis.handler`; a class is a handler when it "
        "has a method `fetch`; it exports %.300s",
        names.empty() ? "nothing" : names.c_str());
}

// The only RangeError of a parser.
bool RanOutOfStack(v8::Isolate *isolate, const v8::TryCatch &caught)
{
    if (!caught.HasCaught()) return false;
    v8::String::Utf8Value text(isolate, caught.Exception());
    return *text != nullptr && strncmp(*text, "RangeError", strlen("RangeError")) == 0;
}

} // namespace

void AppendEvaluationReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(RequireImport));
    AppendImportReferences(references);
}

v8::Local<v8::Context> NewPlainContext(v8::Isolate *isolate, const snapcell_host *host)
{
    v8::Local<v8::ObjectTemplate> global = v8::ObjectTemplate::New(isolate);
    AddWebGlobals(isolate, global);
    AddHostFunctions(isolate, global, host);
    v8::Local<v8::Context> context = v8::Context::New(isolate, nullptr, global);
    ReplaceBuiltInConsole(context);
    AddByteMethods(context);
    return context;
}

v8::Local<v8::Context> NewContext(v8::Isolate *isolate, const snapcell_host *host)
{
    v8::Local<v8::Context> context = NewPlainContext(isolate, host);
    AddWasmInstantiate(context);
    CaptureBuiltIns(context);
    return context;
}

int DetectFormat(v8::Local<v8::Context> context, BundleText *text, engine_format *out,
                 snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::HandleScope scope(isolate);
    v8::TryCatch as_commonjs(isolate);
    if (!CompileCommonJs(context, text, nullptr).IsEmpty()) {
        *out = ENGINE_FORMAT_COMMONJS;
        return SNAPCELL_OK;
    }
    v8::TryCatch as_module(isolate);
    if (!CompileEsModule(isolate, text, nullptr, v8::ScriptCompiler::kNoCompileOptions).IsEmpty()) {
        *out = ENGINE_FORMAT_ESM;
        return SNAPCELL_OK;
    }
    for (const v8::TryCatch *caught : {&as_module, &as_commonjs})
        if (RanOutOfStack(isolate, *caught))
            return ReportCaught(isolate, *caught, "code is nested too deeply: ", err);
    // Neither: the parse that got further knows better what the author meant.
    bool module_got_further = false;
    if (as_module.HasCaught() && as_commonjs.HasCaught())
        module_got_further =
            as_module.Message()->GetStartPosition() >= as_commonjs.Message()->GetStartPosition();
    return ReportCaught(isolate, module_got_further ? as_module : as_commonjs, "", err);
}

int EvaluatePrelude(v8::Local<v8::Context> context, BundleText *text, bool eager,
                    snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Promise> promise;
    v8::Local<v8::Module> module;
    int status = EvaluateModule(context, text, nullptr,
                                eager ? v8::ScriptCompiler::kEagerCompile
                                      : v8::ScriptCompiler::kNoCompileOptions,
                                &promise, &module, err);
    if (status == SNAPCELL_OK && promise->State() == v8::Promise::kPending)
        status = RunUntilSettled(context, promise, err);
    if (status == SNAPCELL_OK) status = ReportRejected(isolate, promise, err);
    if (status == SNAPCELL_OK) IsolateState::From(isolate)->prelude.Reset(isolate, module);
    return status;
}

int EvaluateBundle(v8::Local<v8::Context> context, BundleText *text, engine_format format,
                   const v8::ScriptCompiler::CachedData *cache, Evaluation *out,
                   snapcell_error *err)
{
    switch (format) {
    case ENGINE_FORMAT_ESM:
        return EvaluateEsModule(context, text, cache, out, err);
    case ENGINE_FORMAT_COMMONJS:
        return EvaluateCommonJs(context, text, cache, out, err);
    case ENGINE_FORMAT_SCRIPT:
        return EvaluateScript(context, text, cache, out, err);
    case ENGINE_FORMAT_AUTO:
        break;
    }
    return error_set(err, SNAPCELL_E_USAGE, "the bundle's format must be known here");
}

namespace
{

bool IsTrue(v8::Local<v8::Context> context, v8::Local<v8::Object> object, const char *name)
{
    v8::Local<v8::Value> value;
    return object->Get(context, AsciiString(context->GetIsolate(), name)).ToLocal(&value) &&
           value->IsTrue();
}

} // namespace

int SelectHandler(v8::Local<v8::Context> context, engine_format format,
                  v8::Local<v8::Value> exports, snapcell_handler_shape wanted, Handler *out,
                  snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Object> dispatch;
    v8::Local<v8::Value> select, selected, shape, entry;
    v8::Local<v8::Value> arguments[] = {AsciiString(isolate, FormatName(format)), exports,
                                        v8::Integer::New(isolate, wanted)};
    if (!RequireWebModule(context, "dispatch").ToLocal(&dispatch) ||
        !dispatch->Get(context, AsciiString(isolate, "select")).ToLocal(&select) ||
        !select->IsFunction() ||
        !select.As<v8::Function>()->Call(context, dispatch, 3, arguments).ToLocal(&selected))
        return ReportCaught(isolate, caught, "", err);
    if (!selected->IsObject()) return ReportNoHandler(context, format, exports, err);
    v8::Local<v8::Object> found = selected.As<v8::Object>();
    if (!found->Get(context, AsciiString(isolate, "shape")).ToLocal(&shape) ||
        !found->Get(context, AsciiString(isolate, "entry")).ToLocal(&entry))
        return ReportCaught(isolate, caught, "", err);
    if (!shape->IsInt32() || !entry->IsFunction())
        return error_set(err, SNAPCELL_E_INTERNAL, "the dispatcher gave no entry");
    out->shape = static_cast<snapcell_handler_shape>(shape.As<v8::Int32>()->Value());
    out->entry = entry.As<v8::Function>();
    if (IsTrue(context, found, "isDoubtful"))
        IsolateState::From(isolate)->warnings.emplace_back(
            "the exported function is called with an event and returns JSON; if it takes a "
            "Request, "
            "compile it with `--shape fetch`");
    return SNAPCELL_OK;
}

} // namespace snapcell
