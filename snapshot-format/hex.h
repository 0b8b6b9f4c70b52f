/* Bytes as hex digits. Internal. */
#ifndef SNAPCELL_HEX_H
#define SNAPCELL_HEX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes 2 * size_bytes lower-case digits and a terminating zero to `out`. */
void hex_format(const uint8_t *bytes, size_t size_bytes, char *out);

#ifdef __cplusplus
}
#endif
#endif
