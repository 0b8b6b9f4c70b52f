/* Internal to the program: what histories are told of with. */
#ifndef SNAPCELL_CLI_HISTORY_H
#define SNAPCELL_CLI_HISTORY_H

#include "cli.h"
#include "snapcell/history.h"
#include "snapcell/release.h"

#define CLI_TIME_TEXT_SIZE 24

/* Who this is, for the history: "user@machine". Before any thread is started. */
void cli_who(char out[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1]);
/* As "2026-11-29T17:00:00Z". Gives `out`. */
const char *cli_time_text(int64_t time_s, char out[CLI_TIME_TEXT_SIZE]);
/* null for a key of zeros. */
json_t *cli_key_json(const snapcell_key *key);
const char *cli_release_action_name(snapcell_release_action action);

#endif
