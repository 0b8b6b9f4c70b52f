// What the built-in modules need of the engine: console, timers, clocks; and domain names.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <idn2.h>

#include "isolate_state.h"
#include "web/natives.h"

namespace snapcell
{

// consoleWrite(level, text)
void Native_consoleWrite(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    if (!state->log) return;
    v8::Local<v8::String> text = info[1].As<v8::String>();
    size_t size = text->Utf8LengthV2(isolate);
    Bytes utf8 = AllocateBytes(size + 1);
    if (!utf8) return;
    text->WriteUtf8V2(isolate, reinterpret_cast<char *>(utf8.get()), size,
                      v8::String::WriteFlags::kReplaceInvalidUtf8);
    utf8[size] = 0;
    int level = info[0].As<v8::Int32>()->Value();
    state->log(state->log_user, static_cast<snapcell_log_level>(level),
               state->function_name.c_str(), reinterpret_cast<const char *>(utf8.get()), size);
}

// setTimer(callback, delay, repeat, arguments[]) -> number
void Native_setTimer(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    IsolateState *state = IsolateState::From(isolate);
    double delay = std::trunc(info[1].As<v8::Number>()->Value());
    // As browsers and Node have it: what is no delay, or one beyond 24 days, is none.
    if (!(delay >= 0 && delay <= INT32_MAX)) delay = 0;
    bool repeat = info[2]->IsTrue();
    if (repeat && delay < 1) delay = 1;

    v8::Local<v8::Array> list = info[3].As<v8::Array>();
    std::vector<v8::Local<v8::Value>> arguments;
    for (uint32_t i = 0; i < list->Length(); i++) {
        v8::Local<v8::Value> item;
        if (!list->Get(context, i).ToLocal(&item)) return;
        arguments.push_back(item);
    }
    uint32_t id = state->timers.Add(isolate, info[0].As<v8::Function>(), std::move(arguments),
                                    state->MonotonicMs() + delay, repeat ? delay : -1);
    info.GetReturnValue().Set(id);
}

// clearTimer(number)
void Native_clearTimer(const NativeInfo &info)
{
    double id = info[0].As<v8::Number>()->Value();
    if (!(id >= 1 && id <= UINT32_MAX)) return;
    IsolateState::From(info.GetIsolate())->timers.Clear(static_cast<uint32_t>(id));
}

// queueMicrotask(callback): its exception is nobody's rejected promise
void Native_queueMicrotask(const NativeInfo &info)
{
    info.GetIsolate()->EnqueueMicrotask(info[0].As<v8::Function>());
}

// now() -> milliseconds since the time origin
void Native_now(const NativeInfo &info)
{
    info.GetReturnValue().Set(IsolateState::From(info.GetIsolate())->MonotonicMs());
}

// timeOrigin() -> milliseconds since 1970
void Native_timeOrigin(const NativeInfo &info)
{
    IsolateState *state = IsolateState::From(info.GetIsolate());
    info.GetReturnValue().Set(state->NowMs() - state->MonotonicMs());
}

// functionName() -> string
void Native_functionName(const NativeInfo &info)
{
    const std::string &name = IsolateState::From(info.GetIsolate())->function_name;
    v8::Local<v8::String> text;
    if (v8::String::NewFromUtf8(info.GetIsolate(), name.data(), v8::NewStringType::kNormal,
                                static_cast<int>(name.size()))
            .ToLocal(&text)) {
        info.GetReturnValue().Set(text);
    }
}

// --- Domain names ---

static bool IsAscii(const std::string &text)
{
    for (char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

static void LowerCase(std::string *text)
{
    for (char &c : *text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
}

static bool StartsWithAce(const std::string &label)
{
    return label.size() >= 4 && strncasecmp(label.c_str(), "xn--", 4) == 0;
}

// Appends the ASCII form of a label. False when it has none.
static bool AppendAsciiLabel(std::string label, std::string *out)
{
    if (IsAscii(label) && !StartsWithAce(label)) {
        LowerCase(&label);
        out->append(label);
        return true;
    }
    uint8_t *ascii = nullptr;
    int status = idn2_lookup_u8(reinterpret_cast<const uint8_t *>(label.c_str()), &ascii,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status != IDN2_OK) return false;
    out->append(reinterpret_cast<char *>(ascii));
    idn2_free(ascii);
    return true;
}

// UTS 46 maps these to a full stop: U+3002, U+FF0E and U+FF61.
static const char *const kFullStops[] = {".", "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"};

static size_t FullStopLength(const char *text)
{
    for (const char *stop : kFullStops) {
        if (strncmp(text, stop, strlen(stop)) == 0) return strlen(stop);
    }
    return 0;
}

// Label by label, since libidn2 refuses in plain labels what the URL standard lets through:
// hyphens in the third and fourth place, underscores, empty labels, long ones.
static bool DomainToAscii(const std::string &domain, std::string *out)
{
    if (IsAscii(domain)) {
        out->assign(domain);
        LowerCase(out);
        return true;
    }
    size_t start = 0;
    for (size_t i = 0; i <= domain.size();) {
        size_t stop = i < domain.size() ? FullStopLength(domain.c_str() + i) : 1;
        if (stop == 0) {
            i++;
            continue;
        }
        if (!AppendAsciiLabel(domain.substr(start, i - start), out)) return false;
        if (i < domain.size()) out->push_back('.');
        i += stop;
        start = i;
    }
    return true;
}

// domainToAscii(string) -> string; null when it is no domain
void Native_domainToAscii(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::String::Utf8Value domain(isolate, info[0]);
    std::string ascii;
    // libidn2 reads to a zero byte.
    if (!*domain || strlen(*domain) != domain.length() || domain.length() > 65536 ||
        !DomainToAscii(std::string(*domain, domain.length()), &ascii)) {
        info.GetReturnValue().SetNull();
        return;
    }
    ReturnLatin1(info, reinterpret_cast<const uint8_t *>(ascii.data()), ascii.size());
}

} // namespace snapcell
