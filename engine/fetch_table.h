// Requests of fetch() that are on their way: between a cell, on its thread, and the embedder's
// client, which answers on any thread.
#ifndef SNAPCELL_FETCH_TABLE_H
#define SNAPCELL_FETCH_TABLE_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <v8.h>

#include "snapcell/fetch.h"
#include "wakeup.h"

namespace snapcell
{

class ArrayBufferQuota;

// What a listener is called with, as its first argument.
enum class FetchEvent : int {
    kHead = 0,     // status, status text, [name, value, ...]
    kReadable = 1, // after Read() had nothing
    kPull = 2,     // the client wants the next piece of the request's body
    kFailed = 3,   // message, code; the fetch has ended
};

// The fetches of one isolate. Thread: the cell's.
class FetchTable
{
  public:
    FetchTable() = default;
    ~FetchTable() { CloseAll(); }
    FetchTable(const FetchTable &) = delete;
    FetchTable &operator=(const FetchTable &) = delete;

    // `client`: NULL when there is none; Borrowed. The rest is Borrowed, too.
    void Bind(const snapcell_fetch_client *client, ArrayBufferQuota *quota)
    {
        client_ = client;
        quota_ = quota;
    }
    bool HasClient() const { return client_ != nullptr; }

    // Sends a request. Errors: E_MEMORY_LIMIT, E_NOMEM, and those of the client.
    int Start(v8::Isolate *isolate, const snapcell_fetch_request &request,
              v8::Local<v8::Function> listener, uint32_t *id, snapcell_error *err);

    enum class ReadResult { kBytes, kNothingYet, kEnd, kGone, kNoMemory };
    // Takes what has come of the body. After kNothingYet the listener is told when there is more.
    ReadResult Read(v8::Isolate *isolate, uint32_t id, v8::Local<v8::ArrayBuffer> *out);

    // A piece of the request's body, after kPull. No effect on a fetch that has ended.
    void Send(uint32_t id, const void *data, size_t size_bytes, bool is_last);

    // Gives a fetch up. No effect on one that has ended.
    void Close(uint32_t id);
    void CloseAll();

    // Whether anything may still come that a listener must hear about.
    bool CanWake() const;
    // Tells listeners what has come, microtasks after each. False when one threw or was terminated.
    bool RunReady(v8::Local<v8::Context> context);

    // Until something comes, or the cell is woken, at most `ms` (infinity: without an end).
    void Wait(double ms);
    // What came meanwhile, without waiting.
    void Poll();

    Wakeup &wakeup() { return *wakeup_; }

  private:
    struct Entry;
    snapcell_fetch *Find(uint32_t id) const;
    bool Tell(v8::Local<v8::Context> context, snapcell_fetch *fetch);
    void Drop(snapcell_fetch *fetch);

    const snapcell_fetch_client *client_ = nullptr;
    ArrayBufferQuota *quota_ = nullptr;
    std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
    std::map<uint32_t, snapcell_fetch *> fetches_;
    uint32_t next_id_ = 1;
};

} // namespace snapcell

#endif
