// What V8 itself keeps from build time, apart from the bundle's objects: none of it may be in a
// snapshot, since it is of another time zone, or of a request that only warmed up.
#ifndef SNAPCELL_BUILD_TRACES_H
#define SNAPCELL_BUILD_TRACES_H

#include <v8.h>

namespace snapcell
{

// A Date keeps its local fields with the number of the time zone's cache that they came from, and
// trusts them while the isolate has that number. All isolates begin with the same one: after this,
// what Dates of this isolate keep is never taken for an instance's.
void MarkDates(v8::Isolate *isolate);

// V8's last match, which RegExp.lastMatch and RegExp.$1 read, holds the text that was searched.
class LastMatch
{
  public:
    // To be made before any code of the bundle, which may replace exec().
    explicit LastMatch(v8::Local<v8::Context> context);
    // Makes the empty text the last match, as it is in a new context. False when V8 failed.
    bool Forget(v8::Local<v8::Context> context) const;

  private:
    v8::Local<v8::Value> exec_; // of the caller's scope
};

// Collects garbage, and lets each FinalizationRegistry call back for what was collected: V8 cannot
// serialize one that still has to. What callbacks throw is dropped, as at run time.
void FinalizeGarbage(v8::Isolate *isolate);

// V8 writes the address of a DataView's bytes into a snapshot, where it is of no use, tells where
// the compiler's memory lay, and makes the same bundle give other bytes. This clears it; no code
// may use a DataView from then on.
void ForgetAddresses(v8::Local<v8::Context> context);

} // namespace snapcell

#endif
