// Random values that a warm-up request drew: the snapshot must not keep them, or all its instances
// share them.
#ifndef SNAPCELL_RANDOM_DRAWS_H
#define SNAPCELL_RANDOM_DRAWS_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bundle_place.h"
#include "draw_search.h"

namespace snapcell
{

class RandomDraws
{
  public:
    // `value`: bytes, or text as of a UUID. What is shorter than DRAW_SIZE_MIN is not looked for.
    void Add(const char *what, const BundlePlace &place, const void *value, size_t size);

    // The numbers of those whose beginning is in `blob`: as it is, or in hex or base64.
    std::vector<size_t> FindIn(const void *blob, size_t size) const;

    size_t size() const { return draws_.size(); }
    const std::string &what(size_t number) const { return draws_[number].what; }
    const BundlePlace &place(size_t number) const { return draws_[number].place; }

  private:
    struct Draw {
        std::string what;
        BundlePlace place;
    };
    std::vector<Draw> draws_;
    std::vector<draw_form> forms_; // all that are looked for
    std::vector<uint32_t> draw_of_form_;
};

} // namespace snapcell

#endif
