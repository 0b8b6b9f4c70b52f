/* Images on a disk: what was written is read, and nothing else is, whatever happened to a file. */
#include "image_folder.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process_image_format.h"

#define PAGE ((size_t)4096)
#define IMAGE_PAGES 12
#define IMAGE_SIZE (IMAGE_PAGES * PAGE)
#define FILE_SIZE (IMAGE_SIZE + PAGE)
#define HOUR_NS (UINT64_C(3600) * 1000000000)
#define PROGRAM_SIZE (16 * PAGE)

static char folder_path[64];
static char file_path[256];
static image_key key = {{1, 2, 3}};

/* A small image, well-formed: its data is in the first four pages. */
static void sample_write(unsigned char out[IMAGE_SIZE], unsigned char fill)
{
    process_image_head head = {
        .magic = PROCESS_IMAGE_MAGIC,
        .version = PROCESS_IMAGE_VERSION,
        .machine = PROCESS_IMAGE_MACHINE,
        .size_bytes = IMAGE_SIZE,
        .view_size_bytes = 4 * PAGE,
        .table_offset = 10 * PAGE,
        .range_count = 4,
        .entry = 0x100000,
        .argument = 0x400000,
        .stack_top = 0x404000,
        .thread_pointer = 0x200100,
        .layout = {0x100000, 0x101000, 0x200000, 0x201000, 0x600000, 0x601000, 0x600000, 0x600000,
                   0x600010, 0x600010, 0x600020},
    };
    const process_image_range ranges[] = {
        {0x100000, 0x104000, PAGE, PROCESS_IMAGE_PROGRAM, PROT_READ | PROT_EXEC},
        {0x200000, 0x204000, 0, PROCESS_IMAGE_BYTES, PROT_READ | PROT_WRITE},
        {0x400000, 0x404000, 0, PROCESS_IMAGE_OUTER, PROT_READ | PROT_WRITE},
        {0x500000, 0x504000, 0, PROCESS_IMAGE_VIEW, PROT_READ},
    };
    memset(out, 0, IMAGE_SIZE);
    memset(out, fill, 10 * PAGE);
    memcpy(out + 10 * PAGE, ranges, sizeof(ranges));
    memcpy(out + 11 * PAGE, &head, sizeof(head));
}

static int memory_of(const void *bytes, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    return fd;
}

static void put(image_folder *folder, const image_key *of, unsigned char fill)
{
    unsigned char bytes[IMAGE_SIZE];
    snapcell_error err = {0};
    sample_write(bytes, fill);
    int fd = memory_of(bytes, sizeof(bytes));
    ck_assert_msg(image_folder_put(folder, of, fd, sizeof(bytes), &err) == SNAPCELL_OK, "%s",
                  err.message);
    close(fd);
}

static image_folder *folder_open(uint64_t size_bytes_max)
{
    image_folder *folder = NULL;
    snapcell_error err = {0};
    ck_assert_msg(image_folder_open(folder_path, size_bytes_max, &folder, &err) == SNAPCELL_OK,
                  "%s", err.message);
    return folder;
}

static int get(image_folder *folder, const image_key *of, uint64_t age_max_ns, snapcell_error *err)
{
    uint64_t size_bytes = 0;
    uint64_t made_ns = 0;
    int fd = image_folder_get(folder, of, age_max_ns, PROGRAM_SIZE, &size_bytes, &made_ns, err);
    if (fd >= 0) ck_assert_uint_eq(size_bytes, IMAGE_SIZE);
    return fd;
}

static void expect_image(image_folder *folder, const image_key *of, unsigned char fill)
{
    unsigned char bytes[IMAGE_SIZE];
    unsigned char got[IMAGE_SIZE];
    snapcell_error err = {0};
    sample_write(bytes, fill);
    int fd = get(folder, of, HOUR_NS, &err);
    ck_assert_msg(fd >= 0, "%s", err.message);
    ck_assert_int_eq(pread(fd, got, sizeof(got), 0), (ssize_t)sizeof(got));
    ck_assert_mem_eq(got, bytes, sizeof(bytes));
    ck_assert_int_lt(write(fd, bytes, 1), 0); /* it is sealed */
    close(fd);
}

