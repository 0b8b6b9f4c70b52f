// The list of native functions, and the check of what they are given.
#include "web/natives.h"

#include <initializer_list>
#include <string>

#include "web/native_crypto.h"
#include "web/web.h"

namespace snapcell
{

static bool IsNone(v8::Local<v8::Value> value)
{
    return value->IsNullOrUndefined();
}

static bool IsBelow(v8::Local<v8::Value> value, uint32_t end)
{
    return value->IsUint32() && value.As<v8::Uint32>()->Value() < end;
}

static bool Fits(v8::Local<v8::Value> value, Takes wanted)
{
    switch (wanted) {
    case Takes::kAnything:
        return true;
    case Takes::kString:
        return value->IsString();
    case Takes::kNumber:
        return value->IsNumber();
    case Takes::kInt32:
        return value->IsInt32();
    case Takes::kUint32:
        return value->IsUint32();
    case Takes::kUint32OrNone:
        return value->IsUint32() || IsNone(value);
    case Takes::kDigest:
        return IsBelow(value, kDigestCount);
    case Takes::kPairKind:
        return IsBelow(value, kPairKindCount);
    case Takes::kBytes:
        return value->IsArrayBufferView();
    case Takes::kBytesOrNone:
        return value->IsArrayBufferView() || IsNone(value);
    case Takes::kBuffer:
        return value->IsArrayBuffer();
    case Takes::kFunction:
        return value->IsFunction();
    case Takes::kObject:
        return value->IsObject();
    case Takes::kList:
        return value->IsArray();
    }
    return false;
}

// Throws a TypeError where an argument is not what is wanted.
static bool CheckArguments(const NativeInfo &info, const char *name,
                           std::initializer_list<Takes> wanted)
{
    int index = 0;
    for (Takes takes : wanted) {
        if (!Fits(info[index++], takes)) {
            std::string message = "the engine's " + std::string(name) +
                                  "() cannot take its argument " + std::to_string(index);
            ThrowTypeError(info.GetIsolate(), message.c_str());
            return false;
        }
    }
    return true;
}

namespace checked
{
using enum Takes;

#define WEB_NATIVE(name, ...)                                                                      \
    static void name(const NativeInfo &info)                                                       \
    {                                                                                              \
        if (CheckArguments(info, #name, {__VA_ARGS__})) Native_##name(info);                       \
    }
#include "web/natives.def"
#undef WEB_NATIVE

} // namespace checked

static const WebNative kNatives[] = {
#define WEB_NATIVE(name, ...) {#name, checked::name},
#include "web/natives.def"
#undef WEB_NATIVE
};

std::span<const WebNative> WebNatives()
{
    return kNatives;
}

ViewBytes::ViewBytes(v8::Local<v8::ArrayBufferView> view)
{
    static uint8_t nothing;
    size = view->ByteLength();
    data =
        size > 0 ? static_cast<uint8_t *>(view->Buffer()->Data()) + view->ByteOffset() : &nothing;
}

template <typename Type>
static bool TakeItemIf(v8::Local<v8::Context> context, v8::Local<v8::Array> list, uint32_t index,
                       bool (v8::Value::*is)() const, v8::Local<Type> *out)
{
    v8::Local<v8::Value> item;
    if (!list->Get(context, index).ToLocal(&item)) return false;
    if (!((*item)->*is)()) {
        ThrowTypeError(context->GetIsolate(), "the engine was given a list with a wrong item");
        return false;
    }
    *out = item.As<Type>();
    return true;
}

bool TakeItem(v8::Local<v8::Context> context, v8::Local<v8::Array> list, uint32_t index,
              v8::Local<v8::String> *out)
{
    return TakeItemIf(context, list, index, &v8::Value::IsString, out);
}

bool TakeItem(v8::Local<v8::Context> context, v8::Local<v8::Array> list, uint32_t index,
              v8::Local<v8::ArrayBuffer> *out)
{
    return TakeItemIf(context, list, index, &v8::Value::IsArrayBuffer, out);
}

void ReturnLatin1(const NativeInfo &info, const uint8_t *data, size_t size)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text;
    if (size > static_cast<size_t>(v8::String::kMaxLength) ||
        !v8::String::NewFromOneByte(isolate, data, v8::NewStringType::kNormal,
                                    static_cast<int>(size))
             .ToLocal(&text)) {
        ThrowRangeError(isolate, "Invalid string length");
        return;
    }
    info.GetReturnValue().Set(text);
}

v8::MaybeLocal<v8::Value> NewByteChunk(v8::Isolate *isolate, const uint8_t *data, size_t size)
{
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size,
                                   v8::BackingStoreInitializationMode::kUninitialized)
             .ToLocal(&buffer)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return {};
    }
    memcpy(buffer->Data(), data, size);
    return v8::Uint8Array::New(buffer, 0, size);
}

} // namespace snapcell
