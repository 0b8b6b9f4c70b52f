// An isolate that makes a snapshot has a flag. With it V8 leaves out of a new context what it calls
// extensions and experimental features: WebAssembly, Error.stackTraceLimit and the newest built-ins
// of the language, of which some are essential to syntax (`using`). It adds them to each context
// that another isolate makes, from scratch or from a snapshot, and ends the process when it finds
// one there already or an object that is frozen.
//
// So the flag is turned round while a context is made: a context that is to be kept gets all
// built-ins before any code runs in it, and one that is restored is left as it is. V8 has no
// function for it; find_serializer_flag.cc finds its place.
#ifndef SNAPCELL_SERIALIZER_FLAG_H
#define SNAPCELL_SERIALIZER_FLAG_H

#include <v8.h>

namespace snapcell
{

// Sets the flag for as long as it lives. No code of a bundle may run meanwhile.
class SerializerFlag
{
  public:
    SerializerFlag(v8::Isolate *isolate, bool value);
    ~SerializerFlag();
    SerializerFlag(const SerializerFlag &) = delete;
    SerializerFlag &operator=(const SerializerFlag &) = delete;

  private:
    bool *flag_;
    bool before_;
};

} // namespace snapcell

#endif
