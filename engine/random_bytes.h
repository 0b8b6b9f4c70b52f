// Random bytes from the system, without any state in this process.
#ifndef SNAPCELL_RANDOM_BYTES_H
#define SNAPCELL_RANDOM_BYTES_H

#include <cstddef>

namespace snapcell
{

// False when the system gives none.
bool FillWithRandomBytes(void *data, size_t size);

} // namespace snapcell

#endif
