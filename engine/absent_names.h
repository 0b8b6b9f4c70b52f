// What functions that were written for Node or for a web page ask for and do not find here, and
// what their authors can do about it.
#ifndef SNAPCELL_ABSENT_NAMES_H
#define SNAPCELL_ABSENT_NAMES_H

#include <string>
#include <string_view>

namespace snapcell
{

// "import of "x" was not resolved...": `what` is import, require or import().
std::string UnresolvedMessage(std::string_view what, std::string_view specifier);

// What to do about an error's message, beginning with a semicolon; empty for most. `file` is the
// bundle's name where it may be what was not understood.
std::string_view AdviceFor(std::string_view message, std::string_view file);

} // namespace snapcell

#endif
