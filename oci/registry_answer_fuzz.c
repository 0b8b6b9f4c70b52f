/* What registries, token services and credential helpers say; the first byte chooses who. What is
 * accepted must be fit for where it goes: a header, a URL, a terminal. */
#include <stdlib.h>

#include "docker_credentials.h"
#include "fuzz_input.h"
#include "registry_answer.h"

#define TEXT_SIZE ((size_t)20000)

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
    return true;
}

static void fuzz_url(const char *text)
{
    static char url[REGISTRY_URL_SIZE];
    static char again[REGISTRY_URL_SIZE];
    if (!registry_url_resolve("https://example.org:5000/v2/a/blobs/uploads/1?x=y", text, url))
        return;
    fuzz_require(registry_url_is_valid(url) && is_printable(url));
    fuzz_require(registry_url_same_origin(url, url));
    fuzz_require(registry_url_resolve("http://other.example/", url, again));
    fuzz_require(strcmp(url, again) == 0);
    if (registry_url_add_query(url, "digest", "sha256:0/&"))
        fuzz_require(registry_url_is_valid(url));
}

static void fuzz_headers(const char *text)
{
    static registry_challenge challenge;
    static char link[REGISTRY_URL_SIZE];
    uint64_t number = 0;
    memset(&challenge, 0, sizeof(challenge));
    registry_challenge_add(&challenge, text);
    fuzz_require(challenge.realm[0] == '\0' || registry_url_is_valid(challenge.realm));
    if (registry_link_next(text, link)) fuzz_require(strlen(link) < sizeof(link));
    (void)registry_content_range(text, &number);
    (void)registry_upload_range(text, &number);
    (void)registry_retry_after(text, 1700000000, &number);
}

static int fuzz_tag(void *user, const char *tag)
{
    (void)user;
    fuzz_require(oci_tag_is_valid(tag));
    return 0;
}

static void fuzz_bodies(const uint8_t *data, size_t size)
{
    static char token[REGISTRY_TOKEN_SIZE];
    char text[REGISTRY_TEXT_SIZE];
    int said = 0;
    if (registry_token_read(data, size, token))
        fuzz_require(token[0] != '\0' && is_printable(token));
    fuzz_require(is_printable(registry_error_text(data, size, text)));
    (void)registry_tags_read(data, size, fuzz_tag, NULL, &said);
}

static void fuzz_docker(const uint8_t *data, size_t size)
{
    char helper[64];
    docker_credentials found = {0};
    (void)docker_config_read((const char *)data, size, "example.org:5000", &found, helper, NULL);
    fuzz_require(strchr(helper, '/') == NULL);
    docker_credentials_release(&found);
    (void)docker_helper_read((const char *)data, size, &found, NULL);
    docker_credentials_release(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_SIZE];
    fuzz_input input = {data, size};
    const uint8_t choice = fuzz_take_u8(&input);
    const fuzz_input rest = input;
    fuzz_take_text(&input, text, sizeof(text));
    switch (choice % 4) {
    case 0:
        fuzz_url(text);
        break;
    case 1:
        fuzz_headers(text);
        break;
    case 2:
        fuzz_bodies(rest.at, rest.size_bytes);
        break;
    default:
        fuzz_docker(rest.at, rest.size_bytes);
    }
    return 0;
}
