/* The key of an artifact: XXH3-128 over everything that decides its bytes. Internal to the
 * compiler.
 */
#ifndef SNAPCELL_COMPILE_KEY_H
#define SNAPCELL_COMPILE_KEY_H

#include "compile_settings.h"

/* What is not in it: limits and log; `strict`, since a strict compile that succeeds gives the same
 * bytes; the level of a raw artifact. Errors: E_NOMEM. Thread: any. */
int compile_key(const bundle_file *bundle, const compile_recipe *recipe, snapcell_key *out,
                snapcell_error *err);

#endif
