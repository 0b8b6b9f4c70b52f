#include "image_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "process_image.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const child_kind maker_kind = {"cell-worker", cell_worker_size_max, true};

static void message_cleanup(child_message *message)
{
    free(message->body);
}
#define cleanup_message cleanup(message_cleanup)

/* --- The file --- */

static int steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

int image_file_new(uint64_t size_bytes_max)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("snapcell-image", flags | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("snapcell-image", flags);
    if (fd < 0) return -1;
    if (size_bytes_max > PROCESS_IMAGE_SIZE_MAX) size_bytes_max = PROCESS_IMAGE_SIZE_MAX;
    if (ftruncate(fd, (off_t)size_bytes_max) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0)
        return fd;
    close(fd);
    return -1;
}

bool image_file_seal(int fd, uint64_t size_bytes)
{
    return size_bytes <= PROCESS_IMAGE_SIZE_MAX && ftruncate(fd, (off_t)size_bytes) == 0 &&
           fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* --- The process --- */

int image_maker_start(const image_maker_request *request, image_maker *out, snapcell_error *err)
{
    cleanup_close int fd = image_file_new(request->size_bytes_max);
    *out = (image_maker){.image_fd = -1, .key = *request->key, .artifact = *request->artifact};
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "no file for an image");
    int status = child_process_start_with(request->worker_path, &maker_kind, request->zone,
                                          request->limit_ms, fd, &out->process, err);
    if (status != SNAPCELL_OK) return status;
    out->is_running = true;
    out->image_fd = steal_fd(&fd);
    return SNAPCELL_OK;
}

void image_maker_stop(image_maker *maker)
{
    if (!maker->is_running) return;
    child_process_end(&maker->process);
    if (maker->image_fd >= 0) close(maker->image_fd);
    maker->image_fd = -1;
    maker->is_running = false;
}

/* Takes the number of a call off a message that belongs to none. */
static bool maker_take_number(const child_message *message, const uint8_t **body,
                              size_t *size_bytes)
{
    uint64_t call;
    *body = message->body;
    *size_bytes = message->body_size_bytes;
    return cell_number_read(body, size_bytes, &call) && call == 0;
}

static int maker_failed(const char *why, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_INTERNAL, "no image was made: %s", why);
}

static int maker_take_hello(image_maker *maker, const child_message *message,
                            const wire_writer *load, snapcell_error *err)
{
    wire_hello hello;
    snapcell_fingerprint own = engine_fingerprint();
    if (!cell_hello_read(message->body, message->body_size_bytes, &hello) ||
        hello.protocol_version != CELL_PROTOCOL_VERSION ||
        memcmp(own.bytes, hello.engine.bytes, sizeof(own.bytes)) != 0)
        return maker_failed("the worker is of another build", err);
    if (child_process_send(&maker->process, CELL_MESSAGE_LOAD, load) != CHILD_OK)
        return maker_failed("the process ended", err);
    return SNAPCELL_OK;
}

/* What the process wrote is looked at when nobody can change it any more. */
static int maker_take_image(image_maker *maker, const child_message *message,
                            uint64_t program_size_bytes, uint64_t *size_bytes, snapcell_error *err)
{
    cell_image_made made;
    process_image_head head;
    const uint8_t *body;
    size_t body_size;
    if (!maker_take_number(message, &body, &body_size) ||
        !cell_image_made_read(body, body_size, &made))
        return maker_failed("what the process said makes no sense", err);
    if (memcmp(made.key.bytes, maker->artifact.bytes, sizeof(made.key.bytes)) != 0)
        return maker_failed("the name is another version's by now", err);
    if (!image_file_seal(maker->image_fd, made.size_bytes))
        return error_set_errno(err, SNAPCELL_E_IO, errno, "an image cannot be sealed");
    *size_bytes = made.size_bytes;
    cleanup_free void *tables = NULL;
    return process_image_read(maker->image_fd, program_size_bytes, &head, &tables, err);
}

static int maker_take_other(const child_message *message, snapcell_error *err)
{
    snapcell_error told;
    cell_ready ready;
    const uint8_t *body;
    size_t size;
    bool has_number = maker_take_number(message, &body, &size);
    if (has_number && message->type == CELL_MESSAGE_ERROR && wire_error_read(body, size, &told))
        return maker_failed(told.message, err);
    if (has_number && message->type == CELL_MESSAGE_READY && cell_ready_read(body, size, &ready) &&
        ready.fallback != NULL)
        return maker_failed(ready.fallback, err);
    return maker_failed("what the process said makes no sense", err);
}

image_maker_state image_maker_step(image_maker *maker, const wire_writer *load,
                                   uint64_t program_size_bytes, int *fd, uint64_t *size_bytes,
                                   snapcell_error *err)
{
    cleanup_message child_message message = {0};
    child_outcome outcome = child_process_receive(&maker->process, &message);
    int status = SNAPCELL_OK;
    bool is_done = outcome == CHILD_OK && message.type == CELL_MESSAGE_IMAGE;
    if (outcome != CHILD_OK)
        status = maker_failed("the process ended, or took too long", err);
    else if (message.type == CELL_MESSAGE_HELLO)
        status = maker_take_hello(maker, &message, load, err);
    else if (is_done)
        status = maker_take_image(maker, &message, program_size_bytes, size_bytes, err);
    else
        status = maker_take_other(&message, err);
    if (status == SNAPCELL_OK && !is_done) return IMAGE_MAKER_WORKING;
    if (status == SNAPCELL_OK) *fd = steal_fd(&maker->image_fd);
    image_maker_stop(maker);
    return status == SNAPCELL_OK ? IMAGE_MAKER_DONE : IMAGE_MAKER_FAILED;
}
