#include "cell_protocol.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "launch_protocol.h"
#include "request_check.h"
#include "wire_request.h"

/* "SNWH", as bytes. */
#define HELLO_MAGIC UINT32_C(0x48574e53)

#define MIB (UINT64_C(1) << 20)

/* More than any of the options that are lists may have. */
#define LOAD_LIST_COUNT_MAX 65536

uint64_t cell_worker_size_max(uint32_t type)
{
    switch (type) {
    case CELL_MESSAGE_HELLO:
    case CELL_MESSAGE_RESTORED:
    case CELL_MESSAGE_IMAGE:
        return 64;
    case CELL_MESSAGE_END:
    case CELL_MESSAGE_SETTLED:
    case CELL_MESSAGE_NET:
        return CELL_NUMBER_SIZE;
    case CELL_MESSAGE_PULL:
        return CELL_NUMBER_SIZE + sizeof(uint32_t);
    case CELL_MESSAGE_READY:
        return CELL_NUMBER_SIZE + CELL_READY_SIZE_MAX;
    case CELL_MESSAGE_LOG:
        return CELL_NUMBER_SIZE + CELL_LOG_SIZE_MAX + 64;
    case CELL_MESSAGE_HEAD:
    case CELL_MESSAGE_HOST_CALL:
        return CELL_HEAD_SIZE_MAX;
    case CELL_MESSAGE_DATA:
        return CELL_NUMBER_SIZE + CELL_PIECE_SIZE_MAX;
    case CELL_MESSAGE_ERROR:
        return CELL_NUMBER_SIZE + WIRE_ERROR_SIZE_MAX;
    case LAUNCH_MESSAGE_BLANK:
        return sizeof(launch_blank);
    case LAUNCH_MESSAGE_FAILED:
        return sizeof(launch_failed);
    default:
        return 0;
    }
}

uint64_t cell_body_size_max(uint32_t type)
{
    switch (type) {
    case CELL_MESSAGE_LOAD:
        return 512 * MIB;
    case CELL_MESSAGE_CALL:
        return 2048 * MIB;
    case CELL_MESSAGE_GO_ON:
    case CELL_MESSAGE_GO_ON_TEXT:
        return CELL_GO_ON_SIZE_MAX;
    case CELL_MESSAGE_BODY:
        return CELL_NUMBER_SIZE + CELL_PIECE_SIZE_MAX;
    case CELL_MESSAGE_BODY_END:
        return CELL_NUMBER_SIZE + sizeof(uint8_t);
    case CELL_MESSAGE_CREDIT:
        return CELL_NUMBER_SIZE + sizeof(uint32_t);
    case CELL_MESSAGE_ABANDON:
    case CELL_MESSAGE_PREPARE:
        return CELL_NUMBER_SIZE;
    case CELL_MESSAGE_HOST_RETURN:
    case CELL_MESSAGE_HOST_THROW:
        return CELL_NUMBER_SIZE + CELL_HOST_RESULT_SIZE_MAX + 64;
    default:
        return cell_worker_size_max(type);
    }
}

/* --- Numbers of calls --- */

void cell_number_write(wire_writer *writer, uint64_t call)
{
    wire_put_u64(writer, call);
}

bool cell_number_read(const uint8_t **body, size_t *size_bytes, uint64_t *call)
{
    wire_reader reader = wire_reader_over(*body, *size_bytes);
    *call = wire_get_u64(&reader);
    if (reader.failed) return false;
    *body += CELL_NUMBER_SIZE;
    *size_bytes -= CELL_NUMBER_SIZE;
    return true;
}

/* Texts that need not be UTF-8, as paths; NULL is kept apart from "". */
static void cell_put_string(wire_writer *writer, const char *text)
{
    wire_put_u8(writer, text != NULL);
    if (text != NULL) wire_put_string(writer, text);
}

static const char *cell_get_string(wire_reader *reader)
{
    return wire_get_u8(reader) != 0 ? wire_get_string(reader) : NULL;
}

/* --- HELLO --- */

void cell_hello_write(wire_writer *writer, const wire_hello *hello)
{
    wire_hello_write(writer, HELLO_MAGIC, hello);
}

bool cell_hello_read(const void *body, size_t size_bytes, wire_hello *out)
{
    return wire_hello_read(body, size_bytes, HELLO_MAGIC, CELL_PROTOCOL_VERSION, out);
}

/* --- LOAD --- */

static void cell_env_write(wire_writer *writer, const snapcell_env *env, size_t count)
{
    wire_put_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        cell_put_string(writer, env[i].name);
        cell_put_string(writer, env[i].value);
    }
}

