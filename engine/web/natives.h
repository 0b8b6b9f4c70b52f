// Shared by the native functions of the web API surface.
#ifndef SNAPCELL_WEB_NATIVES_H
#define SNAPCELL_WEB_NATIVES_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <malloc.h>

#include <v8.h>

namespace snapcell
{

struct IsolateState;

using NativeInfo = v8::FunctionCallbackInfo<v8::Value>;

// Native_NAME(info) of each name in natives.def. It is called when its arguments are what
// natives.def says, and only then: what is in a list, and which numbers make sense, it checks
// itself.
#define WEB_NATIVE(name, ...) void Native_##name(const NativeInfo &info);
#include "web/natives.def"
#undef WEB_NATIVE

// What an argument of a native must be. Arguments that natives.def does not list may be anything.
enum class Takes : uint8_t {
    kAnything,
    kString,
    kNumber,
    kInt32,
    kUint32,
    kUint32OrNone, // none: undefined or null
    kDigest,       // the number of a hash function
    kPairKind,     // the number of a kind of key pair
    kBytes,        // a view, of any buffer: a detached one is empty
    kBytesOrNone,
    kBuffer, // an ArrayBuffer that is not shared
    kFunction,
    kObject,
    kList, // an array
};

// What passed through it must not be found in memory that malloc() hands to others.
struct FreeMemory {
    void operator()(void *memory) const
    {
        if (memory != nullptr) explicit_bzero(memory, malloc_usable_size(memory));
        std::free(memory);
    }
};
// Memory that may be missing, for sizes that a script decides on.
using Bytes = std::unique_ptr<uint8_t[], FreeMemory>;
inline Bytes AllocateBytes(size_t size)
{
    return Bytes(static_cast<uint8_t *>(std::malloc(size > 0 ? size : 1)));
}

// The bytes of a view, valid until the script runs again; none when its buffer is detached, or was
// made too short for it.
struct ViewBytes {
    explicit ViewBytes(v8::Local<v8::ArrayBufferView> view);
    explicit ViewBytes(v8::Local<v8::Value> view) : ViewBytes(view.As<v8::ArrayBufferView>()) {}
    uint8_t *data; // never NULL
    size_t size;
};

// What a view holds, as numbers or records of one size.
template <typename T> std::vector<T> ItemsOf(const ViewBytes &bytes)
{
    std::vector<T> items(bytes.size / sizeof(T));
    if (!items.empty()) std::memcpy(items.data(), bytes.data, items.size() * sizeof(T));
    return items;
}

inline v8::Local<v8::String> Ascii(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromUtf8(isolate, text).ToLocalChecked();
}

inline void ThrowTypeError(v8::Isolate *isolate, const char *message)
{
    v8::Local<v8::String> text;
    if (v8::String::NewFromUtf8(isolate, message).ToLocal(&text))
        isolate->ThrowException(v8::Exception::TypeError(text));
}

inline void ThrowRangeError(v8::Isolate *isolate, const char *message)
{
    isolate->ThrowException(v8::Exception::RangeError(Ascii(isolate, message)));
}

// The item of a list, which must be a string or an ArrayBuffer. False when it threw.
bool TakeItem(v8::Local<v8::Context> context, v8::Local<v8::Array> list, uint32_t index,
              v8::Local<v8::String> *out);
bool TakeItem(v8::Local<v8::Context> context, v8::Local<v8::Array> list, uint32_t index,
              v8::Local<v8::ArrayBuffer> *out);

// Returns a string of Latin-1 bytes, or throws when there is no room for it.
void ReturnLatin1(const NativeInfo &info, const uint8_t *data, size_t size);

// A Uint8Array with a buffer of its own. Empty when it threw.
v8::MaybeLocal<v8::Value> NewByteChunk(v8::Isolate *isolate, const uint8_t *data, size_t size);

// Random bytes: fresh at run time and without a state, repeatable at build time. False when the
// system gives none.
bool GiveRandomBytes(IsolateState *state, uint8_t *data, size_t size);
// The same, for what a script may keep, with the call that gives it; see NoteDraw() in
// isolate_state.h. False when it threw.
bool FillRandom(v8::Isolate *isolate, uint8_t *data, size_t size, const char *what);

} // namespace snapcell

#endif
