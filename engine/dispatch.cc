#include "dispatch.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "error_set.h"
#include "event_loop.h"
#include "exchange.h"
#include "request_check.h"
#include "response.h"
#include "script_error.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

struct CheckedRequest : checked_request {
    ~CheckedRequest() { request_release(this); }
};

v8::MaybeLocal<v8::String> NewUtf8(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromUtf8(isolate, text);
}

// Header values are bytes; Fetch's byte strings show them as Latin-1 (isomorphic decoding).
v8::MaybeLocal<v8::String> NewBytes(v8::Isolate *isolate, const char *text)
{
    return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t *>(text));
}

v8::MaybeLocal<v8::Value> HeaderList(v8::Isolate *isolate, const checked_request &request)
{
    std::vector<v8::Local<v8::Value>> flat;
    flat.reserve(request.header_count * 2);
    for (size_t i = 0; i < request.header_count; i++) {
        v8::Local<v8::String> name, value;
        if (!NewBytes(isolate, request.headers[i].name).ToLocal(&name) ||
            !NewBytes(isolate, request.headers[i].value).ToLocal(&value))
            return {};
        flat.push_back(name);
        flat.push_back(value);
    }
    return v8::Array::New(isolate, flat.data(), flat.size());
}

// The request's body: undefined, bytes, or the number of the exchange that gives it.
v8::MaybeLocal<v8::Value> Body(v8::Isolate *isolate, const checked_request &request,
                               const Exchange *exchange)
{
    if (exchange != nullptr && exchange->GivesBody())
        return v8::Integer::NewFromUnsigned(isolate, exchange->id());
    if (request.body == nullptr) return v8::Undefined(isolate);
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, request.body_size_bytes).ToLocal(&buffer)) {
        isolate->ThrowException(v8::Exception::RangeError(
            AsciiString(isolate, "the request's body is larger than the memory limit")));
        return {};
    }
    if (request.body_size_bytes > 0) memcpy(buffer->Data(), request.body, request.body_size_bytes);
    return v8::Uint8Array::New(buffer, 0, request.body_size_bytes);
}

// Runs what an entry gave, a promise or the value itself, to its end.
int Settle(v8::Local<v8::Context> context, v8::Local<v8::Value> value, v8::Local<v8::Value> *out,
           snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    if (!value->IsPromise()) {
        *out = value;
        isolate->PerformMicrotaskCheckpoint();
        return ReportCondemned(isolate, err);
    }
    v8::Local<v8::Promise> promise = value.As<v8::Promise>();
    int status = RunUntilSettled(context, promise, err);
    if (status != SNAPCELL_OK) return status;
    if (promise->State() == v8::Promise::kRejected) {
        auto &rejections = IsolateState::From(isolate)->unhandled_rejections;
        std::erase_if(rejections, [&](const auto &entry) { return entry.first == promise; });
        return ReportValue(isolate, promise->Result(), "", err);
    }
    *out = promise->Result();
    return SNAPCELL_OK;
}

// Lets work go on that was handed to waitUntil(). It failing is the function's own business: it is
// logged.
int SettlePending(v8::Local<v8::Context> context, v8::Local<v8::Array> result, uint32_t index,
                  const Exchange *exchange, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> pending;
    if (!result->Get(context, index).ToLocal(&pending) || !pending->IsPromise()) return SNAPCELL_OK;
    if (exchange != nullptr) exchange->TellSettling();
    v8::Local<v8::Promise> promise = pending.As<v8::Promise>();
    snapcell_error late;
    int status = RunUntilSettled(context, promise, &late);
    if (status == SNAPCELL_E_SCRIPT) {
        IsolateState::From(isolate)->Log(SNAPCELL_LOG_ERROR,
                                         std::string("in waitUntil: ") + late.message);
        return SNAPCELL_OK;
    }
    if (status != SNAPCELL_OK && err != nullptr) *err = late;
    return status;
}

// A response's body: a string, bytes, or nothing.
class BodyReader
{
  public:
    BodyReader(v8::Isolate *isolate, v8::Local<v8::Value> body) : isolate_(isolate), body_(body) {}

