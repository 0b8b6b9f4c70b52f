/* What is known of a source: the file source.json in the store's folder. */
#include <stdlib.h>
#include <string.h>

#include "cli_source.h"
#include "error_set.h"

#define STATE_NAME "source.json"
#define STATE_SIZE_MAX ((size_t)64 << 10)

static void state_take(const json_t *json, const char *name, char *out, size_t out_size)
{
    const char *text = json_string_value(json_object_get(json, name));
    snprintf(out, out_size, "%s", text ? text : "");
}

static bool state_says(const json_t *json, const char *name, const char *text)
{
    const char *found = json_string_value(json_object_get(json, name));
    return found && strcmp(found, text) == 0;
}

static char *state_path(const cli_source *source)
{
    char *path = NULL;
    return asprintf(&path, "%s/" STATE_NAME, source->arguments->store) >= 0 ? path : NULL;
}

void cli_source_state_read(const cli_source *source, cli_source_state *out)
{
    char engine_text[SNAPCELL_KEY_HEX_SIZE];
    size_t size = 0;
    cleanup_free char *text = NULL;
    cleanup_free char *path = state_path(source);
    *out = (cli_source_state){0};
    if (!path || cli_read_file(path, STATE_SIZE_MAX, &text, &size, NULL) != SNAPCELL_OK) return;
    snapcell_fingerprint engine = cli_engine();
    json_t *json = json_loadb(text, size, 0, NULL);
    if (state_says(json, "reference", source->config->reference) &&
        state_says(json, "engine", cli_fingerprint_text(&engine, engine_text))) {
        state_take(json, "digest", out->digest, sizeof(out->digest));
        state_take(json, "release", out->release, sizeof(out->release));
        state_take(json, "refused", out->refused, sizeof(out->refused));
        state_take(json, "reason", out->reason, sizeof(out->reason));
    }
    json_decref(json);
}

int cli_source_state_write(const cli_source *source, snapcell_error *err)
{
    char engine_text[SNAPCELL_KEY_HEX_SIZE];
    const cli_source_state *state = &source->state;
    cleanup_free char *path = state_path(source);
    snapcell_fingerprint engine = cli_engine();
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o}", "reference", source->config->reference, "engine",
        cli_fingerprint_text(&engine, engine_text), "digest", state->digest, "release",
        state->release, "refused", state->refused, "reason", cli_json_text(state->reason));
    cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_decref(json);
    if (!path || !text) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a source's state");
    return cli_write_file(path, text, strlen(text), true, err);
}