static const snapcell_env *cell_env_read(wire_reader *reader, cell_alloc_fn *alloc, size_t *count)
{
    *count = wire_get_count(reader, 2, LOAD_LIST_COUNT_MAX);
    if (*count == 0) return NULL;
    snapcell_env *env = alloc(*count, sizeof(*env));
    if (env == NULL) {
        reader->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < *count; i++) {
        env[i].name = cell_get_string(reader);
        env[i].value = cell_get_string(reader);
        if (env[i].name == NULL || env[i].value == NULL) reader->failed = true;
    }
    return env;
}

static void cell_options_write(wire_writer *writer, const snapcell_cell_options *options)
{
    wire_put_u64(writer, options->memory_limit_bytes);
    wire_put_u32(writer, options->cpu_limit_ms);
    wire_put_u32(writer, options->wall_limit_ms);
    wire_put_u64(writer, options->response_limit_bytes);
    wire_put_u32(writer, options->timer_limit);
    wire_put_u8(writer, options->frozen_clock);
    cell_put_string(writer, options->tenant);
    cell_put_string(writer, options->signed_name);
    cell_env_write(writer, options->env, options->env_count);
    cell_env_write(writer, options->json_env, options->json_env_count);
}

static void cell_options_read(wire_reader *reader, cell_alloc_fn *alloc, snapcell_cell_options *out)
{
    *out = (snapcell_cell_options)SNAPCELL_CELL_OPTIONS_INIT;
    out->memory_limit_bytes = wire_get_u64(reader);
    out->cpu_limit_ms = wire_get_u32(reader);
    out->wall_limit_ms = wire_get_u32(reader);
    out->response_limit_bytes = wire_get_u64(reader);
    out->timer_limit = wire_get_u32(reader);
    out->frozen_clock = wire_get_u8(reader) != 0;
    out->tenant = cell_get_string(reader);
    out->signed_name = cell_get_string(reader);
    out->env = cell_env_read(reader, alloc, &out->env_count);
    out->json_env = cell_env_read(reader, alloc, &out->json_env_count);
}

static void cell_keys_write(wire_writer *writer, const cell_load *load)
{
    wire_put_u8(writer, load->has_trust);
    wire_put_u32(writer, load->key_count);
    for (uint32_t i = 0; i < load->key_count; i++) {
        wire_put_raw(writer, load->keys[i].public_key, SNAPCELL_PUBLIC_KEY_SIZE);
        wire_put_u8(writer, load->keys[i].revoked);
        cell_put_string(writer, load->keys[i].comment);
    }
}

static void cell_keys_read(wire_reader *reader, cell_alloc_fn *alloc, cell_load *out)
{
    out->has_trust = wire_get_u8(reader) != 0;
    out->key_count = wire_get_count(reader, SNAPCELL_PUBLIC_KEY_SIZE, LOAD_LIST_COUNT_MAX);
    if (out->key_count == 0) return;
    out->keys = alloc(out->key_count, sizeof(*out->keys));
    if (out->keys == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->key_count; i++) {
        out->keys[i].public_key = wire_get_raw(reader, SNAPCELL_PUBLIC_KEY_SIZE);
        out->keys[i].revoked = wire_get_u8(reader) != 0;
        out->keys[i].comment = cell_get_string(reader);
    }
}

static void cell_host_names_write(wire_writer *writer, const cell_load *load)
{
    wire_put_u32(writer, load->host_name_count);
    for (uint32_t i = 0; i < load->host_name_count; i++)
        wire_put_string(writer, load->host_names[i]);
}

static void cell_host_names_read(wire_reader *reader, cell_alloc_fn *alloc, cell_load *out)
{
    out->host_name_count = wire_get_count(reader, 2, LOAD_LIST_COUNT_MAX);
    if (out->host_name_count == 0) return;
    out->host_names = alloc(out->host_name_count, sizeof(*out->host_names));
    if (out->host_names == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->host_name_count; i++)
        out->host_names[i] = wire_get_string(reader);
}

void cell_load_write(wire_writer *writer, const cell_load *load)
{
    /* These first: see below. */
    wire_put_u8(writer, (uint8_t)load->policy);
    wire_put_u8(writer, load->prelude_only);
    cell_put_string(writer, load->ref);
    cell_put_string(writer, load->store_path);
    wire_put_u8(writer, load->logs);
    wire_put_u32(writer, load->warm_calls);
    wire_put_u32(writer, load->tier);
    wire_put_u8(writer, load->no_sandbox);
    wire_put_u8(writer, load->has_net);
    wire_put_u8(writer, load->makes_image);
    wire_put_u64(writer, load->data_limit_bytes);
    wire_put_u64(writer, load->call_size_max);
    wire_put_u64(writer, load->answer_size_max);
    cell_options_write(writer, &load->options);
    cell_keys_write(writer, load);
    cell_host_names_write(writer, load);
}

