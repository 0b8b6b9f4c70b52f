/* What a process is told of itself before it enters its sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "process_image.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

/* /proc/PID/stat: proc_pid_stat(5) counts the fields from 1; the second ends with the last ')'. */
#define STAT_SIZE_MAX 2048
#define STAT_FIELD_COUNT 52
#define STAT_FIELD_AFTER_NAME 3

static const char *stat_number(const char *at, uint64_t *out)
{
    *out = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        *out = *out * 10 + (uint64_t)(*at - '0');
    return at;
}

/* Fields that are no numbers count as 0. */
static bool stat_read_fields(const char *text, uint64_t fields[STAT_FIELD_COUNT])
{
    const char *at = strrchr(text, ')');
    if (at == NULL) return false;
    at++;
    for (int i = STAT_FIELD_AFTER_NAME; i < STAT_FIELD_COUNT; i++) {
        if (*at != ' ') return false;
        at = stat_number(at + 1, &fields[i]);
        at += strcspn(at, " ");
    }
    return true;
}

static bool origin_read_layout(process_image_layout *out)
{
    char text[STAT_SIZE_MAX];
    uint64_t fields[STAT_FIELD_COUNT] = {0};
    cleanup_close int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (got <= 0) return false;
    text[got] = '\0';
    if (!stat_read_fields(text, fields)) return false;
    *out = (process_image_layout){
        .start_code = fields[26],
        .end_code = fields[27],
        .start_data = fields[45],
        .end_data = fields[46],
        .start_brk = fields[47],
        .start_stack = fields[28],
        .arg_start = fields[48],
        .arg_end = fields[49],
        .env_start = fields[50],
        .env_end = fields[51],
    };
    return true;
}

int process_image_origin_read(process_image_origin *out, snapcell_error *err)
{
    void *robust_list = NULL;
    size_t robust_size = 0;
    uint64_t tid_address = 0;
    *out = (process_image_origin){0};
    /* Where the kernel does not tell, the address is one that nobody waits on. */
    if (prctl(PR_GET_TID_ADDRESS, &tid_address, 0, 0, 0) != 0) tid_address = 0;
    if (!origin_read_layout(&out->layout) ||
        syscall(SYS_get_robust_list, 0, &robust_list, &robust_size) != 0)
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                               "an image needs /proc/self/stat and get_robust_list()");
    out->tid_address = tid_address;
    out->robust_list = (uint64_t)(uintptr_t)robust_list;
    out->robust_size_bytes = robust_list != NULL ? robust_size : 0;
    return SNAPCELL_OK;
}
