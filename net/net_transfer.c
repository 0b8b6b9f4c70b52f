#include "net_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "http_token.h"
#include "snapcell/fetch.h"

#define TRANSFER_COUNT_MAX 512 /* each takes a descriptor or two */
#define CONNECT_TIMEOUT_MS 10000L
#define IDLE_TIMEOUT_S 300L /* without a byte, while one is waited for */
#define HEADERS_SIZE_MAX ((size_t)256 << 10)

struct net_transfer {
    net_server *server;
    net_transfer *next;
    uint32_t id;
    CURL *easy;
    CURLU *url;
    struct curl_slist *headers;
    char host[NET_HOST_SIZE_MAX];
    bool names_address;   /* the rule that allows it does */
    bool refused_address; /* what the name led to */
    char refused[INET6_ADDRSTRLEN];
    char problem[CURL_ERROR_SIZE];
    /* The request's body. */
    char piece[SNAPCELL_FETCH_PIECE_BYTES];
    size_t piece_begin, piece_end;
    bool piece_asked, body_last, send_paused;
    /* The response. */
    wire_writer head; /* names and values, as strings */
    char status_text[256];
    char length[24]; /* of content-length; empty when there was none */
    bool length_is_wrong;
    uint32_t header_count;
    bool decoded; /* by libcurl: its headers describe other bytes */
    bool is_head;
    bool head_sent, receive_paused;
    size_t credit;
};

static void transfer_send(net_transfer *transfer, net_frame_type type, const void *body,
                          size_t size_bytes)
{
    net_server *server = transfer->server;
    if (!net_send(server->fd, type, transfer->id, body, size_bytes)) server->client_gone = true;
}

static void send_failure(net_server *server, uint32_t id, const char *code, const char *message)
{
    cleanup_writer wire_writer body = {0};
    wire_put_string(&body, code);
    wire_put_string(&body, message);
    if (!net_body_fits(&body) || !net_send(server->fd, NET_FAIL, id, body.data, body.size_bytes))
        server->client_gone = true;
}

/* --- The list of transfers --- */

net_transfer *net_transfer_find(const net_server *server, uint32_t id)
{
    net_transfer *found = server->transfers;
    while (found != NULL && found->id != id)
        found = found->next;
    return found;
}

static void transfer_free(net_transfer *transfer)
{
    if (transfer == NULL) return;
    curl_easy_cleanup(transfer->easy);
    curl_url_cleanup(transfer->url);
    curl_slist_free_all(transfer->headers);
    wire_writer_release(&transfer->head);
    free(transfer);
}

static void transfer_cleanup(net_transfer **transfer)
{
    transfer_free(*transfer);
}

void net_transfer_close(net_transfer *transfer)
{
    net_server *server = transfer->server;
    net_transfer **at = &server->transfers;
    while (*at != transfer)
        at = &(*at)->next;
    *at = transfer->next;
    server->transfer_count--;
    curl_multi_remove_handle(server->multi, transfer->easy);
    transfer_free(transfer);
}

/* --- The response --- */

static void head_reset(net_transfer *transfer, const char *line, size_t size)
{
    /* "HTTP/1.1 200 OK": the text is after the second blank. */
    const char *end = line + size;
    const char *text = memchr(line, ' ', size);
    if (text != NULL) text = memchr(text + 1, ' ', (size_t)(end - text - 1));
    size_t length = text == NULL ? 0 : (size_t)(end - text - 1);
    if (length >= sizeof(transfer->status_text)) length = sizeof(transfer->status_text) - 1;
    if (length > 0) memcpy(transfer->status_text, text + 1, length);
    transfer->status_text[length] = '\0';
    transfer->head.size_bytes = 0;
    transfer->header_count = 0;
    memset(transfer->length, 0, sizeof(transfer->length));
}

static bool name_is(const char *name, size_t size, const char *other)
{
    return size == strlen(other) && strncasecmp(name, other, size) == 0;
}

static bool coding_is_ours(const char *value, size_t size)
{
    static const char *const codings[] = {"gzip", "x-gzip", "deflate", "br", "zstd"};
    for (size_t i = 0; i < sizeof(codings) / sizeof(*codings); i++)
        if (name_is(value, size, codings[i])) return true;
    return memchr(value, ',', size) != NULL;
}

/* The item after a comma, or the end; NULL when something else is there. */
static const char *head_next_item(const char *at, const char *end)
{
    bool comma = false;
    for (; at < end && (*at == ' ' || *at == '\t' || *at == ','); at++)
        comma = comma || *at == ',';
    return at == end || comma ? at : NULL;
}

