#include "script_error.h"

#include <algorithm>
#include <cstring>

#include "absent_names.h"
#include "array_buffer_quota.h"
#include "bundle_place.h"
#include "error_set.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

std::string Utf8(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    v8::TryCatch ignore(isolate);
    v8::String::Utf8Value text(isolate, value);
    return *text != nullptr ? std::string(*text, static_cast<size_t>(text.length())) : "";
}

std::string StripUncaught(std::string text)
{
    constexpr char kUncaught[] = "Uncaught ";
    return text.rfind(kUncaught, 0) == 0 ? text.substr(sizeof(kUncaught) - 1) : text;
}

void CopyText(char *out, size_t capacity, const std::string &text)
{
    size_t size = text.size() < capacity ? text.size() : capacity - 1;
    // Not in the middle of a UTF-8 sequence.
    while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80)
        size--;
    memcpy(out, text.data(), size);
    out[size] = '\0';
}

std::string StackOf(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Value> stack;
    if (value.IsEmpty() || !value->IsObject() ||
        !v8::TryCatch::StackTrace(isolate->GetCurrentContext(), value).ToLocal(&stack) ||
        !stack->IsString())
        return "";
    return Utf8(isolate, stack);
}

// What a stack says before its frames: V8's own message leaves out a name or a message that a
// getter gives, as a DOMException's.
std::string HeadOfStack(const std::string &stack)
{
    size_t frames = stack.find("\n    at ");
    return frames == std::string::npos ? "" : stack.substr(0, frames);
}

std::string StackOrText(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    std::string stack = StackOf(isolate, value);
    return stack.empty() ? Utf8(isolate, value) : stack;
}

// How far causes and parts of errors are followed, and how many parts of one are shown.
constexpr int kDepthMax = 4;
constexpr uint32_t kPartsMax = 8;

// Errors may name what caused them (ECMA-262, 20.5.8.1); an AggregateError has a list of errors.
std::string CausesOf(v8::Isolate *isolate, v8::Local<v8::Value> value, int depth = 0)
{
    if (!value->IsNativeError() || depth == kDepthMax) return "";
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Object> error = value.As<v8::Object>();
    v8::Local<v8::Value> cause, parts, part;
    std::string text;
    v8::Local<v8::String> errors = v8::String::NewFromUtf8Literal(isolate, "errors");
    // Others give a list of something else by a getter of their class, as a ZodError does.
    if (error->HasOwnProperty(context, errors).FromMaybe(false) &&
        error->Get(context, errors).ToLocal(&parts) && parts->IsArray()) {
        uint32_t count = parts.As<v8::Array>()->Length();
        for (uint32_t i = 0; i < count && i < kPartsMax; i++)
            if (parts.As<v8::Array>()->Get(context, i).ToLocal(&part))
                text += "\nError " + std::to_string(i + 1) + " of " + std::to_string(count) + ": " +
                        StackOrText(isolate, part) + CausesOf(isolate, part, depth + 1);
    }
    if (error->Get(context, v8::String::NewFromUtf8Literal(isolate, "cause")).ToLocal(&cause) &&
        !cause->IsUndefined())
        text += "\nCaused by: " + StackOrText(isolate, cause) + CausesOf(isolate, cause, depth + 1);
    return text;
}

// What comes after a zero byte would be lost in an error.
std::string WithoutZeros(std::string text)
{
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
}

// V8's own message has none that a getter gives, as a ZodError's.
std::string MessageOfGetter(v8::Isolate *isolate, v8::Local<v8::Value> value,
                            const std::string &text)
{
    if (!value->IsNativeError()) return "";
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Value> message;
    if (!value.As<v8::Object>()
             ->Get(isolate->GetCurrentContext(), v8::String::NewFromUtf8Literal(isolate, "message"))
             .ToLocal(&message) ||
        !message->IsString())
        return "";
    std::string given = Utf8(isolate, message);
    return text.find(given) == std::string::npos ? ": " + given : "";
}

