// Uint8Array's methods for base64 and hex (ECMAScript 2026), where V8 does not have them: functions
// of the same look, each made when it is first read.
#include <cstring>
#include <initializer_list>
#include <string>

#include "web/byte_text.h"
#include "web/natives.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

using Info = v8::FunctionCallbackInfo<v8::Value>;

void ThrowSyntaxError(v8::Isolate *isolate, const char *message)
{
    isolate->ThrowException(v8::Exception::SyntaxError(Ascii(isolate, message)));
}

// --- Arguments ---

// The array that a method is called on. False when it threw.
bool TakeReceiver(const Info &info, v8::Local<v8::Uint8Array> *out)
{
    if (!info.This()->IsUint8Array()) {
        ThrowTypeError(info.GetIsolate(), "this is not a Uint8Array");
        return false;
    }
    *out = info.This().As<v8::Uint8Array>();
    return true;
}

// Whether an empty array is what is left of one whose buffer shrank. V8's serializer is the only
// part of its API that tells; the buffer counts as transferred so that it is not copied.
bool IsCutOff(v8::Isolate *isolate, v8::Local<v8::Uint8Array> array)
{
    v8::Local<v8::ArrayBuffer> buffer = array->Buffer();
    if (array->ByteLength() > 0 || !buffer->IsResizableByUserJavaScript()) return false;
    v8::TryCatch quiet(isolate);
    v8::ValueSerializer serializer(isolate);
    serializer.TransferArrayBuffer(0, buffer);
    return serializer.WriteValue(isolate->GetCurrentContext(), array).IsNothing();
}

// Whether the array still has a buffer. Throws when it has none.
bool HasBuffer(const Info &info, v8::Local<v8::Uint8Array> array)
{
    v8::Isolate *isolate = info.GetIsolate();
    if (!array->Buffer()->WasDetached() && !IsCutOff(isolate, array)) return true;
    ThrowTypeError(isolate, "the Uint8Array's buffer is detached or too short");
    return false;
}

// A string's characters, those beyond Latin-1 as one that no text may have.
class Text
{
  public:
    bool Take(const Info &info, int index)
    {
        v8::Isolate *isolate = info.GetIsolate();
        v8::Local<v8::String> string = info[index].As<v8::String>();
        size_ = static_cast<size_t>(string->Length());
        bool wide = !string->ContainsOnlyOneByte();
        memory_ = AllocateBytes(size_ * (wide ? 2 : 1));
        if (!memory_) {
            ThrowRangeError(isolate, "Array buffer allocation failed");
            return false;
        }
        if (wide) {
            auto *units = reinterpret_cast<uint16_t *>(memory_.get());
            string->WriteV2(isolate, 0, static_cast<uint32_t>(size_), units);
            for (size_t i = 0; i < size_; i++)
                memory_[i] = static_cast<uint8_t>(units[i] < 0xff ? units[i] : 0xff);
        } else {
            string->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size_), memory_.get());
        }
        return true;
    }
    std::span<const uint8_t> Get() const { return {memory_.get(), size_}; }

  private:
    Bytes memory_;
    size_t size_ = 0;
};

bool CheckString(const Info &info)
{
    if (info[0]->IsString()) return true;
    ThrowTypeError(info.GetIsolate(), "the first argument must be a string");
    return false;
}

// Options are read in the order in which the standard reads them. None of these: false when it
// threw.
class Options
{
  public:
    explicit Options(const Info &info) : isolate_(info.GetIsolate()) {}

    bool Take(const Info &info, int index)
    {
        if (info[index]->IsUndefined()) return true;
        if (!info[index]->IsObject()) {
            ThrowTypeError(isolate_, "the options must be an object");
            return false;
        }
        object_ = info[index].As<v8::Object>();
        return true;
    }

    bool Read(const char *name, v8::Local<v8::Value> *out)
    {
        *out = v8::Undefined(isolate_);
        return object_.IsEmpty() ||
               object_->Get(isolate_->GetCurrentContext(), Ascii(isolate_, name)).ToLocal(out);
    }