void cell_load_set_policy(wire_writer *writer, cell_policy policy)
{
    writer->data[0] = (uint8_t)policy;
}

void cell_load_set_whole(wire_writer *writer, const char *ref)
{
    const size_t ref_offset = 3 + sizeof(uint64_t); /* it is there, and has so many bytes */
    writer->data[1] = false;
    memcpy(writer->data + ref_offset, ref, strlen(ref));
}

bool cell_load_read(const void *body, size_t size_bytes, cell_alloc_fn *alloc, cell_load *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (cell_load){.policy = (cell_policy)wire_get_u8(&reader)};
    out->prelude_only = wire_get_u8(&reader) != 0;
    out->ref = cell_get_string(&reader);
    out->store_path = cell_get_string(&reader);
    out->logs = wire_get_u8(&reader) != 0;
    out->warm_calls = wire_get_u32(&reader);
    out->tier = wire_get_u32(&reader);
    out->no_sandbox = wire_get_u8(&reader) != 0;
    out->has_net = wire_get_u8(&reader) != 0;
    out->makes_image = wire_get_u8(&reader) != 0;
    out->data_limit_bytes = wire_get_u64(&reader);
    out->call_size_max = wire_get_u64(&reader);
    out->answer_size_max = wire_get_u64(&reader);
    cell_options_read(&reader, alloc, &out->options);
    cell_keys_read(&reader, alloc, out);
    cell_host_names_read(&reader, alloc, out);
    bool sound = out->store_path != NULL && out->ref != NULL && out->policy <= CELL_POLICY_KEEP &&
                 (!out->prelude_only || out->policy == CELL_POLICY_RELOAD) &&
                 out->call_size_max <= cell_body_size_max(CELL_MESSAGE_CALL) &&
                 out->answer_size_max <= cell_body_size_max(CELL_MESSAGE_CALL);
    return wire_reader_done(&reader) && sound;
}

void cell_load_release(cell_load *load)
{
    free((void *)load->options.env);
    free((void *)load->options.json_env);
    free(load->keys);
    free(load->host_names);
    *load = (cell_load){0};
}

/* --- READY --- */

void cell_ready_write(wire_writer *writer, const cell_ready *ready)
{
    wire_put_u32(writer, ready->shape);
    wire_put_u8(writer, (uint8_t)ready->policy);
    wire_put_u32(writer, ready->tier);
    wire_put_text(writer, ready->fallback);
    wire_put_u8(writer, ready->has_prelude);
}

bool cell_ready_read(const void *body, size_t size_bytes, cell_ready *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    out->shape = (snapcell_handler_shape)wire_get_u32(&reader);
    out->policy = (cell_policy)wire_get_u8(&reader);
    out->tier = wire_get_u32(&reader);
    out->fallback = wire_get_text(&reader);
    out->has_prelude = wire_get_u8(&reader) != 0;
    return wire_reader_done(&reader) && out->policy <= CELL_POLICY_KEEP &&
           (out->shape == SNAPCELL_SHAPE_FETCH || out->shape == SNAPCELL_SHAPE_JSON);
}

/* --- GO_ON --- */

void cell_go_on_write(wire_writer *writer, const cell_go_on_order *order)
{
    wire_put_string(writer, order->ref);
    wire_put_bytes(writer, order->artifact, order->artifact_size_bytes);
}

bool cell_go_on_read(const void *body, size_t size_bytes, cell_go_on_order *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    out->ref = wire_get_string(&reader);
    out->artifact = wire_get_bytes(&reader, &out->artifact_size_bytes);
    return wire_reader_done(&reader);
}

void cell_text_order_write(wire_writer *writer, const cell_text_order *order)
{
    wire_put_raw(writer, order->prelude_sha256, CELL_SHA256_SIZE);
    wire_put_u8(writer, order->is_utf16);
    wire_put_bytes(writer, order->text, order->text_size_bytes);
    wire_put_bytes(writer, order->source_map, order->source_map_size_bytes);
}

bool cell_text_order_read(const void *body, size_t size_bytes, cell_text_order *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    out->prelude_sha256 = wire_get_raw(&reader, CELL_SHA256_SIZE);
    out->is_utf16 = wire_get_u8(&reader) != 0;
    out->text = wire_get_bytes(&reader, &out->text_size_bytes);
    out->source_map = wire_get_bytes(&reader, &out->source_map_size_bytes);
    if (out->source_map_size_bytes == 0) out->source_map = NULL;
    return wire_reader_done(&reader) && (!out->is_utf16 || out->text_size_bytes % 2 == 0);
}

/* --- IMAGE --- */

