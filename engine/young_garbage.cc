#include "young_garbage.h"

#include <cstddef>
#include <cstdint>

namespace snapcell
{
namespace
{

// The collector moves what lives from one half of the young generation to the other: the first
// time, the rest of the present half is overwritten, then all of the other, then of this one.
constexpr int kCollections = 3;

// The smallest objects leave the smallest gaps.
constexpr uint8_t kFiller[] = "xxxxxxxxxxxxxxx";
constexpr int kFillersAtOnce = 16;
// More than V8 ever gives to the young generation.
constexpr size_t kFillerBytesMax = size_t{256} << 20;

constexpr v8::GCType kYoung =
    static_cast<v8::GCType>(v8::kGCTypeScavenge | v8::kGCTypeMinorMarkSweep);

void CountCollection(v8::Isolate *, v8::GCType, v8::GCCallbackFlags, void *count)
{
    ++*static_cast<int *>(count);
}

// False: V8 gives no more strings.
bool Fill(v8::Isolate *isolate)
{
    v8::HandleScope scope(isolate);
    for (int i = 0; i < kFillersAtOnce; i++)
        if (v8::String::NewFromOneByte(isolate, kFiller).IsEmpty()) return false;
    return true;
}

} // namespace

bool OverwriteYoungGarbage(v8::Isolate *isolate)
{
    int count = 0;
    isolate->AddGCEpilogueCallback(CountCollection, &count, kYoung);
    bool goes_on = true;
    for (size_t bytes = 0; goes_on && count < kCollections && bytes < kFillerBytesMax;
         bytes += kFillersAtOnce * sizeof(kFiller))
        goes_on = Fill(isolate);
    isolate->RemoveGCEpilogueCallback(CountCollection, &count);
    return count >= kCollections;
}

} // namespace snapcell