    // One of several words, by its number; the first one when there is none.
    bool ReadWord(const char *name, std::initializer_list<const char *> words, int *out)
    {
        v8::Local<v8::Value> value;
        *out = 0;
        if (!Read(name, &value)) return false;
        if (value->IsUndefined()) return true;
        for (const char *word : words) {
            if (value->StrictEquals(Ascii(isolate_, word))) return true;
            ++*out;
        }
        ThrowTypeError(isolate_,
                       (std::string("the option \"") + name + "\" is none that is known").c_str());
        return false;
    }

    bool ReadAlphabet(bool *url)
    {
        int word = 0;
        bool read = ReadWord("alphabet", {"base64", "base64url"}, &word);
        *url = word == 1;
        return read;
    }

    bool ReadForm(Base64Form *out)
    {
        int word = 0;
        bool read =
            ReadAlphabet(&out->url) &&
            ReadWord("lastChunkHandling", {"loose", "strict", "stop-before-partial"}, &word);
        out->last_chunk = static_cast<LastChunk>(word);
        return read;
    }

  private:
    v8::Isolate *isolate_;
    v8::Local<v8::Object> object_;
};

// --- Results ---

void ReturnArray(const Info &info, const uint8_t *bytes, size_t size)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size,
                                   v8::BackingStoreInitializationMode::kUninitialized)
             .ToLocal(&buffer)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return;
    }
    if (size > 0) memcpy(buffer->Data(), bytes, size);
    info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, size));
}

void ReturnCounts(const Info &info, const Decoded &done)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Name> names[] = {Ascii(isolate, "read"), Ascii(isolate, "written")};
    v8::Local<v8::Value> values[] = {v8::Number::New(isolate, static_cast<double>(done.read)),
                                     v8::Number::New(isolate, static_cast<double>(done.written))};
    v8::Local<v8::Value> prototype = v8::Object::New(isolate)->GetPrototypeV2();
    info.GetReturnValue().Set(v8::Object::New(isolate, prototype, names, values, 2));
}

// Decodes the first argument into a new array.
template <typename Decode> void MakeArray(const Info &info, const char *wrong, Decode decode)
{
    Text text;
    if (!text.Take(info, 0)) return;
    size_t capacity = text.Get().size() + 3; // more than there can be
    Bytes bytes = AllocateBytes(capacity);
    if (!bytes) return ThrowRangeError(info.GetIsolate(), "Array buffer allocation failed");
    Decoded done = decode(text.Get(), bytes.get(), capacity);
    if (done.failed) return ThrowSyntaxError(info.GetIsolate(), wrong);
    ReturnArray(info, bytes.get(), done.written);
}

// Decodes the first argument into the receiver, as far as there is room. What comes before an error
// is written, too.
template <typename Decode>
void FillArray(const Info &info, v8::Local<v8::Uint8Array> into, const char *wrong, Decode decode)
{
    Text text;
    if (!HasBuffer(info, into) || !text.Take(info, 0)) return;
    ViewBytes target(into.As<v8::ArrayBufferView>());
    Decoded done = decode(text.Get(), target.data, target.size);
    if (done.failed) return ThrowSyntaxError(info.GetIsolate(), wrong);
    ReturnCounts(info, done);
}

constexpr char kNoBase64[] = "the string is not base64";
constexpr char kNoHex[] = "the string is not hex: two digits a byte";

// Encodes the receiver.
template <typename Encode> void MakeString(const Info &info, size_t size, Encode encode)
{
    Bytes text = AllocateBytes(size);
    if (!text) return ThrowRangeError(info.GetIsolate(), "Invalid string length");
    encode(text.get());
    ReturnLatin1(info, text.get(), size);
}

// --- The methods ---

void FromBase64(const Info &info)
{
    Options options(info);
    Base64Form form;
    if (!CheckString(info) || !options.Take(info, 1) || !options.ReadForm(&form)) return;
    MakeArray(info, kNoBase64, [form](std::span<const uint8_t> text, uint8_t *bytes, size_t size) {
        return DecodeBase64(text, form, bytes, size);
    });
}

void SetFromBase64(const Info &info)
{
    v8::Local<v8::Uint8Array> into;
    Options options(info);
    Base64Form form;
    if (!TakeReceiver(info, &into) || !CheckString(info) || !options.Take(info, 1) ||
        !options.ReadForm(&form))
        return;
    FillArray(info, into, kNoBase64,
              [form](std::span<const uint8_t> text, uint8_t *bytes, size_t size) {
                  return DecodeBase64(text, form, bytes, size);
              });
}

