/* Starts, ahead of time, what the next load needs. */
#include "cleanup.h"
#include "error_set.h"
#include "worker_state.h"

/* What any load needs is done now, unless the process is to be restored: what is restored holds no
 * more than its function needs. */
static bool prepare_order(child_process *process)
{
    cleanup_writer wire_writer writer = {0};
    cell_number_write(&writer, 0);
    return child_process_send(process, CELL_MESSAGE_PREPARE, &writer) == CHILD_OK;
}

int snapcell_workers_prepare(snapcell_workers *workers, snapcell_error *err)
{
    child_process process;
    if (worker_spare_is_there(workers)) return SNAPCELL_OK;
    worker_images_prepare(workers->images);
    int status = worker_start_program(workers, UINT32_MAX, &process, err);
    if (status != SNAPCELL_OK) return status;
    if (!worker_spare_restores(workers) && !prepare_order(&process)) {
        child_process_end(&process);
        return error_set(err, SNAPCELL_E_INTERNAL, "the worker %s ends at once",
                         workers->worker_path);
    }
    worker_spare_put(workers, &process);
    return SNAPCELL_OK;
}
