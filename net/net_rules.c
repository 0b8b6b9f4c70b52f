#include "net_rules.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error_set.h"

/* --- Rules --- */

static int rule_refuse(const char *text, const char *why, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%s' is not a host: %s; expected HOST or HOST:PORT, as example.org:8443, "
                     "*.example.org or [::1]",
                     text, why);
}

/* Takes a port off the end of `host`. False when there is one that is none. */
static bool rule_take_port(char *host, unsigned *port)
{
    *port = 0;
    char *bracket = strrchr(host, ']');
    char *colon = strchr(bracket != NULL ? bracket : host, ':');
    if (colon == NULL) return true;
    *colon = '\0';
    char *end = NULL;
    unsigned long number = isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;
    *port = (unsigned)number;
    return end != NULL && *end == '\0' && number >= 1 && number <= 65535;
}

/* A name in ASCII, as URLs have it, or an address. */
static bool rule_is_host(const char *host)
{
    size_t size = strlen(host);
    if (host[0] == '[') {
        char inside[NET_HOST_SIZE_MAX];
        struct in6_addr address;
        if (host[size - 1] != ']') return false;
        memcpy(inside, host + 1, size - 2);
        inside[size - 2] = '\0';
        return inet_pton(AF_INET6, inside, &address) == 1;
    }
    if (size == 0 || host[0] == '.') return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)host[i]) && strchr("-._", host[i]) == NULL) return false;
    return true;
}

static bool host_is_address(const char *host)
{
    struct in_addr address;
    return host[0] == '[' || strcmp(host, "localhost") == 0 ||
           inet_pton(AF_INET, host, &address) == 1;
}

int net_rule_parse(const char *text, net_rule *out, snapcell_error *err)
{
    *out = (net_rule){0};
    out->wildcard = text[0] == '*';
    const char *host = text;
    if (strncmp(text, "*.", 2) == 0)
        host += 2;
    else if (text[0] == '*')
        host++;
    if (strstr(text, "://") != NULL) return rule_refuse(text, "it is a URL", err);
    if (strlen(host) >= sizeof(out->host)) return rule_refuse(text, "it is too long", err);
    for (size_t i = 0; host[i] != '\0'; i++)
        out->host[i] = (char)tolower((unsigned char)host[i]);
    if (!rule_take_port(out->host, &out->port))
        return rule_refuse(text, "the port is not 1 to 65535", err);
    bool is_any = text[0] == '*' && text[1] != '.' && out->host[0] == '\0';
    if (!is_any && (!rule_is_host(out->host) || (text[0] == '*' && text[1] != '.')))
        return rule_refuse(text, "it is neither a name in ASCII nor an address", err);
    out->is_address = !out->wildcard && host_is_address(out->host);
    if (out->wildcard && host_is_address(out->host) && strcmp(out->host, "localhost") != 0)
        return rule_refuse(text, "nothing is below an address", err);
    return SNAPCELL_OK;
}

static bool rule_allows(const net_rule *rule, const char *host, unsigned port)
{
    if (rule->port != 0 && rule->port != port) return false;
    if (!rule->wildcard) return strcasecmp(rule->host, host) == 0;
    size_t size = strlen(host), end_size = strlen(rule->host);
    if (end_size == 0) return true;
    return size > end_size + 1 && host[size - end_size - 1] == '.' &&
           strcasecmp(host + size - end_size, rule->host) == 0;
}

const net_rule *net_rules_find(const net_rule *rules, size_t count, const char *host, unsigned port)
{
    const net_rule *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!rule_allows(&rules[i], host, port)) continue;
        if (!rules[i].wildcard) return &rules[i];
        found = &rules[i];
    }
    return found;
}

/* --- Addresses --- */

typedef struct address_block {
    uint32_t first;
    unsigned bits;
} address_block;

/* RFC 6890 and its like. */
static const address_block closed_blocks[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carriers' */
    {0x7f000000, 8},  /* this machine */
    {0xa9fe0000, 16}, /* link: clouds' metadata are here */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocols' */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks' */
    {0xe0000000, 4},  /* groups */
    {0xf0000000, 4},  /* reserved, broadcast */
};

static bool ipv4_is_public(uint32_t address)
{
    for (size_t i = 0; i < sizeof(closed_blocks) / sizeof(*closed_blocks); i++) {
        uint32_t mask = UINT32_MAX << (32 - closed_blocks[i].bits);
        if ((address & mask) == closed_blocks[i].first) return false;
    }
    return true;
}

static uint32_t ipv4_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Only 2000::/3 is allocated; parts of it, and two blocks outside it, hold an IPv4 address. */
static bool ipv6_is_public(const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, translated, 12) == 0)
        return ipv4_is_public(ipv4_at(bytes + 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return ipv4_is_public(ipv4_at(bytes + 2)); /* 6to4 */
    if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0)
        return false; /* Teredo */
    return (bytes[0] & 0xe0) == 0x20;
}

bool net_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return ipv4_is_public(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6) return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof(in6));
    return ipv6_is_public(in6.sin6_addr.s6_addr);
}
