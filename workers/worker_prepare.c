/* Starts, ahead of time, what the next load needs. */
#include "worker_state.h"

int snapcell_workers_prepare(snapcell_workers *workers, snapcell_error *err)
{
    child_process process;
    if (worker_spare_is_there(workers)) return SNAPCELL_OK;
    int status = worker_start_program(workers, UINT32_MAX, &process, err);
    if (status == SNAPCELL_OK) worker_spare_put(workers, &process);
    return status;
}
