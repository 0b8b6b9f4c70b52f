#include "bench_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error_set.h"

int bench_peers_read(const char *path, json_t **out, snapcell_error *err)
{
    json_error_t where;
    *out = json_load_file(path, 0, &where);
    if (!*out)
        return error_set(err, SNAPCELL_E_USAGE, "%s: %s (line %d)", path, where.text, where.line);
    if (json_is_array(*out)) return SNAPCELL_OK;
    json_decref(*out);
    *out = NULL;
    return error_set(err, SNAPCELL_E_USAGE, "%s: an array of peers was expected", path);
}

void bench_missing_add(json_t *missing, const char *peer, const char *function, const char *reason)
{
    json_t *entry =
        json_pack("{s:s, s:s*, s:s}", "peer", peer, "function", function, "reason", reason);
    for (size_t i = 0; i < json_array_size(missing); i++) {
        if (!json_equal(entry, json_array_get(missing, i))) continue;
        json_decref(entry);
        return;
    }
    json_array_append_new(missing, entry);
}

static char **bench_strings_new(size_t count)
{
    return calloc(count + 1, sizeof(char *));
}

static void bench_strings_free(char **strings)
{
    for (size_t i = 0; strings && strings[i]; i++)
        free(strings[i]);
    free(strings);
}

/* Whether `entry`, as "NAME=VALUE", is of a name that `object` has. */
static bool bench_environment_has(const json_t *object, const char *entry)
{
    char name[256];
    size_t size = strcspn(entry, "=");
    if (size >= sizeof(name)) return false;
    snprintf(name, sizeof(name), "%.*s", (int)size, entry);
    return json_object_get(object, name) != NULL;
}

/* This process's environment with the members of `extra` in it. */
static char **bench_environment(const json_t *extra)
{
    size_t own = 0, count = 0;
    while (environ[own])
        own++;
    char **env = bench_strings_new(own + json_object_size(extra));
    for (size_t i = 0; env && i < own; i++)
        if (!bench_environment_has(extra, environ[i])) env[count++] = strdup(environ[i]);
    json_t *object = (json_t *)extra; /* iterating takes one that is not const */
    for (void *at = json_object_iter(object); env && at; at = json_object_iter_next(object, at)) {
        const char *value = json_string_value(json_object_iter_value(at));
        if (asprintf(&env[count], "%s=%s", json_object_iter_key(at), value ? value : "") < 0) break;
        count++;
    }
    return env;
}

bool bench_contender_init(bench_contender *out, const json_t *argv, const json_t *env)
{
    size_t count = json_array_size(argv);
    out->program.argv = bench_strings_new(count);
    out->program.env = bench_environment(env);
    for (size_t i = 0; out->program.argv && i < count; i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        out->program.argv[i] = word ? strdup(word) : NULL;
        if (!out->program.argv[i]) return false;
    }
    return out->program.argv && out->program.env && count > 0;
}

void bench_contender_release(bench_contender *contender)
{
    bench_strings_free(contender->program.argv);
    bench_strings_free(contender->program.env);
    free(contender->samples);
    *contender = (bench_contender){0};
}

size_t bench_peers_for(const json_t *peers, const char *function, bool is_hot, const char *log,
                       bench_contender *out, size_t count_max, json_t *missing)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(peers); i++) {
        json_t *entry = json_array_get(peers, i);
        const char *peer = "?", *of = NULL, *what = "", *why = NULL, *kind = "stdout", *url = "/";
        int hot = 0;
        json_unpack(entry, "{s:s, s?s, s?s, s?s, s?s, s?s, s?b}", "peer", &peer, "function", &of,
                    "what", &what, "missing", &why, "kind", &kind, "url", &url, "hot", &hot);
        if ((hot != 0) != is_hot || (of && strcmp(of, function) != 0)) continue;
        if (why) {
            bench_missing_add(missing, peer, of, why);
            continue;
        }
        if (count == count_max || !of) continue;
        bench_contender *next = &out[count];
        *next = (bench_contender){.config = peer, .what = what};
        if (!bench_contender_init(next, json_object_get(entry, "argv"),
                                  json_object_get(entry, "env"))) {
            bench_contender_release(next);
            bench_missing_add(missing, peer, of, "its command line in the list is none");
            continue;
        }
        next->program.http = strcmp(kind, "http") == 0;
        next->program.url = url;
        next->program.log = log;
        count++;
    }
    return count;
}
