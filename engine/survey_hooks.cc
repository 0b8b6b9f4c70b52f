#include "survey_hooks.h"

#include "isolate_state.h"
#include "survey.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// Proxies, since they are what they stand for in every other way. Notes are taken after the call,
// while the bundle's frame is still on the stack.
constexpr char kHooks[] = R"js((use, mark, hold) => {
    "use strict";
    const { apply, construct, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
    const then = Promise.prototype.then;
    const CLOCK = 3, RANDOM = 2;
    const isObject = value =>
        (typeof value === "object" && value !== null) || typeof value === "function";

    function watch(holder, name, called, constructed) {
        const described = holder && getOwnPropertyDescriptor(holder, name);
        if (typeof described?.value !== "function") return;
        const real = described.value;
        const proxy = new Proxy(real, {
            apply(target, self, list) {
                const result = apply(target, self, list);
                called(result, list);
                return result;
            },
            construct(target, list, type) {
                const made = construct(target, list, type === proxy ? target : type);
                constructed(made, list);
                return made;
            },
        });
        if (real.prototype?.constructor === real) {
            const constructor = getOwnPropertyDescriptor(real.prototype, "constructor");
            if (constructor.writable) real.prototype.constructor = proxy;
        }
        defineProperty(holder, name, { ...described, value: proxy });
    }

    function watchMaker(holder, name, label, mayBeKept = () => false) {
        const made = (object, list) => {
            if (mayBeKept(list)) return;
            const number = mark(label);
            if (!isObject(object)) return;
            if (!(object instanceof Promise)) return hold(number, object);
            apply(then, object, [
                value => {
                    const inside = value?.instance ?? value;
                    if (isObject(inside)) hold(number, inside);
                },
                () => {},
            ]);
        };
        watch(holder, name, made, made);
    }

    watch(Math, "random", () => use(RANDOM, "Math.random()"));
    watch(Date, "now", () => use(CLOCK, "Date.now()"));
    watch(
        globalThis,
        "Date",
        () => use(CLOCK, "Date()"),
        (made, list) => list.length === 0 && use(CLOCK, "new Date()")
    );
    watch(Object.getPrototypeOf(performance), "now", () => use(CLOCK, "performance.now()"));
    // Modules, and instances that import nothing, can be kept: see web/modules/wasm_kept.js.
    const { Module } = WebAssembly;
    const importsNothing = ([source]) => {
        try {
            const module = source instanceof Module ? source : new Module(source);
            return Module.imports(module).length === 0;
        } catch {
            return true; // what fails makes nothing
        }
    };
    const kept = {
        Module: () => true,
        compile: () => true,
        validate: () => true,
        Instance: importsNothing,
        instantiate: importsNothing,
    };
    for (const name of ownKeys(WebAssembly))
        if (typeof name === "string")
            watchMaker(WebAssembly, name, `WebAssembly.${name}`, kept[name] ?? (() => false));
    for (const name of ownKeys(Intl))
        if (typeof name === "string" && /^[A-Z]/.test(name)) watchMaker(Intl, name, `Intl.${name}`);
    watchMaker(globalThis, "FinalizationRegistry", "FinalizationRegistry");
})js";

Survey *SurveyOf(v8::Isolate *isolate)
{
    return IsolateState::From(isolate)->survey;
}

// use(kind, what)
void Use(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::String::Utf8Value what(info.GetIsolate(), info[1]);
    if (*what != nullptr)
        SurveyOf(info.GetIsolate())
            ->NoteUse(info.GetIsolate(),
                      static_cast<snapcell_note_kind>(info[0].As<v8::Int32>()->Value()), *what);
}

// mark(name) -> number
void Mark(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::String::Utf8Value name(info.GetIsolate(), info[0]);
    if (*name != nullptr)
        info.GetReturnValue().Set(SurveyOf(info.GetIsolate())->MarkMaker(info.GetIsolate(), *name));
}

// hold(number, object)
void Hold(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    SurveyOf(info.GetIsolate())
        ->HoldObject(info.GetIsolate(), info[0].As<v8::Uint32>()->Value(),
                     info[1].As<v8::Object>());
}

} // namespace

bool InstallSurveyHooks(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::ScriptOrigin origin(AsciiString(isolate, "snapcell:survey"));
    v8::ScriptCompiler::Source source(v8::String::NewFromUtf8Literal(isolate, kHooks), origin);
    v8::Local<v8::Script> script;
    v8::Local<v8::Value> install;
    v8::Local<v8::Function> use, mark, hold;
    if (!v8::ScriptCompiler::Compile(context, &source).ToLocal(&script) ||
        !script->Run(context).ToLocal(&install) || !v8::Function::New(context, Use).ToLocal(&use) ||
        !v8::Function::New(context, Mark).ToLocal(&mark) ||
        !v8::Function::New(context, Hold).ToLocal(&hold))
        return false;
    v8::Local<v8::Value> arguments[] = {use, mark, hold};
    return !install.As<v8::Function>()
                ->Call(context, v8::Undefined(isolate), 3, arguments)
                .IsEmpty();
}

} // namespace snapcell
