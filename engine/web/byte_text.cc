#include "web/byte_text.h"

namespace snapcell
{

static const char kPlain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char kHex[] = "0123456789abcdef";

// --- Encoding ---

size_t Base64Size(size_t bytes, Base64Style style)
{
    if (style.padding) return (bytes + 2) / 3 * 4;
    return bytes / 3 * 4 + (bytes % 3 > 0 ? bytes % 3 + 1 : 0);
}

void EncodeBase64(std::span<const uint8_t> bytes, Base64Style style, uint8_t *text)
{
    const char *digits = style.url ? kUrl : kPlain;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
        uint32_t group = static_cast<uint32_t>(bytes[i]) << 16 |
                         (count > 1 ? bytes[i + 1] << 8 : 0) | (count > 2 ? bytes[i + 2] : 0);
        for (size_t j = 0; j < 4; j++) {
            if (j <= count)
                *text++ = static_cast<uint8_t>(digits[group >> (18 - 6 * j) & 63]);
            else if (style.padding)
                *text++ = '=';
        }
    }
}

void EncodeHex(std::span<const uint8_t> bytes, uint8_t *text)
{
    for (uint8_t byte : bytes) {
        *text++ = static_cast<uint8_t>(kHex[byte >> 4]);
        *text++ = static_cast<uint8_t>(kHex[byte & 15]);
    }
}

// --- Decoding ---

int Base64Digit(uint8_t c, bool url)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == (url ? '-' : '+')) return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

namespace
{
struct Base64Digits {
    int8_t of[256];
    Base64Digits()
    {
        for (int c = 0; c < 256; c++)
            of[c] = static_cast<int8_t>(Base64Digit(static_cast<uint8_t>(c), false));
    }
};
} // namespace

size_t DecodeBase64Groups(std::span<const uint8_t> text, uint8_t *bytes)
{
    static const Base64Digits digits;
    size_t read = 0;
    for (; read + 4 <= text.size(); read += 4) {
        int a = digits.of[text[read]], b = digits.of[text[read + 1]];
        int c = digits.of[text[read + 2]], d = digits.of[text[read + 3]];
        if ((a | b | c | d) < 0) break;
        *bytes++ = static_cast<uint8_t>(a << 2 | b >> 4);
        *bytes++ = static_cast<uint8_t>(b << 4 | c >> 2);
        *bytes++ = static_cast<uint8_t>(c << 6 | d);
    }
    return read;
}

static bool IsBlank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

// The standard's FromBase64: a chunk is up to four characters.
class Base64Reader
{
  public:
    Base64Reader(std::span<const uint8_t> text, Base64Form form, uint8_t *bytes, size_t capacity)
        : text_(text), form_(form), bytes_(bytes), capacity_(capacity)
    {
    }

    Decoded Read()
    {
        if (capacity_ == 0) return done_;
        for (;;) {
            SkipBlanks();
            if (index_ == text_.size()) return End();
            uint8_t c = text_[index_++];
            if (c == '=') return Padding();
            int digit = Base64Digit(c, form_.url);
            if (digit < 0) return Fail();
            size_t left = capacity_ - done_.written;
            if ((left == 1 && count_ == 2) || (left == 2 && count_ == 3)) return done_;
            chunk_ = chunk_ << 6 | static_cast<uint32_t>(digit);
            if (++count_ == 4 && TakeChunk()) return done_;
        }
    }

  private:
    void SkipBlanks()
    {
        while (index_ < text_.size() && IsBlank(text_[index_]))
            index_++;
    }

    Decoded Fail()
    {
        done_.failed = true;
        return done_;
    }

    Decoded All()
    {
        done_.read = text_.size();
        return done_;
    }

    // Whether there is no room for more.
    bool TakeChunk()
    {
        for (int shift = 16; shift >= 0; shift -= 8)
            bytes_[done_.written++] = static_cast<uint8_t>(chunk_ >> shift);
        chunk_ = 0;
        count_ = 0;
        done_.read = index_;
        return done_.written == capacity_;
    }

    // A last chunk of two or three characters. False when bits are left over that must be zero.
    bool TakeLastChunk(bool strict)
    {
        uint32_t bits = chunk_ << (count_ == 2 ? 12 : 6);
        if (strict && (bits & (count_ == 2 ? 0xffff : 0xff)) != 0) return false;
        bytes_[done_.written++] = static_cast<uint8_t>(bits >> 16);
        if (count_ == 3) bytes_[done_.written++] = static_cast<uint8_t>(bits >> 8);
        return true;
    }

    Decoded End()
    {
        if (count_ > 0) {
            if (form_.last_chunk == LastChunk::kStopBeforePartial) return done_;
            if (form_.last_chunk == LastChunk::kStrict || count_ == 1) return Fail();
            TakeLastChunk(false);
        }
        return All();
    }

    // After the first "=".
    Decoded Padding()
    {
        if (count_ < 2) return Fail();
        SkipBlanks();
        if (count_ == 2) {
            if (index_ == text_.size())
                return form_.last_chunk == LastChunk::kStopBeforePartial ? done_ : Fail();
            if (text_[index_] == '=') {
                index_++;
                SkipBlanks();
            }
        }
        if (index_ < text_.size() || !TakeLastChunk(form_.last_chunk == LastChunk::kStrict))
            return Fail();
        return All();
    }

    std::span<const uint8_t> text_;
    Base64Form form_;
    uint8_t *bytes_;
    size_t capacity_;
    size_t index_ = 0;
    uint32_t chunk_ = 0;
    int count_ = 0;
    Decoded done_;
};

Decoded DecodeBase64(std::span<const uint8_t> text, Base64Form form, uint8_t *bytes,
                     size_t capacity)
{
    return Base64Reader(text, form, bytes, capacity).Read();
}

static int HexDigit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Decoded DecodeHex(std::span<const uint8_t> text, uint8_t *bytes, size_t capacity)
{
    Decoded done;
    done.failed = text.size() % 2 != 0;
    while (!done.failed && done.read < text.size() && done.written < capacity) {
        int high = HexDigit(text[done.read]);
        int low = HexDigit(text[done.read + 1]);
        done.failed = high < 0 || low < 0;
        if (done.failed) break;
        bytes[done.written++] = static_cast<uint8_t>(high << 4 | low);
        done.read += 2;
    }
    return done;
}

} // namespace snapcell