void FromHex(const Info &info)
{
    if (CheckString(info)) MakeArray(info, kNoHex, DecodeHex);
}

void SetFromHex(const Info &info)
{
    v8::Local<v8::Uint8Array> into;
    if (TakeReceiver(info, &into) && CheckString(info)) FillArray(info, into, kNoHex, DecodeHex);
}

void ToBase64(const Info &info)
{
    v8::Local<v8::Uint8Array> array;
    v8::Local<v8::Value> omit;
    Options options(info);
    Base64Style style = {false, true};
    if (!TakeReceiver(info, &array) || !options.Take(info, 0) ||
        !options.ReadAlphabet(&style.url) || !options.Read("omitPadding", &omit) ||
        !HasBuffer(info, array))
        return;
    style.padding = !omit->BooleanValue(info.GetIsolate());
    ViewBytes bytes(array.As<v8::ArrayBufferView>());
    MakeString(info, Base64Size(bytes.size, style), [&](uint8_t *text) {
        EncodeBase64({bytes.data, bytes.size}, style, text);
    });
}

void ToHex(const Info &info)
{
    v8::Local<v8::Uint8Array> array;
    if (!TakeReceiver(info, &array) || !HasBuffer(info, array)) return;
    ViewBytes bytes(array.As<v8::ArrayBufferView>());
    MakeString(info, 2 * bytes.size, [&](uint8_t *text) {
        EncodeHex({bytes.data, bytes.size}, text);
    });
}

struct ByteMethod {
    const char *name;
    v8::FunctionCallback callback;
    int length;
    bool is_static;
};
constexpr ByteMethod kMethods[] = {
    {"fromBase64", FromBase64, 1, true},        {"fromHex", FromHex, 1, true},
    {"setFromBase64", SetFromBase64, 1, false}, {"setFromHex", SetFromHex, 1, false},
    {"toBase64", ToBase64, 0, false},           {"toHex", ToHex, 0, false},
};

// The getter of each method: V8 replaces the property by what it returns.
void GetByteMethod(v8::Local<v8::Name> name, const v8::PropertyCallbackInfo<v8::Value> &info)
{
    const ByteMethod &method = kMethods[info.Data().As<v8::Uint32>()->Value()];
    v8::Local<v8::Function> function;
    if (!v8::Function::New(info.GetIsolate()->GetCurrentContext(), method.callback,
                           v8::Local<v8::Value>(), method.length, v8::ConstructorBehavior::kThrow)
             .ToLocal(&function))
        return;
    function->SetName(name.As<v8::String>());
    info.GetReturnValue().Set(function);
}

bool GetObject(v8::Local<v8::Context> context, v8::Local<v8::Object> from, const char *name,
               v8::Local<v8::Object> *out)
{
    v8::Local<v8::Value> value;
    if (!from->Get(context, AsciiString(context->GetIsolate(), name)).ToLocal(&value) ||
        !value->IsObject())
        return false;
    *out = value.As<v8::Object>();
    return true;
}

} // namespace

void AppendByteMethodReferences(std::vector<intptr_t> *references)
{
    references->push_back(reinterpret_cast<intptr_t>(GetByteMethod));
    for (const ByteMethod &method : kMethods)
        references->push_back(reinterpret_cast<intptr_t>(method.callback));
}

bool AddByteMethods(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Object> type, prototype;
    if (!GetObject(context, context->Global(), "Uint8Array", &type) ||
        !GetObject(context, type, "prototype", &prototype))
        return false;
    uint32_t index = 0;
    for (const ByteMethod &method : kMethods) {
        v8::Local<v8::Object> holder = method.is_static ? type : prototype;
        v8::Local<v8::String> name = AsciiString(isolate, method.name);
        v8::Local<v8::Value> data = v8::Integer::NewFromUnsigned(isolate, index++);
        if (holder->HasOwnProperty(context, name).FromMaybe(true)) continue;
        if (!holder->SetLazyDataProperty(context, name, GetByteMethod, data, v8::DontEnum)
                 .FromMaybe(false))
            return false;
    }
    return true;
}

} // namespace snapcell
