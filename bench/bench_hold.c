#include "bench_hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"

/* The bytes in a line like "Pss:    12 kB", or 0 when it is another line. */
static uint64_t bench_memory_field(const char *line, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(line, name, size) != 0 || line[size] != ':') return 0;
    return strtoull(line + size + 1, NULL, 10) << 10;
}

static int bench_memory_read_file(const char *path, bench_memory *out, snapcell_error *err)
{
    *out = (bench_memory){0};
    FILE *file = fopen(path, "re");
    if (!file) return error_set_errno(err, SNAPCELL_E_IO, errno, "opening %s", path);
    char line[256];
    while (fgets(line, sizeof(line), file)) {
        out->rss_bytes += bench_memory_field(line, "Rss");
        out->pss_bytes += bench_memory_field(line, "Pss");
        out->private_bytes += bench_memory_field(line, "Private_Clean");
        out->private_bytes += bench_memory_field(line, "Private_Dirty");
    }
    fclose(file);
    return SNAPCELL_OK;
}

int bench_memory_read(bench_memory *out, snapcell_error *err)
{
    return bench_memory_read_file("/proc/self/smaps_rollup", out, err);
}

int bench_memory_read_of(int process_id, bench_memory *out, snapcell_error *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", process_id);
    return bench_memory_read_file(path, out, err);
}

int bench_hold_more(bench_hold *hold, const bench_subject_type *type, void *subject,
                    const char *ref, uint32_t count, bench_memory *out, snapcell_error *err)
{
    void **grown = realloc(hold->instances, (hold->count + count + 1) * sizeof(*grown));
    if (!grown) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %u cells", count);
    hold->instances = grown;
    for (uint32_t i = 0; i < count; i++) {
        bench_sample sample = {0};
        int status = type->load(subject, ref, &hold->instances[hold->count], &sample, err);
        if (status != SNAPCELL_OK) return status;
        hold->count++;
    }
    return bench_memory_read(out, err);
}

void bench_hold_release(bench_hold *hold, const bench_subject_type *type)
{
    for (size_t i = 0; i < hold->count; i++)
        type->dispose(hold->instances[i]);
    free(hold->instances);
    *hold = (bench_hold){0};
}
