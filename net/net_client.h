/* The client and the process that it started. Internal to net/. */
#ifndef SNAPCELL_NET_CLIENT_H
#define SNAPCELL_NET_CLIENT_H

#include <sys/types.h>

#include "snapcell/net.h"

/* From now on snapcell_net_close() waits for this child, too. */
void net_client_own(snapcell_net *net, pid_t pid);

#endif
