// What the built-in modules need of errors: texts with places of the source map.
#include <cstring>
#include <iterator>
#include <string>

#include "bundle_place.h"
#include "isolate_state.h"
#include "script_error.h"
#include "web/natives.h"
#include "web/web.h"

namespace snapcell
{

static v8::Local<v8::String> Text(v8::Isolate *isolate, const char *data, size_t size)
{
    v8::Local<v8::String> text;
    if (!v8::String::NewFromUtf8(isolate, data, v8::NewStringType::kNormal, static_cast<int>(size))
             .ToLocal(&text))
        return v8::String::Empty(isolate);
    return text;
}

// describeError(value) -> [text for a log, message, file, line, column]
void Native_describeError(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    snapcell_error error = {};
    ReportValue(isolate, info[0], "", &error);
    const char *text = error.stack[0] != '\0' ? error.stack : error.message;
    v8::Local<v8::Value> values[] = {Text(isolate, text, strlen(text)),
                                     Text(isolate, error.message, strlen(error.message)),
                                     Text(isolate, error.file, strlen(error.file)),
                                     v8::Integer::NewFromUnsigned(isolate, error.line),
                                     v8::Integer::NewFromUnsigned(isolate, error.column)};
    info.GetReturnValue().Set(v8::Array::New(isolate, values, std::size(values)));
}

// cleanStack(string) -> string: without built-in modules, moved through the source map
void Native_cleanStack(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    const engine_bundle *bundle = IsolateState::From(isolate)->bundle;
    v8::String::Utf8Value stack(isolate, info[0]);
    if (bundle == nullptr || *stack == nullptr) {
        info.GetReturnValue().Set(info[0]);
        return;
    }
    std::string clean =
        CleanStack(*bundle, std::string(*stack, static_cast<size_t>(stack.length())));
    info.GetReturnValue().Set(Text(isolate, clean.data(), clean.size()));
}

// setRejectionHook(function (handled, promise, reason) -> boolean)
void Native_setRejectionHook(const NativeInfo &info)
{
    info.GetIsolate()->GetCurrentContext()->SetEmbedderData(kRejectionHookSlot, info[0]);
}

} // namespace snapcell
