/* What the files of a layout are called. Internal to oci/. */
#ifndef SNAPCELL_OCI_LAYOUT_NAMES_H
#define SNAPCELL_OCI_LAYOUT_NAMES_H

#define LAYOUT_FILE "oci-layout"
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define LAYOUT_INDEX "index.json"
#define LAYOUT_BLOBS "blobs"
#define LAYOUT_SHA256 "blobs/sha256"

#endif
