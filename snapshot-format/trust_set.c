#include "trust_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "artifact_signature.h"
#include "cleanup.h"
#include "error_set.h"
#include "key_text.h"

/* Some 10,000 keys. */
#define TRUST_FILE_SIZE_MAX ((size_t)1 << 20)

struct snapcell_trust {
    key_text_public *keys;
    size_t count;
    size_t capacity;
};

int snapcell_trust_new(snapcell_trust **out, snapcell_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? SNAPCELL_OK
                        : error_set(err, SNAPCELL_E_NOMEM, "no memory for a trust set");
}

void snapcell_trust_free(snapcell_trust *trust)
{
    if (trust == NULL) return;
    free(trust->keys);
    free(trust);
}

snapcell_trust *trust_copy(const snapcell_trust *trust)
{
    snapcell_trust *copy = calloc(1, sizeof(*copy));
    if (copy == NULL) return NULL;
    copy->keys = calloc(trust->count + 1, sizeof(*copy->keys));
    if (copy->keys == NULL) {
        free(copy);
        return NULL;
    }
    if (trust->count > 0) memcpy(copy->keys, trust->keys, trust->count * sizeof(*copy->keys));
    copy->count = trust->count;
    copy->capacity = trust->count + 1;
    return copy;
}

/* --- Keys --- */

static key_text_public *trust_find(const snapcell_trust *trust, const uint8_t *public_key)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].public_key, public_key, SNAPCELL_PUBLIC_KEY_SIZE) == 0)
            return &trust->keys[i];
    }
    return NULL;
}

static int trust_grow(snapcell_trust *trust, snapcell_error *err)
{
    if (trust->count < trust->capacity) return SNAPCELL_OK;
    const size_t capacity = trust->capacity > 0 ? 2 * trust->capacity : 8;
    key_text_public *keys = realloc(trust->keys, capacity * sizeof(*keys));
    if (keys == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %zu keys", capacity);
    trust->keys = keys;
    trust->capacity = capacity;
    return SNAPCELL_OK;
}

/* Once revoked, a key stays so, whatever the order in which it is met. */
static int trust_put(snapcell_trust *trust, const key_text_public *key, snapcell_error *err)
{
    key_text_public *known = trust_find(trust, key->public_key);
    if (known != NULL) {
        known->revoked |= key->revoked;
        return SNAPCELL_OK;
    }
    const int status = trust_grow(trust, err);
    if (status == SNAPCELL_OK) trust->keys[trust->count++] = *key;
    return status;
}

int snapcell_trust_add_key(snapcell_trust *trust,
                           const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE], const char *comment,
                           snapcell_error *err)
{
    key_text_public key = {.revoked = false};
    memcpy(key.public_key, public_key, sizeof(key.public_key));
    if (comment != NULL && key_text_is_comment(comment)) strcpy(key.comment, comment);
    return trust_put(trust, &key, err);
}

int snapcell_trust_revoke(snapcell_trust *trust, const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE],
                          snapcell_error *err)
{
    key_text_public key = {.revoked = true};
    memcpy(key.public_key, public_key, sizeof(key.public_key));
    return trust_put(trust, &key, err);
}

size_t snapcell_trust_count(const snapcell_trust *trust)
{
    size_t count = 0;
    for (size_t i = 0; trust != NULL && i < trust->count; i++)
        count += !trust->keys[i].revoked;
    return count;
}

const uint8_t *snapcell_trust_key(const snapcell_trust *trust, size_t index)
{
    return index < trust->count ? trust->keys[index].public_key : NULL;
}

const char *snapcell_trust_comment(const snapcell_trust *trust,
                                   const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE])
{
    const key_text_public *found = trust_find(trust, public_key);
    return found != NULL ? found->comment : "";
}

size_t trust_entry_count(const snapcell_trust *trust)
{
    return trust->count;
}

const uint8_t *trust_entry(const snapcell_trust *trust, size_t index, bool *revoked,
                           const char **comment)
{
    const key_text_public *key = &trust->keys[index];
    *revoked = key->revoked;
    *comment = key->comment;
    return key->public_key;
}

/* --- Texts, files, directories --- */

int trust_add_text(snapcell_trust *trust, const char *text, size_t size_bytes, const char *where,
                   snapcell_error *err)
{
    size_t key_count = 0;
    unsigned line_number = 1;
    const char *end = text + size_bytes;
    for (const char *line = text; line < end; line_number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const size_t line_size = (size_t)((newline != NULL ? newline : end) - line);
        key_text_public key;
        if (key_text_is_entry(line, line_size)) {
            if (!key_text_parse_public(line, line_size, &key)) {
                return error_set(err, SNAPCELL_E_USAGE,
                                 "%s:%u is not a public key: \"%s\" and base64 of %d bytes are "
                                 "expected, as `snapcell keygen` writes them to FILE.pub",
                                 where, line_number, KEY_TEXT_PUBLIC_TYPE,
                                 SNAPCELL_PUBLIC_KEY_SIZE);
            }
            const int status = trust_put(trust, &key, err);
            if (status != SNAPCELL_OK) return status;
            key_count++;
        }
        line = newline != NULL ? newline + 1 : end;
    }
    if (key_count > 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "%s holds no public key; `snapcell keygen` makes one, in FILE.pub", where);
}

