#include "cli_history.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The user's name by /etc/passwd alone, or the number: in a static program getpwuid() would load
 * the host's NSS modules, and some of them crash there. */
static void user_name(char *out, size_t size)
{
    uid_t uid = geteuid();
    snprintf(out, size, "%lu", (unsigned long)uid);
    FILE *file = fopen("/etc/passwd", "re");
    if (!file) return;
    /* cppcheck-suppress fgetpwentCalled ; before any thread */
    for (const struct passwd *user; (user = fgetpwent(file)) != NULL;)
        if (user->pw_uid == uid) {
            snprintf(out, size, "%s", user->pw_name);
            break;
        }
    fclose(file);
}

void cli_who(char out[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1])
{
    char host[65] = "", user[101];
    user_name(user, sizeof(user));
    gethostname(host, sizeof(host) - 1);
    snprintf(out, SNAPCELL_HISTORY_WHO_SIZE_MAX + 1, "%s@%.64s", user, host);
}

const char *cli_time_text(int64_t time_s, char out[CLI_TIME_TEXT_SIZE])
{
    struct tm parts;
    time_t moment = (time_t)time_s;
    if (!gmtime_r(&moment, &parts) ||
        strftime(out, CLI_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        strcpy(out, "?");
    return out;
}

json_t *cli_key_json(const snapcell_key *key)
{
    static const snapcell_key none;
    char text[SNAPCELL_KEY_HEX_SIZE];
    if (memcmp(key, &none, sizeof(none)) == 0) return json_null();
    return json_string(cli_key_text(key, text));
}

const char *cli_release_action_name(snapcell_release_action action)
{
    static const char *const names[] = {"?", "created", "activated", "rolled back to", "removed"};
    return action <= SNAPCELL_RELEASE_REMOVED ? names[action] : names[0];
}
