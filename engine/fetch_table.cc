#include "fetch_table.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "array_buffer_quota.h"
#include "error_set.h"
#include "request_check.h"

using namespace snapcell;

// Owned by two: the table of the cell, and the client. The last to let go frees it.
struct snapcell_fetch {
    explicit snapcell_fetch(std::shared_ptr<Wakeup> wakeup_) : wakeup(std::move(wakeup_)) {}
    ~snapcell_fetch() { free(window); }

    const std::shared_ptr<Wakeup> wakeup;

    // --- The cell's thread alone ---
    uint32_t id = 0;
    void *client_user = nullptr;
    v8::Global<v8::Function> listener;
    bool head_told = false;
    bool read_waits = false;
    bool body_open = false; // there is more of the request's body

    // --- Under the lock ---
    std::mutex mutex;
    bool has_cell = true;
    bool has_client = true;
    bool pulled = false;
    bool has_head = false;
    int status = 0;
    std::string status_text;
    std::vector<std::pair<std::string, std::string>> headers;
    uint8_t *window = nullptr; // a ring
    size_t begin = 0;
    size_t size_bytes = 0;
    bool ended = false;
    bool failed = false;
    std::string code;
    std::string message;
};

namespace
{

// How long a client may wait: a limit must be able to end a call soon.
constexpr double kClientWaitMs = 10;

void CopyIn(snapcell_fetch *fetch, const uint8_t *data, size_t size)
{
    size_t at = (fetch->begin + fetch->size_bytes) % SNAPCELL_FETCH_WINDOW_BYTES;
    size_t first = SNAPCELL_FETCH_WINDOW_BYTES - at;
    if (first > size) first = size;
    memcpy(fetch->window + at, data, first);
    memcpy(fetch->window, data + first, size - first);
    fetch->size_bytes += size;
}

void CopyOut(snapcell_fetch *fetch, uint8_t *out, size_t size)
{
    size_t first = SNAPCELL_FETCH_WINDOW_BYTES - fetch->begin;
    if (first > size) first = size;
    memcpy(out, fetch->window + fetch->begin, first);
    memcpy(out + first, fetch->window, size - first);
    fetch->begin = (fetch->begin + size) % SNAPCELL_FETCH_WINDOW_BYTES;
    fetch->size_bytes -= size;
}

v8::Local<v8::String> Latin1(v8::Isolate *isolate, const std::string &text)
{
    return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t *>(text.data()),
                                      v8::NewStringType::kNormal, static_cast<int>(text.size()))
        .FromMaybe(v8::String::Empty(isolate));
}

v8::Local<v8::Value> Utf8(v8::Isolate *isolate, const std::string &text)
{
    return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal,
                                   static_cast<int>(text.size()))
        .FromMaybe(v8::String::Empty(isolate));
}

// What a listener is to be told next.
struct News {
    FetchEvent event;
    std::vector<v8::Local<v8::Value>> arguments;
};

// Takes it. False when there is nothing new.
bool TakeNews(v8::Isolate *isolate, snapcell_fetch *fetch, News *out)
{
    std::lock_guard<std::mutex> lock(fetch->mutex);
    if (fetch->pulled && fetch->body_open && !fetch->failed) {
        fetch->pulled = false;
        *out = {FetchEvent::kPull, {}};
        return true;
    }
    if (fetch->has_head && !fetch->head_told) {
        std::vector<v8::Local<v8::Value>> list;
        for (const auto &[name, value] : fetch->headers) {
            list.push_back(Latin1(isolate, name));
            list.push_back(Latin1(isolate, value));
        }
        fetch->head_told = true;
        *out = {FetchEvent::kHead,
                {v8::Integer::New(isolate, fetch->status), Latin1(isolate, fetch->status_text),
                 v8::Array::New(isolate, list.data(), list.size())}};
        return true;
    }
    if (fetch->failed) {
        *out = {FetchEvent::kFailed, {Utf8(isolate, fetch->message), Utf8(isolate, fetch->code)}};
        return true;
    }
    if (fetch->read_waits && (fetch->size_bytes > 0 || fetch->ended)) {
        fetch->read_waits = false;
        *out = {FetchEvent::kReadable, {}};
        return true;
    }
    return false;
}

} // namespace

