#include "exchange.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>

#include "isolate_state.h"
#include "script_error.h"

namespace snapcell
{
namespace
{

constexpr size_t kReadSizeBytes = 65536;

// After so many reads that did not have to wait, timers and other tasks get their turn.
constexpr uint32_t kTurnsMax = 16;

// How long a callback may wait: a limit must be able to end a call soon.
constexpr double kWaitMs = 10;
constexpr double kNapMs = 2;

void Nap(double ms)
{
    struct timespec nap = {0, static_cast<long>(std::min(ms, kNapMs) * 1e6)};
    nanosleep(&nap, nullptr);
}

v8::Local<v8::Value> BrokenOff(v8::Isolate *isolate)
{
    return v8::Exception::TypeError(Ascii(isolate, "the request's body broke off: its sender is "
                                                   "gone"));
}

} // namespace

// --- Reading ---

// At least one byte, 0, LATER or FAILED.
ptrdiff_t Exchange::TryRead()
{
    if (read_ended_) return 0;
    if (buffer_ == nullptr) buffer_ = AllocateBytes(kReadSizeBytes);
    ptrdiff_t size = SNAPCELL_STREAM_FAILED;
    if (!read_failed_ && buffer_ != nullptr)
        size = stream_.read(stream_.user, buffer_.get(), kReadSizeBytes);
    if (size > static_cast<ptrdiff_t>(kReadSizeBytes) || size < SNAPCELL_STREAM_LATER)
        size = SNAPCELL_STREAM_FAILED;
    read_ended_ = size == 0;
    read_failed_ = size == SNAPCELL_STREAM_FAILED;
    return size;
}

// What was read, as JavaScript sees it; empty: threw.
v8::MaybeLocal<v8::Value> Exchange::NewChunk(v8::Isolate *isolate, ptrdiff_t size)
{
    if (size == 0) return v8::Null(isolate);
    if (size == SNAPCELL_STREAM_FAILED) {
        isolate->ThrowException(BrokenOff(isolate));
        return {};
    }
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, static_cast<size_t>(size)).ToLocal(&buffer)) {
        read_failed_ = true;
        ThrowRangeError(isolate, "no room for a chunk of the request's body");
        return {};
    }
    memcpy(buffer->Data(), buffer_.get(), static_cast<size_t>(size));
    return v8::Uint8Array::New(buffer, 0, static_cast<size_t>(size));
}

v8::MaybeLocal<v8::Value> Exchange::Read(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    if (!reader_.IsEmpty()) {
        isolate->ThrowException(
            v8::Exception::TypeError(Ascii(isolate, "the request's body is being read already")));
        return {};
    }
    yielding_ = ++turns_ % kTurnsMax == 0;
    ptrdiff_t size = yielding_ ? SNAPCELL_STREAM_LATER : TryRead();
    if (size != SNAPCELL_STREAM_LATER) return NewChunk(isolate, size);
    v8::Local<v8::Promise::Resolver> resolver;
    if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
    reader_.Reset(isolate, resolver);
    return resolver->GetPromise();
}

void Exchange::PollReader(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    yielding_ = false;
    ptrdiff_t size = TryRead();
    if (size == SNAPCELL_STREAM_LATER) return;
    v8::Local<v8::Promise::Resolver> resolver = reader_.Get(isolate);
    reader_.Reset();
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> chunk;
    if (NewChunk(isolate, size).ToLocal(&chunk))
        (void)resolver->Resolve(context, chunk).IsNothing();
    else if (caught.CanContinue())
        (void)resolver->Reject(context, caught.Exception()).IsNothing();
}

// --- Writing ---

// The number of bytes that were taken, or LATER; FAILED when nobody reads any more.
ptrdiff_t Exchange::TryWrite(const void *data, size_t size)
{
    if (gone_) return SNAPCELL_STREAM_FAILED;
    ptrdiff_t taken = stream_.write(stream_.user, data, size);
    gone_ = taken < SNAPCELL_STREAM_LATER || (taken > 0 && static_cast<size_t>(taken) > size);
    return gone_ ? SNAPCELL_STREAM_FAILED : taken;
}

