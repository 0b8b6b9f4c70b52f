// The external reference table: every address outside the heap that a snapshot may hold, by
// position.
#ifndef SNAPCELL_EXTERNAL_REFERENCES_H
#define SNAPCELL_EXTERNAL_REFERENCES_H

#include <vector>

#include "bundle_text.h"

namespace snapcell
{

// One list for both sides: built the same way when a snapshot is made and when it is loaded.
// Zero-terminated; has to live as long as the isolate.
std::vector<intptr_t> BuildExternalReferences(const BundleText &text);

} // namespace snapcell

#endif
