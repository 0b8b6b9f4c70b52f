#include "serve_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"

static int address_bad(const char *text, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%s' is no address to listen at: expected HOST:PORT, where HOST is an IP "
                     "address, localhost or nothing for all, or unix:PATH",
                     text);
}

static bool address_port(const char *text, int *out)
{
    char *end;
    if (*text < '0' || *text > '9') return false;
    unsigned long port = strtoul(text, &end, 10);
    *out = (int)port;
    return *end == '\0' && port <= 65535;
}

static int address_parse_unix(const char *text, serve_address *out, snapcell_error *err)
{
    out->path = text + 5;
    size_t size = strlen(out->path);
    if (size > 0 && size < 108) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%s' is no Unix socket: its path must have 1 to 107 bytes", text);
}

int serve_address_parse(const char *text, serve_address *out, snapcell_error *err)
{
    char host[SERVE_ADDRESS_SIZE] = "";
    int port = 0;
    *out = (serve_address){0};
    if (strncmp(text, "unix:", 5) == 0) return address_parse_unix(text, out, err);
    const char *colon = strrchr(text, ':');
    if (colon != NULL) {
        size_t size = (size_t)(colon - text);
        bool has_brackets = size >= 2 && text[0] == '[' && colon[-1] == ']';
        if (has_brackets) size -= 2;
        if (size >= sizeof(host)) return address_bad(text, err);
        memcpy(host, text + has_brackets, size);
    }
    if (!address_port(colon != NULL ? colon + 1 : text, &port)) return address_bad(text, err);
    const char *name = host;
    if (strcmp(host, "localhost") == 0 || colon == NULL) name = "127.0.0.1";
    if (colon != NULL && (*host == '\0' || strcmp(host, "*") == 0)) name = "0.0.0.0";
    if (uv_ip4_addr(name, port, (struct sockaddr_in *)&out->socket) == 0) return SNAPCELL_OK;
    if (uv_ip6_addr(name, port, (struct sockaddr_in6 *)&out->socket) == 0) return SNAPCELL_OK;
    return address_bad(text, err);
}

static int address_name(const struct sockaddr_storage *address, char *out, size_t size)
{
    if (address->ss_family == AF_INET6)
        return uv_ip6_name((const struct sockaddr_in6 *)address, out, size);
    return uv_ip4_name((const struct sockaddr_in *)address, out, size);
}

void serve_address_of_peer(const uv_tcp_t *tcp, char out[SERVE_ADDRESS_SIZE])
{
    struct sockaddr_storage address;
    int size = sizeof(address);
    out[0] = '\0';
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&address, &size) == 0)
        address_name(&address, out, SERVE_ADDRESS_SIZE);
}

void serve_address_of_listener(const uv_tcp_t *tcp, char out[SERVE_ADDRESS_SIZE])
{
    struct sockaddr_storage address;
    char name[SERVE_ADDRESS_SIZE - 8] = "";
    int size = sizeof(address);
    out[0] = '\0';
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &size) != 0) return;
    address_name(&address, name, sizeof(name));
    bool is_6 = address.ss_family == AF_INET6;
    unsigned port = ntohs(is_6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                               : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(out, SERVE_ADDRESS_SIZE, is_6 ? "[%s]:%u" : "%s:%u", name, port);
}

/* --- Ranges --- */

typedef struct address_range {
    unsigned char bytes[16];
    size_t byte_count;
    unsigned long bit_count;
} address_range;

static bool address_read_bytes(const char *text, address_range *out)
{
    out->byte_count = 4;
    if (inet_pton(AF_INET, text, out->bytes) == 1) return true;
    out->byte_count = 16;
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

static bool address_read_range(const char *text, address_range *out)
{
    char address[SERVE_ADDRESS_SIZE];
    const char *slash = strchr(text, '/');
    size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (size >= sizeof(address)) return false;
    memcpy(address, text, size);
    address[size] = '\0';
    if (!address_read_bytes(address, out)) return false;
    out->bit_count = 8 * out->byte_count;
    if (slash == NULL) return true;
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > out->bit_count) return false;
    out->bit_count = bits;
    return true;
}

int serve_address_check_range(const char *text, snapcell_error *err)
{
    address_range range;
    if (strcmp(text, "unix") == 0 || address_read_range(text, &range)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "'%s' is neither an IP address, nor a range as 10.0.0.0/8, nor \"unix\"",
                     text);
}

static bool address_covers(const address_range *range, const address_range *address)
{
    if (range->byte_count != address->byte_count) return false;
    size_t whole = range->bit_count / 8;
    unsigned rest = (unsigned)(range->bit_count % 8);
    if (memcmp(range->bytes, address->bytes, whole) != 0) return false;
    if (rest == 0) return true;
    unsigned mask = 0xffu << (8 - rest);
    return ((range->bytes[whole] ^ address->bytes[whole]) & mask & 0xff) == 0;
}

bool serve_address_is_in(const serve_strings *ranges, const char *address)
{
    address_range own;
    bool is_unix = *address == '\0';
    if (ranges->count == 0 || (!is_unix && !address_read_bytes(address, &own))) return false;
    for (size_t i = 0; i < ranges->count; i++) {
        address_range range;
        if (is_unix ? strcmp(ranges->items[i], "unix") == 0
                    : address_read_range(ranges->items[i], &range) && address_covers(&range, &own))
            return true;
    }
    return false;
}
