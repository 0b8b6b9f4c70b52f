#include "random_draws.h"

namespace snapcell
{
namespace
{

// A warm-up that draws more than this is not one that keeps a key.
constexpr size_t kDrawsMax = 10000;

struct FindUser {
    const std::vector<uint32_t> &draw_of_form;
    std::vector<bool> is_found;
};

} // namespace

void RandomDraws::Add(const char *what, const BundlePlace &place, const void *value, size_t size)
{
    if (draws_.size() == kDrawsMax) return;
    draw_form forms[DRAW_FORMS_MAX];
    size_t count = draw_forms_of(value, size, forms);
    if (count == 0) return;
    forms_.insert(forms_.end(), forms, forms + count);
    draw_of_form_.insert(draw_of_form_.end(), count, static_cast<uint32_t>(draws_.size()));
    draws_.push_back({what, place});
}

// One pass over the blob, however many draws there are.
std::vector<size_t> RandomDraws::FindIn(const void *blob, size_t size) const
{
    std::vector<size_t> found;
    if (draws_.empty()) return found;
    std::vector<uint64_t> memory(draw_search_memory_size(forms_.size()) / sizeof(uint64_t));
    draw_search search;
    draw_search_init(&search, forms_.data(), forms_.size(), memory.data());
    FindUser user = {draw_of_form_, std::vector<bool>(draws_.size())};
    draw_search_in(
        &search, blob, size,
        [](void *data, size_t form) {
            FindUser *user = static_cast<FindUser *>(data);
            user->is_found[user->draw_of_form[form]] = true;
            return true;
        },
        &user);
    for (size_t number = 0; number < draws_.size(); number++)
        if (user.is_found[number]) found.push_back(number);
    return found;
}

} // namespace snapcell
