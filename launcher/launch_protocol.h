/* What a host and a blank launcher say to each other, over the socket on which the worker that it
 * becomes will answer calls.
 *
 * The host begins with SETUP: how the sandbox is to be. The launcher enters it and answers BLANK.
 * Then it waits for LAUNCH, with which the image's descriptor comes, and goes on as the worker that
 * the image is of; or it answers FAILED, and ends. Each has a header as in process/wire_message.h.
 * Internal; needs no library. */
#ifndef SNAPCELL_LAUNCH_PROTOCOL_H
#define SNAPCELL_LAUNCH_PROTOCOL_H

#include <linux/filter.h>
#include <stdint.h>

/* Types of messages, among those of workers/cell_protocol.h. */
#define LAUNCH_MESSAGE_SETUP 32u
#define LAUNCH_MESSAGE_BLANK 33u
#define LAUNCH_MESSAGE_LAUNCH 34u
#define LAUNCH_MESSAGE_FAILED 35u

#define LAUNCH_PROTOCOL_VERSION 1u
#define LAUNCH_FILTER_LENGTH_MAX 512u
#define LAUNCH_LANDLOCK_SIZE_MAX 64u

/* A part of the program that images have mapped, to be mapped and touched before there is one. */
#define LAUNCH_SEGMENTS_MAX 4u
typedef struct launch_segment {
    uint64_t offset; /* in the program's file */
    uint64_t size_bytes;
    uint64_t start; /* in the last image. In another one it is as far into 2 MiB, as a rule. */
    uint32_t protection;
    uint32_t reserved;
} launch_segment;

/* Pages of them, as in process_image_format.h. */
#define LAUNCH_WARM_MAX 256u
typedef struct launch_warm {
    uint64_t offset;
    uint64_t size_bytes;
} launch_warm;

/* What launchers have at hand; all of it may be zero. */
typedef struct launch_stock {
    uint32_t segment_count;
    uint32_t warm_count;
    uint32_t touches; /* there is time to read warm pages */
    uint32_t reserved;
    launch_segment segments[LAUNCH_SEGMENTS_MAX];
    launch_warm warm[LAUNCH_WARM_MAX];
} launch_stock;

typedef struct launch_setup {
    uint32_t version;
    uint32_t has_sandbox;                       /* else only core dumps are off */
    uint64_t data_limit_bytes;                  /* 0: none */
    uint32_t nobody;                            /* the user and group that root becomes */
    uint32_t landlock_size_bytes;               /* 0: the kernel has none */
    uint8_t landlock[LAUNCH_LANDLOCK_SIZE_MAX]; /* the kernel's struct landlock_ruleset_attr */
    uint32_t filter_length;
    uint32_t reserved;
    struct sock_filter filter[LAUNCH_FILTER_LENGTH_MAX];
    launch_stock stock;
} launch_setup;

typedef struct launch_blank {
    uint32_t version;
    uint32_t reserved;
} launch_blank;

typedef struct launch_order {
    uint64_t image_size_bytes;
} launch_order;

typedef enum launch_failure {
    LAUNCH_COLLIDED = 1, /* something of the launcher's is where the image has a range */
    LAUNCH_REFUSED = 2,  /* the kernel refused a step */
} launch_failure;

/* Which step failed. */
typedef enum launch_step {
    LAUNCH_STEP_FILES = 1,
    LAUNCH_STEP_LANDLOCK = 2,
    LAUNCH_STEP_LIMITS = 3,
    LAUNCH_STEP_USER = 4,
    LAUNCH_STEP_FILTER = 5,
    LAUNCH_STEP_IMAGE = 6,
    LAUNCH_STEP_RANGE = 7,
    LAUNCH_STEP_COPY = 8,
    LAUNCH_STEP_VDSO = 9,
    LAUNCH_STEP_THREAD = 10,
    LAUNCH_STEP_SIGNALS = 11,
} launch_step;

typedef struct launch_failed {
    uint32_t failure;
    uint32_t step;
    uint32_t error; /* an errno value */
    uint32_t reserved;
} launch_failed;

#endif
