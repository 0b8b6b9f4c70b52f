// Where V8 keeps the state of Math.random(): after memory was restored, all instances would go on
// with the same numbers. V8 has no API for it; the place is found by its layout, and is taken only
// if it looks exactly as it should.
#ifndef SNAPCELL_MATH_RANDOM_H
#define SNAPCELL_MATH_RANDOM_H

#include <cstdint>

#include <v8.h>

namespace snapcell
{

class MathRandomState
{
  public:
    // Finds the state of a context. It is not moved while memory is only restored.
    bool Find(v8::Local<v8::Context> context);
    bool is_known() const { return seed_ != nullptr; }
    // Gives the generator a new seed, and drops numbers that it drew ahead. False when the system
    // gives no random bytes.
    bool Draw();

  private:
    uint64_t *seed_ = nullptr;  // two words
    uintptr_t *left_ = nullptr; // how many numbers are left of those drawn ahead, as a Smi
};

} // namespace snapcell

#endif
