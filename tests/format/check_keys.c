/* Keys as text and as files. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "check_run.h"
#include "signing_key.h"
#include "trust_set.h"

static char folder[64];
static char secret_path[128];
static char public_path[128];
static snapcell_trust *trust;

static void setup(void)
{
    strcpy(folder, "/tmp/snapcell-keys.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(secret_path, sizeof(secret_path), "%s/key", folder);
    snprintf(public_path, sizeof(public_path), "%s/key.pub", folder);
    ck_assert_int_eq(snapcell_trust_new(&trust, NULL), SNAPCELL_OK);
}

static void teardown(void)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    closedir(directory);
    ck_assert_int_eq(rmdir(folder), 0);
    snapcell_trust_free(trust);
}

static void write_text(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static size_t read_text(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    const size_t size = fread(out, 1, room - 1, file);
    fclose(file);
    out[size] = '\0';
    return size;
}

static char *generate(const char *comment)
{
    char *line = NULL;
    snapcell_error err = {0};
    const int status = snapcell_signing_key_generate(secret_path, comment, &line, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    return line;
}

START_TEST(test_generated_keys_work)
{
    char *line = generate("someone@somewhere/x");
    struct stat facts;
    ck_assert_int_eq(stat(secret_path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 07777, 0600);
    snapcell_signing_key *key = NULL;
    ck_assert_int_eq(snapcell_signing_key_open(secret_path, &key, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_trust_add(trust, line, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_trust_add(trust, public_path, NULL), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 1);
    ck_assert_mem_eq(snapcell_trust_key(trust, 0), snapcell_signing_key_public(key), 32);
    ck_assert_str_eq(snapcell_trust_comment(trust, snapcell_signing_key_public(key)),
                     "someone@somewhere/x");
    snapcell_signing_key_free(key);
    free(line);
}
END_TEST

START_TEST(test_no_two_keys_are_the_same)
{
    char *first = generate(NULL);
    unlink(secret_path);
    unlink(public_path);
    char *second = generate(NULL);
    ck_assert_str_ne(first, second);
    free(first);
    free(second);
}
END_TEST

/* The file that is there stays, and nothing is left of the other. */
START_TEST(test_nothing_is_overwritten)
{
    const char *there = _i == 0 ? secret_path : public_path;
    const char *missing = _i == 0 ? public_path : secret_path;
    char text[64];
    write_text(there, "precious", 8);
    char *line = (char *)1;
    snapcell_error err;
    ck_assert_int_eq(snapcell_signing_key_generate(secret_path, NULL, &line, &err),
                     SNAPCELL_E_EXISTS);
    ck_assert_ptr_null(line);
    read_text(there, text, sizeof(text));
    ck_assert_str_eq(text, "precious");
    ck_assert_int_ne(access(missing, F_OK), 0);
}
END_TEST

START_TEST(test_generating_fails_well)
{
    snapcell_error err;
    ck_assert_int_eq(snapcell_signing_key_generate("/nonexistent/key", NULL, NULL, &err),
                     SNAPCELL_E_NOT_FOUND);
    char comment[300];
    memset(comment, 'c', 201);
    comment[201] = '\0';
    ck_assert_int_eq(snapcell_signing_key_generate(secret_path, comment, NULL, &err),
                     SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_signing_key_generate(secret_path, "two\nlines", NULL, &err),
                     SNAPCELL_E_USAGE);
    ck_assert_int_ne(access(secret_path, F_OK), 0);
}
END_TEST

/* Every cut of a secret key's file but those that lose no more than its comment. */
START_TEST(test_cut_secret_keys_are_refused)
{
    char text[1024];
    free(generate(NULL));
    const size_t size = read_text(secret_path, text, sizeof(text));
    for (size_t cut = 0; cut < size - 1; cut++) {
        snapcell_signing_key *key = (snapcell_signing_key *)1;
        snapcell_error err;
        write_text(secret_path, text, cut);
        ck_assert_int_eq(snapcell_signing_key_open(secret_path, &key, &err), SNAPCELL_E_USAGE);
        ck_assert_ptr_null(key);
        ck_assert_ptr_null(strstr(err.message, text + size / 2)); /* no secret in a message */
    }
}
END_TEST

/* Each character of the key itself altered: base64 that is none, or halves that do not fit. */
START_TEST(test_altered_secret_keys_are_refused)
{
    char text[1024];
    free(generate(NULL));
    const size_t size = read_text(secret_path, text, sizeof(text));
    const char *start = strstr(text, "\nsnapcell") + 1;
    for (size_t at = (size_t)(start - text); at < size - 1; at++) {
        const char before = text[at];
        text[at] = before == 'A' ? 'B' : 'A';
        uint8_t secret[KEY_TEXT_SECRET_SIZE];
        memset(secret, 7, sizeof(secret));
        ck_assert_msg(!key_text_parse_secret(text, size, secret), "character %zu", at);
        ck_assert(sodium_is_zero(secret, sizeof(secret)));
        text[at] = before;
    }
}
END_TEST

