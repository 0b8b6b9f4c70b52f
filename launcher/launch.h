/* The launcher: a program of a few pages that becomes the process an image was made of. It has no
 * library, so that nothing of one is in the way of what it maps. Internal. */
#ifndef SNAPCELL_LAUNCH_H
#define SNAPCELL_LAUNCH_H

#include "launch_calls.h"
#include "launch_protocol.h"
#include "process_image_format.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define LAUNCH_SOCKET_FD 3
#define LAUNCH_CONTROL_FD 4

/* What of the launcher's own is mapped. */
typedef struct launch_own {
    process_image_arrival leftovers;
    uint32_t special_count; /* vdso and vvar, in ascending order */
    struct {
        uint64_t start;
        uint64_t end;
    } specials[PROCESS_IMAGE_SPECIALS_MAX];
} launch_own;

/* Tells the host, and ends the process. `result`: of a system call, or 0. */
_Noreturn void launch_fail(launch_failure failure, launch_step step, long result);

/* Ends the process when a call failed. */
static inline long launch_require(launch_step step, long result)
{
    if (call_failed(result)) launch_fail(LAUNCH_REFUSED, step, result);
    return result;
}

/* --- launch_setup.c: before there is an image --- */

/* Opens what /proc tells of this process, which the worker needs in its sandbox. */
void launch_open_files(void);
/* Reads the list of mappings. */
void launch_survey(launch_own *own);
/* Enters the sandbox. */
void launch_enter_sandbox(const launch_setup *setup);

/* --- launch_stock.c --- */

/* Maps the program's segments somewhere, and touches their warm pages. What the kernel refuses is
 * done without. To be called after launch_survey(). */
void launch_lay_in(const launch_stock *stock);
/* Unmaps what lies where an image has something else. */
void launch_clear_stock(const process_image_range *ranges, uint32_t count);
/* Whether a segment is where an image has it already. */
bool launch_has_segment(const process_image_range *range);
/* Moves a segment, with the page tables of what was touched, to where an image has it, if it was
 * laid in. The place is free and reserved. */
bool launch_take_segment(const process_image_range *range);
/* Unmaps what nobody took. */
void launch_drop_stock(void);

/* --- launch_map.c --- */

/* Has the memory for an image's tables at hand. */
void launch_touch_tables(void);
/* Maps the image and goes on as it. */
_Noreturn void launch_become(const launch_own *own, uint64_t image_size_bytes);

#endif
