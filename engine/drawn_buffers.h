// Buffers that a warm-up request had filled with random bytes. One that is kept and filled again
// and again is scratch: where a snapshot keeps it, each instance gets other bytes in it when it is
// loaded. One that is filled once may have made something that goes with its bytes, as a salt does:
// it must not be kept at all.
#ifndef SNAPCELL_DRAWN_BUFFERS_H
#define SNAPCELL_DRAWN_BUFFERS_H

#include <set>
#include <string>
#include <vector>

#include <v8.h>

#include "engine.h"

namespace snapcell
{

// The bytes that buffers were filled with, by which draws of two evaluations are compared: random
// values of build time are repeatable.
using DrawnBytes = std::set<std::string>;

class DrawnBuffers
{
  public:
    // Notes that `view` was filled with what it now holds. It may become garbage.
    void Add(v8::Isolate *isolate, v8::Local<v8::ArrayBufferView> view);
    // The views that are still there and hold, for the most part, what they were filled with last;
    // of those alone that were filled with bytes in `filled`.
    std::vector<v8::Local<v8::Value>> Holding(v8::Isolate *isolate, const DrawnBytes &filled) const;
    // How many of the fills are of buffers that are not garbage.
    size_t CountKept(v8::Isolate *isolate) const;
    // What of the same places in the same buffers was filled again by `later`.
    DrawnBytes FilledAgain(v8::Isolate *isolate, const DrawnBuffers &later) const;
    // Lets go of the buffers, before their isolate becomes a blob or goes away.
    void Reset();

  private:
    struct Fill {
        v8::Global<v8::ArrayBufferView> view; // weak
        std::string bytes;
    };
    std::vector<Fill> fills_;
    size_t size_bytes_ = 0;
};

// Evaluates the bundle and has it answer its warm-up requests again and again: what the first round
// filled and a later one fills again is scratch. Empty when it fails.
DrawnBytes FindScratch(const engine_bundle &bundle, const engine_build_options &options,
                       engine_format format);

} // namespace snapcell

#endif