// Looked up without running anything of the bundle's.
v8::Local<v8::Value> OwnValue(v8::Local<v8::Context> context, v8::Local<v8::Value> holder,
                              const char *name)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> descriptor, value;
    if (holder.IsEmpty() || !holder->IsObject() || holder->IsProxy() ||
        !holder.As<v8::Object>()
             ->GetOwnPropertyDescriptor(context, AsciiString(isolate, name))
             .ToLocal(&descriptor) ||
        !descriptor->IsObject() ||
        !descriptor.As<v8::Object>()
             ->GetRealNamedProperty(context, AsciiString(isolate, "value"))
             .ToLocal(&value))
        return v8::Undefined(isolate);
    return value;
}

// Where an error was made, if its stack says so, or where the value was thrown. The message has a
// stack only where KeepHiddenStacks() wanted it: of a stack overflow V8 would look up positions for
// it while no stack is left, and never find those of the functions in it again.
void FillPlace(v8::Isolate *isolate, v8::Local<v8::Message> message, const std::string &stack,
               const engine_bundle &bundle, snapcell_error *err)
{
    BundlePlace kept;
    if (FindBundleFrame(isolate, message->GetStackTrace(), bundle.file_name, &kept)) {
        SetPlace(bundle, kept.file, kept.line, kept.column, err);
        return;
    }
    std::string thrown_in = Utf8(isolate, message->GetScriptResourceName());
    for (const std::string &name : {std::string(bundle.file_name), SourceUrlOf(bundle)}) {
        BundlePlace place;
        if (!name.empty() && FindBundleFrame(stack, name.c_str(), &place)) {
            SetPlace(bundle, bundle.file_name, place.line, place.column, err);
            return;
        }
        if (thrown_in != name || name.empty()) continue;
        v8::Local<v8::Context> context = isolate->GetCurrentContext();
        SetPlace(bundle, bundle.file_name,
                 static_cast<uint32_t>(message->GetLineNumber(context).FromMaybe(0)),
                 static_cast<uint32_t>(message->GetStartColumn(context).FromMaybe(0)) + 1, err);
        return;
    }
}

int Report(v8::Isolate *isolate, v8::Local<v8::Message> message, v8::Local<v8::Value> value,
           const char *prefix, snapcell_error *err)
{
    IsolateState *state = IsolateState::From(isolate);
    int status = state->array_buffers != nullptr && state->array_buffers->WasExceeded()
                     ? SNAPCELL_E_MEMORY_LIMIT
                     : SNAPCELL_E_SCRIPT;
    std::string stack = WithoutZeros(StackOf(isolate, value));
    std::string text = value->IsNativeError() ? "" : HeadOfStack(stack);
    if (text.empty())
        text =
            message.IsEmpty() ? Utf8(isolate, value) : StripUncaught(Utf8(isolate, message->Get()));
    if (text.empty()) text = HeadOfStack(stack);   // of a DOMException, whose message is a getter
    if (text.empty()) text = Utf8(isolate, value); // of an error whose message is a getter
    text += MessageOfGetter(isolate, value, text);
    if (text.empty()) text = "an error without a name and a message";
    text = WithoutZeros(text);
    // What has frames was parsed, and is not a fault of the file's language.
    text += AdviceFor(text, HeadOfStack(stack).empty() ? state->bundle->file_name : "");
    error_set(err, status, "%s%s", prefix, text.c_str());
    if (err == nullptr) return status;
    if (!message.IsEmpty()) FillPlace(isolate, message, stack, *state->bundle, err);
    if (!stack.empty()) stack += CausesOf(isolate, value);
    CopyText(err->stack, sizeof(err->stack), CleanStack(*state->bundle, stack));
    return status;
}

} // namespace

