/* The checks are in the order of SPEC.md; R numbers are its rules. */
#include "artifact_reader.h"

#include <inttypes.h>
#include <string.h>

#include "artifact_checksum.h"
#include "artifact_layout.h"
#include "error_set.h"
#include "format_version.h"
#include "utf8.h"
#include "zstd_frame.h"

#define REMAKE "compile or import it again"

typedef struct artifact_parse {
    const uint8_t *bytes;
    uint64_t size_bytes;
    const artifact_header *header;
    artifact_view *view;
    bool seen[ARTIFACT_SECTION_KNOWN_MAX + 1];
} artifact_parse;

/* --- Size, magic, version --- */

static int artifact_check_preamble(const artifact_parse *parse, snapcell_error *err)
{
    if (parse->size_bytes < sizeof(artifact_header)) { /* R1 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "an artifact has at least %zu bytes, %" PRIu64 " are here; " REMAKE,
                         sizeof(artifact_header), parse->size_bytes);
    }
    if (parse->size_bytes > ARTIFACT_SIZE_MAX) { /* R2 */
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "an artifact has at most %" PRIu64 " bytes, %" PRIu64 " are here",
                         ARTIFACT_SIZE_MAX, parse->size_bytes);
    }
    if (memcmp(parse->header->magic, ARTIFACT_MAGIC, ARTIFACT_MAGIC_SIZE) != 0) { /* R3 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "this is not a snapcell artifact, or its first bytes were altered; "
                         "artifacts are made by `snapcell compile`");
    }
    const uint32_t version = le32_get(parse->header->format_version);
    if (version != SNAPCELL_FORMAT_VERSION) { /* R4 */
        return error_set(err, SNAPCELL_E_FORMAT,
                         "the artifact has format version %" PRIu32
                         ", this build reads version %d; recompile it with this build",
                         version, SNAPCELL_FORMAT_VERSION);
    }
    return SNAPCELL_OK;
}

/* --- Checksum, digest --- */

