#include "image_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "image_maker.h"
#include "monotonic.h"
#include "process_image.h"

#define FOLDER_KEY_FILE "key"
#define FOLDER_SUFFIX ".image"
#define FOLDER_DIGITS ((size_t)2 * IMAGE_KEY_SIZE)
#define FOLDER_NAME_SIZE (FOLDER_DIGITS + sizeof(FOLDER_SUFFIX))
/* While it is written: ".NAME.PID". */
#define FOLDER_TEMPORARY_SIZE (FOLDER_NAME_SIZE + 16)
#define FOLDER_MAGIC UINT64_C(0x31444c464c434e53) /* "SNCLFLD1" */
#define FOLDER_HEAD_SIZE PROCESS_IMAGE_PAGE
#define FOLDER_FILES_MAX 4096

/* The first page of a file; the image follows. */
typedef struct folder_head {
    uint64_t magic;
    uint64_t size_bytes; /* of the image */
    uint64_t made_s;     /* of CLOCK_REALTIME */
    image_key key;
    uint8_t tag[crypto_generichash_BYTES]; /* of all the rest of the file */
} folder_head;

static_assert(sizeof(folder_head) <= FOLDER_HEAD_SIZE, "it has a page");

struct image_folder {
    int fd;
    uint64_t size_bytes_max;
    uint8_t tag_key[crypto_generichash_KEYBYTES];
};

/* --- Opening --- */

/* Nobody else may write to it, nor read it. */
static int folder_check_owner(int fd, mode_t kind, const char *what, snapcell_error *err)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "the images' %s cannot be looked at",
                               what);
    if ((file.st_mode & S_IFMT) == kind && file.st_uid == geteuid() && (file.st_mode & 077) == 0)
        return SNAPCELL_OK;
    return error_set(
        err, SNAPCELL_E_USAGE,
        "the images' %s must belong to user %u and to nobody else (mode 0700 or 0600); "
        "it belongs to user %u and has mode %04o",
        what, (unsigned)geteuid(), (unsigned)file.st_uid, (unsigned)file.st_mode & 07777u);
}

