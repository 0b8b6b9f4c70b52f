/* Putting a signature into an artifact's bytes. All else of it is copied as it lies. */
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "artifact_checksum.h"
#include "artifact_signature.h"
#include "cleanup.h"
#include "error_set.h"
#include "signing_key.h"
#include "utf8.h"

/* --- A copy with room for a signature --- */

/* What is copied: the header and its sections, except a signature. */
typedef struct sign_source {
    const uint8_t *bytes;
    const artifact_section_entry *table;
    uint32_t count;
} sign_source;

typedef struct sign_target {
    uint8_t *bytes;
    artifact_section_entry *table;
    uint32_t count;
    size_t end;
} sign_target;

static bool sign_is_signature(const artifact_section_entry *entry)
{
    return le16_get(entry->type) == ARTIFACT_SECTION_SIGNATURE;
}

static sign_source sign_source_of(const void *bytes)
{
    const artifact_header *header = bytes;
    return (sign_source){
        .bytes = bytes,
        .table = (const artifact_section_entry *)((const uint8_t *)bytes + sizeof(*header)),
        .count = le32_get(header->section_count),
    };
}

/* Appends a section of `size_bytes` and otherwise as `entry` says; its content is zero. */
static uint8_t *sign_append(sign_target *target, const artifact_section_entry *entry,
                            size_t size_bytes)
{
    target->end = (size_t)artifact_align(target->end);
    artifact_section_entry *made = &target->table[target->count++];
    uint8_t *content = target->bytes + target->end;
    *made = *entry;
    le64_set(&made->offset, target->end);
    artifact_header *header = (artifact_header *)target->bytes;
    const bool first_trailer =
        le16_get(entry->type) >= ARTIFACT_SECTION_TRAILER_MIN && le64_get(header->digest_end) == 0;
    if (first_trailer) le64_set(&header->digest_end, target->end);
    target->end += size_bytes;
    return content;
}

static void sign_append_signature(sign_target *target, size_t size_bytes)
{
    artifact_section_entry entry = {.flags = ARTIFACT_SECTION_OPTIONAL,
                                    .codec = ARTIFACT_CODEC_RAW};
    le16_set(&entry.type, ARTIFACT_SECTION_SIGNATURE);
    le64_set(&entry.stored_size, size_bytes);
    le64_set(&entry.decoded_size, size_bytes);
    (void)sign_append(target, &entry, size_bytes);
}

/* The types ascend: the signature comes after what is not a trailer, and before other trailers. */
static void sign_append_all(sign_target *target, const sign_source *source,
                            size_t section_size_bytes)
{
    bool open = section_size_bytes > 0;
    for (uint32_t i = 0; i < source->count; i++) {
        const artifact_section_entry *entry = &source->table[i];
        if (sign_is_signature(entry)) continue;
        if (open && le16_get(entry->type) > ARTIFACT_SECTION_SIGNATURE) {
            sign_append_signature(target, section_size_bytes);
            open = false;
        }
        const size_t size_bytes = (size_t)le64_get(entry->stored_size);
        uint8_t *content = sign_append(target, entry, size_bytes);
        memcpy(content, source->bytes + le64_get(entry->offset), size_bytes);
    }
    if (open) sign_append_signature(target, section_size_bytes);
}

static uint32_t sign_section_count(const sign_source *source, size_t section_size_bytes)
{
    uint32_t count = section_size_bytes > 0 ? 1 : 0;
    for (uint32_t i = 0; i < source->count; i++) {
        if (!sign_is_signature(&source->table[i])) count++;
    }
    return count;
}

int artifact_copy_for_signature(const void *bytes, size_t size_bytes, size_t section_size_bytes,
                                uint8_t **out, size_t *out_size_bytes, snapcell_error *err)
{
    *out = NULL;
    const sign_source source = sign_source_of(bytes);
    const uint32_t count = sign_section_count(&source, section_size_bytes);
    /* Sections move by the entry that is new, and end at a new place; more it cannot be. */
    const size_t capacity = size_bytes + sizeof(artifact_section_entry) + section_size_bytes +
                            (size_t)(count + 1) * ARTIFACT_SECTION_ALIGNMENT;
    if (count > ARTIFACT_SECTION_COUNT_MAX || capacity > ARTIFACT_SIZE_MAX) {
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "the artifact is too large to be signed: %zu bytes, %" PRIu32 " sections",
                         size_bytes, count);
    }
    uint8_t *made = calloc(1, capacity);
    if (made == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for an artifact of %zu bytes", capacity);
    }
    memcpy(made, bytes, sizeof(artifact_header));
    artifact_header *header = (artifact_header *)made;
    sign_target target = {
        .bytes = made,
        .table = (artifact_section_entry *)(made + sizeof(*header)),
        .end = sizeof(*header) + count * sizeof(artifact_section_entry),
    };
    le64_set(&header->digest_end, 0);
    sign_append_all(&target, &source, section_size_bytes);
    if (le64_get(header->digest_end) == 0) le64_set(&header->digest_end, target.end);
    le32_set(&header->section_count, count);
    le64_set(&header->artifact_size, target.end);
    artifact_seal(made, target.end);
    *out = made;
    *out_size_bytes = target.end;
    return SNAPCELL_OK;
}