void KeepHiddenStacks(v8::Local<v8::Context> context)
{
    constexpr double kLimitMin = 10; // V8's own
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch ignore(isolate);
    v8::Local<v8::Value> error = OwnValue(context, context->Global(), "Error");
    v8::Local<v8::Value> limit = OwnValue(context, error, "stackTraceLimit");
    bool hides = !limit->IsNumber() || limit.As<v8::Number>()->Value() < kLimitMin ||
                 OwnValue(context, error, "prepareStackTrace")->IsFunction();
    isolate->SetCaptureStackTraceForUncaughtExceptions(hides, 16, v8::StackTrace::kOverview);
}

void SetPlace(const engine_bundle &bundle, const std::string &file, uint32_t line, uint32_t column,
              snapcell_error *err)
{
    if (err == nullptr) return;
    BundlePlace place;
    place.file = file;
    place.line = line;
    place.column = column;
    ApplySourceMap(bundle, &place);
    CopyText(err->file, sizeof(err->file), place.file);
    err->line = place.line;
    err->column = place.column;
}

int ReportCondemned(v8::Isolate *isolate, snapcell_error *err)
{
    IsolateState *state = IsolateState::From(isolate);
    switch (state->condemned.load()) {
    case 0:
        return SNAPCELL_OK;
    case SNAPCELL_E_MEMORY_LIMIT:
        return error_set(err, SNAPCELL_E_MEMORY_LIMIT, "the heap grew over its limit of %llu MiB",
                         static_cast<unsigned long long>(state->memory_limit_bytes >> 20));
    case SNAPCELL_E_CPU_LIMIT:
        return error_set(err, SNAPCELL_E_CPU_LIMIT,
                         "the call used more than its limit of %u ms of CPU time",
                         state->cpu_limit_ms);
    case SNAPCELL_E_WALL_LIMIT:
        return error_set(err, SNAPCELL_E_WALL_LIMIT, "the call took longer than its limit of %u ms",
                         state->wall_limit_ms);
    case SNAPCELL_E_RESPONSE_LIMIT:
        return error_set(err, SNAPCELL_E_RESPONSE_LIMIT,
                         "the response is larger than its limit of %llu bytes",
                         static_cast<unsigned long long>(state->response_limit_bytes != 0
                                                             ? state->response_limit_bytes
                                                             : state->memory_limit_bytes));
    default:
        return error_set(err, SNAPCELL_E_DISPOSED, "the cell was condemned");
    }
}

// Reading an error's causes and message runs its getters, which may have hit a limit.
static int LimitOr(v8::Isolate *isolate, int status, snapcell_error *err)
{
    int limit = ReportCondemned(isolate, err);
    return limit != SNAPCELL_OK ? limit : status;
}

int ReportCaught(v8::Isolate *isolate, const v8::TryCatch &caught, const char *prefix,
                 snapcell_error *err)
{
    int limit = ReportCondemned(isolate, err);
    if (limit != SNAPCELL_OK) return limit;
    if (!caught.HasCaught())
        return error_set(err, SNAPCELL_E_INTERNAL, "%sV8 gave up without an exception", prefix);
    v8::HandleScope scope(isolate);
    int status = Report(isolate, caught.Message(), caught.Exception(), prefix, err);
    return LimitOr(isolate, status, err);
}

int ReportValue(v8::Isolate *isolate, v8::Local<v8::Value> value, const char *prefix,
                snapcell_error *err)
{
    int limit = ReportCondemned(isolate, err);
    if (limit != SNAPCELL_OK) return limit;
    v8::HandleScope scope(isolate);
    v8::Local<v8::Message> message = v8::Exception::CreateMessage(isolate, value);
    return LimitOr(isolate, Report(isolate, message, value, prefix, err), err);
}

std::string DescribeValue(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    snapcell_error error;
    ReportValue(isolate, value, "", &error);
    if (error.stack[0] != '\0') return error.stack;
    return error.message;
}

} // namespace snapcell