/* Refused with a message, and removed. */
static void expect_refused(image_folder *folder, const char *message)
{
    snapcell_error err = {0};
    ck_assert_int_eq(get(folder, &key, HOUR_NS, &err), -1);
    ck_assert_int_eq(err.code, SNAPCELL_E_CORRUPT);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
    ck_assert_int_ne(access(file_path, F_OK), 0);
}

static void setup(void)
{
    strcpy(folder_path, "/tmp/snapcell-images-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder_path));
    size_t size = (size_t)snprintf(file_path, sizeof(file_path), "%s/", folder_path);
    for (size_t i = 0; i < IMAGE_KEY_SIZE; i++)
        size += (size_t)snprintf(file_path + size, sizeof(file_path) - size, "%02x", key.bytes[i]);
    strcat(file_path, ".image");
}

static void teardown(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", folder_path);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(test_what_was_put_is_there)
{
    snapcell_error err = {0};
    image_folder *folder = folder_open(1 << 20);
    ck_assert_int_eq(get(folder, &key, HOUR_NS, &err), -1);
    ck_assert_int_eq(err.code, SNAPCELL_E_NOT_FOUND);
    put(folder, &key, 'a');
    expect_image(folder, &key, 'a');
    put(folder, &key, 'b');
    expect_image(folder, &key, 'b');
    image_folder_close(folder);
    /* Another host's process has the same key. */
    folder = folder_open(1 << 20);
    expect_image(folder, &key, 'b');
    struct stat file;
    ck_assert_int_eq(stat(file_path, &file), 0);
    ck_assert_uint_eq(file.st_mode & 07777, 0600);
    image_folder_close(folder);
    image_folder_close(NULL);
}
END_TEST

static void flip(size_t offset)
{
    unsigned char byte;
    int fd = open(file_path, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
}

START_TEST(test_a_flipped_byte_in_any_page)
{
    image_folder *folder = folder_open(1 << 20);
    for (size_t page = 0; page < FILE_SIZE / PAGE; page++)
        for (size_t at = 0; at < PAGE; at += 1023) {
            put(folder, &key, 'a');
            flip(page * PAGE + at);
            snapcell_error err = {0};
            ck_assert_msg(get(folder, &key, HOUR_NS, &err) == -1, "page %zu, byte %zu", page, at);
            ck_assert_int_eq(err.code, SNAPCELL_E_CORRUPT);
            ck_assert_int_ne(access(file_path, F_OK), 0);
        }
    image_folder_close(folder);
}
END_TEST

START_TEST(test_a_file_that_was_cut_or_grew)
{
    image_folder *folder = folder_open(1 << 20);
    static const size_t sizes[] = {0, 1, 100, PAGE, FILE_SIZE - PAGE, FILE_SIZE - 1, FILE_SIZE + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        put(folder, &key, 'a');
        ck_assert_int_eq(truncate(file_path, (off_t)sizes[i]), 0);
        expect_refused(folder, sizes[i] < PAGE ? "cut short" : "size");
    }
    image_folder_close(folder);
}
END_TEST

START_TEST(test_a_file_that_others_have_a_hand_in)
{
    char other[300];
    image_folder *folder = folder_open(1 << 20);
    static const mode_t modes[] = {0644, 0620, 0602, 0604, 0660};
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        put(folder, &key, 'a');
        ck_assert_int_eq(chmod(file_path, modes[i]), 0);
        expect_refused(folder, "others can read or write it");
    }
    snprintf(other, sizeof(other), "%s.other", file_path);
    put(folder, &key, 'a');
    ck_assert_int_eq(link(file_path, other), 0);
    expect_refused(folder, "others can read or write it");
    ck_assert_int_eq(symlink(other, file_path), 0);
    expect_refused(folder, "link");
    ck_assert_int_eq(mkfifo(file_path, 0600), 0);
    expect_refused(folder, "not a file");
    if (geteuid() == 0) {
        put(folder, &key, 'a');
        ck_assert_int_eq(chown(file_path, 1234, (gid_t)-1), 0);
        expect_refused(folder, "another user's");
    }
    image_folder_close(folder);
}
END_TEST

START_TEST(test_a_file_of_another_key_or_folder)
{
    image_folder *folder = folder_open(1 << 20);
    const image_key other = {{9}};
    put(folder, &other, 'o');
    char other_path[256];
    snprintf(other_path, sizeof(other_path), "%s/09", folder_path);
    for (size_t i = 1; i < IMAGE_KEY_SIZE; i++)
        strcat(other_path, "00");
    strcat(other_path, ".image");
    ck_assert_int_eq(rename(other_path, file_path), 0);
    expect_refused(folder, "another image");
    put(folder, &key, 'a');
    image_folder_close(folder);

    /* As when the folder's key was lost, or the file comes from elsewhere. */
    char key_path[80];
    snprintf(key_path, sizeof(key_path), "%s/key", folder_path);
    ck_assert_int_eq(unlink(key_path), 0);
    folder = folder_open(1 << 20);
    expect_refused(folder, "tag");
    image_folder_close(folder);
}
END_TEST

START_TEST(test_an_old_image)
{
    snapcell_error err = {0};
    image_folder *folder = folder_open(1 << 20);
    put(folder, &key, 'a');
    nanosleep(&(struct timespec){2, 100000000}, NULL);
    int fd = get(folder, &key, HOUR_NS, &err);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(get(folder, &key, 1000000000, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "too old"));
    ck_assert_int_ne(access(file_path, F_OK), 0);
    image_folder_close(folder);
}
END_TEST

/* What a tag covers, and a launcher could not map. */
START_TEST(test_bytes_that_are_no_image)
{
    unsigned char bytes[IMAGE_SIZE];
    snapcell_error err = {0};
    image_folder *folder = folder_open(1 << 20);
    sample_write(bytes, 'a');
    bytes[11 * PAGE] ^= 1;
    int fd = memory_of(bytes, sizeof(bytes));
    ck_assert_int_eq(image_folder_put(folder, &key, fd, sizeof(bytes), &err), SNAPCELL_OK);
    close(fd);
    expect_refused(folder, "damaged");
    image_folder_close(folder);
}
END_TEST

static size_t count_images(void)
{
    size_t count = 0;
    DIR *listing = opendir(folder_path);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strstr(entry->d_name, ".image") != NULL;
    closedir(listing);
    return count;
}

START_TEST(test_a_folder_has_a_bound)
{
    snapcell_error err = {0};
    image_folder *folder = folder_open(3 * FILE_SIZE);
    for (uint8_t i = 0; i < 5; i++) {
        put(folder, &(image_key){{i}}, i);
        nanosleep(&(struct timespec){0, 20000000}, NULL);
        if (i >= 1) expect_image(folder, &(image_key){{1}}, 1); /* used again and again */
    }
    ck_assert_uint_eq(count_images(), 3);
    /* One that was never finished goes first, too. */
    char left[300];
    snprintf(left, sizeof(left), "%s/.%s.4711", folder_path, strrchr(file_path, '/') + 1);
    int left_fd = open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(left_fd, FILE_SIZE), 0);
    ck_assert_int_eq(futimens(left_fd, (struct timespec[2]){{1000, 0}, {1000, 0}}), 0);
    close(left_fd);
    put(folder, &(image_key){{4}}, 4);
    ck_assert_int_ne(access(left, F_OK), 0);
    ck_assert_uint_eq(count_images(), 3);
    expect_image(folder, &(image_key){{1}}, 1);
    expect_image(folder, &(image_key){{4}}, 4);
    ck_assert_int_eq(get(folder, &(image_key){{0}}, HOUR_NS, &err), -1);
    ck_assert_int_eq(get(folder, &(image_key){{2}}, HOUR_NS, &err), -1);
    image_folder_close(folder);
    folder = folder_open(FILE_SIZE - 1);
    unsigned char bytes[IMAGE_SIZE];
    sample_write(bytes, 'x');
    int fd = memory_of(bytes, sizeof(bytes));
    ck_assert_int_eq(image_folder_put(folder, &key, fd, sizeof(bytes), &err), SNAPCELL_E_TOO_LARGE);
    close(fd);
    image_folder_close(folder);
}
END_TEST

static void expect_no_folder(const char *message)
{
    image_folder *folder = (void *)1;
    snapcell_error err = {0};
    ck_assert_int_ne(image_folder_open(folder_path, 1 << 20, &folder, &err), SNAPCELL_OK);
    ck_assert_ptr_null(folder);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
}

START_TEST(test_a_folder_that_is_not_ours_alone)
{
    char key_path[80];
    snprintf(key_path, sizeof(key_path), "%s/key", folder_path);
    ck_assert_int_eq(chmod(folder_path, 0755), 0);
    expect_no_folder("folder must belong to user");
    ck_assert_int_eq(chmod(folder_path, 0700), 0);
    image_folder_close(folder_open(1 << 20));
    ck_assert_int_eq(chmod(key_path, 0640), 0);
    expect_no_folder("key must belong to user");
    ck_assert_int_eq(chmod(key_path, 0600), 0);
    ck_assert_int_eq(truncate(key_path, 31), 0);
    expect_no_folder("cut short");
    ck_assert_int_eq(unlink(key_path), 0);
    ck_assert_int_eq(symlink("/dev/zero", key_path), 0);
    expect_no_folder("cannot be");
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(folder_path, 1234, (gid_t)-1), 0);
        expect_no_folder("it belongs to user 1234");
    }
    ck_assert_int_eq(unlink(key_path), 0);
    ck_assert_int_eq(rmdir(folder_path), 0);
    int fd = open(folder_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    expect_no_folder("cannot open the folder");
    ck_assert_int_eq(unlink(folder_path), 0);
    image_folder_close(folder_open(1 << 20)); /* is made */
}
END_TEST

