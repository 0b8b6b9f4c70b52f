#include "web/idna_lenient.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

namespace snapcell
{
namespace
{

struct FreeCodePoints {
    void operator()(uint32_t *memory) const { free(memory); }
};
struct CodePoints {
    std::unique_ptr<uint32_t[], FreeCodePoints> data;
    size_t size = 0;
};

bool Normalize(CodePoints *points)
{
    size_t size = 0;
    points->data.reset(
        u32_normalize(UNINORM_NFKC, points->data.get(), points->size, nullptr, &size));
    points->size = size;
    return points->data != nullptr && size > 0;
}

// UTS 46's mapping of what can be in such a label: NFKC and lower case. Full case folding would
// change what the non-transitional mapping keeps.
bool Map(const std::string &label, CodePoints *out)
{
    out->data.reset(u8_to_u32(reinterpret_cast<const uint8_t *>(label.data()), label.size(),
                              nullptr, &out->size));
    if (out->data == nullptr || out->size == 0 || !Normalize(out)) return false;
    for (size_t i = 0; i < out->size; i++)
        out->data[i] = uc_tolower(out->data[i]);
    return Normalize(out);
}

constexpr uint32_t kReplacement = 0xfffd; // a symbol by its category, but disallowed

bool IsAllowed(uint32_t c)
{
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    constexpr uint32_t kMask = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
                               UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S;
    return c != kReplacement && uc_is_general_category_withtable(c, kMask);
}

bool IsAllowedLabel(const CodePoints &label)
{
    if (uc_is_general_category_withtable(label.data[0], UC_CATEGORY_MASK_M)) return false;
    for (size_t i = 0; i < label.size; i++) {
        // Right-to-left text has rules of its own, which libidn2 looks after.
        int bidi = uc_bidi_class(label.data[i]);
        if (!IsAllowed(label.data[i]) || bidi == UC_BIDI_R || bidi == UC_BIDI_AL) return false;
    }
    return true;
}

// --- Punycode, RFC 3492 ---

constexpr uint32_t kBase = 36, kMin = 1, kMax = 26, kSkew = 38, kDamp = 700;

uint32_t Adapt(uint32_t delta, uint32_t points, bool first)
{
    delta = first ? delta / kDamp : delta / 2;
    delta += delta / points;
    uint32_t k = 0;
    for (; delta > (kBase - kMin) * kMax / 2; k += kBase)
        delta /= kBase - kMin;
    return k + (kBase - kMin + 1) * delta / (delta + kSkew);
}

void AppendNumber(uint32_t q, uint32_t bias, std::string *out)
{
    constexpr char kDigits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (uint32_t k = kBase;; k += kBase) {
        uint32_t t = k <= bias ? kMin : k >= bias + kMax ? kMax : k - bias;
        if (q < t) break;
        out->push_back(kDigits[t + (q - t) % (kBase - t)]);
        q = (q - t) / (kBase - t);
    }
    out->push_back(kDigits[q]);
}

uint32_t NextLarger(const CodePoints &label, uint32_t n)
{
    uint32_t next = UINT32_MAX;
    for (size_t i = 0; i < label.size; i++) {
        if (label.data[i] >= n && label.data[i] < next) next = label.data[i];
    }
    return next;
}

// The label is short, so that nothing overflows.
void AppendPunycode(const CodePoints &label, std::string *out)
{
    uint32_t basic = 0;
    for (size_t i = 0; i < label.size; i++) {
        if (label.data[i] >= 0x80) continue;
        out->push_back(static_cast<char>(label.data[i]));
        basic++;
    }
    if (basic > 0) out->push_back('-');
    uint32_t n = 0x80, delta = 0, bias = 72, handled = basic;
    while (handled < label.size) {
        uint32_t next = NextLarger(label, n);
        delta += (next - n) * (handled + 1);
        n = next;
        for (size_t i = 0; i < label.size; i++) {
            if (label.data[i] < n) delta++;
            if (label.data[i] != n) continue;
            AppendNumber(delta, bias, out);
            bias = Adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
        delta++;
        n++;
    }
}

} // namespace

bool AppendLenientLabel(const std::string &label, std::string *out)
{
    constexpr size_t kSizeMax = 63;
    CodePoints mapped;
    if (!Map(label, &mapped) || mapped.size > kSizeMax || !IsAllowedLabel(mapped)) return false;
    out->append("xn--");
    AppendPunycode(mapped, out);
    return true;
}

} // namespace snapcell
