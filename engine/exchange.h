// A call whose bodies come and go in pieces: the embedder's callbacks on one side, promises of the
// built-in modules on the other.
#ifndef SNAPCELL_EXCHANGE_H
#define SNAPCELL_EXCHANGE_H

#include <memory>

#include <v8.h>

#include "engine.h"
#include "web/natives.h"

namespace snapcell
{

class Exchange
{
  public:
    // `id`: what JavaScript names this call by, so that a body that was kept does not read another
    // call's.
    Exchange(const snapcell_stream &stream, uint32_t id) : stream_(stream), id_(id) {}
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    uint32_t id() const { return id_; }
    bool GivesBody() const { return stream_.read != nullptr; }

    // --- For natives ---
    // A Uint8Array, null at the end, or a promise of one of these. Empty: threw.
    v8::MaybeLocal<v8::Value> Read(v8::Local<v8::Context> context);
    // Whether somebody still reads the response, or a promise of that. Empty: threw.
    v8::MaybeLocal<v8::Value> Write(v8::Local<v8::Context> context,
                                    v8::Local<v8::ArrayBufferView> chunk);
    // Whether somebody wants the body.
    bool SendHead(const snapcell_response *head);

    // --- For the dispatcher ---
    // A complete response. Errors: limits that were hit while its reader was slow.
    int Send(v8::Isolate *isolate, const snapcell_response *response, snapcell_error *err);
    // The response's body is complete.
    void End();
    // What was passed to waitUntil() goes on.
    void TellSettling() const;

    // --- For the event loop ---
    bool Waits() const { return !reader_.IsEmpty() || !writer_.IsEmpty(); }
    // Until something may get on, at most `ms`.
    void Wait(double ms) const;
    // Tries again what waits, and settles its promises.
    void Poll(v8::Local<v8::Context> context);

  private:
    using Resolver = v8::Global<v8::Promise::Resolver>;

    ptrdiff_t TryRead();
    ptrdiff_t TryWrite(const void *data, size_t size);
    bool WriteRest(v8::Isolate *isolate);
    v8::MaybeLocal<v8::Value> NewChunk(v8::Isolate *isolate, ptrdiff_t size);
    void PollReader(v8::Local<v8::Context> context);
    void PollWriter(v8::Local<v8::Context> context);

    const snapcell_stream &stream_;
    const uint32_t id_;
    Bytes buffer_;
    Resolver reader_;
    Resolver writer_;
    v8::Global<v8::ArrayBufferView> chunk_; // what the writer waits to write, from `written_` on
    size_t written_ = 0;
    uint64_t sent_size_bytes_ = 0; // of chunks, all in all
    uint32_t turns_ = 0;
    bool yielding_ = false; // a read waits for timers and other tasks, not for the embedder
    bool read_failed_ = false;
    bool read_ended_ = false;
    bool gone_ = false; // nobody reads the response
};

} // namespace snapcell

#endif
