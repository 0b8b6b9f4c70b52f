/* Where a run was made: whatever decides its figures. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench_sections.h"
#include "snapcell/loader.h"

/* The first line of a file, or "unknown". */
static void bench_first_line(const char *path, char *out, size_t size_bytes)
{
    snprintf(out, size_bytes, "unknown");
    FILE *file = fopen(path, "re");
    if (!file) return;
    if (fgets(out, (int)size_bytes, file))
        out[strcspn(out, "\n")] = '\0';
    else
        snprintf(out, size_bytes, "unknown");
    fclose(file);
}

/* What follows "`name` :" in /proc/cpuinfo. */
static void bench_cpu_field(const char *name, char *out, size_t size_bytes)
{
    snprintf(out, size_bytes, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (!file) return;
    char line[4096];
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        char *colon = strchr(line, ':');
        if (!colon) continue;
        snprintf(out, size_bytes, "%s", colon + 1 + strspn(colon + 1, " \t"));
        out[strcspn(out, "\n")] = '\0';
        break;
    }
    fclose(file);
}

json_t *bench_environment_json(const char *commit)
{
    struct utsname system = {0};
    uname(&system);
    snapcell_engine_info engine;
    snapcell_engine_info_get(&engine, sizeof(engine));
    char fingerprint[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint_format(&engine.fingerprint, fingerprint);
    char cpu[256], features[4096], governor[64], thp[128], aslr[16], swap[64];
    bench_cpu_field("model name", cpu, sizeof(cpu));
    bench_cpu_field("flags", features, sizeof(features));
    bench_first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor,
                     sizeof(governor));
    bench_first_line("/sys/kernel/mm/transparent_hugepage/enabled", thp, sizeof(thp));
    bench_first_line("/proc/sys/kernel/randomize_va_space", aslr, sizeof(aslr));
    bench_first_line("/proc/sys/vm/swappiness", swap, sizeof(swap));
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:s, s:I, s:i, s:s, s:s, s:s, s:s, s:s}",
        "system", system.sysname, "kernel", system.release, "machine", system.machine, "cpu", cpu,
        "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "virtual_machine",
        strstr(features, "hypervisor") != NULL, "governor", governor, "transparent_huge_pages", thp,
        "address_space_randomization", aslr, "memory_size_bytes",
        (json_int_t)pages * (json_int_t)page_size, "page_size_bytes", (int)page_size, "v8_version",
        engine.v8_version, "v8_flags", engine.v8_flags, "v8_flags_of_baselines",
        "none: V8's defaults, on v8::platform::NewDefaultPlatform()", "engine_fingerprint",
        fingerprint, "commit", commit);
}
