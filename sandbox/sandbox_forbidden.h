/* The system calls that neither a client of the network nor a server ever needs. Internal to the
 * sandbox. */
#ifndef SNAPCELL_SANDBOX_FORBIDDEN_H
#define SNAPCELL_SANDBOX_FORBIDDEN_H

#include "sandbox_program.h"

/* Each of them ends in `action`. */
void sandbox_forbid(sandbox_program *out, uint32_t action);

/* Renaming files, and giving them other names. */
void sandbox_forbid_naming(sandbox_program *out, uint32_t action);

/* A call of the x32 ABI ends the process. Nothing on other processors. */
void sandbox_forbid_x32(sandbox_program *out);

#endif
