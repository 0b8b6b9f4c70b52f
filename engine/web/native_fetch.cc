// What fetch() needs of the engine: fetches with the embedder's client.
#include <string>
#include <vector>

#include "isolate_state.h"
#include "web/natives.h"

namespace snapcell
{

static std::string ByteString(v8::Isolate *isolate, v8::Local<v8::String> string)
{
    std::string bytes(static_cast<size_t>(string->Length()), '\0');
    string->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(string->Length()),
                           reinterpret_cast<uint8_t *>(bytes.data()));
    return bytes;
}

// Why there is no network now; throws. False when there is.
static bool RefuseNetwork(v8::Isolate *isolate)
{
    IsolateState *state = IsolateState::From(isolate);
    if (state->phase == Phase::kRun && state->fetches.HasClient()) return false;
    if (state->phase == Phase::kRun) {
        ThrowTypeError(isolate, "this function was given no network: name the host with "
                                "`run --allow-net HOST`, or set fetch_client of "
                                "snapcell_loader_options");
        return true;
    }
    if (state->phase == Phase::kWarm) {
        ThrowTypeError(isolate, "there is no network in a warm-up request: what came would be "
                                "frozen into the snapshot");
        return true;
    }
    // A bundle that catches this would keep its fallback forever.
    v8::Local<v8::Value> error = v8::Exception::TypeError(
        Ascii(isolate, "fetch() was called at top level, where the answer would be frozen into "
                       "the snapshot: call it in the handler"));
    if (state->build_failure.IsEmpty()) state->build_failure.Reset(isolate, error);
    isolate->ThrowException(error);
    return true;
}

// [name, value, ...] as bytes. False when an exception stands.
static bool HeaderBytes(v8::Local<v8::Context> context, v8::Local<v8::Array> flat,
                        std::vector<std::string> *out)
{
    out->reserve(flat->Length());
    for (uint32_t i = 0; i < flat->Length(); i++) {
        v8::Local<v8::String> item;
        if (!TakeItem(context, flat, i, &item)) return false;
        out->push_back(ByteString(context->GetIsolate(), item));
    }
    return true;
}

// fetchStart(method, url, [name, value, ...], bodySize, listener) -> id
void Native_fetchStart(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    if (RefuseNetwork(isolate)) return;
    std::string method = ByteString(isolate, info[0].As<v8::String>());
    std::string url = ByteString(isolate, info[1].As<v8::String>());
    std::vector<std::string> bytes;
    if (!HeaderBytes(context, info[2].As<v8::Array>(), &bytes)) return;
    std::vector<snapcell_header> headers;
    for (size_t i = 0; i + 1 < bytes.size(); i += 2)
        headers.push_back({bytes[i].c_str(), bytes[i + 1].c_str()});
    snapcell_fetch_request request = {};
    request.struct_size = sizeof(request);
    request.method = method.c_str();
    request.url = url.c_str();
    request.headers = headers.data();
    request.header_count = headers.size();
    request.body_size_bytes = info[3]->IntegerValue(context).FromMaybe(SNAPCELL_BODY_NONE);
    uint32_t id = 0;
    snapcell_error err = {};
    if (IsolateState::From(isolate)->fetches.Start(isolate, request, info[4].As<v8::Function>(),
                                                   &id, &err) != SNAPCELL_OK)
        ThrowTypeError(isolate, err.message);
    else
        info.GetReturnValue().Set(id);
}

static uint32_t IdOf(const v8::Local<v8::Value> &value)
{
    return value.As<v8::Uint32>()->Value();
}

// fetchRead(id) -> Uint8Array, undefined when nothing has come yet, null at the end
void Native_fetchRead(const NativeInfo &info)
{
    using Result = FetchTable::ReadResult;
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::ArrayBuffer> buffer;
    switch (IsolateState::From(isolate)->fetches.Read(isolate, IdOf(info[0]), &buffer)) {
    case Result::kBytes:
        info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, buffer->ByteLength()));
        return;
    case Result::kNothingYet:
        return;
    case Result::kEnd:
        info.GetReturnValue().SetNull();
        return;
    case Result::kGone:
        ThrowTypeError(isolate, "the call in which this fetch began has ended; what goes on after "
                                "the response belongs in waitUntil()");
        return;
    case Result::kNoMemory:
        ThrowRangeError(isolate, "the body of a response is larger than the memory limit");
        return;
    }
}

// fetchSend(id, Uint8Array, isLast)
void Native_fetchSend(const NativeInfo &info)
{
    ViewBytes piece(info[1]);
    IsolateState::From(info.GetIsolate())
        ->fetches.Send(IdOf(info[0]), piece.data, piece.size, info[2]->IsTrue());
}

// fetchClose(id)
void Native_fetchClose(const NativeInfo &info)
{
    IsolateState::From(info.GetIsolate())->fetches.Close(IdOf(info[0]));
}

} // namespace snapcell
