#include "external_references.h"

#include "host_functions.h"
#include "web_modules.h"
#include "webassembly_guard.h"

namespace snapcell
{

std::vector<intptr_t> BuildExternalReferences(const BundleText &text)
{
    std::vector<intptr_t> references;
    references.reserve(256);
    AppendWebReferences(&references);
    AppendHostReferences(&references);
    AppendWebAssemblyReferences(&references);
    references.push_back(text.Reference());
    references.push_back(0);
    return references;
}

} // namespace snapcell