snapcell_fetch *FetchTable::Find(uint32_t id) const
{
    auto found = fetches_.find(id);
    return found == fetches_.end() ? nullptr : found->second;
}

int FetchTable::Start(v8::Isolate *isolate, const snapcell_fetch_request &request,
                      v8::Local<v8::Function> listener, uint32_t *id, snapcell_error *err)
{
    if (!quota_->Reserve(SNAPCELL_FETCH_WINDOW_BYTES))
        return error_set(err, SNAPCELL_E_MEMORY_LIMIT,
                         "there is no memory left for another request");
    auto *fetch = new (std::nothrow) snapcell_fetch(wakeup_);
    if (fetch != nullptr)
        fetch->window = static_cast<uint8_t *>(malloc(SNAPCELL_FETCH_WINDOW_BYTES));
    int status = fetch != nullptr && fetch->window != nullptr
                     ? SNAPCELL_OK
                     : error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
    if (status == SNAPCELL_OK) {
        fetch->id = next_id_++;
        fetch->body_open = request.body_size_bytes != SNAPCELL_BODY_NONE;
        fetch->listener.Reset(isolate, listener);
        status = client_->start(client_->user, fetch, &request, &fetch->client_user, err);
    }
    if (status != SNAPCELL_OK) {
        delete fetch;
        quota_->Release(SNAPCELL_FETCH_WINDOW_BYTES);
        return status;
    }
    fetches_[fetch->id] = fetch;
    *id = fetch->id;
    return SNAPCELL_OK;
}

FetchTable::ReadResult FetchTable::Read(v8::Isolate *isolate, uint32_t id,
                                        v8::Local<v8::ArrayBuffer> *out)
{
    snapcell_fetch *fetch = Find(id);
    if (fetch == nullptr) return ReadResult::kGone;
    size_t size;
    bool ended;
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        size = fetch->size_bytes;
        ended = fetch->ended;
    }
    if (size == 0 && ended) {
        Drop(fetch);
        return ReadResult::kEnd;
    }
    fetch->read_waits = size == 0;
    if (size == 0) return ReadResult::kNothingYet;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size).ToLocal(out)) return ReadResult::kNoMemory;
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        CopyOut(fetch, static_cast<uint8_t *>((*out)->Data()), size);
    }
    client_->read(fetch->client_user, size);
    return ReadResult::kBytes;
}

void FetchTable::Send(uint32_t id, const void *data, size_t size_bytes, bool is_last)
{
    snapcell_fetch *fetch = Find(id);
    if (fetch == nullptr || !fetch->body_open) return;
    if (is_last) fetch->body_open = false;
    client_->send(fetch->client_user, data, size_bytes, is_last);
}

void FetchTable::Close(uint32_t id)
{
    snapcell_fetch *fetch = Find(id);
    if (fetch != nullptr) Drop(fetch);
}

void FetchTable::CloseAll()
{
    while (!fetches_.empty())
        Drop(fetches_.begin()->second);
}

void FetchTable::Drop(snapcell_fetch *fetch)
{
    fetches_.erase(fetch->id);
    fetch->listener.Reset();
    quota_->Release(SNAPCELL_FETCH_WINDOW_BYTES);
    client_->close(fetch->client_user);
    bool is_last;
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        fetch->has_cell = false;
        is_last = !fetch->has_client;
    }
    if (is_last) delete fetch;
}

bool FetchTable::CanWake() const
{
    for (const auto &[id, fetch] : fetches_)
        if (!fetch->head_told || fetch->read_waits || fetch->body_open) return true;
    return false;
}

void FetchTable::Wait(double ms)
{
    if (client_ == nullptr || client_->wait == nullptr || !CanWake())
        wakeup_->Sleep(ms);
    else
        client_->wait(client_->user,
                      static_cast<uint32_t>(std::ceil(std::clamp(ms, 0.0, kClientWaitMs))));
}

void FetchTable::Poll()
{
    if (client_ != nullptr && client_->wait != nullptr && CanWake())
        client_->wait(client_->user, 0);
}

