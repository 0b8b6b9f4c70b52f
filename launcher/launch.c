#include "launch.h"

#include <linux/socket.h>
#include <linux/uio.h>

/* As the kernel has it in its calls. */
typedef struct launch_message {
    void *name;
    int name_size;
    struct iovec *parts;
    size_t part_count;
    void *control;
    size_t control_size;
    unsigned flags;
} launch_message;

typedef struct launch_control {
    size_t size;
    int level;
    int type;
    int fd;
    int padding;
} launch_control;

#define LAUNCH_SCM_RIGHTS 1
#define LAUNCH_SOL_SOCKET 1
#define LAUNCH_MSG_WAITALL 0x100
#define LAUNCH_MSG_NOSIGNAL 0x4000
#define LAUNCH_MSG_CMSG_CLOEXEC 0x40000000

/* "SNCW", as in process/wire_message.c. */
#define LAUNCH_HEADER_MAGIC 0x57434e53u

typedef struct launch_header {
    uint32_t magic;
    uint32_t type;
    uint64_t body_size_bytes;
} launch_header;

_Noreturn static void launch_exit(void)
{
    for (;;)
        call3(__NR_exit_group, 1, 0, 0);
}

/* What GCC makes of assignments. */
void *memset(void *to, int value, size_t size_bytes);
void *memcpy(void *to, const void *from, size_t size_bytes);

void *memset(void *to, int value, size_t size_bytes)
{
    volatile unsigned char *bytes = to;
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (unsigned char)value;
    return to;
}

void *memcpy(void *to, const void *from, size_t size_bytes)
{
    volatile unsigned char *bytes = to;
    const unsigned char *source = from;
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = source[i];
    return to;
}

/* --- Messages --- */

static void launch_send(uint32_t type, const void *body, size_t size_bytes)
{
    const launch_header header = {LAUNCH_HEADER_MAGIC, type, size_bytes};
    struct iovec parts[] = {{(void *)(uintptr_t)&header, sizeof(header)},
                            {(void *)(uintptr_t)body, size_bytes}};
    launch_message message = {.parts = parts, .part_count = 2};
    long sent = call3(__NR_sendmsg, LAUNCH_SOCKET_FD, at(&message), LAUNCH_MSG_NOSIGNAL);
    if (sent != (long)(sizeof(header) + size_bytes)) launch_exit();
}

void launch_fail(launch_failure failure, launch_step step, long result)
{
    const launch_failed failed = {failure, step, (uint32_t)(call_failed(result) ? -result : 0), 0};
    launch_send(LAUNCH_MESSAGE_FAILED, &failed, sizeof(failed));
    launch_exit();
}

static void launch_receive_rest(void *data, size_t size_bytes)
{
    unsigned char *to = data;
    while (size_bytes > 0) {
        long got = call6(__NR_recvfrom, LAUNCH_SOCKET_FD, at(to), (long)size_bytes, 0, 0, 0);
        if (got <= 0) launch_exit(); /* the host is gone */
        to += got;
        size_bytes -= (size_t)got;
    }
}

/* A message of this type and size, and the descriptor that came with it, if it is wanted. */
static void launch_receive(uint32_t type, void *body, size_t size_bytes, int *fd)
{
    launch_header header = {0};
    launch_control control = {0};
    struct iovec part = {&header, sizeof(header)};
    launch_message message = {
        .parts = &part, .part_count = 1, .control = &control, .control_size = sizeof(control)};
    long got = call3(__NR_recvmsg, LAUNCH_SOCKET_FD, at(&message), LAUNCH_MSG_CMSG_CLOEXEC);
    if (got <= 0) launch_exit();
    launch_receive_rest((char *)&header + got, sizeof(header) - (size_t)got);
    if (header.magic != LAUNCH_HEADER_MAGIC || header.type != type ||
        header.body_size_bytes != size_bytes)
        launch_exit();
    launch_receive_rest(body, size_bytes);
    if (fd == NULL) return;
    bool has_fd = message.control_size >= sizeof(size_t) + 3 * sizeof(int) &&
                  control.level == LAUNCH_SOL_SOCKET && control.type == LAUNCH_SCM_RIGHTS;
    *fd = has_fd ? control.fd : -1;
}

/* --- The program --- */

static launch_own own;
static launch_setup setup;

__attribute__((used)) _Noreturn void launch_main(void);

void launch_main(void)
{
    launch_order order;
    int fd;
    launch_receive(LAUNCH_MESSAGE_SETUP, &setup, sizeof(setup), NULL);
    if (setup.version != LAUNCH_PROTOCOL_VERSION) launch_exit();
    launch_open_files();
    launch_survey(&own);
    launch_lay_in(&setup.stock);
    launch_touch_tables();
    launch_enter_sandbox(&setup);
    const launch_blank blank = {LAUNCH_PROTOCOL_VERSION, 0};
    launch_send(LAUNCH_MESSAGE_BLANK, &blank, sizeof(blank));
    launch_receive(LAUNCH_MESSAGE_LAUNCH, &order, sizeof(order), &fd);
    if (fd != PROCESS_IMAGE_FD_IMAGE) launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_IMAGE, 0);
    launch_become(&own, order.image_size_bytes);
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    endbr64\n"
        "    xorl %ebp, %ebp\n"
        "    andq $-16, %rsp\n"
        "    callq launch_main\n"
        "    ud2\n"
        ".size _start, . - _start\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl _start\n"
        ".type _start, %function\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    bl launch_main\n"
        "    brk #1\n"
        ".size _start, . - _start\n"
        ".section .note.GNU-stack,\"\",%progbits\n"
        ".text\n");
#endif
