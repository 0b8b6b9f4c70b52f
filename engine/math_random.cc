#include "math_random.h"

#include <v8-internal.h>

#include "random_bytes.h"

namespace snapcell
{
namespace
{

using Internals = v8::internal::Internals;
using v8::internal::Address;

// A context, and an array of bytes or of doubles, begin with their map and their length.
constexpr int kLengthOffset = 1 * v8::internal::kApiTaggedSize;
constexpr int kElementsOffset = 2 * v8::internal::kApiTaggedSize;
constexpr int kContextLengthMin = 100; // V8's own has some hundreds of slots
constexpr int kContextLengthMax = 4096;
constexpr int kSeedBytes = 16;
constexpr int kDrawnAhead = 64;

bool IsSmi(Address value)
{
    return !Internals::HasHeapObjectTag(value);
}

// The length of an array, or -1.
int LengthOf(Address value)
{
    if (IsSmi(value)) return -1;
    Address length = Internals::ReadRawField<Address>(value, kLengthOffset);
    return IsSmi(length) ? Internals::SmiValue(length) : -1;
}

bool LooksLikeNumbers(Address array)
{
    for (int i = 0; i < kDrawnAhead; i++) {
        double number = Internals::ReadRawField<double>(
            array, kElementsOffset + i * static_cast<int>(sizeof(double)));
        if (!(number >= 0 && number < 1)) return false;
    }
    return true;
}

// Three slots in a row: how many numbers are left, the seed, and the numbers.
bool LooksLikeRandom(const Address *slots)
{
    return IsSmi(slots[0]) && Internals::SmiValue(slots[0]) >= 0 &&
           Internals::SmiValue(slots[0]) <= kDrawnAhead && LengthOf(slots[1]) == kSeedBytes &&
           LengthOf(slots[2]) == kDrawnAhead && LooksLikeNumbers(slots[2]);
}

uintptr_t FieldAddress(Address object, int offset)
{
    return object + static_cast<uintptr_t>(offset) - v8::internal::kHeapObjectTag;
}

} // namespace

bool MathRandomState::Find(v8::Local<v8::Context> context)
{
    Address object = v8::internal::ValueHelper::ValueAsAddress(*context);
    int length = LengthOf(object);
    if (length < kContextLengthMin || length > kContextLengthMax) return false;
    Address *slots = reinterpret_cast<Address *>(FieldAddress(object, kElementsOffset));
    int found = -1;
    for (int i = 0; i + 2 < length; i++) {
        if (!LooksLikeRandom(slots + i)) continue;
        if (found >= 0) return false; // which of the two?
        found = i;
    }
    if (found < 0) return false;
    left_ = reinterpret_cast<uintptr_t *>(slots + found);
    seed_ = reinterpret_cast<uint64_t *>(FieldAddress(slots[found + 1], kElementsOffset));
    return true;
}

bool MathRandomState::Draw()
{
    if (!FillWithRandomBytes(seed_, kSeedBytes)) return false;
    seed_[0] |= 1; // V8 takes a seed of zeros for none
    *left_ = static_cast<uintptr_t>(Internals::IntegralToSmi(0));
    return true;
}

} // namespace snapcell
