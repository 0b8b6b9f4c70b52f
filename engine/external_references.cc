#include "external_references.h"

#include "evaluation.h"
#include "host_functions.h"
#include "late_builtins.h"
#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{

std::vector<intptr_t> BuildExternalReferences(const BundleText &text)
{
    std::vector<intptr_t> references;
    references.reserve(256);
    AppendWebReferences(&references);
    AppendByteMethodReferences(&references);
    AppendHostReferences(&references);
    AppendLateBuiltInReferences(&references);
    AppendEvaluationReferences(&references);
    references.push_back(text.Reference());
    references.push_back(0);
    return references;
}

} // namespace snapcell
