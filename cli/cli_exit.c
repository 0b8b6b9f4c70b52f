/* From error codes to exit statuses. */
#include "cli.h"

cli_status cli_status_of(int code)
{
    switch (code) {
    case SNAPCELL_OK:
        return CLI_DONE;
    case SNAPCELL_E_SCRIPT:
    case SNAPCELL_E_NO_HANDLER:
    case SNAPCELL_E_UNSNAPSHOTABLE:
        return CLI_FUNCTION_FAILED;
    case SNAPCELL_E_USAGE:
    case SNAPCELL_E_WRONG_SHAPE:
    case SNAPCELL_E_AMBIGUOUS:
        return CLI_USAGE;
    case SNAPCELL_E_CORRUPT:
    case SNAPCELL_E_FORMAT:
    case SNAPCELL_E_OTHER_ENGINE:
    case SNAPCELL_E_OTHER_HOST:
    case SNAPCELL_E_SIGNATURE:
    case SNAPCELL_E_SANDBOX:
    case SNAPCELL_E_TOO_LARGE:
        return CLI_REFUSED;
    case SNAPCELL_E_MEMORY_LIMIT:
    case SNAPCELL_E_CPU_LIMIT:
    case SNAPCELL_E_WALL_LIMIT:
    case SNAPCELL_E_RESPONSE_LIMIT:
    case SNAPCELL_E_DISPOSED: /* only a limit condemns a cell that the program made */
        return CLI_LIMIT;
    default:
        return CLI_TROUBLE;
    }
}

cli_status cli_worse(cli_status a, cli_status b)
{
    return a > b ? a : b;
}
