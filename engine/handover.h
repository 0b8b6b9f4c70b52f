// What a snapshot passes to its instances besides the heap and the handler: how far the build's
// clock was, timers that are pending, buffers that want fresh random bytes.
#ifndef SNAPCELL_HANDOVER_H
#define SNAPCELL_HANDOVER_H

#include <vector>

#include <v8-snapshot.h>
#include <v8.h>

#include "isolate_state.h"

namespace snapcell
{

// Build time: adds it to the context's data, after the handler's entry, when there is any. What
// the buffers hold is overwritten.
void HandOver(v8::Local<v8::Context> context, const std::vector<v8::Local<v8::Value>> &buffers,
              v8::SnapshotCreator *creator);

// Run time, in an entered context of a snapshot. False when it is not as it was written, or the
// system gives no random bytes.
bool TakeHandover(v8::Local<v8::Context> context, IsolateState *state);

// Gives the buffers other bytes: of an instance whose memory was restored. False: the system gives
// none.
bool RefillBuffers(v8::Isolate *isolate, IsolateState *state);

} // namespace snapcell

#endif
