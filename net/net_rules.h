/* Which hosts may be reached. Internal to net/. */
#ifndef SNAPCELL_NET_RULES_H
#define SNAPCELL_NET_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "snapcell/error.h"

#define NET_HOST_SIZE_MAX 256

/* "HOST[:PORT]", taken apart. */
typedef struct net_rule {
    char host[NET_HOST_SIZE_MAX]; /* lower case; without the "*." of a wildcard; "" is any */
    bool wildcard;
    bool is_address; /* or localhost: names itself what is not public */
    unsigned port;   /* 0: any */
} net_rule;

/* Errors: E_USAGE, with what is wrong. */
int net_rule_parse(const char *text, net_rule *out, snapcell_error *err);

/* The rule that lets `host` (of a URL; an IPv6 address in brackets) be reached at `port`: of those
 * that do, one that names it itself comes first. NULL when there is none. */
const net_rule *net_rules_find(const net_rule *rules, size_t count, const char *host,
                               unsigned port);

/* Whether an address is one of the public Internet's: not this machine's, a private network's, a
 * link's, a group's or reserved, nor one of these in the clothes of IPv6. */
bool net_address_is_public(const struct sockaddr *address);

#endif
