/* One request of snapcell-net's, on libcurl. Internal to net/. */
#ifndef SNAPCELL_NET_TRANSFER_H
#define SNAPCELL_NET_TRANSFER_H

#include <curl/curl.h>

#include "net_rules.h"
#include "net_wire.h"

/* What all requests share. */
typedef struct net_server {
    CURLM *multi;
    int fd; /* to the client */
    const net_rule *rules;
    size_t rule_count;
    bool allow_private;
    bool unconfined;     /* without a sandbox */
    const char *ca_file; /* NULL: the system's */
    const char *ca_folder;
    bool use_proxies; /* of the environment */
    bool client_gone;
    struct net_transfer *transfers;
    size_t transfer_count;
} net_server;

typedef struct net_transfer net_transfer;

/* Begins what a NET_START frame asks for, or sends NET_FAIL. False when the frame makes no sense.
 */
bool net_transfer_start(net_server *server, uint32_t id, wire_reader *body);

/* The one of this number, or NULL. */
net_transfer *net_transfer_find(const net_server *server, uint32_t id);

/* NET_BODY and NET_BODY_LAST. False when no piece was requested. */
bool net_transfer_take_body(net_transfer *transfer, const char *data, size_t size_bytes,
                            bool is_last);
void net_transfer_add_credit(net_transfer *transfer, uint32_t size_bytes);
/* Without a word to the client. */
void net_transfer_close(net_transfer *transfer);
/* libcurl is done with it: tells the client, and closes it. */
void net_transfer_finish(CURL *easy, CURLcode result);

#endif
