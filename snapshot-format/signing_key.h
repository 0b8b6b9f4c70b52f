/* The inside of a signing key. Internal to snapshot-format. */
#ifndef SNAPCELL_SIGNING_KEY_H
#define SNAPCELL_SIGNING_KEY_H

#include "key_text.h"

/* In memory of sodium_malloc(): between guard pages, locked where that is allowed, left out of core
 * dumps, wiped when it is freed. */
struct snapcell_signing_key {
    uint8_t secret[KEY_TEXT_SECRET_SIZE];
};

#endif