static int artifact_check_hashes(const artifact_parse *parse, artifact_check check,
                                 snapcell_error *err)
{
    const uint64_t recorded_size = le64_get(parse->header->artifact_size);
    if (recorded_size != parse->size_bytes) { /* R5 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact is truncated or altered: its header says %" PRIu64
                         " bytes, %" PRIu64 " are here; " REMAKE,
                         recorded_size, parse->size_bytes);
    }
    uint8_t checksum[ARTIFACT_CHECKSUM_SIZE];
    artifact_checksum(parse->bytes, (size_t)parse->size_bytes, checksum);
    if (memcmp(checksum, parse->header->checksum, sizeof(checksum)) != 0) { /* R6 */
        return error_set(
            err, SNAPCELL_E_CORRUPT,
            "the artifact was altered: its checksum does not match its bytes; " REMAKE);
    }
    const uint64_t digest_end = le64_get(parse->header->digest_end);
    if (digest_end < sizeof(artifact_header) || digest_end > parse->size_bytes) { /* R7 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's digest ends at byte %" PRIu64 " of %" PRIu64 "; " REMAKE,
                         digest_end, parse->size_bytes);
    }
    if (check < ARTIFACT_CHECK_DIGEST) return SNAPCELL_OK;
    uint8_t digest[ARTIFACT_DIGEST_SIZE];
    artifact_digest(parse->bytes, (size_t)digest_end, digest);
    if (memcmp(digest, parse->header->digest, sizeof(digest)) != 0) { /* R8 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact was altered: its digest does not match its bytes; " REMAKE);
    }
    return SNAPCELL_OK;
}

/* --- Header --- */

static bool artifact_is_zero(const uint8_t *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

/* For what a later writer may use: this build cannot read it, but it is not damage. */
static int artifact_refuse_newer(const char *what, uint64_t value, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_FORMAT,
                     "the artifact has %s %" PRIu64
                     ", which this build does not know; recompile it with this build",
                     what, value);
}

static int artifact_parse_header(const artifact_parse *parse, snapcell_error *err)
{
    const artifact_header *header = parse->header;
    if (header->kind < SNAPCELL_ARTIFACT_SNAPSHOT || header->kind > SNAPCELL_ARTIFACT_CODE) {
        return artifact_refuse_newer("kind", header->kind, err); /* R9 */
    }
    if (header->shape < SNAPCELL_SHAPE_FETCH || header->shape > SNAPCELL_SHAPE_JSON) {
        return artifact_refuse_newer("handler shape", header->shape, err); /* R10 */
    }
    if (header->source_format < SNAPCELL_SOURCE_ESM ||
        header->source_format > SNAPCELL_SOURCE_SCRIPT) {
        return artifact_refuse_newer("source format", header->source_format, err); /* R11 */
    }
    if (header->source_encoding > ARTIFACT_TEXT_UTF16LE) {
        return artifact_refuse_newer("source encoding", header->source_encoding, err); /* R12 */
    }
    if (!artifact_is_zero(header->reserved, sizeof(header->reserved))) { /* R13 */
        return error_set(err, SNAPCELL_E_FORMAT,
                         "the artifact uses header bytes that this build does not know; recompile "
                         "it with this build");
    }
    snapcell_artifact_info *info = &parse->view->info;
    info->format_version = le32_get(header->format_version);
    info->kind = (snapcell_artifact_kind)header->kind;
    info->shape = (snapcell_handler_shape)header->shape;
    info->source_format = (snapcell_source_format)header->source_format;
    parse->view->source_encoding = (artifact_text_encoding)header->source_encoding;
    info->prelude_length = le32_get(header->prelude_length);
    memcpy(info->key.bytes, header->key, sizeof(info->key.bytes));
    memcpy(info->engine.bytes, header->engine, sizeof(info->engine.bytes));
    memcpy(info->host.bytes, header->host, sizeof(info->host.bytes));
    memcpy(info->bundle_hash, header->bundle_hash, sizeof(info->bundle_hash));
    memcpy(info->digest, header->digest, sizeof(info->digest));
    info->artifact_size_bytes = parse->size_bytes;
    return SNAPCELL_OK;
}

/* --- Sections: one small parser each, called with a section that is in range --- */

static int artifact_copy_name(const artifact_section *section, const char *what, char *out,
                              snapcell_error *err)
{
    if (!utf8_is_name(section->data, (size_t)section->decoded_size_bytes)) { /* R30 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s is not UTF-8, or holds a control character or '/'; "
                         "compile it again",
                         what);
    }
    memcpy(out, section->data, (size_t)section->decoded_size_bytes);
    out[section->decoded_size_bytes] = '\0';
    return SNAPCELL_OK;
}

static int artifact_parse_name(const artifact_section *section, artifact_view *view,
                               snapcell_error *err)
{
    return artifact_copy_name(section, "name", view->info.name, err);
}

static int artifact_parse_file_name(const artifact_section *section, artifact_view *view,
                                    snapcell_error *err)
{
    return artifact_copy_name(section, "file name", view->info.file_name, err);
}

static int artifact_parse_blob(const artifact_section *section, artifact_view *view,
                               snapcell_error *err)
{
    if (view->info.kind == SNAPCELL_ARTIFACT_SNAPSHOT && section->decoded_size_bytes == 0) {
        return error_set(err, SNAPCELL_E_CORRUPT, /* R31 */
                         "the artifact is a snapshot without a blob; compile it again");
    }
    view->blob = *section;
    view->info.blob_size_bytes = section->decoded_size_bytes;
    return SNAPCELL_OK;
}

static int artifact_parse_source(const artifact_section *section, artifact_view *view,
                                 snapcell_error *err)
{
    if (view->source_encoding == ARTIFACT_TEXT_UTF16LE && section->decoded_size_bytes % 2 != 0) {
        return error_set(err, SNAPCELL_E_CORRUPT, /* R32 */
                         "the artifact's source is UTF-16 of %" PRIu64
                         " bytes, an odd number; compile it again",
                         section->decoded_size_bytes);
    }
    view->source = *section;
    view->info.source_size_bytes = section->decoded_size_bytes;
    return SNAPCELL_OK;
}

static int artifact_parse_source_map(const artifact_section *section, artifact_view *view,
                                     snapcell_error *err)
{
    (void)err;
    view->source_map = *section;
    return SNAPCELL_OK;
}

static int artifact_parse_manifest(const artifact_section *section, artifact_view *view,
                                   snapcell_error *err)
{
    (void)err;
    view->manifest = *section;
    view->info.manifest = (const char *)section->data;
    view->info.manifest_size_bytes = section->decoded_size_bytes;
    return SNAPCELL_OK;
}

typedef struct artifact_section_kind {
    const char *name;
    uint8_t flags;
    artifact_codec codec_max;
    uint64_t decoded_size_min;
    uint64_t decoded_size_max;
    int (*parse)(const artifact_section *section, artifact_view *view, snapcell_error *err);
} artifact_section_kind;

static const artifact_section_kind section_kinds[ARTIFACT_SECTION_KNOWN_MAX + 1] = {
    [ARTIFACT_SECTION_NAME] = {"name", 0, ARTIFACT_CODEC_RAW, 1, SNAPCELL_ARTIFACT_NAME_SIZE_MAX,
                               artifact_parse_name},
    [ARTIFACT_SECTION_FILE_NAME] = {"file name", 0, ARTIFACT_CODEC_RAW, 1,
                                    SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX, artifact_parse_file_name},
    [ARTIFACT_SECTION_BLOB] = {"blob", 0, ARTIFACT_CODEC_ZSTD_PREFIX, 0, ARTIFACT_BLOB_SIZE_MAX,
                               artifact_parse_blob},
    [ARTIFACT_SECTION_SOURCE] = {"source", 0, ARTIFACT_CODEC_ZSTD, 1, ARTIFACT_SOURCE_SIZE_MAX,
                                 artifact_parse_source},
    [ARTIFACT_SECTION_SOURCE_MAP] = {"source map", ARTIFACT_SECTION_OPTIONAL, ARTIFACT_CODEC_ZSTD,
                                     1, ARTIFACT_SOURCE_MAP_SIZE_MAX, artifact_parse_source_map},
    [ARTIFACT_SECTION_MANIFEST] = {"manifest", 0, ARTIFACT_CODEC_RAW, 1, ARTIFACT_MANIFEST_SIZE_MAX,
                                   artifact_parse_manifest},
};

/* Codec and sizes of a section of a known type, against its row above. */
static int artifact_check_encoding(const artifact_section_kind *kind,
                                   const artifact_section *section, snapcell_error *err)
{
    if (section->codec > ARTIFACT_CODEC_ZSTD_PREFIX) { /* R24 */
        return artifact_refuse_newer("a section with codec", section->codec, err);
    }
    if (section->codec > kind->codec_max) { /* R25 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s is compressed in a way that it must not be; compile it "
                         "again",
                         kind->name);
    }
    if (section->decoded_size_bytes > kind->decoded_size_max) { /* R26 */
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "the artifact's %s has %" PRIu64 " bytes, %" PRIu64 " are allowed",
                         kind->name, section->decoded_size_bytes, kind->decoded_size_max);
    }
    if (section->decoded_size_bytes < kind->decoded_size_min) { /* R27 */
        return error_set(err, SNAPCELL_E_CORRUPT, "the artifact's %s is empty; compile it again",
                         kind->name);
    }
    if (section->codec != ARTIFACT_CODEC_RAW) { /* R29 */
        return zstd_frame_check(section->data, section->stored_size_bytes,
                                section->decoded_size_bytes, kind->name, err);
    }
    if (section->stored_size_bytes != section->decoded_size_bytes) { /* R28 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s is raw, but has %" PRIu64 " bytes for %" PRIu64
                         "; compile it again",
                         kind->name, section->stored_size_bytes, section->decoded_size_bytes);
    }
    return SNAPCELL_OK;
}

static int artifact_parse_known(artifact_parse *parse, uint16_t type, uint8_t flags,
                                const artifact_section *section, snapcell_error *err)
{
    const artifact_section_kind *kind = &section_kinds[type];
    if (flags != kind->flags) { /* R23 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's %s has flags %u, %u are expected; compile it again",
                         kind->name, (unsigned)flags, (unsigned)kind->flags);
    }
    const int status = artifact_check_encoding(kind, section, err);
    if (status != SNAPCELL_OK) return status;
    parse->seen[type] = true;
    return kind->parse(section, parse->view, err);
}

/* --- The section table --- */

/* Where the table's walk stands. */
typedef struct artifact_walk {
    uint16_t type_last;
    uint64_t end; /* of what was walked over, without padding */
    uint64_t digest_end;
} artifact_walk;

/* The only layout that is valid: types ascend, each section begins at the next multiple of 16, and
 * what lies between them is zero. So no byte is without an owner, and no two sections overlap. */
static int artifact_check_place(const artifact_parse *parse, const artifact_section_entry *entry,
                                artifact_walk *walk, snapcell_error *err)
{
    const uint16_t type = le16_get(entry->type);
    if (type <= walk->type_last) { /* R16 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's section of type %u comes after one of type %u; " REMAKE,
                         (unsigned)type, (unsigned)walk->type_last);
    }
    const uint64_t start = artifact_align(walk->end);
    const uint64_t offset = le64_get(entry->offset);
    if (offset != start || offset > parse->size_bytes) { /* R17 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's section of type %u begins at byte %" PRIu64
                         ", byte %" PRIu64 " of %" PRIu64 " is expected; " REMAKE,
                         (unsigned)type, offset, start, parse->size_bytes);
    }
    const uint64_t stored_size = le64_get(entry->stored_size);
    if (stored_size > parse->size_bytes - offset) { /* R18 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's section of type %u has %" PRIu64 " bytes, %" PRIu64
                         " are left; " REMAKE,
                         (unsigned)type, stored_size, parse->size_bytes - offset);
    }
    if (!artifact_is_zero(parse->bytes + walk->end, (size_t)(offset - walk->end))) { /* R19 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact has other bytes than zeros before its section of type "
                         "%u; " REMAKE,
                         (unsigned)type);
    }
    if (type >= ARTIFACT_SECTION_TRAILER_MIN && walk->type_last < ARTIFACT_SECTION_TRAILER_MIN) {
        walk->digest_end = offset;
    }
    walk->type_last = type;
    walk->end = offset + stored_size;
    return SNAPCELL_OK;
}

static int artifact_parse_section(artifact_parse *parse, const artifact_section_entry *entry,
                                  snapcell_error *err)
{
    const uint16_t type = le16_get(entry->type);
    if ((entry->flags & ~ARTIFACT_SECTION_FLAGS_KNOWN) != 0 ||
        !artifact_is_zero(entry->reserved, sizeof(entry->reserved))) { /* R20 */
        return artifact_refuse_newer("unknown flags in a section of type", type, err);
    }
    const bool known = type <= ARTIFACT_SECTION_KNOWN_MAX;
    if (!known && (entry->flags & ARTIFACT_SECTION_OPTIONAL) == 0) { /* R21 */
        return artifact_refuse_newer("a required section of type", type, err);
    }
    const uint64_t offset = le64_get(entry->offset);
    const artifact_section section = {
        .data = parse->bytes + offset,
        .stored_size_bytes = le64_get(entry->stored_size),
        .decoded_size_bytes = le64_get(entry->decoded_size),
        .codec = (artifact_codec)entry->codec,
    };
    if (known) return artifact_parse_known(parse, type, entry->flags, &section, err);
    if (type == ARTIFACT_SECTION_SIGNATURE) parse->view->signature = section;
    return SNAPCELL_OK; /* R22 */
}

/* Something of the source comes after it. */
static int artifact_check_prelude(const artifact_view *view, snapcell_error *err)
{
    const uint32_t length = view->info.prelude_length;
    if (length == 0) return SNAPCELL_OK;
    const uint64_t unit = view->source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    if (view->info.kind == SNAPCELL_ARTIFACT_CODE &&
        view->info.source_format == SNAPCELL_SOURCE_ESM &&
        length < view->source.decoded_size_bytes / unit)
        return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_CORRUPT, /* R37 */
                     "the artifact's source cannot have a prelude of %" PRIu32
                     " characters; compile it again",
                     length);
}

/* What can be told only after the last section. The signature's type is the lowest of trailers. */
static int artifact_check_whole(const artifact_parse *parse, const artifact_walk *walk,
                                snapcell_error *err)
{
    if (walk->end != parse->size_bytes) { /* R33 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's sections end at byte %" PRIu64 " of %" PRIu64 "; " REMAKE,
                         walk->end, parse->size_bytes);
    }
    const uint64_t digest_end =
        walk->type_last < ARTIFACT_SECTION_TRAILER_MIN ? walk->end : walk->digest_end;
    if (le64_get(parse->header->digest_end) != digest_end) { /* R34 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's digest ends at byte %" PRIu64 ", byte %" PRIu64
                         " is expected; " REMAKE,
                         le64_get(parse->header->digest_end), digest_end);
    }
    parse->view->signature_is_last = walk->type_last == ARTIFACT_SECTION_SIGNATURE;
    for (size_t type = 1; type <= ARTIFACT_SECTION_KNOWN_MAX; type++) {
        const bool optional = (section_kinds[type].flags & ARTIFACT_SECTION_OPTIONAL) != 0;
        if (!parse->seen[type] && !optional) { /* R35 */
            return error_set(err, SNAPCELL_E_CORRUPT, "the artifact has no %s; compile it again",
                             section_kinds[type].name);
        }
    }
    return artifact_check_prelude(parse->view, err);
}

