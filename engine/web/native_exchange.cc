// Bodies that come and go in pieces, for the built-in modules.
#include "dispatch.h"
#include "exchange.h"
#include "isolate_state.h"
#include "response.h"

namespace snapcell
{

// The exchange of the call that runs; nullptr when there is none, or when it is not number `id`.
static Exchange *CurrentExchange(const NativeInfo &info, double id)
{
    Exchange *exchange = IsolateState::From(info.GetIsolate())->exchange;
    return exchange != nullptr && exchange->id() == id ? exchange : nullptr;
}

// bodyRead(id) -> Uint8Array, null at the end, or a promise of one of these
void Native_bodyRead(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    Exchange *exchange = CurrentExchange(info, info[0].As<v8::Number>()->Value());
    if (exchange == nullptr) {
        ThrowTypeError(isolate, "the request's body can only be read while its call lasts");
        return;
    }
    v8::Local<v8::Value> result;
    if (exchange->Read(isolate->GetCurrentContext()).ToLocal(&result))
        info.GetReturnValue().Set(result);
}

// responseHead(id, status, headers[]) -> whether somebody wants the body
void Native_responseHead(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    Exchange *exchange = CurrentExchange(info, info[0].As<v8::Number>()->Value());
    if (exchange == nullptr) return info.GetReturnValue().Set(false);
    snapcell_response *head = response_new(info[1].As<v8::Int32>()->Value(), 0);
    if (head == nullptr ||
        !CopyHeaders(isolate->GetCurrentContext(), info[2].As<v8::Array>(), head))
        ThrowRangeError(isolate, "no memory for the response's headers");
    else
        info.GetReturnValue().Set(exchange->SendHead(head));
    snapcell_response_free(head);
}

// responseWrite(id, Uint8Array) -> whether somebody still reads, or a promise of that
void Native_responseWrite(const NativeInfo &info)
{
    v8::Local<v8::Context> context = info.GetIsolate()->GetCurrentContext();
    Exchange *exchange = CurrentExchange(info, info[0].As<v8::Number>()->Value());
    if (exchange == nullptr) return info.GetReturnValue().Set(false);
    v8::Local<v8::Value> result;
    if (exchange->Write(context, info[1].As<v8::ArrayBufferView>()).ToLocal(&result))
        info.GetReturnValue().Set(result);
}

} // namespace snapcell
