/* A request in a message. Internal. */
#ifndef SNAPCELL_WIRE_REQUEST_H
#define SNAPCELL_WIRE_REQUEST_H

#include "snapcell/http.h"
#include "wire.h"

void wire_request_write(wire_writer *writer, const snapcell_request *request);

/* The texts are in place, the headers Owned: wire_request_release(), after failure, too. */
void wire_request_read(wire_reader *reader, uint32_t header_count_max, snapcell_request *out);
void wire_request_release(snapcell_request *request);

#endif
