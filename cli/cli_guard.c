/* LMDB maps the store's file and trusts its pages. Opening a store checks them, but not all of a
 * large one, and a file can be cut or go bad while it is mapped. Then a person gets a line and an
 * exit status instead of a crash. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* What sanitizers say of a crash must be seen, and they have handlers of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUARD_STANDS 0
#else
#define GUARD_STANDS 1
#endif

static char guard_message[4608];

/* Calls nothing that is not safe in a signal handler. */
static void guard_crashed(int number)
{
    (void)number;
    ssize_t wrote = write(STDERR_FILENO, guard_message, strlen(guard_message));
    (void)wrote;
    _exit(CLI_TROUBLE);
}

void cli_guard_store(const char *path)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGSEGV};
    if (!GUARD_STANDS) return;
    snprintf(
        guard_message, sizeof(guard_message),
        "snapcell: %.4096s: its data.mdb cannot be followed: it is damaged, or was truncated "
        "while in use; `snapcell verify` says where, `snapcell salvage --to DIR` recovers what "
        "is intact\n",
        path);
    const struct sigaction action = {.sa_handler = guard_crashed};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}
