/* Swap space for a test, of the machine or made for the while. */
#ifndef SNAPCELL_TESTS_TORTURE_SWAP_H
#define SNAPCELL_TESTS_TORTURE_SWAP_H

/* Where the machine has too little of it, a file of this process's own becomes swap space, until
 * the process ends in whatever way. Returns what there is, in words; NULL: nothing, and a line on
 * standard error says why. */
const char *torture_swap_begin(void);

#endif
