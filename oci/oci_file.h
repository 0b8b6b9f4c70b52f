/* Files of a layout. Internal to oci/. */
#ifndef SNAPCELL_OCI_FILE_H
#define SNAPCELL_OCI_FILE_H

#include <stddef.h>

#include "snapcell/error.h"

/* "FOLDER/NAME", Owned: free(); NULL: no memory. */
char *oci_path(const char *folder, const char *name);

/* A regular file of at most `size_max_bytes`. `*out`: Owned, free(). Errors: E_NOT_FOUND, E_IO,
 * E_TOO_LARGE, E_NOMEM. */
int oci_file_read(const char *path, size_t size_max_bytes, void **out, size_t *out_size_bytes,
                  snapcell_error *err);

/* A new file, written to the disk. Errors: E_EXISTS, E_IO, E_FULL, E_READ_ONLY. */
int oci_file_write(const char *path, const void *bytes, size_t size_bytes, snapcell_error *err);

/* Renames, over what is there. Errors: E_IO, E_FULL, E_READ_ONLY. */
int oci_file_move(const char *from, const char *to, snapcell_error *err);

/* A folder, whose parents exist; it may exist already. Errors: as oci_file_write(). */
int oci_folder_make(const char *path, snapcell_error *err);

/* Sees to it that the folder's entries are on the disk, where the file system can. */
void oci_folder_sync(const char *path);

/* With all that is in it. */
void oci_folder_remove(const char *path);

#endif