/* Each process makes a key, and one key stays. */
START_TEST(test_processes_that_begin_at_once)
{
    pid_t pids[8];
    for (size_t i = 0; i < 8; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] != 0) continue;
        image_folder *folder = NULL;
        if (image_folder_open(folder_path, 1 << 20, &folder, NULL) != SNAPCELL_OK) _exit(1);
        unsigned char bytes[IMAGE_SIZE];
        sample_write(bytes, (unsigned char)i);
        int fd = memfd_create("image", MFD_CLOEXEC);
        if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes)) _exit(2);
        const image_key own = {{(uint8_t)(i + 1)}};
        _exit(image_folder_put(folder, &own, fd, sizeof(bytes), NULL) == SNAPCELL_OK ? 0 : 3);
    }
    for (size_t i = 0; i < 8; i++) {
        int status;
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    image_folder *folder = folder_open(1 << 20);
    for (uint8_t i = 0; i < 8; i++)
        expect_image(folder, &(image_key){{(uint8_t)(i + 1)}}, i);
    image_folder_close(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_folder");
    TCase *tcase = tcase_create("image_folder");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_what_was_put_is_there);
    tcase_add_test(tcase, test_a_flipped_byte_in_any_page);
    tcase_add_test(tcase, test_a_file_that_was_cut_or_grew);
    tcase_add_test(tcase, test_a_file_that_others_have_a_hand_in);
    tcase_add_test(tcase, test_a_file_of_another_key_or_folder);
    tcase_add_test(tcase, test_an_old_image);
    tcase_add_test(tcase, test_bytes_that_are_no_image);
    tcase_add_test(tcase, test_a_folder_has_a_bound);
    tcase_add_test(tcase, test_a_folder_that_is_not_ours_alone);
    tcase_add_test(tcase, test_processes_that_begin_at_once);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
