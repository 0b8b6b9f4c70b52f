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
    // Notes that `view` was filled with what it now holds. It and its buffer may become garbage.
    void Add(v8::Isolate *isolate, v8::Local<v8::ArrayBufferView> view);
    // Views of what still holds, for the most part, what it was filled with last; of that alone
    // which was filled with bytes in `filled`.
    std::vector<v8::Local<v8::Value>> Holding(v8::Isolate *isolate, const DrawnBytes &filled) const;
    // How many of the fills are of buffers that are not garbage.
    size_t CountKept() const;
    // What of the same places in the same buffers was filled again by `later`.
    DrawnBytes FilledAgain(const DrawnBuffers &later) const;
    // Lets go of the buffers, before their isolate becomes a blob or goes away.
    void Reset();

  private:
    // The buffer, since a view of it may be made for each fill.
    struct Fill {
        v8::Global<v8::ArrayBuffer> buffer; // weak
        size_t offset;
        std::string bytes;

        bool Covers(const Fill &earlier) const;
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