static bool folder_read_all(int fd, void *data, size_t size_bytes)
{
    uint8_t *at = data;
    while (size_bytes > 0) {
        ssize_t got = read(fd, at, size_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size_bytes -= (size_t)got;
    }
    return true;
}

static bool folder_write_all(int fd, const void *data, size_t size_bytes)
{
    const uint8_t *at = data;
    while (size_bytes > 0) {
        ssize_t put = write(fd, at, size_bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size_bytes -= (size_t)put;
    }
    return true;
}

/* Several processes may do so at once: the first one's key stays. */
static int folder_make_key(image_folder *folder, snapcell_error *err)
{
    char name[64];
    uint8_t key[crypto_generichash_KEYBYTES];
    randombytes_buf(key, sizeof(key));
    snprintf(name, sizeof(name), ".key.%d", (int)getpid());
    unlinkat(folder->fd, name, 0);
    cleanup_close int fd =
        openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool made = fd >= 0 && folder_write_all(fd, key, sizeof(key)) && fsync(fd) == 0 &&
                (linkat(folder->fd, name, folder->fd, FOLDER_KEY_FILE, 0) == 0 || errno == EEXIST);
    int problem = errno;
    unlinkat(folder->fd, name, 0);
    sodium_memzero(key, sizeof(key));
    return made ? SNAPCELL_OK
                : error_set_errno(err, SNAPCELL_E_IO, problem, "the images' key cannot be written");
}

static int folder_read_key(image_folder *folder, snapcell_error *err)
{
    cleanup_close int fd =
        openat(folder->fd, FOLDER_KEY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "the images' key cannot be read");
    int status = folder_check_owner(fd, S_IFREG, "key", err);
    if (status != SNAPCELL_OK) return status;
    if (folder_read_all(fd, folder->tag_key, sizeof(folder->tag_key))) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "the images' key is cut short: remove the folder");
}

static int folder_open_key(image_folder *folder, snapcell_error *err)
{
    if (faccessat(folder->fd, FOLDER_KEY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        int status = folder_make_key(folder, err);
        if (status != SNAPCELL_OK) return status;
    }
    return folder_read_key(folder, err);
}

static void folder_cleanup(image_folder **folder)
{
    image_folder_close(*folder);
}

int image_folder_open(const char *path, uint64_t size_bytes_max, image_folder **out,
                      snapcell_error *err)
{
    *out = NULL;
    if (sodium_init() < 0) return error_set(err, SNAPCELL_E_INTERNAL, "libsodium does not start");
    image_folder *folder cleanup(folder_cleanup) = calloc(1, sizeof(*folder));
    if (folder == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a folder of images");
    folder->size_bytes_max = size_bytes_max;
    mkdir(path, 0700);
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open the folder of images %s",
                               path);
    int status = folder_check_owner(folder->fd, S_IFDIR, "folder", err);
    if (status == SNAPCELL_OK) status = folder_open_key(folder, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&folder);
    return status;
}

void image_folder_close(image_folder *folder)
{
    if (folder == NULL) return;
    if (folder->fd >= 0) close(folder->fd);
    sodium_memzero(folder->tag_key, sizeof(folder->tag_key));
    free(folder);
}

/* --- Tags --- */

static void folder_name(const image_key *key, char out[FOLDER_NAME_SIZE])
{
    sodium_bin2hex(out, FOLDER_NAME_SIZE, key->bytes, sizeof(key->bytes));
    strcat(out, FOLDER_SUFFIX);
}

/* `page`: the head's, whose tag does not count. */
static void folder_tag(const image_folder *folder, const uint8_t page[FOLDER_HEAD_SIZE],
                       const void *image, size_t size_bytes, uint8_t out[crypto_generichash_BYTES])
{
    uint8_t copy[FOLDER_HEAD_SIZE];
    crypto_generichash_state state;
    memcpy(copy, page, sizeof(copy));
    memset(copy + offsetof(folder_head, tag), 0, crypto_generichash_BYTES);
    crypto_generichash_init(&state, folder->tag_key, sizeof(folder->tag_key),
                            crypto_generichash_BYTES);
    crypto_generichash_update(&state, copy, sizeof(copy));
    crypto_generichash_update(&state, image, size_bytes);
    crypto_generichash_final(&state, out, crypto_generichash_BYTES);
}

/* --- Reading --- */

static int folder_refuse(const char *name, const char *why, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_CORRUPT, "the image %s is not used, and removed: %s", name,
                     why);
}

/* A file that is being read. */
typedef struct folder_reading {
    int fd;
    char name[FOLDER_NAME_SIZE];
    uint8_t page[FOLDER_HEAD_SIZE];
    folder_head head;
} folder_reading;

static int reading_open(const image_folder *folder, const image_key *key, folder_reading *out,
                        snapcell_error *err)
{
    folder_name(key, out->name);
    out->fd = openat(folder->fd, out->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (out->fd < 0 && errno == ELOOP) return folder_refuse(out->name, "it is a link", err);
    if (out->fd < 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open the image %s", out->name);
    struct stat file;
    if (fstat(out->fd, &file) != 0 || !S_ISREG(file.st_mode))
        return folder_refuse(out->name, "it is not a file", err);
    if (file.st_uid != geteuid()) return folder_refuse(out->name, "it is another user's", err);
    if ((file.st_mode & 077) != 0 || file.st_nlink != 1)
        return folder_refuse(out->name, "others can read or write it", err);
    if (file.st_size < (off_t)FOLDER_HEAD_SIZE ||
        !folder_read_all(out->fd, out->page, sizeof(out->page)))
        return folder_refuse(out->name, "it is cut short", err);
    memcpy(&out->head, out->page, sizeof(out->head));
    if (out->head.magic != FOLDER_MAGIC || memcmp(&out->head.key, key, sizeof(*key)) != 0)
        return folder_refuse(out->name, "it is another image", err);
    if (out->head.size_bytes > PROCESS_IMAGE_SIZE_MAX || out->head.size_bytes == 0 ||
        (uint64_t)file.st_size != FOLDER_HEAD_SIZE + out->head.size_bytes)
        return folder_refuse(out->name, "its size is another one", err);
    return SNAPCELL_OK;
}

/* Whole seconds: a clock that was set back makes an image too old. */
static int reading_check_age(const folder_reading *reading, uint64_t age_max_ns, uint64_t *age_ns,
                             snapcell_error *err)
{
    uint64_t now_s = clock_read_ns(CLOCK_REALTIME) / NS_PER_SECOND;
    uint64_t made_s = reading->head.made_s;
    if (made_s > now_s || now_s - made_s > age_max_ns / NS_PER_SECOND)
        return folder_refuse(reading->name, "it is too old", err);
    *age_ns = (now_s - made_s) * NS_PER_SECOND;
    return SNAPCELL_OK;
}

/* The tag is computed of the copy, which nobody else can write, before it is sealed. */
static int reading_copy(const image_folder *folder, const folder_reading *reading, int memory_fd,
                        snapcell_error *err)
{
    size_t size = reading->head.size_bytes;
    uint8_t tag[crypto_generichash_BYTES];
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    if (copy == MAP_FAILED)
        return error_set_errno(err, SNAPCELL_E_NOMEM, errno, "no memory for an image");
    bool is_whole = folder_read_all(reading->fd, copy, size);
    if (is_whole) folder_tag(folder, reading->page, copy, size, tag);
    munmap(copy, size);
    if (!is_whole) return folder_refuse(reading->name, "it is cut short", err);
    if (sodium_memcmp(tag, reading->head.tag, sizeof(tag)) != 0)
        return folder_refuse(reading->name, "its tag does not fit", err);
    return SNAPCELL_OK;
}

static int reading_load(const image_folder *folder, const folder_reading *reading,
                        uint64_t program_size_bytes, int memory_fd, snapcell_error *err)
{
    process_image_head head;
    int status = reading_copy(folder, reading, memory_fd, err);
    if (status != SNAPCELL_OK) return status;
    if (!image_file_seal(memory_fd, reading->head.size_bytes))
        return error_set_errno(err, SNAPCELL_E_IO, errno, "an image cannot be sealed");
    cleanup_free void *tables = NULL;
    return process_image_read(memory_fd, program_size_bytes, &head, &tables, err);
}

int image_folder_get(image_folder *folder, const image_key *key, uint64_t age_max_ns,
                     uint64_t program_size_bytes, uint64_t *size_bytes, uint64_t *made_ns,
                     snapcell_error *err)
{
    folder_reading reading = {.fd = -1};
    uint64_t age_ns = 0;
    snapcell_error error = {0};
    int memory_fd = -1;
    int status = reading_open(folder, key, &reading, &error);
    if (status == SNAPCELL_OK) status = reading_check_age(&reading, age_max_ns, &age_ns, &error);
    if (status == SNAPCELL_OK) {
        memory_fd = image_file_new(reading.head.size_bytes);
        status = memory_fd >= 0
                     ? reading_load(folder, &reading, program_size_bytes, memory_fd, &error)
                     : error_set_errno(&error, SNAPCELL_E_NOMEM, errno, "no memory for an image");
    }
    if (status == SNAPCELL_E_CORRUPT) unlinkat(folder->fd, reading.name, 0);
    if (status == SNAPCELL_OK) futimens(reading.fd, NULL); /* used now */
    if (reading.fd >= 0) close(reading.fd);
    if (err != NULL) *err = error;
    if (status != SNAPCELL_OK) {
        if (memory_fd >= 0) close(memory_fd);
        return -1;
    }
    *size_bytes = reading.head.size_bytes;
    uint64_t now_ns = clock_read_ns(CLOCK_BOOTTIME);
    *made_ns = age_ns < now_ns ? now_ns - age_ns : 0;
    return memory_fd;
}

/* --- Room --- */

typedef struct folder_file {
    char name[FOLDER_TEMPORARY_SIZE];
    uint64_t size_bytes;
    int64_t used_ns;
} folder_file;

/* Also one that was never finished. */
static bool name_is_image(const char *name)
{
    size_t begin = name[0] == '.' ? 1 : 0;
    size_t size = strlen(name);
    return size >= begin + FOLDER_NAME_SIZE - 1 && size < FOLDER_TEMPORARY_SIZE &&
           memcmp(name + begin + FOLDER_DIGITS, FOLDER_SUFFIX, sizeof(FOLDER_SUFFIX) - 1) == 0;
}

static int file_compare(const void *a, const void *b)
{
    const folder_file *first = a;
    const folder_file *second = b;
    return (first->used_ns > second->used_ns) - (first->used_ns < second->used_ns);
}

/* Lists the images, the one that was not used for longest first. Returns how many. */
static size_t folder_list(const image_folder *folder, folder_file *out, uint64_t *size_bytes)
{
    size_t count = 0;
    *size_bytes = 0;
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (listing == NULL) {
        if (fd >= 0) close(fd);
        return 0;
    }
    const struct dirent *entry;
    while (count < FOLDER_FILES_MAX && (entry = readdir(listing)) != NULL) {
        struct stat file;
        if (!name_is_image(entry->d_name) ||
            fstatat(folder->fd, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        folder_file *listed = &out[count++];
        snprintf(listed->name, sizeof(listed->name), "%.*s", (int)sizeof(listed->name) - 1,
                 entry->d_name);
        listed->size_bytes = (uint64_t)file.st_size;
        listed->used_ns = (int64_t)file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec;
        *size_bytes += listed->size_bytes;
    }
    closedir(listing);
    qsort(out, count, sizeof(*out), file_compare);
    return count;
}

/* Makes room for so many bytes. */
static int folder_make_room(const image_folder *folder, uint64_t wanted_bytes, snapcell_error *err)
{
    if (wanted_bytes > folder->size_bytes_max)
        return error_set(err, SNAPCELL_E_TOO_LARGE, "an image is larger than its folder may be");
    cleanup_free folder_file *files = calloc(FOLDER_FILES_MAX, sizeof(*files));
    if (files == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of images");
    uint64_t size;
    size_t count = folder_list(folder, files, &size);
    for (size_t i = 0; i < count && (size > folder->size_bytes_max - wanted_bytes ||
                                     count - i >= FOLDER_FILES_MAX);
         i++) {
        unlinkat(folder->fd, files[i].name, 0);
        size -= files[i].size_bytes;
    }
    return SNAPCELL_OK;
}

/* --- Writing --- */

static bool folder_write(const image_folder *folder, int file_fd, const image_key *key, int fd,
                         uint64_t size_bytes)
{
    uint8_t page[FOLDER_HEAD_SIZE] = {0};
    folder_head head = {
        .magic = FOLDER_MAGIC,
        .size_bytes = size_bytes,
        .made_s = clock_read_ns(CLOCK_REALTIME) / NS_PER_SECOND,
        .key = *key,
    };
    void *image = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (image == MAP_FAILED) return false;
    memcpy(page, &head, sizeof(head));
    folder_tag(folder, page, image, size_bytes, head.tag);
    memcpy(page, &head, sizeof(head));
    bool written = folder_write_all(file_fd, page, sizeof(page)) &&
                   folder_write_all(file_fd, image, size_bytes) && fsync(file_fd) == 0;
    int problem = errno;
    munmap(image, size_bytes);
    errno = problem;
    return written;
}

int image_folder_put(image_folder *folder, const image_key *key, int fd, uint64_t size_bytes,
                     snapcell_error *err)
{
    char name[FOLDER_NAME_SIZE];
    char temporary[FOLDER_TEMPORARY_SIZE];
    folder_name(key, name);
    unlinkat(folder->fd, name, 0);
    int status = folder_make_room(folder, FOLDER_HEAD_SIZE + size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    snprintf(temporary, sizeof(temporary), ".%s.%d", name, (int)getpid());
    unlinkat(folder->fd, temporary, 0);
    cleanup_close int file_fd =
        openat(folder->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file_fd >= 0 && folder_write(folder, file_fd, key, fd, size_bytes) &&
        renameat(folder->fd, temporary, folder->fd, name) == 0)
        return SNAPCELL_OK;
    int problem = errno;
    unlinkat(folder->fd, temporary, 0);
    return error_set_errno(err, SNAPCELL_E_IO, problem, "an image cannot be written to its folder");
}
