#include "utf8.h"

/* The second byte's range holds what a lead byte alone does not say (Unicode, table 3-7). */
static bool utf8_second_byte_fits(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

static size_t utf8_size_by_lead(uint8_t lead)
{
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

size_t utf8_character_size(const uint8_t *text, size_t size_bytes)
{
    if (size_bytes == 0) return 0;
    const size_t size = utf8_size_by_lead(text[0]);
    if (size == 0 || size > size_bytes) return 0;
    if (size > 1 && !utf8_second_byte_fits(text[0], text[1])) return 0;
    for (size_t i = 2; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    return size;
}

bool utf8_is_name(const uint8_t *text, size_t size_bytes)
{
    for (size_t at = 0; at < size_bytes;) {
        const size_t size = utf8_character_size(text + at, size_bytes - at);
        if (size == 0) return false;
        if (text[at] < 0x20 || text[at] == 0x7f || text[at] == '/') return false;
        if (text[at] == 0xc2 && text[at + 1] < 0xa0) return false; /* C1 */
        at += size;
    }
    return true;
}