static int artifact_parse_sections(artifact_parse *parse, snapcell_error *err)
{
    const uint32_t count = le32_get(parse->header->section_count);
    if (count > ARTIFACT_SECTION_COUNT_MAX) { /* R14 */
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "the artifact has %" PRIu32 " sections, %d are allowed", count,
                         ARTIFACT_SECTION_COUNT_MAX);
    }
    const uint64_t table_end = sizeof(artifact_header) + count * sizeof(artifact_section_entry);
    if (table_end > parse->size_bytes) { /* R15 */
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the artifact's table of %" PRIu32 " sections ends at byte %" PRIu64
                         " of %" PRIu64 "; " REMAKE,
                         count, table_end, parse->size_bytes);
    }
    const artifact_section_entry *table =
        (const artifact_section_entry *)(parse->bytes + sizeof(artifact_header));
    artifact_walk walk = {.end = table_end};
    for (uint32_t i = 0; i < count; i++) {
        int status = artifact_check_place(parse, &table[i], &walk, err);
        if (status == SNAPCELL_OK) status = artifact_parse_section(parse, &table[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return artifact_check_whole(parse, &walk, err);
}

/* --- All of it --- */

int artifact_read(const void *bytes, size_t size_bytes, artifact_check check, artifact_view *out,
                  snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    artifact_parse parse = {
        .bytes = bytes,
        .size_bytes = size_bytes,
        .header = bytes,
        .view = out,
    };
    int status = artifact_check_preamble(&parse, err);
    if (status == SNAPCELL_OK) status = artifact_check_hashes(&parse, check, err);
    if (status == SNAPCELL_OK) status = artifact_parse_header(&parse, err);
    if (status == SNAPCELL_OK) status = artifact_parse_sections(&parse, err);
    if (status != SNAPCELL_OK) memset(out, 0, sizeof(*out));
    return status;
}

static int artifact_read_info(const void *bytes, size_t size_bytes, artifact_check check,
                              snapcell_artifact_info *out, snapcell_error *err)
{
    artifact_view view;
    const int status = artifact_read(bytes, size_bytes, check, &view, err);
    *out = view.info;
    return status;
}

int snapcell_artifact_inspect(const void *bytes, size_t size_bytes, snapcell_artifact_info *out,
                              snapcell_error *err)
{
    return artifact_read_info(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, out, err);
}

int snapcell_artifact_describe(const void *bytes, size_t size_bytes, snapcell_artifact_info *out,
                               snapcell_error *err)
{
    return artifact_read_info(bytes, size_bytes, ARTIFACT_CHECK_CHECKSUM, out, err);
}
