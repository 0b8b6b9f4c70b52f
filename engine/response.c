#include "response.h"

#include <stdlib.h>
#include <string.h>

struct snapcell_response {
    int status;
    /* Each entry's name and value share one allocation, at `name`. */
    snapcell_header *headers;
    size_t header_count;
    size_t header_capacity;
    size_t body_size_bytes;
    size_t body_capacity_bytes;
    char body[]; /* and a terminating zero */
};

snapcell_response *response_new(int status, size_t body_size_bytes)
{
    if (body_size_bytes > SIZE_MAX - sizeof(snapcell_response) - 1) return NULL;
    snapcell_response *response = malloc(sizeof(*response) + body_size_bytes + 1);
    if (response == NULL) return NULL;
    *response = (snapcell_response){.status = status,
                                    .body_size_bytes = body_size_bytes,
                                    .body_capacity_bytes = body_size_bytes};
    response->body[body_size_bytes] = '\0';
    return response;
}

void *response_body_buffer(snapcell_response *response)
{
    return response->body;
}

/* Not by realloc(), which may leave a copy behind. */
static int response_grow_body(snapcell_response **response, size_t size_bytes)
{
    snapcell_response *old = *response;
    size_t capacity = old->body_capacity_bytes < SIZE_MAX / 4 ? old->body_capacity_bytes * 2 : 0;
    if (capacity < size_bytes) capacity = size_bytes;
    snapcell_response *grown = response_new(old->status, capacity);
    if (grown == NULL) return -1;
    memcpy(grown, old, sizeof(*old) + old->body_size_bytes);
    grown->body_capacity_bytes = capacity;
    explicit_bzero(old->body, old->body_size_bytes);
    free(old);
    *response = grown;
    return 0;
}

int response_append_body(snapcell_response **response, const void *data, size_t size_bytes)
{
    size_t size;
    if (__builtin_add_overflow((*response)->body_size_bytes, size_bytes, &size) ||
        (size > (*response)->body_capacity_bytes && response_grow_body(response, size) != 0))
        return -1;
    snapcell_response *grown = *response;
    if (size_bytes > 0) memcpy(grown->body + grown->body_size_bytes, data, size_bytes);
    grown->body_size_bytes = size;
    grown->body[size] = '\0';
    return 0;
}

static int response_grow_headers(snapcell_response *response)
{
    size_t capacity = response->header_capacity == 0 ? 8 : response->header_capacity * 2;
    snapcell_header *grown = reallocarray(response->headers, capacity, sizeof(*response->headers));
    if (grown == NULL) return -1;
    response->headers = grown;
    response->header_capacity = capacity;
    return 0;
}

int response_add_header(snapcell_response *response, const char *name, size_t name_size_bytes,
                        const char *value, size_t value_size_bytes)
{
    if (name_size_bytes > SIZE_MAX / 4 || value_size_bytes > SIZE_MAX / 4) return -1;
    if (response->header_count == response->header_capacity && response_grow_headers(response) != 0)
        return -1;
    char *text = malloc(name_size_bytes + value_size_bytes + 2);
    if (text == NULL) return -1;
    char *value_copy = text + name_size_bytes + 1;
    if (name_size_bytes > 0) memcpy(text, name, name_size_bytes);
    text[name_size_bytes] = '\0';
    if (value_size_bytes > 0) memcpy(value_copy, value, value_size_bytes);
    value_copy[value_size_bytes] = '\0';
    response->headers[response->header_count++] =
        (snapcell_header){.name = text, .value = value_copy};
    return 0;
}

int snapcell_response_status(const snapcell_response *response)
{
    return response->status;
}

const void *snapcell_response_body(const snapcell_response *response, size_t *size_bytes)
{
    if (size_bytes != NULL) *size_bytes = response->body_size_bytes;
    return response->body;
}

size_t snapcell_response_header_count(const snapcell_response *response)
{
    return response->header_count;
}

snapcell_header snapcell_response_header(const snapcell_response *response, size_t index)
{
    if (index >= response->header_count) return (snapcell_header){NULL, NULL};
    return response->headers[index];
}

/* What a function answered is not to be found in memory that others get. */
void snapcell_response_free(snapcell_response *response)
{
    if (response == NULL) return;
    for (size_t i = 0; i < response->header_count; i++) {
        const snapcell_header *header = &response->headers[i];
        explicit_bzero((char *)header->name, strlen(header->name));
        explicit_bzero((char *)header->value, strlen(header->value));
        free((char *)header->name);
    }
    free(response->headers);
    explicit_bzero(response->body, response->body_size_bytes);
    free(response);
}
