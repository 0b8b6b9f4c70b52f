/* Writing a layout: all files are written elsewhere first, next to a folder that is new, or inside
 * one that is there, and then renamed; index.json last, which refers to the others. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error_set.h"
#include "oci_file.h"
#include "oci_layout.h"
#include "oci_layout_names.h"

struct oci_layout {
    char *path;      /* Owned, as all here */
    char *stage;     /* the folder in which it is written */
    bool is_new;     /* `path` does not exist; the stage becomes it */
    json_t *entries; /* of the index.json that is there */
};

/* --- What is there --- */

static bool folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return false;
    int count = 0;
    /* cppcheck-suppress readdirCalled */
    while (count <= 2 && readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count <= 2; /* "." and ".." */
}

static int layout_load_entries(oci_layout *layout, snapcell_error *err)
{
    oci_document cleanup_oci_document document = {0};
    cleanup_free char *path = oci_path(layout->path, LAYOUT_INDEX);
    if (path == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    int status = oci_layout_index(layout->path, &document, err);
    if (status != SNAPCELL_OK) return status;
    /* Once more as JSON: entries of other programs are kept as they are. */
    cleanup_oci_json json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    layout->entries = json_incref(json_object_get(json, "manifests"));
    return layout->entries != NULL
               ? SNAPCELL_OK
               : error_set(err, SNAPCELL_E_IO, "%s was changed while it was read", path);
}

static int layout_look(oci_layout *layout, snapcell_error *err)
{
    struct stat facts;
    layout->is_new = stat(layout->path, &facts) != 0;
    if (layout->is_new && errno != ENOENT)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot use %s", layout->path);
    if (!layout->is_new && !S_ISDIR(facts.st_mode))
        return error_set(err, SNAPCELL_E_EXISTS, "%s is a file; a folder is expected",
                         layout->path);
    if (layout->is_new || folder_is_empty(layout->path)) {
        layout->entries = json_array();
        return layout->entries != NULL ? SNAPCELL_OK
                                       : error_set(err, SNAPCELL_E_NOMEM, "no memory");
    }
    snapcell_error cause;
    const int status = layout_load_entries(layout, &cause);
    if (status == SNAPCELL_E_FORMAT || status == SNAPCELL_E_NOT_FOUND)
        return error_set(err, SNAPCELL_E_EXISTS,
                         "%s holds something that is not an OCI image layout: an empty folder, or "
                         "one that does not exist yet, is expected",
                         layout->path);
    return status == SNAPCELL_OK ? status : error_set(err, status, "%s", cause.message);
}

/* --- Beginning --- */

static int layout_make_stage(oci_layout *layout, snapcell_error *err)
{
    if (asprintf(&layout->stage, layout->is_new ? "%s.XXXXXX" : "%s/.snapcell-XXXXXX",
                 layout->path) < 0) {
        layout->stage = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    }
    if (mkdtemp(layout->stage) == NULL) {
        const int status =
            error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make a folder for %s", layout->path);
        free(layout->stage);
        layout->stage = NULL;
        return status;
    }
    const mode_t mask = umask(0);
    umask(mask);
    (void)chmod(layout->stage, 0777 & ~mask);
    static const char *const folders[] = {LAYOUT_BLOBS, LAYOUT_SHA256};
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < sizeof(folders) / sizeof(*folders); i++) {
        cleanup_free char *path = oci_path(layout->stage, folders[i]);
        status = path != NULL ? oci_folder_make(path, err)
                              : error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    }
    return status;
}

