#include "host_functions.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include "host_table.h"
#include "isolate_state.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

// The arguments of one call, in C's terms; strings live in `texts` until the call is over.
struct Arguments {
    std::vector<snapcell_value> values;
    std::vector<std::string> texts;
};

void SetText(v8::Isolate *isolate, v8::Local<v8::String> string, snapcell_value_type type,
             Arguments *arguments, snapcell_value *value)
{
    std::string text(string->Utf8LengthV2(isolate), '\0');
    string->WriteUtf8V2(isolate, text.data(), text.size(),
                        v8::String::WriteFlags::kReplaceInvalidUtf8);
    value->type = type;
    value->size_bytes = text.size();
    arguments->texts.push_back(std::move(text));
}

bool SetBytes(v8::Local<v8::Value> source, Arguments *arguments, snapcell_value *value)
{
    const char *data;
    size_t size;
    if (source->IsArrayBufferView()) {
        v8::Local<v8::ArrayBufferView> view = source.As<v8::ArrayBufferView>();
        data = static_cast<const char *>(view->Buffer()->Data()) + view->ByteOffset();
        size = view->ByteLength();
    } else if (source->IsArrayBuffer()) {
        data = static_cast<const char *>(source.As<v8::ArrayBuffer>()->Data());
        size = source.As<v8::ArrayBuffer>()->ByteLength();
    } else {
        return false;
    }
    value->type = SNAPCELL_VALUE_BYTES;
    value->size_bytes = size;
    arguments->texts.emplace_back(data != nullptr ? std::string(data, size) : std::string());
    return true;
}

// False when the value cannot be turned into JSON: an exception is then pending.
bool SetArgument(v8::Local<v8::Context> context, v8::Local<v8::Value> source, Arguments *arguments,
                 snapcell_value *value)
{
    v8::Isolate *isolate = context->GetIsolate();
    if (source->IsUndefined()) {
        value->type = SNAPCELL_VALUE_UNDEFINED;
    } else if (source->IsNull()) {
        value->type = SNAPCELL_VALUE_NULL;
    } else if (source->IsBoolean()) {
        value->type = SNAPCELL_VALUE_BOOLEAN;
        value->boolean = source->BooleanValue(isolate);
    } else if (source->IsNumber()) {
        value->type = SNAPCELL_VALUE_NUMBER;
        value->number = source.As<v8::Number>()->Value();
    } else if (source->IsString()) {
        SetText(isolate, source.As<v8::String>(), SNAPCELL_VALUE_STRING, arguments, value);
        return true;
    } else if (SetBytes(source, arguments, value)) {
        return true;
    } else {
        v8::Local<v8::String> json;
        if (!v8::JSON::Stringify(context, source).ToLocal(&json)) return false;
        SetText(isolate, json, SNAPCELL_VALUE_JSON, arguments, value);
        return true;
    }
    arguments->texts.emplace_back();
    return true;
}

bool ConvertArguments(const v8::FunctionCallbackInfo<v8::Value> &info, Arguments *arguments)
{
    v8::Local<v8::Context> context = info.GetIsolate()->GetCurrentContext();
    size_t count = static_cast<size_t>(info.Length());
    arguments->values.resize(count);
    arguments->texts.reserve(count);
    for (size_t i = 0; i < count; i++)
        if (!SetArgument(context, info[static_cast<int>(i)], arguments, &arguments->values[i]))
            return false;
    for (size_t i = 0; i < count; i++)
        arguments->values[i].data = arguments->texts[i].c_str();
    return true;
}

v8::MaybeLocal<v8::String> Utf8(v8::Isolate *isolate, const snapcell_value &value)
{
    if (value.size_bytes > INT_MAX) {
        isolate->ThrowException(
            v8::Exception::RangeError(AsciiString(isolate, "Invalid string length")));
        return {};
    }
    return v8::String::NewFromUtf8(isolate, value.data != nullptr ? value.data : "",
                                   v8::NewStringType::kNormal, static_cast<int>(value.size_bytes));
}

