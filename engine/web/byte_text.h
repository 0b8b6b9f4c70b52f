// Bytes as text: base64 and hex, as Uint8Array's methods have them (ECMAScript 2026). No V8 here.
#ifndef SNAPCELL_WEB_BYTE_TEXT_H
#define SNAPCELL_WEB_BYTE_TEXT_H

#include <cstddef>
#include <cstdint>
#include <span>

namespace snapcell
{

struct Base64Style {
    bool url;     // "-" and "_" rather than "+" and "/"
    bool padding; // "=" at the end
};

// Of the last characters, when they are fewer than four.
enum class LastChunk { kLoose, kStrict, kStopBeforePartial };

struct Base64Form {
    bool url = false;
    LastChunk last_chunk = LastChunk::kLoose;
};

// What decoding came to. What was decoded before an error is written.
struct Decoded {
    size_t read = 0;    // characters
    size_t written = 0; // bytes
    bool failed = false;
};

// Of a character; -1 when it is not a digit.
int Base64Digit(uint8_t c, bool url);

// Decodes what `text` begins with, as long as there are four digits and nothing else. How many
// characters that were; three quarters of it are the bytes, which may take the place of the text.
size_t DecodeBase64Groups(std::span<const uint8_t> text, uint8_t *bytes);

size_t Base64Size(size_t bytes, Base64Style style);
// Writes Base64Size() characters.
void EncodeBase64(std::span<const uint8_t> bytes, Base64Style style, uint8_t *text);
// Writes no more than `capacity` bytes, and reads no further than for those. A character beyond
// ASCII is an error.
Decoded DecodeBase64(std::span<const uint8_t> text, Base64Form form, uint8_t *bytes,
                     size_t capacity);

// Writes two characters a byte.
void EncodeHex(std::span<const uint8_t> bytes, uint8_t *text);
Decoded DecodeHex(std::span<const uint8_t> text, uint8_t *bytes, size_t capacity);

} // namespace snapcell

#endif
