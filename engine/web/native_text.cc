// UTF-8 and Latin-1, and the tables of other encodings.
#include <cstring>

#include "web/natives.h"
#include "web/web.h"

namespace snapcell
{

// utf8Encode(string) -> Uint8Array
void Native_utf8Encode(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text = info[0].As<v8::String>();
    size_t size = text->Utf8LengthV2(isolate);
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size,
                                   v8::BackingStoreInitializationMode::kUninitialized)
             .ToLocal(&buffer)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return;
    }
    // When the sizes agree, each character is one byte.
    if (text->IsOneByte() && size == static_cast<size_t>(text->Length())) {
        text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size),
                             static_cast<uint8_t *>(buffer->Data()));
    } else {
        text->WriteUtf8V2(isolate, static_cast<char *>(buffer->Data()), size,
                          v8::String::WriteFlags::kReplaceInvalidUtf8);
    }
    info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, size));
}

// utf8EncodeInto(string, Uint8Array) -> {read, written}
void Native_utf8EncodeInto(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    ViewBytes target(info[1]);
    size_t read = 0;
    size_t written = 0;
    if (target.size > 0) {
        written = info[0].As<v8::String>()->WriteUtf8V2(
            isolate, reinterpret_cast<char *>(target.data), target.size,
            v8::String::WriteFlags::kReplaceInvalidUtf8, &read);
    }
    v8::Local<v8::Name> names[] = {Ascii(isolate, "read"), Ascii(isolate, "written")};
    v8::Local<v8::Value> values[] = {v8::Number::New(isolate, static_cast<double>(read)),
                                     v8::Number::New(isolate, static_cast<double>(written))};
    v8::Local<v8::Value> prototype = v8::Object::New(isolate)->GetPrototypeV2();
    info.GetReturnValue().Set(v8::Object::New(isolate, prototype, names, values, 2));
}

static size_t CountAscii(const uint8_t *data, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, sizeof(word));
        if (word & 0x8080808080808080u) break;
    }
    while (i < size && data[i] < 0x80)
        i++;
    return i;
}

// The length of the well-formed sequence at `data`, whose first byte is not ASCII; 0 when there is
// none.
static size_t SequenceLength(const uint8_t *data, size_t size)
{
    uint8_t first = data[0];
    size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > size) return 0;
    // Overlong forms, surrogates and what lies beyond U+10FFFF are seen in the second byte.
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (data[1] < low || data[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80) return 0;
    }
    return length;
}

static bool IsValidUtf8(const uint8_t *data, size_t size)
{
    for (size_t i = CountAscii(data, size); i < size; i += CountAscii(data + i, size - i)) {
        size_t length = SequenceLength(data + i, size - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

// utf8Decode(Uint8Array, fatal, keepMark) -> string; undefined when `fatal` and not valid
void Native_utf8Decode(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    ViewBytes bytes(info[0]);
    if (!info[2]->IsTrue() && bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0) {
        bytes.data += 3;
        bytes.size -= 3;
    }
    size_t ascii = CountAscii(bytes.data, bytes.size);
    if (ascii == bytes.size) {
        ReturnLatin1(info, bytes.data, bytes.size);
        return;
    }
    if (info[1]->IsTrue() && !IsValidUtf8(bytes.data + ascii, bytes.size - ascii)) return;
    v8::Local<v8::String> text;
    if (bytes.size > static_cast<size_t>(v8::String::kMaxLength) ||
        !v8::String::NewFromUtf8(isolate, reinterpret_cast<const char *>(bytes.data),
                                 v8::NewStringType::kNormal, static_cast<int>(bytes.size))
             .ToLocal(&text)) {
        ThrowRangeError(isolate, "Invalid string length");
        return;
    }
    info.GetReturnValue().Set(text);
}

// latin1Decode(Uint8Array) -> string
void Native_latin1Decode(const NativeInfo &info)
{
    ViewBytes bytes(info[0]);
    ReturnLatin1(info, bytes.data, bytes.size);
}

// encodingTable(name) -> ArrayBuffer; undefined when there is no such table
void Native_encodingTable(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::String::Utf8Value name(isolate, info[0]);
    for (const WebTable &table : WebTables()) {
        if (*name == nullptr || strcmp(table.name, *name) != 0) continue;
        v8::Local<v8::ArrayBuffer> buffer;
        if (!v8::ArrayBuffer::MaybeNew(isolate, table.size,
                                       v8::BackingStoreInitializationMode::kUninitialized)
                 .ToLocal(&buffer)) {
            ThrowRangeError(isolate, "Array buffer allocation failed");
            return;
        }
        memcpy(buffer->Data(), table.bytes, table.size);
        info.GetReturnValue().Set(buffer);
        return;
    }
}

} // namespace snapcell