v8::MaybeLocal<v8::Value> ConvertBytes(v8::Isolate *isolate, const snapcell_value &value)
{
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, value.size_bytes).ToLocal(&buffer)) {
        isolate->ThrowException(
            v8::Exception::RangeError(AsciiString(isolate, "Array buffer allocation failed")));
        return {};
    }
    if (value.size_bytes > 0) memcpy(buffer->Data(), value.data, value.size_bytes);
    return v8::Uint8Array::New(buffer, 0, value.size_bytes);
}

v8::MaybeLocal<v8::Value> ConvertResult(v8::Local<v8::Context> context, const snapcell_value &value)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> text;
    switch (value.type) {
    case SNAPCELL_VALUE_UNDEFINED:
        return v8::Undefined(isolate);
    case SNAPCELL_VALUE_NULL:
        return v8::Null(isolate);
    case SNAPCELL_VALUE_BOOLEAN:
        return v8::Boolean::New(isolate, value.boolean);
    case SNAPCELL_VALUE_NUMBER:
        return v8::Number::New(isolate, value.number);
    case SNAPCELL_VALUE_STRING:
        if (!Utf8(isolate, value).ToLocal(&text)) return {};
        return text;
    case SNAPCELL_VALUE_BYTES:
        return ConvertBytes(isolate, value);
    case SNAPCELL_VALUE_JSON:
        if (!Utf8(isolate, value).ToLocal(&text)) return {};
        return v8::JSON::Parse(context, text);
    }
    return v8::Undefined(isolate);
}

void ThrowHostError(v8::Isolate *isolate, const char *message)
{
    v8::Local<v8::String> text;
    if (v8::String::NewFromUtf8(isolate, message).ToLocal(&text)) isolate->ThrowError(text);
}

// Every host function is this one, told apart by its number.
void CallHostFunction(const v8::FunctionCallbackInfo<v8::Value> &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    const snapcell_host *host = IsolateState::From(isolate)->host;
    uint32_t index = info.Data().As<v8::Uint32>()->Value();
    // Cannot be: the table's fingerprint was compared before the snapshot was loaded.
    if (host == nullptr || index >= host->count) {
        ThrowHostError(isolate, "this host function is not in the loader's table");
        return;
    }
    Arguments arguments;
    if (!ConvertArguments(info, &arguments)) return;
    snapcell_host_call call = {};
    call.arguments = arguments.values.data();
    call.argument_count = arguments.values.size();
    const host_function &function = host->functions[index];
    if (function.callback(function.user, &call) != 0) {
        ThrowHostError(isolate, call.error_message[0] != '\0' ? call.error_message
                                                              : "the host function failed");
    } else {
        v8::Local<v8::Value> result;
        if (ConvertResult(isolate->GetCurrentContext(), call.result).ToLocal(&result))
            info.GetReturnValue().Set(result);
    }
    free(const_cast<char *>(call.result.data));
}

void GetHostFunction(v8::Local<v8::Name> name, const v8::PropertyCallbackInfo<v8::Value> &info)
{
    GiveFunction(name, CallHostFunction, 0, info);
}

} // namespace

void AppendHostReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(GetHostFunction));
    references->push_back(reinterpret_cast<intptr_t>(CallHostFunction));
}

void AddHostFunctions(v8::Isolate *isolate, v8::Local<v8::ObjectTemplate> global,
                      const snapcell_host *host)
{
    if (host == nullptr) return;
    for (size_t i = 0; i < host->count; i++)
        global->SetLazyDataProperty(AsciiString(isolate, host->functions[i].name), GetHostFunction,
                                    v8::Integer::NewFromUnsigned(isolate, static_cast<uint32_t>(i)),
                                    v8::DontEnum);
}

} // namespace snapcell
