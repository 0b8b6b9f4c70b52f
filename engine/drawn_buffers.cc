#include "drawn_buffers.h"

#include <algorithm>
#include <utility>

#include "build_traces.h"
#include "web/natives.h"
#include "workshop.h"

namespace snapcell
{
namespace
{

// Of requests that draw more nothing more is noted.
constexpr size_t kBytesMax = size_t{1} << 20;

// Packages that make UUIDs fill a buffer for 16 of them.
constexpr int kRoundsMax = 20;

// Some bytes may have been changed since, as those that make a UUID of them.
bool StillHolds(v8::Local<v8::ArrayBuffer> buffer, size_t offset, const std::string &filled)
{
    // It may have been resized or detached.
    if (buffer->ByteLength() < offset + filled.size()) return false;
    const char *now = static_cast<const char *>(buffer->Data()) + offset;
    size_t same = 0;
    for (size_t i = 0; i < filled.size(); i++)
        same += now[i] == filled[i];
    return same * 2 >= filled.size();
}

} // namespace

bool DrawnBuffers::Fill::Covers(const Fill &earlier) const
{
    return buffer == earlier.buffer && offset <= earlier.offset &&
           offset + bytes.size() >= earlier.offset + earlier.bytes.size();
}

void DrawnBuffers::Add(v8::Isolate *isolate, v8::Local<v8::ArrayBufferView> view)
{
    ViewBytes bytes(view);
    if (bytes.size == 0 || bytes.size > kBytesMax - size_bytes_) return;
    fills_.push_back({v8::Global<v8::ArrayBuffer>(isolate, view->Buffer()), view->ByteOffset(),
                      std::string(reinterpret_cast<const char *>(bytes.data), bytes.size)});
    fills_.back().buffer.SetWeak();
    size_bytes_ += bytes.size;
}

std::vector<v8::Local<v8::Value>> DrawnBuffers::Holding(v8::Isolate *isolate,
                                                        const DrawnBytes &filled) const
{
    std::vector<v8::Local<v8::Value>> views;
    for (const Fill &fill : fills_) {
        v8::Local<v8::ArrayBuffer> buffer = fill.buffer.Get(isolate);
        if (!buffer.IsEmpty() && filled.contains(fill.bytes) &&
            StillHolds(buffer, fill.offset, fill.bytes))
            views.push_back(v8::Uint8Array::New(buffer, fill.offset, fill.bytes.size()));
    }
    return views;
}

DrawnBytes DrawnBuffers::FilledAgain(const DrawnBuffers &later) const
{
    DrawnBytes filled;
    for (const Fill &fill : fills_) {
        if (fill.buffer.IsEmpty()) continue;
        bool again = std::any_of(later.fills_.begin(), later.fills_.end(),
                                 [&](const Fill &next) { return next.Covers(fill); });
        if (again) filled.insert(fill.bytes);
    }
    return filled;
}

size_t DrawnBuffers::CountKept() const
{
    DrawnBytes kept;
    for (const Fill &fill : fills_)
        if (!fill.buffer.IsEmpty()) kept.insert(fill.bytes);
    return kept.size();
}

void DrawnBuffers::Reset()
{
    fills_.clear();
    size_bytes_ = 0;
}

namespace
{

// Rounds of requests until what the first one filled was filled again, or there were enough.
DrawnBytes RepeatUntilFilledAgain(v8::Local<v8::Context> context, const Handler &handler,
                                  const engine_build_options &options)
{
    v8::Isolate *isolate = context->GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    FinalizeGarbage(isolate);
    const DrawnBuffers first = std::exchange(state->drawn_buffers, {});
    DrawnBytes again;
    size_t kept = first.CountKept();
    for (int round = 1; round < kRoundsMax && again.size() < kept; round++) {
        if (WarmUpAll(context, handler, options, nullptr) != SNAPCELL_OK) return {};
        again = first.FilledAgain(state->drawn_buffers);
    }
    return again;
}

} // namespace

DrawnBytes FindScratch(const engine_bundle &bundle, const engine_build_options &options,
                       engine_format format)
{
    engine_build_options quiet = options;
    quiet.log = nullptr;
    Workshop workshop(bundle, quiet);
    PlainIsolate isolate(&workshop);
    v8::HandleScope scope(isolate.get());
    v8::Local<v8::Context> context = NewContext(isolate.get(), bundle.host);
    v8::Context::Scope entered(context);
    Evaluation evaluation;
    Handler handler;
    if (Prepare(context, &workshop, format, options, &evaluation, &handler, nullptr) != SNAPCELL_OK)
        return {};
    return RepeatUntilFilledAgain(context, handler, options);
}

} // namespace snapcell