int oci_layout_begin(const char *path, oci_layout **out, snapcell_error *err)
{
    oci_layout cleanup_oci_layout *layout = calloc(1, sizeof(*layout));
    *out = NULL;
    if (layout == NULL || (layout->path = strdup(path)) == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a layout");
    for (size_t size = strlen(path); size > 1 && path[size - 1] == '/'; size--)
        layout->path[size - 1] = '\0';
    int status = layout_look(layout, err);
    if (status == SNAPCELL_OK) status = layout_make_stage(layout, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&layout);
    return status;
}

void oci_layout_discard(oci_layout *layout)
{
    if (layout == NULL) return;
    if (layout->stage != NULL) oci_folder_remove(layout->stage);
    json_decref(layout->entries);
    free(layout->stage);
    free(layout->path);
    free(layout);
}

/* --- Blobs --- */

static void blob_name(const char *digest, char out[sizeof(LAYOUT_SHA256) + OCI_DIGEST_TEXT_SIZE])
{
    (void)snprintf(out, sizeof(LAYOUT_SHA256) + OCI_DIGEST_TEXT_SIZE, LAYOUT_SHA256 "/%s",
                   digest + strlen(OCI_DIGEST_PREFIX));
}

static bool blob_is_sound(const char *folder, const oci_descriptor *blob)
{
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    return oci_layout_get(folder, blob, &bytes, &size_bytes, NULL) == SNAPCELL_OK;
}

int oci_layout_put(oci_layout *layout, const oci_descriptor *blob, const void *bytes,
                   snapcell_error *err)
{
    char name[sizeof(LAYOUT_SHA256) + OCI_DIGEST_TEXT_SIZE];
    if (blob_is_sound(layout->stage, blob)) return SNAPCELL_OK;
    if (!layout->is_new && blob_is_sound(layout->path, blob)) return SNAPCELL_OK;
    blob_name(blob->digest, name);
    cleanup_free char *path = oci_path(layout->stage, name);
    if (path == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    return oci_file_write(path, bytes, (size_t)blob->size_bytes, err);
}

/* --- index.json --- */

static const char *tag_of(const json_t *entry)
{
    const char *tag =
        json_string_value(json_object_get(json_object_get(entry, "annotations"), OCI_REF_NAME));
    return tag != NULL ? tag : "";
}

static int layout_add_entry(oci_layout *layout, const oci_entry *entry, bool force,
                            snapcell_error *err)
{
    cleanup_oci_json json_t *added = oci_entry_to_json(entry);
    if (added == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    for (size_t i = 0; i < json_array_size(layout->entries); i++) {
        const json_t *there = json_array_get(layout->entries, i);
        if (strcmp(tag_of(there), entry->tag) != 0) continue;
        const char *digest = json_string_value(json_object_get(there, "digest"));
        if (!force && strcmp(digest != NULL ? digest : "", entry->document.digest) != 0)
            return error_set(err, SNAPCELL_E_EXISTS,
                             "%s has the tag %s for something else; --force replaces it",
                             layout->path, entry->tag);
        if (json_array_set(layout->entries, i, added) == 0) return SNAPCELL_OK;
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    }
    return json_array_append(layout->entries, added) == 0
               ? SNAPCELL_OK
               : error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
}

static int stage_file(const oci_layout *layout, const char *name, const void *bytes,
                      size_t size_bytes, snapcell_error *err)
{
    cleanup_free char *path = oci_path(layout->stage, name);
    if (path == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    return oci_file_write(path, bytes, size_bytes, err);
}

static int stage_index(const oci_layout *layout, snapcell_error *err)
{
    cleanup_free char *text = NULL;
    size_t size_bytes = 0;
    int status = oci_json_dump(json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
                                         OCI_TYPE_INDEX, "manifests", layout->entries),
                               "an index", &text, &size_bytes, err);
    if (status == SNAPCELL_OK && size_bytes > OCI_DOCUMENT_SIZE_MAX)
        status = error_set(err, SNAPCELL_E_TOO_LARGE,
                           "%s would have an index of %zu bytes; at most %zu are accepted",
                           layout->path, size_bytes, OCI_DOCUMENT_SIZE_MAX);
    if (status == SNAPCELL_OK) status = stage_file(layout, LAYOUT_INDEX, text, size_bytes, err);
    return status == SNAPCELL_OK
               ? stage_file(layout, LAYOUT_FILE, LAYOUT_TEXT, strlen(LAYOUT_TEXT), err)
               : status;
}

/* --- Committing --- */

static int move_in(const oci_layout *layout, const char *name, snapcell_error *err)
{
    cleanup_free char *from = oci_path(layout->stage, name);
    cleanup_free char *to = oci_path(layout->path, name);
    if (from == NULL || to == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    return oci_file_move(from, to, err);
}

static int move_blobs(const oci_layout *layout, const char *folder_path, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    DIR *folder = opendir(folder_path);
    if (folder == NULL)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", folder_path);
    /* cppcheck-suppress readdirCalled */
    for (const struct dirent *entry; status == SNAPCELL_OK && (entry = readdir(folder)) != NULL;) {
        cleanup_free char *name = NULL;
        if (entry->d_name[0] == '.') continue;
        if (asprintf(&name, LAYOUT_SHA256 "/%s", entry->d_name) < 0) {
            name = NULL;
            status = error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
        } else {
            status = move_in(layout, name, err);
        }
    }
    closedir(folder);
    return status;
}

static int move_all(const oci_layout *layout, snapcell_error *err)
{
    static const char *const folders[] = {LAYOUT_BLOBS, LAYOUT_SHA256};
    cleanup_free char *staged = oci_path(layout->stage, LAYOUT_SHA256);
    int status =
        staged != NULL ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    for (size_t i = 0; status == SNAPCELL_OK && i < sizeof(folders) / sizeof(*folders); i++) {
        cleanup_free char *path = oci_path(layout->path, folders[i]);
        status = path != NULL ? oci_folder_make(path, err)
                              : error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    }
    if (status == SNAPCELL_OK) status = move_blobs(layout, staged, err);
    if (status == SNAPCELL_OK) status = move_in(layout, LAYOUT_FILE, err);
    return status == SNAPCELL_OK ? move_in(layout, LAYOUT_INDEX, err) : status;
}

static int move_whole(oci_layout *layout, snapcell_error *err)
{
    if (renameat2(AT_FDCWD, layout->stage, AT_FDCWD, layout->path, RENAME_NOREPLACE) != 0 &&
        !((errno == EINVAL || errno == ENOSYS) && rename(layout->stage, layout->path) == 0))
        return error_set_errno(err, errno == EEXIST ? SNAPCELL_E_EXISTS : SNAPCELL_E_IO, errno,
                               "cannot write %s", layout->path);
    free(layout->stage);
    layout->stage = NULL;
    return SNAPCELL_OK;
}

int oci_layout_commit(oci_layout *layout, const oci_entry *entries, size_t count, bool force,
                      snapcell_error *err)
{
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++)
        status = layout_add_entry(layout, &entries[i], force, err);
    if (status == SNAPCELL_OK) status = stage_index(layout, err);
    if (status == SNAPCELL_OK) {
        oci_folder_sync(layout->stage);
        status = layout->is_new ? move_whole(layout, err) : move_all(layout, err);
    }
    if (status == SNAPCELL_OK) oci_folder_sync(layout->path);
    return status;
}