    size_t Size() const
    {
        if (body_->IsString()) return body_.As<v8::String>()->Utf8LengthV2(isolate_);
        if (body_->IsArrayBufferView()) return body_.As<v8::ArrayBufferView>()->ByteLength();
        return 0;
    }

    void Write(void *out, size_t size) const
    {
        if (body_->IsString())
            body_.As<v8::String>()->WriteUtf8V2(isolate_, static_cast<char *>(out), size,
                                                v8::String::WriteFlags::kReplaceInvalidUtf8);
        else if (body_->IsArrayBufferView())
            body_.As<v8::ArrayBufferView>()->CopyContents(out, size);
    }

  private:
    v8::Isolate *isolate_;
    v8::Local<v8::Value> body_;
};

// One-byte text of a byte string.
std::string ByteString(v8::Isolate *isolate, v8::Local<v8::Value> value)
{
    if (!value->IsString()) return "";
    v8::Local<v8::String> string = value.As<v8::String>();
    std::string bytes(static_cast<size_t>(string->Length()), '\0');
    string->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(string->Length()),
                           reinterpret_cast<uint8_t *>(bytes.data()));
    return bytes;
}

// [status, headers, body, pending] to a response; the status is null when it went out already.
int ReadResponse(v8::Local<v8::Context> context, v8::Local<v8::Array> result,
                 snapcell_response **out, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> status, headers, body;
    if (!result->Get(context, 0).ToLocal(&status) || !result->Get(context, 1).ToLocal(&headers) ||
        !result->Get(context, 2).ToLocal(&body) || !status->IsInt32() || !headers->IsArray())
        return error_set(err, SNAPCELL_E_INTERNAL, "the dispatcher gave no response");
    BodyReader reader(isolate, body);
    size_t size = reader.Size();
    if (!IsolateState::From(isolate)->TakesResponse(isolate, size, false))
        return ReportCondemned(isolate, err);
    snapcell_response *response = response_new(status.As<v8::Int32>()->Value(), size);
    if (response == nullptr)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a body of %zu bytes", size);
    reader.Write(response_body_buffer(response), size);
    if (!CopyHeaders(context, headers.As<v8::Array>(), response)) {
        snapcell_response_free(response);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the response's headers");
    }
    *out = response;
    return SNAPCELL_OK;
}

// A function sees the serialized URL, as the Fetch standard has it: what it compares in the text is
// what a URL object of it says.
int SerializeUrl(v8::Local<v8::Context> context, const char *url, v8::Local<v8::String> *out,
                 snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> given;
    if (!NewUtf8(isolate, url).ToLocal(&given)) return ReportCaught(isolate, caught, "", err);
    *out = given;
    if (IsSerializedUrl(url)) return SNAPCELL_OK;
    v8::Local<v8::Object> module;
    v8::Local<v8::Value> absolute, result;
    v8::Local<v8::Value> arguments[] = {given, AsciiString(isolate, "the request")};
    if (RequireWebModule(context, "url").ToLocal(&module) &&
        module->Get(context, AsciiString(isolate, "absolute")).ToLocal(&absolute) &&
        absolute.As<v8::Function>()->Call(context, module, 2, arguments).ToLocal(&result)) {
        *out = result.As<v8::String>();
        return SNAPCELL_OK;
    }
    int limit = ReportCondemned(isolate, err);
    if (limit != SNAPCELL_OK) return limit;
    return error_set(err, SNAPCELL_E_USAGE,
                     "\"%s\" is not a URL: expected http://..., https://... or a path", url);
}

int CallFetchEntry(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                   v8::Local<v8::Object> env, const checked_request &request,
                   const Exchange *exchange, v8::Local<v8::Value> *out, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::String> method, url;
    int status = SerializeUrl(context, request.url, &url, err);
    if (status != SNAPCELL_OK) return status;
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> headers, body, result;
    if (!NewUtf8(isolate, request.method).ToLocal(&method) ||
        !HeaderList(isolate, request).ToLocal(&headers) ||
        !Body(isolate, request, exchange).ToLocal(&body))
        return ReportCaught(isolate, caught, "", err);
    v8::Local<v8::Value> number = v8::Undefined(isolate);
    if (exchange != nullptr) number = v8::Integer::NewFromUnsigned(isolate, exchange->id());
    v8::Local<v8::Value> arguments[] = {method, url, headers, body, env, number};
    if (!entry->Call(context, v8::Undefined(isolate), 6, arguments).ToLocal(&result))
        return ReportCaught(isolate, caught, "", err);
    return Settle(context, result, out, err);
}

