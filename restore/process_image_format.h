/* The bytes of a process image: the memory of a process that restores itself, with what the kernel
 * knew of it, so that another process can go on as it. Nothing here needs a library: the launcher
 * includes it, too. Internal.
 *
 * An image is a file of whole pages: first what restores put back, just as the checkpoint has it;
 * then bytes of memory that nobody can write; then tables; and in the last page a
 * head. It is native code and data, in the byte order of its machine, and never leaves
 * that machine. */
#ifndef SNAPCELL_PROCESS_IMAGE_FORMAT_H
#define SNAPCELL_PROCESS_IMAGE_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define PROCESS_IMAGE_MAGIC UINT64_C(0x31474d494c434e53) /* "SNCLIMG1" */
#define PROCESS_IMAGE_VERSION 1
#define PROCESS_IMAGE_PAGE 4096u
#define PROCESS_IMAGE_RANGES_MAX 4096u
#define PROCESS_IMAGE_COPIES_MAX 1024u
#define PROCESS_IMAGE_SIGNALS_MAX 64u
#define PROCESS_IMAGE_WARM_MAX 256u
#define PROCESS_IMAGE_SPECIALS_MAX 8u
#define PROCESS_IMAGE_SIZE_MAX (UINT64_C(1) << 30)

/* The machine, as in ELF. User space: the kernel maps nothing below MIN, and nothing above END that
 * a program did not ask for there. */
#define PROCESS_IMAGE_ADDRESS_MIN UINT64_C(0x10000)
#if defined(__x86_64__)
#define PROCESS_IMAGE_MACHINE 62u
#define PROCESS_IMAGE_ADDRESS_END UINT64_C(0x7ffffffff000)
#elif defined(__aarch64__)
#define PROCESS_IMAGE_MACHINE 183u
#define PROCESS_IMAGE_ADDRESS_END UINT64_C(0x1000000000000)
#else
#error "no process image is known for this architecture"
#endif

/* Where the bytes of a range come from. */
typedef enum process_image_kind {
    PROCESS_IMAGE_EMPTY = 1,   /* private memory, zero; without any protection a reservation */
    PROCESS_IMAGE_BYTES = 2,   /* private, mapped from the image */
    PROCESS_IMAGE_PROGRAM = 3, /* private, mapped from the program's file; cannot be written */
    PROCESS_IMAGE_OUTER = 4,   /* shared, zero except for what copies put into it */
    PROCESS_IMAGE_VIEW = 5,    /* shared, to be read: the image, from its beginning */
    PROCESS_IMAGE_SPECIAL = 6, /* the kernel's own: vdso and vvar, each process has some */
} process_image_kind;

typedef struct process_image_range {
    uint64_t start;
    uint64_t end;
    uint64_t offset; /* of BYTES and PROGRAM in their file; else 0 */
    uint32_t kind;
    uint32_t protection; /* PROT_* */
} process_image_range;

/* Bytes of the image for a part of one OUTER range. */
typedef struct process_image_copy {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
} process_image_copy;

/* Pages of the program's file that a call touches: a launcher has them at hand before there is an
 * image for it. */
typedef struct process_image_warm {
    uint64_t offset;
    uint64_t size_bytes;
} process_image_warm;

/* A signal that is not as in a fresh process; as rt_sigaction() has it. */
typedef struct process_image_signal {
    uint64_t number;
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
} process_image_signal;

/* What /proc and the break go by: the kernel's prctl_mm_map, without its last fields. */
typedef struct process_image_layout {
    uint64_t start_code;
    uint64_t end_code;
    uint64_t start_data;
    uint64_t end_data;
    uint64_t start_brk;
    uint64_t brk;
    uint64_t start_stack;
    uint64_t arg_start;
    uint64_t arg_end;
    uint64_t env_start;
    uint64_t env_end;
} process_image_layout;

typedef struct process_image_head {
    uint64_t magic;
    uint32_t version;
    uint32_t machine;
    uint64_t size_bytes;      /* of the whole file */
    uint64_t view_size_bytes; /* what restores put back */
    uint64_t table_offset;    /* a whole page: ranges in ascending order, copies, warm */
    uint32_t range_count;
    uint32_t copy_count;
    uint64_t entry;    /* called as entry(argument, arrival), on the stack below `stack_top` */
    uint64_t argument; /* in an OUTER range, as is stack_top */
    uint64_t stack_top;
    uint64_t thread_pointer;
    uint64_t tid_address; /* cleared by the kernel when the thread ends; 0: none */
    uint64_t robust_list; /* 0: none */
    uint64_t robust_size_bytes;
    process_image_layout layout;
    uint32_t signal_count;
    uint32_t warm_count;
    process_image_signal signals[PROCESS_IMAGE_SIGNALS_MAX];
} process_image_head;

static_assert(sizeof(process_image_range) == 32, "a table's line");
static_assert(sizeof(process_image_copy) == 24, "a table's line");
static_assert(sizeof(process_image_warm) == 16, "a table's line");
static_assert(sizeof(process_image_head) <= PROCESS_IMAGE_PAGE, "it has a page");

/* Descriptors of a process that goes on as an image, which its launcher puts there. */
enum {
    PROCESS_IMAGE_FD_PROGRAM = 5,
    PROCESS_IMAGE_FD_PAGEMAP = 6,
    PROCESS_IMAGE_FD_MAPS = 7,
    PROCESS_IMAGE_FD_STATM = 8,
    PROCESS_IMAGE_FD_IMAGE = 9,
    PROCESS_IMAGE_FD_NET = 10, /* of a worker that has a network */
    PROCESS_IMAGE_FD_END = 11,
};

/* What the launcher hands on: its own mappings, which are of no use any more. */
#define PROCESS_IMAGE_LEFTOVERS_MAX 16u
typedef struct process_image_arrival {
    uint64_t count;
    struct {
        uint64_t start;
        uint64_t size_bytes;
    } leftovers[PROCESS_IMAGE_LEFTOVERS_MAX];
} process_image_arrival;

#endif