// Whether the chunk was taken to its end, or nobody reads any more. The script, which runs between
// two tries, may have taken bytes away from it.
bool Exchange::WriteRest(v8::Isolate *isolate)
{
    v8::Local<v8::ArrayBufferView> chunk = chunk_.Get(isolate);
    while (written_ < chunk->ByteLength()) {
        ViewBytes bytes(chunk);
        ptrdiff_t taken = TryWrite(bytes.data + written_, bytes.size - written_);
        if (taken == SNAPCELL_STREAM_FAILED) return true;
        if (taken <= 0) return false;
        written_ += static_cast<size_t>(taken);
    }
    return true;
}

v8::MaybeLocal<v8::Value> Exchange::Write(v8::Local<v8::Context> context,
                                          v8::Local<v8::ArrayBufferView> chunk)
{
    v8::Isolate *isolate = context->GetIsolate();
    sent_size_bytes_ += chunk->ByteLength();
    if (!IsolateState::From(isolate)->TakesResponse(isolate, sent_size_bytes_, true)) return {};
    chunk_.Reset(isolate, chunk);
    written_ = 0;
    if (WriteRest(isolate)) {
        chunk_.Reset();
        return v8::Boolean::New(isolate, !gone_);
    }
    v8::Local<v8::Promise::Resolver> resolver;
    if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
    writer_.Reset(isolate, resolver);
    return resolver->GetPromise();
}

void Exchange::PollWriter(v8::Local<v8::Context> context)
{
    v8::Isolate *isolate = context->GetIsolate();
    if (!WriteRest(isolate)) return;
    v8::Local<v8::Promise::Resolver> resolver = writer_.Get(isolate);
    writer_.Reset();
    chunk_.Reset();
    (void)resolver->Resolve(context, v8::Boolean::New(isolate, !gone_)).IsNothing();
}

// --- The response ---

bool Exchange::SendHead(const snapcell_response *head)
{
    if (stream_.head != nullptr && stream_.head(stream_.user, head) != 0) gone_ = true;
    return !gone_;
}

int Exchange::Send(v8::Isolate *isolate, const snapcell_response *response, snapcell_error *err)
{
    size_t size = 0;
    const char *body = static_cast<const char *>(snapcell_response_body(response, &size));
    size_t done = 0;
    if (stream_.whole != nullptr && stream_.whole(stream_.user, response)) return SNAPCELL_OK;
    if (!SendHead(response)) return SNAPCELL_OK;
    while (done < size) {
        ptrdiff_t taken = TryWrite(body + done, size - done);
        if (taken == SNAPCELL_STREAM_FAILED) return SNAPCELL_OK;
        if (taken > 0) done += static_cast<size_t>(taken);
        if (taken > 0) continue;
        if (stream_.wait != nullptr)
            stream_.wait(stream_.user, false, true, static_cast<uint32_t>(kWaitMs));
        else
            Nap(kNapMs);
        int status = ReportCondemned(isolate, err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

void Exchange::End()
{
    if (!gone_) (void)stream_.write(stream_.user, "", 0);
    gone_ = true;
}

void Exchange::TellSettling() const
{
    if (stream_.settling != nullptr) stream_.settling(stream_.user);
}

// --- The event loop ---

void Exchange::Wait(double ms) const
{
    if (yielding_ || ms <= 0) return;
    if (stream_.wait == nullptr)
        Nap(ms);
    else
        stream_.wait(stream_.user, !reader_.IsEmpty(), !writer_.IsEmpty(),
                     static_cast<uint32_t>(std::ceil(std::min(ms, kWaitMs))));
}

void Exchange::Poll(v8::Local<v8::Context> context)
{
    // Chunks that had to wait would live as long as the call.
    v8::HandleScope scope(context->GetIsolate());
    if (!reader_.IsEmpty()) PollReader(context);
    if (!writer_.IsEmpty()) PollWriter(context);
}

} // namespace snapcell
