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

// More than V8 ever gives to the young generation.
constexpr size_t kFillerBytesMax = size_t{256} << 20;

// The smallest objects leave the smallest gaps.
constexpr uint8_t kSmall[] = "xxxxxxxxxxxxxxx";
// Pages of zeros cost nothing in a checkpoint, but each page with a header between them is a
// mapping of its own: two of these fill a page of V8's, and a larger one would lie elsewhere.
constexpr uint8_t kZeros[130000] = {};

constexpr v8::GCType kYoung =
    static_cast<v8::GCType>(v8::kGCTypeScavenge | v8::kGCTypeMinorMarkSweep);

void CountCollection(v8::Isolate *, v8::GCType, v8::GCCallbackFlags, void *count)
{
    ++*static_cast<int *>(count);
}

// False: V8 gives no more strings.
bool Fill(v8::Isolate *isolate, const uint8_t *filler, int size)
{
    v8::HandleScope scope(isolate);
    return !v8::String::NewFromOneByte(isolate, filler, v8::NewStringType::kNormal, size).IsEmpty();
}

bool FillUntilCollected(v8::Isolate *isolate, const uint8_t *filler, int size)
{
    int count = 0;
    isolate->AddGCEpilogueCallback(CountCollection, &count, kYoung);
    bool goes_on = true;
    for (size_t bytes = 0; goes_on && count < kCollections && bytes < kFillerBytesMax;
         bytes += static_cast<size_t>(size))
        goes_on = Fill(isolate, filler, size);
    isolate->RemoveGCEpilogueCallback(CountCollection, &count);
    return count >= kCollections;
}

} // namespace

bool OverwriteYoungGarbage(v8::Isolate *isolate, bool wholly)
{
    return (!wholly || FillUntilCollected(isolate, kSmall, sizeof(kSmall) - 1)) &&
           FillUntilCollected(isolate, kZeros, sizeof(kZeros));
}

} // namespace snapcell
