// Domain labels that are too free for IDNA 2008.
#ifndef SNAPCELL_IDNA_LENIENT_H
#define SNAPCELL_IDNA_LENIENT_H

#include <string>

namespace snapcell
{

// Appends the ASCII form of a UTF-8 label that IDNA 2008 forbids for its symbols or for where its
// hyphens are, but that UTS 46 as the URL standard uses it lets through; libidn2 is stricter.
// False when it does not.
bool AppendLenientLabel(const std::string &label, std::string *out);

} // namespace snapcell

#endif
