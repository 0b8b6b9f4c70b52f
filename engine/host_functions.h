// An embedder's functions as lazy globals; snapcell/host.h is the outside.
#ifndef SNAPCELL_HOST_FUNCTIONS_H
#define SNAPCELL_HOST_FUNCTIONS_H

#include <vector>

#include <v8.h>

#include "snapcell/host.h"

namespace snapcell
{

void AppendHostReferences(std::vector<intptr_t> *references);

// Makes each function of the table a lazy property of the global object; NULL adds none.
void AddHostFunctions(v8::Isolate *isolate, v8::Local<v8::ObjectTemplate> global,
                      const snapcell_host *host);

} // namespace snapcell

#endif
