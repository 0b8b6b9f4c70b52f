// structuredClone(), with V8's serializer.
#include <utility>
#include <vector>

#include "web/natives.h"

namespace snapcell
{

namespace
{

// Makes the exception with the function that the module passed: a DOMException.
class CloneDelegate : public v8::ValueSerializer::Delegate
{
  public:
    CloneDelegate(v8::Local<v8::Context> context, v8::Local<v8::Function> refuse)
        : context_(context), refuse_(refuse)
    {
    }

    void ThrowDataCloneError(v8::Local<v8::String> message) override
    {
        v8::Local<v8::Value> argument = message;
        v8::Local<v8::Value> error;
        if (refuse_->Call(context_, v8::Undefined(context_->GetIsolate()), 1, &argument)
                .ToLocal(&error)) {
            context_->GetIsolate()->ThrowException(error);
        }
    }

    v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate *isolate,
                                               v8::Local<v8::SharedArrayBuffer>) override
    {
        ThrowDataCloneError(Ascii(isolate, "a SharedArrayBuffer could not be cloned."));
        return v8::Nothing<uint32_t>();
    }

  private:
    v8::Local<v8::Context> context_;
    v8::Local<v8::Function> refuse_;
};

using Buffers = std::vector<v8::Local<v8::ArrayBuffer>>;

} // namespace

static bool ReadTransferList(v8::Local<v8::Context> context, v8::Local<v8::Array> list,
                             Buffers *buffers)
{
    for (uint32_t i = 0; i < list->Length(); i++) {
        v8::Local<v8::Value> item;
        if (!list->Get(context, i).ToLocal(&item)) return false;
        buffers->push_back(item.As<v8::ArrayBuffer>());
    }
    return true;
}

// Takes the memory of the transferred buffers away from them, into new ones.
static bool MoveBuffers(v8::Isolate *isolate, CloneDelegate *delegate, Buffers *buffers)
{
    for (v8::Local<v8::ArrayBuffer> &buffer : *buffers) {
        if (buffer->WasDetached() || !buffer->IsDetachable()) {
            delegate->ThrowDataCloneError(Ascii(isolate, "An ArrayBuffer is not transferable."));
            return false;
        }
        std::shared_ptr<v8::BackingStore> store = buffer->GetBackingStore();
        if (buffer->Detach(v8::Local<v8::Value>()).IsNothing()) return false;
        buffer = v8::ArrayBuffer::New(isolate, std::move(store));
    }
    return true;
}

static v8::MaybeLocal<v8::Value> Deserialize(v8::Local<v8::Context> context, const uint8_t *data,
                                             size_t size, const Buffers &buffers)
{
    v8::ValueDeserializer deserializer(context->GetIsolate(), data, size);
    for (size_t i = 0; i < buffers.size(); i++) {
        deserializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
    }
    if (!deserializer.ReadHeader(context).FromMaybe(false)) return {};
    return deserializer.ReadValue(context);
}

// clone(value, ArrayBuffer[], function(message) -> error) -> value
void Native_clone(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    CloneDelegate delegate(context, info[2].As<v8::Function>());
    Buffers buffers;
    if (!ReadTransferList(context, info[1].As<v8::Array>(), &buffers)) return;

    v8::ValueSerializer serializer(isolate, &delegate);
    for (size_t i = 0; i < buffers.size(); i++) {
        serializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
    }
    serializer.WriteHeader();
    bool written = serializer.WriteValue(context, info[0]).FromMaybe(false);
    std::pair<uint8_t *, size_t> released = serializer.Release();
    Bytes data(released.first);
    if (!written || !MoveBuffers(isolate, &delegate, &buffers)) return;

    v8::Local<v8::Value> clone;
    if (Deserialize(context, data.get(), released.second, buffers).ToLocal(&clone)) {
        info.GetReturnValue().Set(clone);
    }
}

} // namespace snapcell