// Connects an isolate with a call's exchange.
class ExchangeScope
{
  public:
    ExchangeScope(v8::Isolate *isolate, const snapcell_stream &stream)
        : state_(IsolateState::From(isolate)), exchange_(stream, ++state_->exchange_count)
    {
        state_->exchange = &exchange_;
    }
    ~ExchangeScope() { state_->exchange = nullptr; }
    ExchangeScope(const ExchangeScope &) = delete;
    ExchangeScope &operator=(const ExchangeScope &) = delete;

    Exchange *get() { return &exchange_; }

  private:
    IsolateState *state_;
    Exchange exchange_;
};

// What the dispatcher gave: a response that went out already, or one that is complete.
int SendResult(v8::Local<v8::Context> context, v8::Local<v8::Array> result, Exchange *exchange,
               snapcell_error *err)
{
    v8::Local<v8::Value> code;
    if (!result->Get(context, 0).ToLocal(&code) || code->IsNull()) return SNAPCELL_OK;
    snapcell_response *response = nullptr;
    int status = ReadResponse(context, result, &response, err);
    if (status == SNAPCELL_OK) status = exchange->Send(context->GetIsolate(), response, err);
    snapcell_response_free(response);
    return status;
}

} // namespace

bool CopyHeaders(v8::Local<v8::Context> context, v8::Local<v8::Array> flat,
                 snapcell_response *response)
{
    v8::Isolate *isolate = context->GetIsolate();
    for (uint32_t i = 0; i + 1 < flat->Length(); i += 2) {
        v8::Local<v8::Value> name, value;
        if (!flat->Get(context, i).ToLocal(&name) || !flat->Get(context, i + 1).ToLocal(&value))
            return false;
        std::string name_bytes = ByteString(isolate, name);
        std::string value_bytes = ByteString(isolate, value);
        if (response_add_header(response, name_bytes.data(), name_bytes.size(), value_bytes.data(),
                                value_bytes.size()) != 0)
            return false;
    }
    return true;
}

int DispatchStream(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                   v8::Local<v8::Object> env, const snapcell_request *request,
                   const snapcell_stream &stream, snapcell_error *err)
{
    v8::HandleScope scope(context->GetIsolate());
    CheckedRequest checked;
    v8::Local<v8::Value> result;
    int status = request_check(request, stream.read != nullptr, &checked, err);
    if (status != SNAPCELL_OK) return status;
    ExchangeScope exchange(context->GetIsolate(), stream);
    status = CallFetchEntry(context, entry, env, checked, exchange.get(), &result, err);
    if (status != SNAPCELL_OK) return status;
    if (!result->IsArray())
        return error_set(err, SNAPCELL_E_INTERNAL, "the dispatcher gave no response");
    status = SendResult(context, result.As<v8::Array>(), exchange.get(), err);
    if (status != SNAPCELL_OK) return status;
    exchange.get()->End();
    return SettlePending(context, result.As<v8::Array>(), 3, exchange.get(), err);
}

int DispatchFetch(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                  v8::Local<v8::Object> env, const snapcell_request *request,
                  snapcell_response **out, snapcell_error *err)
{
    v8::HandleScope scope(context->GetIsolate());
    CheckedRequest checked;
    v8::Local<v8::Value> result;
    int status = request_check(request, false, &checked, err);
    if (status != SNAPCELL_OK) return status;
    status = CallFetchEntry(context, entry, env, checked, nullptr, &result, err);
    if (status != SNAPCELL_OK) return status;
    if (!result->IsArray())
        return error_set(err, SNAPCELL_E_INTERNAL, "the dispatcher gave no response");
    status = ReadResponse(context, result.As<v8::Array>(), out, err);
    if (status != SNAPCELL_OK) return status;
    status = SettlePending(context, result.As<v8::Array>(), 3, nullptr, err);
    if (status != SNAPCELL_OK) {
        snapcell_response_free(*out);
        *out = nullptr;
    }
    return status;
}

