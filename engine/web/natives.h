// Shared by the native functions of the web API surface.
#ifndef SNAPCELL_WEB_NATIVES_H
#define SNAPCELL_WEB_NATIVES_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <malloc.h>

#include <v8.h>

namespace snapcell
{

struct IsolateState;

using NativeInfo = v8::FunctionCallbackInfo<v8::Value>;

// Native_NAME(info) of each name in natives.def. The built-in modules check the types of what they
// pass, so that the functions do not.
#define WEB_NATIVE(name) void Native_##name(const NativeInfo &info);
#include "web/natives.def"
#undef WEB_NATIVE

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

// The bytes of a view, valid until the script runs again.
struct ViewBytes {
    explicit ViewBytes(v8::Local<v8::ArrayBufferView> view)
        : data(static_cast<uint8_t *>(view->Buffer()->Data()) + view->ByteOffset()),
          size(view->ByteLength())
    {
    }
    uint8_t *data;
    size_t size;
};

inline v8::Local<v8::String> Ascii(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromUtf8(isolate, text).ToLocalChecked();
}

inline void ThrowRangeError(v8::Isolate *isolate, const char *message)
{
    isolate->ThrowException(v8::Exception::RangeError(Ascii(isolate, message)));
}

// Returns a string of Latin-1 bytes, or throws when there is no room for it.
void ReturnLatin1(const NativeInfo &info, const uint8_t *data, size_t size);

// Random bytes: fresh at run time and without a state, repeatable at build time. False when the
// system gives none.
bool GiveRandomBytes(IsolateState *state, uint8_t *data, size_t size);
// The same, for what a script may keep, with the call that gives it; see NoteDraw() in
// isolate_state.h. False when it threw.
bool FillRandom(v8::Isolate *isolate, uint8_t *data, size_t size, const char *what);

} // namespace snapcell

#endif
