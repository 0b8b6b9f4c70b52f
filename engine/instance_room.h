// Room for properties inside of a class's instances.
//
// V8 gives the first instances of a class more room than its source asks for, and takes back what
// seven of them did not use. Making a snapshot does so at once, for every class. But when the
// instances of a class are garbage by then, as those of a warm-up request are, V8 has forgotten
// their properties, and takes all room away: each property of each instance has its place in a list
// that grows, for as long as the snapshot is used, and an instance of more than a dozen becomes a
// hash table.
#ifndef SNAPCELL_INSTANCE_ROOM_H
#define SNAPCELL_INSTANCE_ROOM_H

#include <cstddef>
#include <cstdint>

#include <v8.h>

namespace snapcell
{

// V8 has no function for it. Where it keeps what, this learns from classes of its own.
class InstanceRoom
{
  public:
    // In a context that is in no snapshot.
    explicit InstanceRoom(v8::Local<v8::Context> scratch);

    // The last thing before a snapshot is made: classes whose instances are gone keep the room that
    // their source asks for. Returns how many do; 0 when this V8 is not as it was expected.
    size_t Keep(v8::Local<v8::Context> context) const;

  private:
    size_t place_ = 0; // of a constructor's map of its instances; 0: not known
    uint16_t class_type_ = 0;
    uint16_t function_type_ = 0;
};

} // namespace snapcell

#endif