void cell_image_made_write(wire_writer *writer, const cell_image_made *made)
{
    wire_put_u64(writer, made->size_bytes);
    wire_put_raw(writer, made->key.bytes, sizeof(made->key.bytes));
}

bool cell_image_made_read(const void *body, size_t size_bytes, cell_image_made *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    out->size_bytes = wire_get_u64(&reader);
    const void *key = wire_get_raw(&reader, sizeof(out->key.bytes));
    if (!wire_reader_done(&reader)) return false;
    memcpy(out->key.bytes, key, sizeof(out->key.bytes));
    return true;
}

/* --- RESTORED --- */

void cell_restored_write(wire_writer *writer, const cell_restored *restored)
{
    wire_put_u64(writer, restored->restores);
    wire_put_u64(writer, restored->pages);
    wire_put_u64(writer, restored->ns);
    wire_put_u64(writer, restored->cuts);
}

bool cell_restored_read(const void *body, size_t size_bytes, cell_restored *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    out->restores = wire_get_u64(&reader);
    out->pages = wire_get_u64(&reader);
    out->ns = wire_get_u64(&reader);
    out->cuts = wire_get_u64(&reader);
    return wire_reader_done(&reader);
}

/* --- CALL --- */

void cell_call_write(wire_writer *writer, const cell_call *call)
{
    cell_number_write(writer, call->number);
    wire_put_u32(writer, call->kind);
    if (call->kind == CELL_CALL_FETCH) {
        wire_put_u8(writer, call->streams);
        wire_put_u8(writer, call->streams_body);
        wire_request_write(writer, &call->request);
        return;
    }
    cell_put_string(writer, call->handler);
    cell_put_string(writer, call->event_json);
}

bool cell_call_read(const void *body, size_t size_bytes, cell_call *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (cell_call){.number = wire_get_u64(&reader)};
    out->kind = (cell_call_kind)wire_get_u32(&reader);
    if (out->kind == CELL_CALL_FETCH) {
        out->streams = wire_get_u8(&reader) != 0;
        out->streams_body = wire_get_u8(&reader) != 0;
        wire_request_read(&reader, CELL_HEADER_COUNT_MAX, &out->request);
    } else {
        out->handler = cell_get_string(&reader);
        out->event_json = cell_get_string(&reader);
    }
    bool sound = out->kind >= CELL_CALL_FETCH && out->kind <= CELL_CALL_HANDLER &&
                 (out->kind != CELL_CALL_HANDLER || out->handler != NULL) &&
                 !(out->streams_body && (!out->streams || out->request.body != NULL));
    if (wire_reader_done(&reader) && sound) return true;
    cell_call_release(out);
    return false;
}

void cell_call_release(cell_call *call)
{
    wire_request_release(&call->request);
}

/* --- BODY_END, CREDIT, PULL --- */

void cell_body_end_write(wire_writer *writer, bool is_whole)
{
    wire_put_u8(writer, is_whole);
}

bool cell_body_end_read(const void *body, size_t size_bytes, bool *is_whole)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *is_whole = wire_get_u8(&reader) != 0;
    return wire_reader_done(&reader);
}

void cell_credit_write(wire_writer *writer, uint32_t amount_bytes)
{
    wire_put_u32(writer, amount_bytes);
}

bool cell_credit_read(const void *body, size_t size_bytes, uint32_t *amount_bytes)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *amount_bytes = wire_get_u32(&reader);
    return wire_reader_done(&reader);
}

/* --- HEAD --- */

void cell_head_write(wire_writer *writer, const snapcell_response *response)
{
    size_t count = snapcell_response_header_count(response);
    wire_put_u32(writer, (uint32_t)snapcell_response_status(response));
    wire_put_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        snapcell_header header = snapcell_response_header(response, i);
        wire_put_string(writer, header.name);
        wire_put_string(writer, header.value);
    }
}

bool cell_head_read(const void *body, size_t size_bytes, cell_head *out, bool *no_memory)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (cell_head){.status = (int)wire_get_u32(&reader)};
    out->header_count = wire_get_count(&reader, 2 * (sizeof(uint64_t) + 1), CELL_HEADER_COUNT_MAX);
    out->headers = calloc(out->header_count + 1, sizeof(*out->headers));
    *no_memory = out->headers == NULL;
    if (*no_memory) return false;
    for (size_t i = 0; i < out->header_count; i++) {
        out->headers[i].name = wire_get_string(&reader);
        out->headers[i].value = wire_get_string(&reader);
    }
    if (wire_reader_done(&reader) && out->status >= 200 && out->status <= 599 &&
        headers_check(out->headers, out->header_count, NULL) == SNAPCELL_OK)
        return true;
    cell_head_release(out);
    return false;
}

void cell_head_release(cell_head *head)
{
    free(head->headers);
    *head = (cell_head){0};
}
