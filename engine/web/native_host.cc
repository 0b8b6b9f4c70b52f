// What the built-in modules need of the engine: console, timers, clocks.
#include <cmath>
#include <string>
#include <vector>

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
    uint32_t level = info[0].As<v8::Uint32>()->Value();
    if (level > SNAPCELL_LOG_ERROR) level = SNAPCELL_LOG_ERROR;
    state->log(state->log_user, static_cast<snapcell_log_level>(level),
               state->function_name.c_str(), reinterpret_cast<const char *>(utf8.get()), size);
}

// setTimer(callback, delay, repeat, arguments[]) -> number
void Native_setTimer(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    IsolateState *state = IsolateState::From(isolate);
    if (state->timers.Count() >= state->timer_limit) {
        std::string limit = std::to_string(state->timer_limit);
        ThrowRangeError(isolate, ("more than " + limit + " timers are pending").c_str());
        return;
    }
    double delay = std::trunc(info[1].As<v8::Number>()->Value());
    // As browsers and Node have it: what is not a delay, or one beyond 24 days, is none.
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

// building() -> whether this is build time: what a module makes ready now is in the snapshot, while
// at run time a call would wait for it
void Native_building(const NativeInfo &info)
{
    info.GetReturnValue().Set(IsolateState::From(info.GetIsolate())->phase != Phase::kRun);
}

static void ReturnKeys(const NativeInfo &info, v8::IndexFilter indices, v8::PropertyFilter filter)
{
    v8::Local<v8::Array> keys;
    if (info[0]
            .As<v8::Object>()
            ->GetPropertyNames(info.GetIsolate()->GetCurrentContext(),
                               v8::KeyCollectionMode::kOwnOnly, filter, indices)
            .ToLocal(&keys))
        info.GetReturnValue().Set(keys);
}

// ownNames(object) -> the enumerable own properties that are neither indices nor symbols: of an
// array with millions of items they are few
void Native_ownNames(const NativeInfo &info)
{
    ReturnKeys(info, v8::IndexFilter::kSkipIndices,
               static_cast<v8::PropertyFilter>(v8::ONLY_ENUMERABLE | v8::SKIP_SYMBOLS));
}

// ownIndices(array) -> the indices of its items, as numbers and in order, then its other names
void Native_ownIndices(const NativeInfo &info)
{
    ReturnKeys(info, v8::IndexFilter::kIncludeIndices,
               static_cast<v8::PropertyFilter>(v8::ONLY_ENUMERABLE | v8::SKIP_SYMBOLS));
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

// proxyParts(value) -> [target, handler] of a Proxy, undefined of anything else
void Native_proxyParts(const NativeInfo &info)
{
    if (!info[0]->IsProxy()) return;
    v8::Local<v8::Proxy> proxy = info[0].As<v8::Proxy>();
    v8::Local<v8::Value> parts[] = {proxy->GetTarget(), proxy->GetHandler()};
    info.GetReturnValue().Set(v8::Array::New(info.GetIsolate(), parts, 2));
}

} // namespace snapcell
