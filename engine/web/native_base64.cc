// atob() and btoa(): the forgiving base64 of the Infra standard.
#include "web/byte_text.h"
#include "web/natives.h"

namespace snapcell
{

// base64Encode(string) -> string; undefined when a character is beyond Latin-1
void Native_base64Encode(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text = info[0].As<v8::String>();
    if (!text->ContainsOnlyOneByte()) return;
    size_t size = static_cast<size_t>(text->Length());
    constexpr Base64Style kStyle = {false, true};
    size_t encoded_size = Base64Size(size, kStyle);
    Bytes in = AllocateBytes(size);
    Bytes out = AllocateBytes(encoded_size);
    if (!in || !out) {
        ThrowRangeError(isolate, "Invalid string length");
        return;
    }
    text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size), in.get());
    EncodeBase64({in.get(), size}, kStyle, out.get());
    ReturnLatin1(info, out.get(), encoded_size);
}

static size_t RemoveBlanks(uint8_t *text, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r') text[kept++] = c;
    }
    return kept;
}

// Decodes in place. Returns false when the text is not base64.
static bool DecodeInPlace(uint8_t *whole, size_t *size)
{
    size_t plain = DecodeBase64Groups({whole, *size}, whole);
    uint8_t *text = whole + plain;
    size_t length = RemoveBlanks(text, *size - plain);
    if (length > 0 && length % 4 == 0) {
        if (text[length - 1] == '=') length--;
        if (text[length - 1] == '=') length--;
    }
    if (length % 4 == 1) return false;
    uint32_t bits = 0;
    size_t decoded = plain / 4 * 3;
    for (size_t i = 0; i < length; i++) {
        int digit = Base64Digit(text[i], false);
        if (digit < 0) return false;
        bits = bits << 6 | static_cast<uint32_t>(digit);
        if (i % 4 > 0) whole[decoded++] = static_cast<uint8_t>(bits >> (6 - 2 * (i % 4)));
    }
    *size = decoded;
    return true;
}

// What stands between the first quote in a function's text and the last; false when nothing does.
static bool FindQuoted(const uint8_t *text, size_t size, size_t *begin, size_t *end)
{
    size_t first = 0;
    while (first < size && text[first] != '"' && text[first] != '\'' && text[first] != '`')
        first++;
    size_t last = size;
    while (last > first && text[last - 1] != text[first])
        last--;
    *begin = first + 1;
    *end = last - 1;
    return last > first + 1;
}

// functionBytes(function) -> Uint8Array, of the base64 in its text; undefined when there is none
void Native_functionBytes(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text;
    if (!info[0]
             .As<v8::Function>()
             ->FunctionProtoToString(isolate->GetCurrentContext())
             .ToLocal(&text))
        return;
    size_t size = static_cast<size_t>(text->Length());
    Bytes in = AllocateBytes(size);
    if (!in) {
        ThrowRangeError(isolate, "no memory to decode base64");
        return;
    }
    text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size), in.get());
    size_t begin = 0, end = 0;
    if (!FindQuoted(in.get(), size, &begin, &end)) return;
    size_t decoded = end - begin;
    v8::Local<v8::Value> bytes;
    if (DecodeInPlace(in.get() + begin, &decoded) &&
        NewByteChunk(isolate, in.get() + begin, decoded).ToLocal(&bytes))
        info.GetReturnValue().Set(bytes);
}

// base64Decode(string) -> string; undefined when it is not base64
void Native_base64Decode(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text = info[0].As<v8::String>();
    if (!text->ContainsOnlyOneByte()) return;
    size_t size = static_cast<size_t>(text->Length());
    Bytes bytes = AllocateBytes(size);
    if (!bytes) {
        ThrowRangeError(isolate, "Invalid string length");
        return;
    }
    text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size), bytes.get());
    if (DecodeInPlace(bytes.get(), &size)) ReturnLatin1(info, bytes.get(), size);
}

} // namespace snapcell
