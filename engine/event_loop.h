// Running a promise to its end: microtasks, V8's own tasks and timers.
#ifndef SNAPCELL_EVENT_LOOP_H
#define SNAPCELL_EVENT_LOOP_H

#include <v8.h>

#include "isolate_state.h"

namespace snapcell
{

// Runs the loop until `promise` is settled. At build time timers fire at once, on a clock that they
// move. Errors: E_SCRIPT (a timer's callback threw; nothing is left that could settle the promise),
// limits.
int RunUntilSettled(v8::Local<v8::Context> context, v8::Local<v8::Promise> promise,
                    snapcell_error *err);

// Build time: runs microtasks and timers until nothing is left, the clock has moved on by
// `horizon_ms`, or very many timers ran.
int RunUntilIdle(v8::Local<v8::Context> context, double horizon_ms, snapcell_error *err);

// V8's message listener: V8's own task, which calls a FinalizationRegistry's callback, caught what
// that threw. Without a listener V8 prints it on standard output.
void OnUncaught(v8::Local<v8::Message> message, v8::Local<v8::Value> error);

// Takes the oldest rejection that nothing handled; empty when there is none.
v8::MaybeLocal<v8::Value> TakeUnhandledRejection(v8::Isolate *isolate);

// Logs and forgets what was rejected and not handled.
void LogUnhandledRejections(v8::Isolate *isolate);

} // namespace snapcell

#endif