static int trust_read_fd(int fd, const char *path, char *text, size_t *size_bytes,
                         snapcell_error *err)
{
    *size_bytes = 0;
    while (*size_bytes < TRUST_FILE_SIZE_MAX) {
        const ssize_t got = read(fd, text + *size_bytes, TRUST_FILE_SIZE_MAX - *size_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
        if (got == 0) return SNAPCELL_OK;
        *size_bytes += (size_t)got;
    }
    return error_set(err, SNAPCELL_E_TOO_LARGE, "%s is not a key file: it has %zu bytes or more",
                     path, TRUST_FILE_SIZE_MAX);
}

static int trust_add_file(snapcell_trust *trust, const char *path, snapcell_error *err)
{
    cleanup_close const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno,
                               "'%s' is not a public key, and cannot be opened as a key file",
                               path);
    }
    cleanup_free char *text = malloc(TRUST_FILE_SIZE_MAX);
    if (text == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to read %s", path);
    size_t size = 0;
    const int status = trust_read_fd(fd, path, text, &size, err);
    return status == SNAPCELL_OK ? trust_add_text(trust, text, size, path, err) : status;
}

static bool trust_has_ending(const char *name, const char *ending)
{
    const size_t size = strlen(name);
    const size_t ending_size = strlen(ending);
    return size > ending_size && strcmp(name + size - ending_size, ending) == 0;
}

static void trust_close_directory(DIR **directory)
{
    if (*directory != NULL) closedir(*directory);
}

static int trust_add_directory(snapcell_trust *trust, const char *path, snapcell_error *err)
{
    cleanup(trust_close_directory) DIR *directory = opendir(path);
    if (directory == NULL)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the directory %s", path);
    size_t file_count = 0;
    const struct dirent *entry;
    /* cppcheck-suppress readdirCalled ; of one thread's own directory */
    while ((errno = 0, entry = readdir(directory)) != NULL) {
        cleanup_free char *file = NULL;
        if (!trust_has_ending(entry->d_name, ".pub") && !trust_has_ending(entry->d_name, ".keys"))
            continue;
        if (asprintf(&file, "%s/%s", path, entry->d_name) < 0) {
            file = NULL;
            return error_set(err, SNAPCELL_E_NOMEM, "no memory for a file's path");
        }
        const int status = trust_add_file(trust, file, err);
        if (status != SNAPCELL_OK) return status;
        file_count++;
    }
    if (errno != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read the directory %s", path);
    if (file_count > 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "the directory %s holds no file of keys: their names end in .pub or .keys",
                     path);
}

int snapcell_trust_add(snapcell_trust *trust, const char *what, snapcell_error *err)
{
    key_text_public key;
    if (key_text_parse_public(what, strlen(what), &key)) return trust_put(trust, &key, err);
    struct stat there;
    if (stat(what, &there) == 0 && S_ISDIR(there.st_mode))
        return trust_add_directory(trust, what, err);
    return trust_add_file(trust, what, err);
}

/* --- Checking --- */

static int trust_admit_key(const snapcell_trust *trust, const snapcell_signature *signature,
                           snapcell_error *err)
{
    const key_text_public *key = trust_find(trust, signature->public_key);
    if (key == NULL) {
        return error_set(
            err, SNAPCELL_E_SIGNATURE,
            "the artifact is signed by key %s, which is not trusted (trusted keys: %zu); "
            "trust that key, or have the artifact signed by a trusted one",
            signature->key_id, snapcell_trust_count(trust));
    }
    if (!key->revoked) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_SIGNATURE,
                     "the artifact is signed by key %s%s%s, which is revoked; compile it again and "
                     "sign it by another key",
                     signature->key_id, key->comment[0] ? " " : "", key->comment);
}

int trust_admit(const snapcell_trust *trust, const snapcell_signature *signature, const char *name,
                const char *tenant, snapcell_error *err)
{
    const int status = trust_admit_key(trust, signature, err);
    if (status != SNAPCELL_OK) return status;
    if (name != NULL && strcmp(name, signature->name) != 0) {
        return error_set(err, SNAPCELL_E_SIGNATURE,
                         "the artifact is signed for the name '%s', not for '%.200s'; use it under "
                         "that name or by its whole key, or sign it for the other name",
                         signature->name, name);
    }
    if (tenant == NULL || strcmp(tenant, signature->tenant) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_SIGNATURE,
                     "the artifact is signed for %s%s%s, and was requested by %s%.200s%s",
                     signature->tenant[0] ? "tenant '" : "no tenant", signature->tenant,
                     signature->tenant[0] ? "'" : "", tenant[0] ? "tenant '" : "no tenant", tenant,
                     tenant[0] ? "'" : "");
}

int trust_unsigned_is_refused(int code, snapcell_error *err)
{
    if (code != SNAPCELL_E_NOT_FOUND) return code;
    if (err != NULL) err->code = SNAPCELL_E_SIGNATURE; /* the message fits */
    return SNAPCELL_E_SIGNATURE;
}

int snapcell_trust_check(const snapcell_trust *trust, const void *bytes, size_t size_bytes,
                         const char *name, const char *tenant, snapcell_signature *out,
                         snapcell_error *err)
{
    snapcell_signature signature;
    int status = snapcell_artifact_signature(bytes, size_bytes, &signature, err);
    status = trust_unsigned_is_refused(status, err);
    if (status == SNAPCELL_OK) status = trust_admit(trust, &signature, name, tenant, err);
    if (out != NULL) {
        memset(out, 0, sizeof(*out));
        if (status == SNAPCELL_OK) *out = signature;
    }
    return status;
}
