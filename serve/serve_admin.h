/* What the metrics' port answers: /healthz, /readyz, /metrics. Internal to serve/. */
#ifndef SNAPCELL_SERVE_ADMIN_H
#define SNAPCELL_SERVE_ADMIN_H

#include "serve_connection.h"

/* A serve_answer_fn; `user` is the serve_front. */
void serve_admin_answer(void *user, const serve_head *head, serve_buffer *out);

#endif
