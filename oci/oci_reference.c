#include "oci_reference.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS
#define FORM "oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]"

bool oci_reference_is(const char *text)
{
    return strncmp(text, OCI_SCHEME, strlen(OCI_SCHEME)) == 0;
}

/* --- The parts --- */

bool oci_tag_is_valid(const char *tag)
{
    const size_t size = strspn(tag, ALNUM "_.-");
    return size > 0 && tag[size] == '\0' && size <= OCI_TAG_SIZE_MAX && tag[0] != '.' &&
           tag[0] != '-';
}

/* Between two runs of letters and digits: '.', '_', '__', or any number of '-'. 0: none of them. */
static size_t separator_size(const char *at)
{
    if (at[0] == '.') return 1;
    if (at[0] == '_') return at[1] == '_' ? 2 : 1;
    return strspn(at, "-");
}

/* A part of a repository's name, up to '/' or the end; 0 when it is not one. */
static size_t component_size(const char *at)
{
    const char *begin = at;
    for (;;) {
        const size_t run = strspn(at, LOWER DIGITS);
        if (run == 0) return 0;
        at += run;
        const size_t separator = separator_size(at);
        if (separator == 0) break;
        at += separator;
    }
    return *at == '/' || *at == '\0' ? (size_t)(at - begin) : 0;
}

bool oci_repository_is_valid(const char *repository, size_t size)
{
    if (size == 0 || size > OCI_REPOSITORY_SIZE_MAX) return false;
    char copy[OCI_REPOSITORY_SIZE_MAX + 1];
    memcpy(copy, repository, size);
    copy[size] = '\0';
    if (strlen(copy) != size) return false;
    for (const char *at = copy;;) {
        const size_t part = component_size(at);
        if (part == 0) return false;
        at += part;
        if (*at == '\0') return true;
        at++;
    }
}

static bool port_is_valid(const char *text)
{
    const size_t size = strspn(text, DIGITS);
    const unsigned long port = size > 0 && size <= 5 ? strtoul(text, NULL, 10) : 0;
    return text[size] == '\0' && port > 0 && port <= 65535;
}

/* Labels of letters, digits and '-', which neither begin nor end with '-'; an IPv4 address is such
 * a name, too. */
static bool domain_is_valid(const char *host, size_t size)
{
    for (size_t at = 0;;) {
        size_t label = 0;
        while (at + label < size && (isalnum((unsigned char)host[at + label]) || //
                                     host[at + label] == '-'))
            label++;
        if (label == 0 || label > 63 || host[at] == '-' || host[at + label - 1] == '-')
            return false;
        at += label;
        if (at == size) return true;
        if (host[at++] != '.') return false;
    }
}

static bool host_is_valid(const char *host)
{
    size_t size = strcspn(host, ":");
    if (host[0] == '[') {
        const size_t inside = strspn(host + 1, DIGITS "abcdefABCDEF:.");
        if (inside < 2 || host[1 + inside] != ']') return false;
        size = inside + 2;
    } else if (size > 255 || !domain_is_valid(host, size)) {
        return false;
    }
    return host[size] == '\0' || (host[size] == ':' && port_is_valid(host + size + 1));
}

/* --- The whole --- */

static int parse_host(const char *text, size_t size, oci_reference *out, snapcell_error *err)
{
    if (size > OCI_HOST_SIZE_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "the registry's name is longer than %d characters",
                         OCI_HOST_SIZE_MAX);
    for (size_t i = 0; i < size; i++)
        out->host[i] = (char)tolower((unsigned char)text[i]);
    if (host_is_valid(out->host)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%s' is not a registry: a name or address is expected, as example.org or "
                     "localhost:5000",
                     out->host);
}

static int parse_digest(const char *text, oci_reference *out, snapcell_error *err)
{
    if (!oci_digest_is_valid(text))
        return error_set(err, SNAPCELL_E_USAGE,
                         "'%.100s' is not a digest: sha256: and 64 lower-case hex digits are "
                         "expected",
                         text);
    strcpy(out->digest, text);
    return SNAPCELL_OK;
}