/* A response with differing lengths is not to be trusted with where it ends (RFC 9110, 8.6): false
 * when this is another one than came before. A header may hold a list of them. */
static bool head_take_length(net_transfer *transfer, const char *value, size_t size)
{
    const char *end = value + size;
    while (value < end) {
        size_t digits = 0;
        while (value + digits < end && value[digits] >= '0' && value[digits] <= '9')
            digits++;
        if (digits == 0 || digits >= sizeof(transfer->length)) return false;
        if (transfer->length[0] == '\0') memcpy(transfer->length, value, digits);
        if (strlen(transfer->length) != digits || memcmp(transfer->length, value, digits) != 0)
            return false;
        value = head_next_item(value + digits, end);
        if (value == NULL) return false;
    }
    return true;
}

static bool head_add(net_transfer *transfer, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || memchr(line, '\0', size) != NULL) return false;
    size_t name_size = (size_t)(colon - line);
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t value_size = (size_t)(end - value);
    if (name_is(line, name_size, "content-encoding") && coding_is_ours(value, value_size))
        transfer->decoded = true;
    if (name_is(line, name_size, "content-length") &&
        !head_take_length(transfer, value, value_size)) {
        transfer->length_is_wrong = true;
        return false;
    }
    wire_put_bytes(&transfer->head, line, name_size);
    wire_put_bytes(&transfer->head, value, value_size);
    transfer->header_count++;
    return !transfer->head.failed && transfer->head.size_bytes <= HEADERS_SIZE_MAX;
}

/* A response that is handed on must not describe this connection; nor, of a body that libcurl
 * decoded, of its length and coding. */
static bool head_keeps(const net_transfer *transfer, const char *name, bool has_body)
{
    static const char *const own[] = {"connection", "keep-alive",        "proxy-connection",
                                      "trailer",    "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (strcasecmp(name, own[i]) == 0) return false;
    if (!transfer->decoded || !has_body) return true;
    return strcasecmp(name, "content-encoding") != 0 && strcasecmp(name, "content-length") != 0;
}

static void head_send(net_transfer *transfer, long status, bool has_body)
{
    wire_reader all = wire_reader_over(transfer->head.data, transfer->head.size_bytes);
    cleanup_writer wire_writer kept = {0};
    cleanup_writer wire_writer body = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < transfer->header_count; i++) {
        const char *name = wire_get_string(&all);
        const char *value = wire_get_string(&all);
        if (all.failed || !head_keeps(transfer, name, has_body)) continue;
        wire_put_string(&kept, name);
        wire_put_string(&kept, value);
        count++;
    }
    wire_put_u32(&body, (uint32_t)status);
    wire_put_string(&body, transfer->status_text);
    wire_put_u32(&body, count);
    wire_put_raw(&body, kept.data, kept.size_bytes);
    transfer->head_sent = net_body_fits(&body) && !kept.failed;
    if (transfer->head_sent) transfer_send(transfer, NET_HEAD, body.data, body.size_bytes);
}

static size_t on_header(char *data, size_t unit, size_t count, void *user)
{
    net_transfer *transfer = user;
    size_t size = unit * count, all = size;
    while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r'))
        size--;
    if (transfer->head_sent) return all; /* trailers: fetch() does not show them */
    if (size > 5 && strncmp(data, "HTTP/", 5) == 0) {
        head_reset(transfer, data, size);
        return all;
    }
    if (size > 0) return head_add(transfer, data, size) ? all : 0;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return all; /* 100 Continue and the like: the real one follows */
    head_send(transfer, status, !transfer->is_head && status != 204 && status != 304);
    return transfer->head_sent ? all : 0;
}

