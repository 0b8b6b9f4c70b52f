#include "docker_credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "error_set.h"
#include "oci_file.h"
#include "oci_manifest.h"

#define CONFIG_SIZE_MAX ((size_t)1 << 20)
#define HUB_KEY "https://index.docker.io/v1/"

static void wipe(char **text)
{
    if (*text != NULL) sodium_memzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void docker_credentials_release(docker_credentials *credentials)
{
    wipe(&credentials->user);
    wipe(&credentials->password);
    wipe(&credentials->identity_token);
    wipe(&credentials->registry_token);
}

const char *docker_host_key(const char *host)
{
    const bool is_hub = strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0 ||
                        strcmp(host, "registry-1.docker.io") == 0;
    return is_hub ? HUB_KEY : host;
}

/* --- config.json --- */

/* Keys are hosts, and in old files URLs: "https://HOST/v1/". */
static bool key_is_for(const char *key, const char *host)
{
    if (strcmp(key, host) == 0) return true;
    if (strncmp(key, "https://", 8) == 0)
        key += 8;
    else if (strncmp(key, "http://", 7) == 0)
        key += 7;
    const size_t size = strcspn(key, "/");
    return size == strlen(host) && strncasecmp(key, host, size) == 0;
}

static const json_t *find_auth(json_t *auths, const char *host)
{
    const char *key;
    json_t *value;
    const json_t *exact = json_object_get(auths, docker_host_key(host));
    if (exact != NULL) return exact;
    json_object_foreach(auths, key, value)
    {
        if (key_is_for(key, host)) return value;
    }
    return NULL;
}

static int take_text(const json_t *object, const char *key, char **out, snapcell_error *err)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || text[0] == '\0') return SNAPCELL_OK;
    *out = strdup(text);
    return *out != NULL ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory");
}

/* base64 of "USER:PASSWORD". */
static int take_auth(const char *auth, docker_credentials *out, snapcell_error *err)
{
    const size_t capacity = strlen(auth) + 1;
    size_t size = 0;
    cleanup_free char *plain = calloc(1, capacity);
    if (plain == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory");
    int status = SNAPCELL_OK;
    const bool decoded =
        sodium_base642bin((unsigned char *)plain, capacity - 1, auth, strlen(auth), "\r\n ", &size,
                          NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    char *colon = decoded ? memchr(plain, ':', size) : NULL;
    if (colon == NULL) {
        status = error_set(err, SNAPCELL_E_IO, "`auth` is not base64 of USER:PASSWORD");
    } else {
        *colon = '\0';
        out->user = strdup(plain);
        out->password = strdup(colon + 1);
        if (out->user == NULL || out->password == NULL)
            status = error_set(err, SNAPCELL_E_NOMEM, "no memory");
    }
    sodium_memzero(plain, capacity);
    return status;
}

static int take_entry(const json_t *entry, docker_credentials *out, snapcell_error *err)
{
    const char *auth = json_string_value(json_object_get(entry, "auth"));
    int status = SNAPCELL_OK;
    if (auth != NULL && auth[0] != '\0') {
        status = take_auth(auth, out, err);
    } else {
        status = take_text(entry, "username", &out->user, err);
        if (status == SNAPCELL_OK) status = take_text(entry, "password", &out->password, err);
    }
    if (status == SNAPCELL_OK)
        status = take_text(entry, "identitytoken", &out->identity_token, err);
    if (status == SNAPCELL_OK)
        status = take_text(entry, "registrytoken", &out->registry_token, err);
    return status;
}

/* The program that keeps a host's credentials; "" for none. It becomes part of a file's name. */
static int take_helper(const json_t *config, const char *host, char helper[64], snapcell_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    const json_t *helpers = json_object_get(config, "credHelpers");
    const char *name = json_string_value(json_object_get(helpers, docker_host_key(host)));
    if (name == NULL) name = json_string_value(json_object_get(helpers, host));
    if (name == NULL) name = json_string_value(json_object_get(config, "credsStore"));
    if (name == NULL) name = "";
    if (strlen(name) >= 64 || strspn(name, letters) != strlen(name))
        return error_set(err, SNAPCELL_E_IO, "'%.80s' is not the name of a credential helper",
                         name);
    strcpy(helper, name);
    return SNAPCELL_OK;
}

int docker_config_read(const char *text, size_t size_bytes, const char *host,
                       docker_credentials *out, char helper[64], snapcell_error *err)
{
    json_error_t problem;
    helper[0] = '\0';
    cleanup_oci_json json_t *config = json_loadb(text, size_bytes, 0, &problem);
    if (!json_is_object(config))
        return error_set(err, SNAPCELL_E_IO, "it is not a JSON object: %s",
                         config == NULL ? problem.text : "something else");
    const int status = take_helper(config, host, helper, err);
    if (status != SNAPCELL_OK) return status;
    const json_t *entry = find_auth(json_object_get(config, "auths"), host);
    return entry != NULL ? take_entry(entry, out, err) : SNAPCELL_OK;
}

/* --- Where it is --- */

/* NULL: there is no home. Owned: free(). */
static char *config_path(void)
{
    const char *folder = getenv("DOCKER_CONFIG");
    if (folder != NULL && folder[0] != '\0') return oci_path(folder, "config.json");
    const char *home = getenv("HOME");
    return home != NULL && home[0] != '\0' ? oci_path(home, ".docker/config.json") : NULL;
}

static int find_in_file(const char *path, const char *host, docker_credentials *out,
                        char helper[64], snapcell_error *err)
{
    void *text = NULL;
    size_t size_bytes = 0;
    snapcell_error cause;
    int status = oci_file_read(path, CONFIG_SIZE_MAX, &text, &size_bytes, &cause);
    if (status == SNAPCELL_E_NOT_FOUND) return SNAPCELL_OK;
    if (status != SNAPCELL_OK) return error_set(err, status, "%s", cause.message);
    status = docker_config_read(text, size_bytes, host, out, helper, &cause);
    sodium_memzero(text, size_bytes);
    free(text);
    return status == SNAPCELL_OK
               ? status
               : error_set(err, status, "%s cannot be used: %s", path, cause.message);
}

int docker_credentials_find(const char *host, docker_credentials *out, snapcell_error *err)
{
    char helper[64] = "";
    docker_credentials cleanup_docker_credentials kept = {0};
    memset(out, 0, sizeof(*out));
    cleanup_free char *path = config_path();
    if (path == NULL) return SNAPCELL_OK;
    int status = find_in_file(path, host, &kept, helper, err);
    if (status == SNAPCELL_OK && helper[0] != '\0')
        status = docker_helper_ask(helper, docker_host_key(host), out, err);
    if (status == SNAPCELL_OK && out->user == NULL && out->identity_token == NULL) {
        *out = kept;
        memset(&kept, 0, sizeof(kept));
    }
    return status;
}
