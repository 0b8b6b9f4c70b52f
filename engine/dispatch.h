// Calling a handler's entry (made by the built-in module "dispatch") and reading what it gives.
#ifndef SNAPCELL_DISPATCH_H
#define SNAPCELL_DISPATCH_H

#include <v8.h>

#include "isolate_state.h"

namespace snapcell
{

// Hands `request` (NULL: "GET /") to a fetch entry and runs the loop until the response is
// complete.
// `*out`: Owned. Errors: E_USAGE (the request is none), E_SCRIPT, limits, E_NOMEM.
int DispatchFetch(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                  v8::Local<v8::Object> env, const snapcell_request *request,
                  snapcell_response **out, snapcell_error *err);

// The same, with bodies that come and go in pieces. `stream` is complete.
int DispatchStream(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                   v8::Local<v8::Object> env, const snapcell_request *request,
                   const snapcell_stream &stream, snapcell_error *err);

// Adds headers, a flat list of byte strings, to a response. False when out of memory.
bool CopyHeaders(v8::Local<v8::Context> context, v8::Local<v8::Array> flat,
                 snapcell_response *response);

// Hands an event (JSON text) to a JSON entry. `*out`: Owned, free(). Errors: as DispatchFetch().
int DispatchJson(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                 v8::Local<v8::Object> env, const char *event_json, char **out,
                 size_t *out_size_bytes, snapcell_error *err);

// Hands an event (JSON text) to the handler `name` of the bundle that `entry` is of. `*out`: Owned,
// free(). Errors: E_NO_HANDLER, and as DispatchFetch().
int DispatchNamed(v8::Local<v8::Context> context, v8::Local<v8::Function> entry,
                  v8::Local<v8::Object> env, const char *name, const char *event_json, char **out,
                  size_t *out_size_bytes, snapcell_error *err);

} // namespace snapcell

#endif
