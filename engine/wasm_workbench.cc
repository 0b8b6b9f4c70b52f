#include "wasm_workbench.h"

#include <cstring>
#include <vector>

#include <libplatform/libplatform.h>

#include "platform.h"
#include "web/natives.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// Each gives [value] or [undefined, name of an error, its message].
constexpr char kOperations[] = R"js((() => {
    "use strict";
    const instances = [];
    const guarded = work => (...list) => {
        try {
            return [work(...list)];
        } catch (error) {
            return [undefined, `${error?.name}`, `${error?.message}`];
        }
    };
    return {
        inspect: guarded(bytes => {
            const module = new WebAssembly.Module(bytes);
            return [
                WebAssembly.Module.imports(module).map(each => [each.module, each.name, each.kind]),
                WebAssembly.Module.exports(module).map(each => [each.name, each.kind]),
            ];
        }),
        instantiate: guarded(bytes => {
            const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
            const isFunction = value => typeof value === "function";
            const functions = Object.entries(exports).filter(([, value]) => isFunction(value));
            instances.push(exports);
            return [instances.length - 1, functions.map(([name, f]) => [name, f.name, f.length])];
        }),
        call: guarded((number, name, ...list) => instances[number][name](...list)),
    };
})())js";

// A value between two isolates.
struct Plain {
    enum Kind { kUndefined, kNull, kBoolean, kNumber, kBigInt, kString, kBytes, kList } kind;
    double number = 0;
    int negative = 0;
    std::vector<uint64_t> words;
    std::string text; // also bytes
    std::vector<Plain> items;
};

bool FromBigInt(v8::Local<v8::BigInt> value, Plain *out)
{
    int count = value->WordCount();
    out->kind = Plain::kBigInt;
    out->words.resize(static_cast<size_t>(count));
    value->ToWordsArray(&out->negative, &count, out->words.data());
    return true;
}

bool FromValue(v8::Local<v8::Context> context, v8::Local<v8::Value> value, Plain *out);

bool FromArray(v8::Local<v8::Context> context, v8::Local<v8::Array> list, Plain *out)
{
    out->kind = Plain::kList;
    out->items.resize(list->Length());
    for (uint32_t i = 0; i < list->Length(); i++) {
        v8::Local<v8::Value> item;
        if (!list->Get(context, i).ToLocal(&item) || !FromValue(context, item, &out->items[i]))
            return false;
    }
    return true;
}

bool FromValue(v8::Local<v8::Context> context, v8::Local<v8::Value> value, Plain *out)
{
    out->kind = value->IsNull() ? Plain::kNull : Plain::kUndefined;
    if (value->IsNullOrUndefined()) return true;
    if (value->IsBigInt()) return FromBigInt(value.As<v8::BigInt>(), out);
    if (value->IsArray()) return FromArray(context, value.As<v8::Array>(), out);
    if (value->IsNumber() || value->IsBoolean()) {
        out->kind = value->IsNumber() ? Plain::kNumber : Plain::kBoolean;
        out->number = value->IsNumber() ? value.As<v8::Number>()->Value() : value->IsTrue();
        return true;
    }
    if (value->IsUint8Array()) {
        ViewBytes bytes(value);
        out->kind = Plain::kBytes;
        out->text.assign(reinterpret_cast<const char *>(bytes.data), bytes.size);
        return true;
    }
    if (!value->IsString()) return false;
    v8::String::Utf8Value text(context->GetIsolate(), value);
    out->kind = Plain::kString;
    out->text.assign(*text != nullptr ? *text : "", static_cast<size_t>(text.length()));
    return true;
}

v8::Local<v8::Value> BytesValue(v8::Isolate *isolate, const std::string &bytes)
{
    v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, bytes.size());
    if (!bytes.empty()) memcpy(buffer->Data(), bytes.data(), bytes.size());
    return v8::Uint8Array::New(buffer, 0, bytes.size());
}

