/* The annotations of a function, in the order in which they are written. Internal to oci/. */
#ifndef SNAPCELL_OCI_FACTS_TABLE_H
#define SNAPCELL_OCI_FACTS_TABLE_H

#include "oci_manifest.h"

typedef struct oci_fact {
    const char *annotation;
    size_t offset; /* in oci_facts */
    size_t capacity_bytes;
} oci_fact;

#define OCI_FACT(name, member)                                                                     \
    {                                                                                              \
        "io.snapcell." name, offsetof(oci_facts, member), sizeof(((oci_facts *)NULL)->member)      \
    }

static const oci_fact oci_fact_table[] = {
    OCI_FACT("name", name),     OCI_FACT("key", key),
    OCI_FACT("engine", engine), OCI_FACT("architecture", architecture),
    OCI_FACT("tenant", tenant), OCI_FACT("signer", signer),
};
#define OCI_FACT_COUNT (sizeof(oci_fact_table) / sizeof(oci_fact_table[0]))

#endif