namespace
{

int ParseEvent(v8::Local<v8::Context> context, const char *event_json, v8::Local<v8::Value> *out,
               snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::TryCatch caught(isolate);
    v8::Local<v8::String> event;
    if (!NewUtf8(isolate, event_json).ToLocal(&event))
        return error_set(err, SNAPCELL_E_TOO_LARGE, "the event is longer than a string can be");
    if (v8::JSON::Parse(context, event).ToLocal(out)) return SNAPCELL_OK;
    v8::String::Utf8Value why(isolate, caught.Exception());
    return error_set(err, SNAPCELL_E_USAGE, "the event is not JSON: %s", *why ? *why : "");
}

// [JSON, pending] to text, once what is pending is done.
int ReadJson(v8::Local<v8::Context> context, v8::Local<v8::Value> result, char **out,
             size_t *out_size_bytes, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::Local<v8::Value> text;
    if (!result->IsArray() || !result.As<v8::Array>()->Get(context, 0).ToLocal(&text))
        return error_set(err, SNAPCELL_E_INTERNAL, "the dispatcher gave no result");
    BodyReader reader(isolate, text);
    size_t size = reader.Size();
    if (!IsolateState::From(isolate)->TakesResponse(isolate, size, false))
        return ReportCondemned(isolate, err);
    char *json = static_cast<char *>(malloc(size + 1));
    if (json == nullptr)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a result of %zu bytes", size);
    reader.Write(json, size);
    json[size] = '\0';
    int status = SettlePending(context, result.As<v8::Array>(), 1, nullptr, err);
    if (status != SNAPCELL_OK) {
        free(json);
        return status;
    }
    *out = json;
    if (out_size_bytes != nullptr) *out_size_bytes = size;
    return SNAPCELL_OK;
}

// The module's function that calls handlers by name.
bool NamedCaller(v8::Local<v8::Context> context, v8::Local<v8::Function> *out)
{
    v8::Local<v8::Object> module;
    v8::Local<v8::Value> call;
    if (!RequireWebModule(context, "handlers").ToLocal(&module) ||
        !module->Get(context, AsciiString(context->GetIsolate(), "call")).ToLocal(&call) ||
        !call->IsFunction())
        return false;
    *out = call.As<v8::Function>();
    return true;
}

} // namespace

int DispatchJson(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                 v8::Local<v8::Object> env, const char *event_json, char **out,
                 size_t *out_size_bytes, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::HandleScope scope(isolate);
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> event, returned, result;
    int status = ParseEvent(context, event_json, &event, err);
    if (status != SNAPCELL_OK) return status;
    v8::Local<v8::Value> arguments[] = {event, env};
    if (!entry->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&returned))
        return ReportCaught(isolate, caught, "", err);
    status = Settle(context, returned, &result, err);
    if (status != SNAPCELL_OK) return status;
    return ReadJson(context, result, out, out_size_bytes, err);
}

int DispatchNamed(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                  v8::Local<v8::Object> env, const char *name, const char *event_json, char **out,
                  size_t *out_size_bytes, snapcell_error *err)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::HandleScope scope(isolate);
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> event, handlers, returned, result;
    v8::Local<v8::String> name_text;
    v8::Local<v8::Function> call;
    int status = ParseEvent(context, event_json, &event, err);
    if (status != SNAPCELL_OK) return status;
    if (!NewUtf8(isolate, name).ToLocal(&name_text) || !NamedCaller(context, &call) ||
        !entry->Get(context, AsciiString(isolate, "handlers")).ToLocal(&handlers))
        return ReportCaught(isolate, caught, "", err);
    v8::Local<v8::Value> arguments[] = {handlers, name_text, event, env};
    if (!call->Call(context, v8::Undefined(isolate), 4, arguments).ToLocal(&returned))
        return ReportCaught(isolate, caught, "", err);
    if (returned->IsString()) {
        v8::String::Utf8Value names(isolate, returned);
        return error_set(err, SNAPCELL_E_NO_HANDLER, "there is no handler \"%s\"; there is: %s",
                         name, *names != nullptr && names.length() > 0 ? *names : "none by name");
    }
    status = Settle(context, returned, &result, err);
    if (status != SNAPCELL_OK) return status;
    return ReadJson(context, result, out, out_size_bytes, err);
}

} // namespace snapcell