v8::MaybeLocal<v8::Value> ToValue(v8::Local<v8::Context> context, const Plain &plain)
{
    v8::Isolate *isolate = context->GetIsolate();
    std::vector<v8::Local<v8::Value>> items(plain.items.size());
    v8::Local<v8::String> text;
    v8::Local<v8::BigInt> large;
    switch (plain.kind) {
    case Plain::kNull:
        return v8::Null(isolate).As<v8::Value>();
    case Plain::kBoolean:
        return v8::Boolean::New(isolate, plain.number != 0).As<v8::Value>();
    case Plain::kNumber:
        return v8::Number::New(isolate, plain.number).As<v8::Value>();
    case Plain::kBigInt:
        if (!v8::BigInt::NewFromWords(context, plain.negative, static_cast<int>(plain.words.size()),
                                      plain.words.data())
                 .ToLocal(&large))
            return {};
        return large.As<v8::Value>();
    case Plain::kString:
        if (!v8::String::NewFromUtf8(isolate, plain.text.data(), v8::NewStringType::kNormal,
                                     static_cast<int>(plain.text.size()))
                 .ToLocal(&text))
            return {};
        return text.As<v8::Value>();
    case Plain::kBytes:
        return BytesValue(isolate, plain.text);
    case Plain::kList:
        for (size_t i = 0; i < items.size(); i++)
            if (!ToValue(context, plain.items[i]).ToLocal(&items[i])) return {};
        return v8::Array::New(isolate, items.data(), items.size()).As<v8::Value>();
    case Plain::kUndefined:
        break;
    }
    return v8::Undefined(isolate).As<v8::Value>();
}

bool CallOperation(v8::Local<v8::Context> context, v8::Local<v8::Object> operations,
                   const std::string &operation, const Plain &arguments, Plain *result)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Value> function, value;
    std::vector<v8::Local<v8::Value>> items(arguments.items.size());
    for (size_t i = 0; i < items.size(); i++)
        if (!ToValue(context, arguments.items[i]).ToLocal(&items[i])) return false;
    return operations->Get(context, AsciiString(isolate, operation.c_str())).ToLocal(&function) &&
           function->IsFunction() &&
           function.As<v8::Function>()
               ->Call(context, operations, static_cast<int>(items.size()), items.data())
               .ToLocal(&value) &&
           FromValue(context, value, result);
}

} // namespace

std::shared_ptr<WasmWorkbench> WasmWorkbench::New()
{
    std::shared_ptr<WasmWorkbench> bench(new WasmWorkbench);
    bench->allocator_.reset(v8::ArrayBuffer::Allocator::NewDefaultAllocator());
    v8::Isolate::CreateParams params;
    params.array_buffer_allocator = bench->allocator_.get();
    bench->isolate_ = v8::Isolate::New(params);
    return bench->Prepare() ? bench : nullptr;
}

bool WasmWorkbench::Prepare()
{
    v8::Isolate::Scope entered(isolate_);
    v8::HandleScope scope(isolate_);
    v8::TryCatch ignore(isolate_);
    v8::Local<v8::Context> context = v8::Context::New(isolate_);
    v8::Context::Scope in_context(context);
    v8::Local<v8::Script> script;
    v8::Local<v8::Value> operations;
    if (!v8::Script::Compile(context, v8::String::NewFromUtf8Literal(isolate_, kOperations))
             .ToLocal(&script) ||
        !script->Run(context).ToLocal(&operations) || !operations->IsObject())
        return false;
    context_.Reset(isolate_, context);
    operations_.Reset(isolate_, operations.As<v8::Object>());
    return true;
}

WasmWorkbench::~WasmWorkbench()
{
    operations_.Reset();
    context_.Reset();
    v8::platform::NotifyIsolateShutdown(CurrentPlatform(), isolate_);
    isolate_->Dispose();
}

v8::MaybeLocal<v8::Value> WasmWorkbench::Work(v8::Local<v8::Context> context,
                                              const std::string &operation,
                                              v8::Local<v8::Array> arguments)
{
    Plain given = {}, result = {};
    if (!FromArray(context, arguments, &given)) return {};
    bool done;
    {
        v8::Isolate::Scope entered(isolate_);
        v8::HandleScope scope(isolate_);
        v8::Local<v8::Context> own = context_.Get(isolate_);
        v8::Context::Scope in_context(own);
        done = CallOperation(own, operations_.Get(isolate_), operation, given, &result);
    }
    return done ? ToValue(context, result) : v8::MaybeLocal<v8::Value>();
}

} // namespace snapcell
