/* Reading ahead in a mapped file. Internal to the loader. */
#ifndef SNAPCELL_READAHEAD_H
#define SNAPCELL_READAHEAD_H

#include <stddef.h>

/* Has the kernel read, all at once, what of these bytes is not in the page cache: else each window
 * of pages would be a wait for the disk. Does not wait itself; where it cannot tell what is missing
 * (a file of another owner that this process cannot write), nothing is done. Thread: any. */
void readahead_request(const void *bytes, size_t size_bytes);

#endif
