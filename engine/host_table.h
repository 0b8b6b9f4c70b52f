/* The inside of a host function table. Internal to the engine. */
#ifndef SNAPCELL_HOST_TABLE_H
#define SNAPCELL_HOST_TABLE_H

#include "snapcell/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HOST_FUNCTION_COUNT_MAX 256
#define HOST_FUNCTION_NAME_SIZE_MAX 64

typedef struct host_function {
    char name[HOST_FUNCTION_NAME_SIZE_MAX + 1];
    snapcell_host_fn *callback;
    void *user;
} host_function;

struct snapcell_host {
    host_function *functions;
    size_t count;
};

/* One call in flight: the engine fills in the arguments, the callback sets the result. */
struct snapcell_host_call {
    const snapcell_value *arguments;
    size_t argument_count;
    snapcell_value result; /* data is Owned: free() */
    char error_message[1001];
};

#ifdef __cplusplus
}
#endif
#endif