int artifact_digest_unsigned(const artifact_view *view, const void *bytes, size_t size_bytes,
                             uint8_t out[ARTIFACT_DIGEST_SIZE], snapcell_error *err)
{
    cleanup_free uint8_t *stripped = NULL;
    size_t stripped_size = 0;
    memcpy(out, view->info.digest, ARTIFACT_DIGEST_SIZE);
    if (view->signature.data == NULL) return SNAPCELL_OK;
    const int status =
        artifact_copy_for_signature(bytes, size_bytes, 0, &stripped, &stripped_size, err);
    if (status == SNAPCELL_OK)
        memcpy(out, ((const artifact_header *)stripped)->digest, ARTIFACT_DIGEST_SIZE);
    return status;
}

int artifact_is_unsigned_copy(const void *bytes, size_t size_bytes, const void *other,
                              size_t other_size_bytes, bool *out, snapcell_error *err)
{
    artifact_view view;
    *out = false;
    if (artifact_read(other, other_size_bytes, ARTIFACT_CHECK_DIGEST, &view, NULL) != SNAPCELL_OK ||
        view.signature.data == NULL)
        return SNAPCELL_OK;
    cleanup_free uint8_t *stripped = NULL;
    size_t stripped_size = 0;
    const int status =
        artifact_copy_for_signature(other, other_size_bytes, 0, &stripped, &stripped_size, err);
    if (status != SNAPCELL_OK) return status;
    *out = stripped_size == size_bytes && memcmp(stripped, bytes, size_bytes) == 0;
    return SNAPCELL_OK;
}

/* --- Signing --- */

static int sign_check_text(const char *what, const char *text, size_t size_max_bytes,
                           snapcell_error *err)
{
    const size_t size = strlen(text);
    if (size <= size_max_bytes && utf8_is_name((const uint8_t *)text, size)) return SNAPCELL_OK;
    return error_set(
        err, SNAPCELL_E_USAGE,
        "'%.64s' cannot be the %s that an artifact is signed for: at most %zu bytes of "
        "UTF-8 without control characters and '/' are",
        text, what, size_max_bytes);
}

static void sign_fill_section(uint8_t *section, const uint8_t *public_key, const char *name,
                              const char *tenant)
{
    artifact_signature_head *head = (artifact_signature_head *)section;
    head->scheme = ARTIFACT_SIGNATURE_SCHEME;
    head->name_size = (uint8_t)strlen(name);
    head->tenant_size = (uint8_t)strlen(tenant);
    memcpy(head->public_key, public_key, sizeof(head->public_key));
    memcpy(section + sizeof(*head), name, head->name_size);
    memcpy(section + sizeof(*head) + head->name_size, tenant, head->tenant_size);
}

int snapcell_artifact_sign(const void *bytes, size_t size_bytes, const snapcell_signing_key *key,
                           const char *name, const char *tenant, void **out, size_t *out_size_bytes,
                           snapcell_error *err)
{
    artifact_view view;
    *out = NULL;
    *out_size_bytes = 0;
    int status = artifact_read(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, &view, err);
    if (status != SNAPCELL_OK) return status;
    if (name == NULL) name = view.info.name;
    if (tenant == NULL) tenant = "";
    status = sign_check_text("name", name, SNAPCELL_ARTIFACT_NAME_SIZE_MAX, err);
    if (status == SNAPCELL_OK)
        status = sign_check_text("tenant", tenant, SNAPCELL_TENANT_SIZE_MAX, err);
    if (status == SNAPCELL_OK && name[0] == '\0')
        status = error_set(err, SNAPCELL_E_USAGE, "the name to sign an artifact for is empty");
    if (status != SNAPCELL_OK) return status;

    const size_t section_size =
        sizeof(artifact_signature_head) + strlen(name) + strlen(tenant) + ARTIFACT_SIGNATURE_SIZE;
    uint8_t *made = NULL;
    status =
        artifact_copy_for_signature(bytes, size_bytes, section_size, &made, out_size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    artifact_header *header = (artifact_header *)made;
    uint8_t *section = made + le64_get(header->digest_end);
    sign_fill_section(section, snapcell_signing_key_public(key), name, tenant);
    artifact_signature_make(section, section_size, header->digest, key);
    artifact_checksum(made, *out_size_bytes, header->checksum);
    *out = made;
    return SNAPCELL_OK;
}