bool FetchTable::RunReady(v8::Local<v8::Context> context)
{
    // Listeners add and remove fetches; those that they add wait for the next round.
    std::vector<uint32_t> ids;
    for (const auto &[id, fetch] : fetches_)
        ids.push_back(id);
    for (uint32_t id : ids) {
        snapcell_fetch *fetch = Find(id);
        if (fetch != nullptr && !Tell(context, fetch)) return false;
    }
    return true;
}

bool FetchTable::Tell(v8::Local<v8::Context> context, snapcell_fetch *fetch)
{
    v8::Isolate *isolate = context->GetIsolate();
    uint32_t id = fetch->id;
    for (; fetch != nullptr; fetch = Find(id)) {
        v8::HandleScope scope(isolate);
        News news;
        if (!TakeNews(isolate, fetch, &news)) return true;
        v8::Local<v8::Function> listener = fetch->listener.Get(isolate);
        if (news.event == FetchEvent::kFailed) Drop(fetch);
        news.arguments.insert(news.arguments.begin(),
                              v8::Integer::New(isolate, static_cast<int>(news.event)));
        if (listener
                ->Call(context, v8::Undefined(isolate), static_cast<int>(news.arguments.size()),
                       news.arguments.data())
                .IsEmpty())
            return false;
        isolate->PerformMicrotaskCheckpoint();
        if (isolate->IsExecutionTerminating()) return false;
    }
    return true;
}

// --- The client's side ---

void snapcell_fetch_pull(snapcell_fetch *fetch)
{
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        fetch->pulled = true;
    }
    fetch->wakeup->Wake();
}

static int CheckHead(int status, const char *status_text, const snapcell_header *headers,
                     size_t header_count, snapcell_error *err)
{
    if (status < 200 || status > 599)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a final response has a status of 200 to 599, not %d", status);
    if (status_text != nullptr && strpbrk(status_text, "\r\n") != nullptr)
        return error_set(err, SNAPCELL_E_USAGE, "the status text has a line break in it");
    return headers_check(headers, header_count, err);
}

int snapcell_fetch_head(snapcell_fetch *fetch, int status, const char *status_text,
                        const snapcell_header *headers, size_t header_count, snapcell_error *err)
{
    int problem = CheckHead(status, status_text, headers, header_count, err);
    if (problem != SNAPCELL_OK) return problem;
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        if (fetch->has_head)
            return error_set(err, SNAPCELL_E_USAGE, "the response has its head already");
        fetch->has_head = true;
        fetch->status = status;
        if (status_text != nullptr) fetch->status_text = status_text;
        for (size_t i = 0; i < header_count; i++)
            fetch->headers.emplace_back(headers[i].name, headers[i].value);
    }
    fetch->wakeup->Wake();
    return SNAPCELL_OK;
}

size_t snapcell_fetch_write(snapcell_fetch *fetch, const void *data, size_t size_bytes)
{
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        if (!fetch->has_cell) return size_bytes;
        size_t room = SNAPCELL_FETCH_WINDOW_BYTES - fetch->size_bytes;
        if (size_bytes > room) size_bytes = room;
        if (size_bytes > 0) CopyIn(fetch, static_cast<const uint8_t *>(data), size_bytes);
    }
    fetch->wakeup->Wake();
    return size_bytes;
}

// Gives the client's half back after `change`.
template <typename Change> static void GiveBack(snapcell_fetch *fetch, Change change)
{
    std::shared_ptr<Wakeup> wakeup = fetch->wakeup;
    bool is_last;
    {
        std::lock_guard<std::mutex> lock(fetch->mutex);
        change();
        fetch->has_client = false;
        is_last = !fetch->has_cell;
    }
    if (is_last) delete fetch;
    wakeup->Wake();
}

void snapcell_fetch_end(snapcell_fetch *fetch)
{
    GiveBack(fetch, [&] {
        fetch->ended = fetch->has_head;
        fetch->failed = !fetch->has_head;
        if (fetch->failed) fetch->message = "the client ended it without a response";
    });
}

void snapcell_fetch_fail(snapcell_fetch *fetch, const char *code, const char *message)
{
    GiveBack(fetch, [&] {
        fetch->failed = true;
        fetch->code = code != nullptr ? code : "";
        fetch->message = message != nullptr ? message : "";
    });
}
