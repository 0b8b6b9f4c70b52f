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

std::string BytesOf(v8::Local<v8::ArrayBufferView> view)
{
    ViewBytes bytes(view);
    return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

// Some bytes may have been changed since, as those that make a UUID of them.
bool StillHolds(v8::Local<v8::ArrayBufferView> view, const std::string &filled)
{
    std::string now = BytesOf(view);
    if (now.size() != filled.size()) return false;
    size_t same = 0;
    for (size_t i = 0; i < now.size(); i++)
        same += now[i] == filled[i];
    return same * 2 >= now.size();
}

bool Covers(v8::Local<v8::ArrayBufferView> later, v8::Local<v8::ArrayBufferView> view)
{
    return later->Buffer() == view->Buffer() && later->ByteOffset() <= view->ByteOffset() &&
           later->ByteOffset() + later->ByteLength() >= view->ByteOffset() + view->ByteLength();
}

} // namespace

void DrawnBuffers::Add(v8::Isolate *isolate, v8::Local<v8::ArrayBufferView> view)
{
    if (view->ByteLength() == 0 || view->ByteLength() > kBytesMax - size_bytes_) return;
    fills_.push_back({v8::Global<v8::ArrayBufferView>(isolate, view), BytesOf(view)});
    fills_.back().view.SetWeak();
    size_bytes_ += view->ByteLength();
}

std::vector<v8::Local<v8::Value>> DrawnBuffers::Holding(v8::Isolate *isolate,
                                                        const DrawnBytes &filled) const
{
    std::vector<v8::Local<v8::Value>> views;
    for (const Fill &fill : fills_) {
        v8::Local<v8::ArrayBufferView> view = fill.view.Get(isolate);
        if (!view.IsEmpty() && filled.contains(fill.bytes) && StillHolds(view, fill.bytes))
            views.push_back(view);
    }
    return views;
}

DrawnBytes DrawnBuffers::FilledAgain(v8::Isolate *isolate, const DrawnBuffers &later) const
{
    DrawnBytes filled;
    for (const Fill &fill : fills_) {
        v8::HandleScope scope(isolate);
        v8::Local<v8::ArrayBufferView> view = fill.view.Get(isolate);
        if (view.IsEmpty()) continue;
        bool again = std::any_of(later.fills_.begin(), later.fills_.end(), [&](const Fill &next) {
            v8::Local<v8::ArrayBufferView> next_view = next.view.Get(isolate);
            return !next_view.IsEmpty() && Covers(next_view, view);
        });
        if (again) filled.insert(fill.bytes);
    }
    return filled;
}

size_t DrawnBuffers::CountKept(v8::Isolate *isolate) const
{
    v8::HandleScope scope(isolate);
    DrawnBytes kept;
    for (const Fill &fill : fills_)
        if (!fill.view.Get(isolate).IsEmpty()) kept.insert(fill.bytes);
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
    size_t kept = first.CountKept(isolate);
    for (int round = 1; round < kRoundsMax && again.size() < kept; round++) {
        if (WarmUpAll(context, handler, options, nullptr) != SNAPCELL_OK) return {};
        again = first.FilledAgain(isolate, state->drawn_buffers);
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
