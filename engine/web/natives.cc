// The list of native functions.
#include "web/natives.h"

#include "web/web.h"

namespace snapcell
{

static const WebNative kNatives[] = {
#define WEB_NATIVE(name) {#name, Native_##name},
#include "web/natives.def"
#undef WEB_NATIVE
};

std::span<const WebNative> WebNatives()
{
    return kNatives;
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

} // namespace snapcell