static int parse_tag(const char *text, size_t size, oci_reference *out, snapcell_error *err)
{
    if (size <= OCI_TAG_SIZE_MAX) {
        memcpy(out->tag, text, size);
        if (oci_tag_is_valid(out->tag)) return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%.*s' is not a tag: up to %d letters, digits, '_', '.' and '-' are "
                     "expected, the first one none of '.' and '-'",
                     (int)(size > 140 ? 140 : size), text, OCI_TAG_SIZE_MAX);
}

static int parse_repository(const char *text, size_t size, oci_reference *out, snapcell_error *err)
{
    if (!oci_repository_is_valid(text, size))
        return error_set(err, SNAPCELL_E_USAGE,
                         "'%.*s' is not a repository: lower-case letters and digits are expected, "
                         "with single '.', '_', '-' or '/' between them",
                         (int)(size > 260 ? 260 : size), text);
    memcpy(out->repository, text, size);
    return SNAPCELL_OK;
}

int oci_reference_parse(const char *text, oci_reference *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    if (!oci_reference_is(text))
        return error_set(err, SNAPCELL_E_USAGE, "'%.200s' is not a registry's: " FORM, text);
    const char *host = text + strlen(OCI_SCHEME);
    const char *slash = strchr(host, '/');
    if (slash == NULL || slash == host)
        return error_set(err, SNAPCELL_E_USAGE, "'%.200s' names no repository: " FORM, text);
    const char *repository = slash + 1;
    const size_t rest = strcspn(repository, "@");
    const size_t size = strcspn(repository, ":@");
    int status = parse_host(host, (size_t)(slash - host), out, err);
    if (status == SNAPCELL_OK) status = parse_repository(repository, size, out, err);
    if (status == SNAPCELL_OK && repository[size] == ':')
        status = parse_tag(repository + size + 1, rest - size - 1, out, err);
    if (status == SNAPCELL_OK && repository[rest] == '@')
        status = parse_digest(repository + rest + 1, out, err);
    if (status != SNAPCELL_OK) memset(out, 0, sizeof(*out));
    return status;
}

const char *oci_reference_format(const oci_reference *reference, char out[OCI_REFERENCE_TEXT_SIZE])
{
    (void)snprintf(out, OCI_REFERENCE_TEXT_SIZE, OCI_SCHEME "%s/%s%s%s%s%s", reference->host,
                   reference->repository, reference->tag[0] != '\0' ? ":" : "", reference->tag,
                   reference->digest[0] != '\0' ? "@" : "", reference->digest);
    return out;
}

const char *oci_reference_target(const oci_reference *reference)
{
    if (reference->digest[0] != '\0') return reference->digest;
    return reference->tag[0] != '\0' ? reference->tag : OCI_TAG_DEFAULT;
}

/* --- Names as tags --- */

#define TAG_NAME_SIZE_MAX 100
#define TAG_DIGITS 12

void oci_tag_of_name(const char *name, char out[OCI_TAG_SIZE_MAX + 1])
{
    char digest[OCI_DIGEST_TEXT_SIZE];
    size_t size = 0;
    if (oci_tag_is_valid(name)) {
        strcpy(out, name);
        return;
    }
    for (const char *at = name; *at != '\0' && size < TAG_NAME_SIZE_MAX; at++)
        if (isalnum((unsigned char)*at) || *at == '_' || (size > 0 && strchr(".-", *at) != NULL))
            out[size++] = *at;
    oci_digest_of(name, strlen(name), digest);
    (void)snprintf(out + size, OCI_TAG_SIZE_MAX + 1 - size, "%s%.*s", size > 0 ? "-" : "",
                   TAG_DIGITS, digest + strlen(OCI_DIGEST_PREFIX));
}
