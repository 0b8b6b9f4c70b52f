#include "image_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "process_image_format.h"

#define CPU_LINE_SIZE_MAX 8192

static int64_t file_time_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

bool image_file_identify(int fd, const char *path, image_file_identity *out)
{
    struct stat file;
    if ((path != NULL ? stat(path, &file) : fstat(fd, &file)) != 0) return false;
    *out = (image_file_identity){
        .device = file.st_dev,
        .inode = file.st_ino,
        .size_bytes = (uint64_t)file.st_size,
        .modified_ns = file_time_ns(&file.st_mtim),
        .changed_ns = file_time_ns(&file.st_ctim),
    };
    return true;
}

/* --- The host --- */

typedef crypto_generichash_state image_hash;

/* With its size, so that two things in a row are never taken for two others. */
static void hash_add(image_hash *hash, const void *data, size_t size_bytes)
{
    const uint64_t size = size_bytes;
    crypto_generichash_update(hash, (const uint8_t *)&size, sizeof(size));
    crypto_generichash_update(hash, data, size_bytes);
}

static void hash_begin(image_hash *hash, const char *purpose)
{
    crypto_generichash_init(hash, NULL, 0, IMAGE_KEY_SIZE);
    hash_add(hash, purpose, strlen(purpose));
}

static void hash_end(image_hash *hash, image_key *out)
{
    crypto_generichash_final(hash, out->bytes, sizeof(out->bytes));
}

/* Lines that stay the same from one look to the next. */
static bool cpu_line_counts(const char *line)
{
    static const char *const names[] = {"vendor_id",   "cpu family",      "model",
                                        "stepping",    "microcode",       "flags",
                                        "Features",    "CPU implementer", "CPU architecture",
                                        "CPU variant", "CPU part",        "CPU revision"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0) return true;
    return false;
}

/* Of the first processor: code that was compiled for its features is in an image. */
static bool hash_add_processor(image_hash *hash)
{
    cleanup_free char *line = malloc(CPU_LINE_SIZE_MAX);
    FILE *file = fopen("/proc/cpuinfo", "re");
    bool found = false;
    if (file != NULL && line != NULL)
        while (fgets(line, CPU_LINE_SIZE_MAX, file) != NULL && line[0] != '\n') {
            if (!cpu_line_counts(line)) continue;
            hash_add(hash, line, strlen(line));
            found = true;
        }
    if (file != NULL) fclose(file);
    return found;
}

static bool hash_add_boot(image_hash *hash)
{
    char text[64];
    cleanup_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (got <= 0) return false;
    hash_add(hash, text, (size_t)got);
    return true;
}

static bool hash_add_kernel(image_hash *hash)
{
    struct utsname kernel;
    if (uname(&kernel) != 0) return false;
    hash_add(hash, kernel.release, strlen(kernel.release));
    hash_add(hash, kernel.version, strlen(kernel.version));
    hash_add(hash, kernel.machine, strlen(kernel.machine));
    return hash_add_boot(hash);
}

int image_identify_host(const image_file_identity *program, const image_file_identity *launcher,
                        const char *zone, image_key *out, snapcell_error *err)
{
    if (sodium_init() < 0) return error_set(err, SNAPCELL_E_INTERNAL, "libsodium does not start");
    const uint64_t numbers[] = {PROCESS_IMAGE_VERSION, PROCESS_IMAGE_MACHINE, geteuid(), getegid()};
    image_hash hash;
    hash_begin(&hash, "snapcell image host 1");
    hash_add(&hash, numbers, sizeof(numbers));
    hash_add(&hash, program, sizeof(*program));
    hash_add(&hash, launcher, sizeof(*launcher));
    hash_add(&hash, zone != NULL ? zone : "", zone != NULL ? strlen(zone) : 0);
    if (!hash_add_kernel(&hash) || !hash_add_processor(&hash))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                               "/proc does not tell of kernel and processor");
    hash_end(&hash, out);
    return SNAPCELL_OK;
}

void image_identify(const image_key *host, const snapcell_key *artifact, const void *load,
                    size_t load_size_bytes, image_key *out)
{
    image_hash hash;
    hash_begin(&hash, "snapcell image 1");
    hash_add(&hash, host->bytes, sizeof(host->bytes));
    hash_add(&hash, artifact->bytes, sizeof(artifact->bytes));
    hash_add(&hash, load, load_size_bytes);
    hash_end(&hash, out);
}