static size_t on_data(char *data, size_t unit, size_t count, void *user)
{
    net_transfer *transfer = user;
    size_t size = unit * count;
    if (size > transfer->credit) {
        transfer->receive_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transfer->credit -= size;
    transfer_send(transfer, NET_DATA, data, size);
    return transfer->server->client_gone ? 0 : size;
}

static void transfer_resume(net_transfer *transfer)
{
    int paused = (transfer->receive_paused ? CURLPAUSE_RECV : 0) |
                 (transfer->send_paused ? CURLPAUSE_SEND : 0);
    curl_easy_pause(transfer->easy, paused);
}

void net_transfer_add_credit(net_transfer *transfer, uint32_t size_bytes)
{
    size_t credit = transfer->credit + size_bytes;
    transfer->credit = credit < SNAPCELL_FETCH_WINDOW_BYTES ? credit : SNAPCELL_FETCH_WINDOW_BYTES;
    /* libcurl hands over up to this at once. */
    if (!transfer->receive_paused || transfer->credit < CURL_MAX_WRITE_SIZE) return;
    transfer->receive_paused = false;
    transfer_resume(transfer);
}

/* --- The request's body --- */

static size_t on_send(char *out, size_t unit, size_t count, void *user)
{
    net_transfer *transfer = user;
    size_t room = unit * count;
    size_t left = transfer->piece_end - transfer->piece_begin;
    if (left == 0 && transfer->body_last) return 0;
    if (left == 0) {
        if (!transfer->piece_asked) transfer_send(transfer, NET_PULL, NULL, 0);
        transfer->piece_asked = true;
        transfer->send_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (left > room) left = room;
    memcpy(out, transfer->piece + transfer->piece_begin, left);
    transfer->piece_begin += left;
    return left;
}

bool net_transfer_take_body(net_transfer *transfer, const char *data, size_t size_bytes,
                            bool is_last)
{
    if (!transfer->piece_asked || size_bytes > sizeof(transfer->piece)) return false;
    transfer->piece_asked = false;
    if (size_bytes > 0) memcpy(transfer->piece, data, size_bytes);
    transfer->piece_begin = 0;
    transfer->piece_end = size_bytes;
    transfer->body_last = is_last;
    transfer->send_paused = false;
    transfer_resume(transfer);
    return true;
}

/* --- Who may be reached --- */

static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    net_transfer *transfer = user;
    (void)purpose;
    if (!transfer->server->allow_private && !transfer->names_address &&
        !net_address_is_public(&address->addr)) {
        const void *bytes = address->family == AF_INET
                                ? (const void *)&((struct sockaddr_in *)&address->addr)->sin_addr
                                : (const void *)&((struct sockaddr_in6 *)&address->addr)->sin6_addr;
        inet_ntop(address->family, bytes, transfer->refused, sizeof(transfer->refused));
        transfer->refused_address = true;
        errno = EACCES;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int host_refuse(const char *host, unsigned port, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_USAGE,
                     "%s:%u is not among the hosts that this function may reach: add it with "
                     "`run --allow-net %s:%u`",
                     host, port, host, port);
}

/* Parses the URL as libcurl will, and looks for the rule that allows it. */
static int transfer_set_url(net_transfer *transfer, const char *url, snapcell_error *err)
{
    transfer->url = curl_url();
    char *host = NULL, *port = NULL;
    bool fine =
        transfer->url != NULL &&
        curl_url_set(transfer->url, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
        curl_url_get(transfer->url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(transfer->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        strlen(host) < sizeof(transfer->host);
    int status = SNAPCELL_OK;
    if (!fine) {
        status = error_set(err, SNAPCELL_E_USAGE, "the URL cannot be used here");
    } else {
        const net_server *server = transfer->server;
        unsigned number = (unsigned)strtoul(port, NULL, 10);
        const net_rule *rule = net_rules_find(server->rules, server->rule_count, host, number);
        strcpy(transfer->host, host);
        if (rule == NULL)
            status = host_refuse(host, number, err);
        else
            transfer->names_address = rule->is_address;
    }
    curl_free(host);
    curl_free(port);
    return status;
}

/* --- Setting a transfer up --- */

static bool transfer_add_line(net_transfer *transfer, const char *line)
{
    struct curl_slist *more = curl_slist_append(transfer->headers, line);
    if (more != NULL) transfer->headers = more;
    return more != NULL;
}

static bool is_clean(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static int transfer_set_headers(net_transfer *transfer, const snapcell_header *headers,
                                size_t count, snapcell_error *err)
{
    bool added = transfer_add_line(transfer, "Expect:"); /* libcurl would wait for an answer */
    for (size_t i = 0; added && i < count; i++) {
        char *line cleanup_free = NULL;
        const char *name = headers[i].name, *value = headers[i].value;
        if (!is_clean(name) || !is_clean(value) || strpbrk(name, ":; ") != NULL)
            return error_set(err, SNAPCELL_E_USAGE, "a header is not valid");
        /* To libcurl "name:" takes a header away, and "name;" is an empty one. */
        int size = value[0] == '\0' ? asprintf(&line, "%s;", name)
                                    : asprintf(&line, "%s: %s", name, value);
        added = size >= 0 && transfer_add_line(transfer, line);
    }
    if (!added) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the request's headers");
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return SNAPCELL_OK;
}

static void transfer_set_method(net_transfer *transfer, const char *method, int64_t body_size_bytes)
{
    CURL *easy = transfer->easy;
    transfer->is_head = strcmp(method, "HEAD") == 0;
    if (transfer->is_head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (body_size_bytes != SNAPCELL_BODY_NONE) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)(body_size_bytes >= 0 ? body_size_bytes : -1));
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
        transfer->body_last = body_size_bytes == 0;
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void transfer_set_policy(net_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const net_server *server = transfer->server;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (!server->use_proxies) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, IDLE_TIMEOUT_S);
    if (server->ca_file != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, server->ca_file);
    if (server->ca_folder != NULL) curl_easy_setopt(easy, CURLOPT_CAPATH, server->ca_folder);
}

static void transfer_set_response(net_transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    transfer->credit = SNAPCELL_FETCH_WINDOW_BYTES;
}

static int transfer_set_up(net_transfer *transfer, const char *method, const char *url,
                           int64_t body_size_bytes, const snapcell_header *headers, size_t count,
                           snapcell_error *err)
{
    int status = transfer_set_url(transfer, url, err);
    if (status != SNAPCELL_OK) return status;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
    curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->url);
    transfer_set_policy(transfer);
    transfer_set_response(transfer);
    transfer_set_method(transfer, method, body_size_bytes);
    return transfer_set_headers(transfer, headers, count, err);
}

static int transfer_begin(net_server *server, uint32_t id, const char *method, const char *url,
                          int64_t body_size_bytes, const snapcell_header *headers, size_t count,
                          snapcell_error *err)
{
    if (server->transfer_count >= TRANSFER_COUNT_MAX)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "more than %d requests are open",
                         TRANSFER_COUNT_MAX);
    net_transfer *transfer cleanup(transfer_cleanup) = calloc(1, sizeof(*transfer));
    if (transfer == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
    transfer->server = server;
    transfer->id = id;
    int status = transfer_set_up(transfer, method, url, body_size_bytes, headers, count, err);
    if (status != SNAPCELL_OK) return status;
    CURLMcode added = curl_multi_add_handle(server->multi, transfer->easy);
    if (added != CURLM_OK)
        return error_set(err, SNAPCELL_E_IO, "libcurl: %s", curl_multi_strerror(added));
    transfer->next = server->transfers;
    server->transfers = steal_pointer(&transfer);
    server->transfer_count++;
    return SNAPCELL_OK;
}

bool net_transfer_start(net_server *server, uint32_t id, wire_reader *body)
{
    int64_t body_size_bytes = (int64_t)wire_get_u64(body);
    const char *method = wire_get_string(body);
    const char *url = wire_get_string(body);
    cleanup_free snapcell_header *headers = NULL;
    size_t count = net_get_headers(body, &headers);
    if (body->failed || net_transfer_find(server, id) != NULL) return false;
    if (!http_is_token(method)) return false;
    snapcell_error err;
    int status = transfer_begin(server, id, method, url, body_size_bytes, headers, count, &err);
    if (status != SNAPCELL_OK)
        send_failure(server, id, status == SNAPCELL_E_USAGE ? "EACCES" : "", err.message);
    return true;
}

/* --- The end --- */

static const char *code_of(CURLcode result, long os_errno)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "ENOTFOUND";
    case CURLE_COULDNT_CONNECT:
        return os_errno != 0 ? strerrorname_np((int)os_errno) : "ECONNREFUSED";
    case CURLE_OPERATION_TIMEDOUT:
        return "ETIMEDOUT";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return "ECONNRESET";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "ERR_TLS_CERT";
    default:
        return "";
    }
}

static void transfer_tell_failure(net_transfer *transfer, CURLcode result)
{
    long os_errno = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
    const char *code = code_of(result, os_errno);
    if (transfer->length_is_wrong) {
        send_failure(transfer->server, transfer->id, "",
                     "the response's content-length is not one number");
        return;
    }
    if (!transfer->refused_address) {
        send_failure(transfer->server, transfer->id, code != NULL ? code : "",
                     transfer->problem[0] != '\0' ? transfer->problem : curl_easy_strerror(result));
        return;
    }
    char message[512];
    snprintf(
        message, sizeof(message),
        "%s leads to %s, which is not a public address: run with --allow-net-private, or allow "
        "the address by itself",
        transfer->host, transfer->refused);
    send_failure(transfer->server, transfer->id, "EACCES", message);
}

void net_transfer_finish(CURL *easy, CURLcode result)
{
    net_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (result == CURLE_OK && transfer->head_sent)
        transfer_send(transfer, NET_END, NULL, 0);
    else
        transfer_tell_failure(transfer, result != CURLE_OK ? result : CURLE_WEIRD_SERVER_REPLY);
    net_transfer_close(transfer);
}