START_TEST(test_secret_key_files_that_are_none)
{
    char *line = generate(NULL);
    char text[2048];
    snapcell_signing_key *key = NULL;
    snapcell_error err;
    ck_assert_int_eq(snapcell_signing_key_open(public_path, &key, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_signing_key_open("/nonexistent", &key, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(snapcell_signing_key_open(folder, &key, &err), SNAPCELL_E_IO);
    ck_assert_int_eq(snapcell_signing_key_open("/dev/zero", &key, &err), SNAPCELL_E_USAGE);
    const size_t size = read_text(secret_path, text, sizeof(text) / 2);
    memcpy(text + size, text, size); /* two keys in a file: which one is meant? */
    write_text(secret_path, text, 2 * size);
    ck_assert_int_eq(snapcell_signing_key_open(secret_path, &key, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(key);
    /* A secret key is not a public one, however it is given. */
    ck_assert_int_ne(snapcell_trust_add(trust, secret_path, &err), SNAPCELL_OK);
    ck_assert_ptr_null(strstr(err.message, "ecret "));
    free(line);
}
END_TEST

#define KEY_A "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define KEY_B "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

static int add_text(const char *text)
{
    return trust_add_text(trust, text, strlen(text), "keys", NULL);
}

START_TEST(test_trust_files)
{
    ck_assert_int_eq(add_text("# ours\n\n  snapcell-ed25519 " KEY_A "  the first \r\n\t\n" KEY_B),
                     SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 2);
    ck_assert_str_eq(snapcell_trust_comment(trust, snapcell_trust_key(trust, 0)), "the first");
    ck_assert_int_eq(add_text("@revoked snapcell-ed25519 " KEY_A "\n"), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 1);
    ck_assert_int_eq(add_text("snapcell-ed25519 " KEY_A "\n"), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 1); /* revoked before, and for good */
    ck_assert_int_eq(add_text("@revoked " KEY_B), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 0);
}
END_TEST

START_TEST(test_trust_files_that_are_none)
{
    static const char *const bad[] = {
        "",
        "# nothing\n\n",
        "snapcell-ed25519",
        "snapcell-ed25519 ",
        "ssh-ed25519 " KEY_A,
        "snapcell-ed25519 " KEY_A "x",
        "snapcell-ed25519 AQEB",
        "snapcell-ed25519 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",      /* no padding */
        "snapcell-ed25519 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=",     /* loose bits */
        "snapcell-ed25519 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==", /* 34 bytes */
        "@revoked",
        "@trusted " KEY_A,
        KEY_A "\nnot a key\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snapcell_error err;
        ck_assert_msg(trust_add_text(trust, bad[i], strlen(bad[i]), "keys", &err) ==
                          SNAPCELL_E_USAGE,
                      "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "keys"));
    }
}
END_TEST

START_TEST(test_directories_of_keys)
{
    char path[128];
    snapcell_error err;
    ck_assert_int_eq(snapcell_trust_add(trust, folder, &err), SNAPCELL_E_USAGE); /* empty */
    free(generate("one"));
    snprintf(path, sizeof(path), "%s/old.keys", folder);
    write_text(path, "@revoked " KEY_A "\n" KEY_B "\n", 9 + 2 * 45);
    ck_assert_int_eq(snapcell_trust_add(trust, folder, &err), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 2); /* the secret's file is not looked at */
    snprintf(path, sizeof(path), "%s/bad.pub", folder);
    write_text(path, "nonsense", 8);
    ck_assert_int_eq(snapcell_trust_add(trust, folder, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "bad.pub:1"));
    ck_assert_int_eq(snapcell_trust_add(trust, "/nonexistent", &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(snapcell_trust_add(trust, "/dev/zero", &err), SNAPCELL_E_TOO_LARGE);
}
END_TEST

START_TEST(test_comments_that_cannot_be_shown_are_left_out)
{
    key_text_public key;
    const char line[] = KEY_A " red \x1b[31m";
    ck_assert(key_text_parse_public(line, strlen(line), &key));
    ck_assert_str_eq(key.comment, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_generated_keys_work);
    tcase_add_test(tcase, test_no_two_keys_are_the_same);
    tcase_add_loop_test(tcase, test_nothing_is_overwritten, 0, 2);
    tcase_add_test(tcase, test_generating_fails_well);
    tcase_add_test(tcase, test_cut_secret_keys_are_refused);
    tcase_add_test(tcase, test_altered_secret_keys_are_refused);
    tcase_add_test(tcase, test_secret_key_files_that_are_none);
    tcase_add_test(tcase, test_trust_files);
    tcase_add_test(tcase, test_trust_files_that_are_none);
    tcase_add_test(tcase, test_directories_of_keys);
    tcase_add_test(tcase, test_comments_that_cannot_be_shown_are_left_out);
    return check_run(suite);
}
