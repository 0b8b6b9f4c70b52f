/* What answers mean, and how long to wait after those that pass. */
#include <string.h>
#include <time.h>

#include "error_set.h"
#include "monotonic.h"
#include "registry_state.h"

#define BACKOFF_MS 200u
#define BACKOFF_MS_MAX 10000u
#define RETRY_AFTER_S_MAX 120u

/* --- Waiting --- */

static void wait_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    while (nanosleep(&left, &left) != 0)
        continue;
}

bool registry_wait(unsigned attempt, const char *retry_after)
{
    uint64_t seconds = 0;
    if (retry_after[0] != '\0' &&
        registry_retry_after(retry_after, (int64_t)time(NULL), &seconds)) {
        if (seconds > RETRY_AFTER_S_MAX) return false;
        wait_ms(seconds * 1000);
        return true;
    }
    uint64_t ms = (uint64_t)BACKOFF_MS << (attempt < 8 ? attempt - 1 : 7);
    if (ms > BACKOFF_MS_MAX) ms = BACKOFF_MS_MAX;
    /* Many machines that were cut off at once must not come back at once. */
    wait_ms(ms / 2 + randombytes_uniform((uint32_t)ms));
    return true;
}

bool registry_is_passing(int status)
{
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

uint64_t registry_retry_after_s(const registry_client *registry)
{
    return registry->retry_after_s;
}

/* --- What an answer means --- */

int registry_refused(const registry_client *registry, const char *doing,
                     const registry_reply *reply, snapcell_error *err)
{
    char text[REGISTRY_TEXT_SIZE];
    registry_error_text(reply->body, reply->body_size_bytes, text);
    const char *colon = text[0] != '\0' ? ": " : "";
    const int code = reply->status == 404 ? SNAPCELL_E_NOT_FOUND : SNAPCELL_E_IO;
    const char *hint = "";
    if (reply->status == 401 || reply->status == 403)
        hint = "; `docker login` says who you are, if that is what is missing";
    if (reply->status == 429) hint = "; it wants fewer requests: try again later";
    if (reply->status == 400 && strstr(text, "media type") != NULL)
        hint = "; --no-artifact-type makes what registries take that know few types";
    return error_set(err, code, "%s %s (status %d%s%s)%s", registry->host, doing, reply->status,
                     colon, text, hint);
}
