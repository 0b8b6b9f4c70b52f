#include "random_draws.h"

#include <bitset>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace snapcell
{
namespace
{

// Enough to tell a value from any other; a buffer of which a part was used up is found by it, too.
constexpr size_t kBytesCompared = 12;

// A warm-up that draws more than this is not one that keeps a key.
constexpr size_t kDrawsMax = 10000;

// What is looked up at each offset of the blob.
constexpr size_t kWindow = sizeof(uint64_t);

std::string Hex(const uint8_t *data, size_t size, const char *digits)
{
    std::string text;
    for (size_t i = 0; i < size; i++) {
        text += digits[data[i] >> 4];
        text += digits[data[i] & 15];
    }
    return text;
}

// Whole groups of three bytes: what follows does not change them.
std::string Base64(const uint8_t *data, size_t size, const char *last)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    for (size_t i = 0; i + 3 <= size; i += 3) {
        uint32_t group = static_cast<uint32_t>(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
        for (int shift = 18; shift >= 0; shift -= 6) {
            uint32_t digit = group >> shift & 63;
            text += digit < 62 ? digits[digit] : last[digit - 62];
        }
    }
    return text;
}

// As packages make a UUID of version 4 from bytes that were drawn: the bytes, and their text.
void AddUuidForms(const uint8_t *data, size_t size, std::vector<std::string> *forms)
{
    uint8_t uuid[16];
    if (size < sizeof(uuid)) return;
    memcpy(uuid, data, sizeof(uuid));
    uuid[6] = (uuid[6] & 0x0f) | 0x40;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
    forms->emplace_back(reinterpret_cast<const char *>(uuid), sizeof(uuid));
    for (const char *digits : {"0123456789abcdef", "0123456789ABCDEF"}) {
        std::string text = Hex(uuid, sizeof(uuid), digits);
        forms->push_back(text);
        for (size_t at : {20, 16, 12, 8})
            text.insert(at, 1, '-');
        forms->push_back(text);
    }
}

uint64_t WindowAt(const char *at)
{
    uint64_t window;
    memcpy(&window, at, sizeof(window));
    return window;
}

} // namespace

void RandomDraws::Add(const char *what, const BundlePlace &place, const void *value, size_t size)
{
    if (size < kValueSizeMin || draws_.size() == kDrawsMax) return;
    const uint8_t *data = static_cast<const uint8_t *>(value);
    size_t compared = size < kBytesCompared ? size : kBytesCompared;
    std::string raw(reinterpret_cast<const char *>(data), compared);
    std::string without_dashes(reinterpret_cast<const char *>(data), size); // as UUIDs are kept
    std::erase(without_dashes, '-');
    draws_.push_back({what,
                      place,
                      {raw, without_dashes, Hex(data, compared, "0123456789abcdef"),
                       Hex(data, compared, "0123456789ABCDEF"), Base64(data, compared, "+/"),
                       Base64(data, compared, "-_")}});
    AddUuidForms(data, size, &draws_.back().forms);
}

// One pass over the blob, however many draws there are.
std::vector<size_t> RandomDraws::FindIn(const void *blob, size_t size) const
{
    std::vector<size_t> found;
    if (draws_.empty() || size < kWindow) return found;
    std::unordered_multimap<uint64_t, std::pair<size_t, const std::string *>> wanted;
    for (size_t number = 0; number < draws_.size(); number++)
        for (const std::string &form : draws_[number].forms)
            if (form.size() >= kWindow)
                wanted.emplace(WindowAt(form.data()), std::make_pair(number, &form));
    std::bitset<65536> begins; // most offsets are passed over by it
    for (const auto &entry : wanted)
        begins.set(entry.first & 0xffff);
    std::vector<bool> is_found(draws_.size());
    const char *data = static_cast<const char *>(blob);
    for (size_t at = 0; at + kWindow <= size; at++) {
        uint64_t window = WindowAt(data + at);
        if (!begins.test(window & 0xffff)) continue;
        auto [first, last] = wanted.equal_range(window);
        for (; first != last; ++first) {
            const auto &[number, form] = first->second;
            if (size - at >= form->size() && memcmp(data + at, form->data(), form->size()) == 0)
                is_found[number] = true;
        }
    }
    for (size_t number = 0; number < draws_.size(); number++)
        if (is_found[number]) found.push_back(number);
    return found;
}

} // namespace snapcell
