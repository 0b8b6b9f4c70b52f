/* Secret keys and their files. Whatever has held a secret is wiped. */
#include "signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "artifact_checksum.h"
#include "cleanup.h"
#include "error_set.h"

/* A line, a comment, and the note before them; nothing that is larger is a key's file. */
#define KEY_FILE_SIZE_MAX 4096

/* --- Reading --- */

static void key_free_secret(void *pointer_to_pointer)
{
    sodium_free(*(void **)pointer_to_pointer);
}
#define cleanup_secret cleanup(key_free_secret)

static int key_read_file(const char *path, char *text, size_t *size_bytes, snapcell_error *err)
{
    cleanup_close const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open the secret key %s", path);
    }
    *size_bytes = 0;
    while (*size_bytes < KEY_FILE_SIZE_MAX) {
        const ssize_t got = read(fd, text + *size_bytes, KEY_FILE_SIZE_MAX - *size_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the secret key %s",
                                   path);
        }
        if (got == 0) return SNAPCELL_OK;
        *size_bytes += (size_t)got;
    }
    return error_set(err, SNAPCELL_E_USAGE,
                     "%s is not a secret key: it has %d bytes or more; `snapcell keygen` makes one",
                     path, KEY_FILE_SIZE_MAX);
}

int snapcell_signing_key_open(const char *path, snapcell_signing_key **out, snapcell_error *err)
{
    *out = NULL;
    sodium_prepare();
    cleanup_secret char *text = sodium_malloc(KEY_FILE_SIZE_MAX);
    cleanup_secret snapcell_signing_key *key = sodium_malloc(sizeof(*key));
    if (text == NULL || key == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the secret key %s", path);
    }
    size_t size = 0;
    const int status = key_read_file(path, text, &size, err);
    if (status != SNAPCELL_OK) return status;
    if (!key_text_parse_secret(text, size, key->secret)) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s holds no valid secret key: one line is expected, \"%s\" and base64 of "
                         "%d bytes; `snapcell keygen` makes one",
                         path, KEY_TEXT_SECRET_TYPE, KEY_TEXT_SECRET_SIZE);
    }
    *out = steal_pointer(&key);
    return SNAPCELL_OK;
}

void snapcell_signing_key_free(snapcell_signing_key *key)
{
    sodium_free(key);
}

const uint8_t *snapcell_signing_key_public(const snapcell_signing_key *key)
{
    return key->secret + crypto_sign_SEEDBYTES;
}

/* --- Making --- */

static int key_write_all(int fd, const char *path, const char *text, snapcell_error *err)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t wrote = write(fd, text, left);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot write %s", path);
        text += wrote;
        left -= (size_t)wrote;
    }
    if (fsync(fd) != 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot write %s to the disk", path);
    }
    return SNAPCELL_OK;
}

/* A key that is there is never overwritten: what it signed could not be signed again. */
static int key_create_file(const char *path, mode_t mode, const char *text, snapcell_error *err)
{
    cleanup_close const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST) {
        return error_set(err, SNAPCELL_E_EXISTS,
                         "%s exists already, and a key is never overwritten; give another path, or "
                         "move it away",
                         path);
    }
    if (fd < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot create %s", path);
    const int status = key_write_all(fd, path, text, err);
    if (status != SNAPCELL_OK) unlink(path);
    return status;
}

static int key_create_pair(const char *path, const char *secret_text, const char *public_text,
                           snapcell_error *err)
{
    cleanup_free char *public_path = NULL;
    if (asprintf(&public_path, "%s.pub", path) < 0) {
        public_path = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a file's path");
    }
    int status = key_create_file(path, 0600, secret_text, err);
    if (status != SNAPCELL_OK) return status;
    status = key_create_file(public_path, 0644, public_text, err);
    if (status != SNAPCELL_OK) unlink(path);
    return status;
}

static void key_format_line(char *out, size_t out_size_bytes, const char *type,
                            const uint8_t *bytes, size_t size_bytes, const char *comment)
{
    char base64[sodium_base64_ENCODED_LEN(KEY_TEXT_SECRET_SIZE, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(base64, sizeof(base64), bytes, size_bytes, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(out, out_size_bytes, "%s %s%s%s\n", type, base64, comment[0] ? " " : "",
                   comment);
    sodium_memzero(base64, sizeof(base64));
}

#define KEY_NOTE "# A secret key of snapcell, id %s: anyone who has it can sign. Keep it secret.\n"

static int key_generate(const char *path, const char *comment, char *secret_text,
                        char **public_line, snapcell_error *err)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char id[SNAPCELL_KEY_ID_SIZE];
    char public_text[KEY_FILE_SIZE_MAX];
    crypto_sign_keypair(public_key, secret);
    snapcell_key_id_format(public_key, id);
    const int note_size = snprintf(secret_text, KEY_FILE_SIZE_MAX, KEY_NOTE, id);
    key_format_line(secret_text + note_size, KEY_FILE_SIZE_MAX - (size_t)note_size,
                    KEY_TEXT_SECRET_TYPE, secret, sizeof(secret), comment);
    sodium_memzero(secret, sizeof(secret));
    key_format_line(public_text, sizeof(public_text), KEY_TEXT_PUBLIC_TYPE, public_key,
                    sizeof(public_key), comment);
    cleanup_free char *line = strndup(public_text, strcspn(public_text, "\n"));
    if (line == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a key");
    const int status = key_create_pair(path, secret_text, public_text, err);
    if (status == SNAPCELL_OK && public_line != NULL) *public_line = steal_pointer(&line);
    return status;
}

int snapcell_signing_key_generate(const char *path, const char *comment, char **public_line,
                                  snapcell_error *err)
{
    if (public_line != NULL) *public_line = NULL;
    if (comment == NULL) comment = "";
    if (!key_text_is_comment(comment)) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "a key's comment is one line of at most %d bytes of UTF-8 without control "
                         "characters",
                         SNAPCELL_KEY_COMMENT_SIZE_MAX);
    }
    sodium_prepare();
    cleanup_secret char *secret_text = sodium_malloc(KEY_FILE_SIZE_MAX);
    if (secret_text == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a secret key");
    return key_generate(path, comment, secret_text, public_line, err);
}
