// structuredClone(), with V8's serializer.
#include <utility>
#include <vector>

#include "web/natives.h"

namespace snapcell
{

namespace
{

// Objects of the platform, whose state lies in private fields that V8's serializer does not see:
// the module describes each with a function that makes its copy.
class HostObjects
{
  public:
    HostObjects(v8::Local<v8::Context> context, v8::Local<v8::Function> describe)
        : context_(context), describe_(describe),
          plain_(v8::Object::New(context->GetIsolate())->GetPrototypeV2())
    {
    }

    // Is it one? Nothing when it cannot be cloned, which was thrown.
    v8::Maybe<bool> Add(v8::Local<v8::Object> object)
    {
        v8::Local<v8::Value> prototype = object->GetPrototypeV2();
        if (prototype == plain_ || prototype->IsNull()) return v8::Just(false);
        v8::Local<v8::Value> argument = object;
        v8::Local<v8::Value> copy;
        if (!describe_->Call(context_, v8::Undefined(context_->GetIsolate()), 1, &argument)
                 .ToLocal(&copy))
            return v8::Nothing<bool>();
        if (!copy->IsFunction()) return v8::Just(false);
        copies_.emplace_back(context_->GetIsolate(), copy.As<v8::Function>());
        return v8::Just(true);
    }

    uint32_t last() const { return static_cast<uint32_t>(copies_.size() - 1); }

    // Before the rest is copied: V8 lets no script run while it reads. False when it threw.
    bool MakeCopies()
    {
        v8::Isolate *isolate = context_->GetIsolate();
        for (const v8::Global<v8::Function> &copy : copies_) {
            v8::Local<v8::Value> object;
            if (!copy.Get(isolate)
                     ->Call(context_, v8::Undefined(isolate), 0, nullptr)
                     .ToLocal(&object))
                return false;
            if (!object->IsObject()) {
                ThrowTypeError(isolate, "the copy of an object is not an object");
                return false;
            }
            made_.push_back(object.As<v8::Object>());
        }
        return true;
    }

    v8::MaybeLocal<v8::Object> Made(uint32_t index) const
    {
        return index < made_.size() ? made_[index] : v8::MaybeLocal<v8::Object>();
    }

  private:
    v8::Local<v8::Context> context_;
    v8::Local<v8::Function> describe_;
    v8::Local<v8::Value> plain_;
    // V8 calls from within scopes of its own, which end.
    std::vector<v8::Global<v8::Function>> copies_;
    std::vector<v8::Local<v8::Object>> made_;
};

// Makes the exception with the function that the module passed: a DOMException.
class CloneDelegate : public v8::ValueSerializer::Delegate
{
  public:
    CloneDelegate(v8::Local<v8::Context> context, v8::Local<v8::Function> refuse,
                  HostObjects *hosts)
        : context_(context), refuse_(refuse), hosts_(hosts)
    {
    }

    void set_serializer(v8::ValueSerializer *serializer) { serializer_ = serializer; }

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

    bool HasCustomHostObject(v8::Isolate *) override { return true; }

    v8::Maybe<bool> IsHostObject(v8::Isolate *, v8::Local<v8::Object> object) override
    {
        return hosts_->Add(object);
    }

    // Called right after IsHostObject() said so.
    v8::Maybe<bool> WriteHostObject(v8::Isolate *, v8::Local<v8::Object>) override
    {
        serializer_->WriteUint32(hosts_->last());
        return v8::Just(true);
    }

    // As realloc(), which would leave what it moves behind.
    void *ReallocateBufferMemory(void *old, size_t size, size_t *actual_size) override
    {
        Bytes old_bytes(static_cast<uint8_t *>(old));
        Bytes grown = AllocateBytes(size);
        if (!grown) {
            (void)old_bytes.release(); // still the serializer's
            return nullptr;
        }
        size_t old_size = old != nullptr ? malloc_usable_size(old) : 0;
        if (old != nullptr) memcpy(grown.get(), old, old_size < size ? old_size : size);
        *actual_size = size;
        return grown.release();
    }

    void FreeBufferMemory(void *buffer) override { Bytes(static_cast<uint8_t *>(buffer)); }

  private:
    v8::Local<v8::Context> context_;
    v8::Local<v8::Function> refuse_;
    HostObjects *hosts_;
    v8::ValueSerializer *serializer_ = nullptr;
};

class ReviveDelegate : public v8::ValueDeserializer::Delegate
{
  public:
    explicit ReviveDelegate(const HostObjects *hosts) : hosts_(hosts) {}

    void set_deserializer(v8::ValueDeserializer *deserializer) { deserializer_ = deserializer; }

    v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate *) override
    {
        uint32_t index;
        if (!deserializer_->ReadUint32(&index)) return {};
        return hosts_->Made(index);
    }

  private:
    const HostObjects *hosts_;
    v8::ValueDeserializer *deserializer_ = nullptr;
};

using Buffers = std::vector<v8::Local<v8::ArrayBuffer>>;

} // namespace

static bool ReadTransferList(v8::Local<v8::Context> context, v8::Local<v8::Array> list,
                             Buffers *buffers)
{
    for (uint32_t i = 0; i < list->Length(); i++) {
        v8::Local<v8::ArrayBuffer> item;
        if (!TakeItem(context, list, i, &item)) return false;
        buffers->push_back(item);
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
                                             size_t size, const Buffers &buffers,
                                             const HostObjects &hosts)
{
    ReviveDelegate delegate(&hosts);
    v8::ValueDeserializer deserializer(context->GetIsolate(), data, size, &delegate);
    delegate.set_deserializer(&deserializer);
    for (size_t i = 0; i < buffers.size(); i++) {
        deserializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
    }
    if (!deserializer.ReadHeader(context).FromMaybe(false)) return {};
    return deserializer.ReadValue(context);
}

// clone(value, ArrayBuffer[], function(message) -> error, describe) -> value
// describe(object) gives a function that makes a copy of an object of the platform, or undefined
// for others, and throws for those that have no copies.
void Native_clone(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    HostObjects hosts(context, info[3].As<v8::Function>());
    CloneDelegate delegate(context, info[2].As<v8::Function>(), &hosts);
    Buffers buffers;
    if (!ReadTransferList(context, info[1].As<v8::Array>(), &buffers)) return;

    v8::ValueSerializer serializer(isolate, &delegate);
    delegate.set_serializer(&serializer);
    for (size_t i = 0; i < buffers.size(); i++) {
        serializer.TransferArrayBuffer(static_cast<uint32_t>(i), buffers[i]);
    }
    serializer.WriteHeader();
    bool written = serializer.WriteValue(context, info[0]).FromMaybe(false);
    std::pair<uint8_t *, size_t> released = serializer.Release();
    Bytes data(released.first);
    if (!written || !hosts.MakeCopies() || !MoveBuffers(isolate, &delegate, &buffers)) return;

    v8::Local<v8::Value> clone;
    if (Deserialize(context, data.get(), released.second, buffers, hosts).ToLocal(&clone)) {
        info.GetReturnValue().Set(clone);
    }
}

} // namespace snapcell
