/* One artifact for each rule of SPEC.md that a reader checks: good ones, and one defect a file. */
#include <string.h>

#include "artifact_checksum.h"
#include "artifact_samples.h"

/* A number that is overwritten after the layout. */
typedef enum edit_place { EDIT_NONE, EDIT_HEADER, EDIT_ENTRY, EDIT_SECTION } edit_place;

typedef struct case_edit {
    edit_place place;
    uint16_t type; /* of the section */
    size_t offset;
    size_t width;
    uint64_t value;
} case_edit;

typedef struct case_row {
    sample_case result;
    case_edit edit;
    void (*change)(test_sample *sample); /* of the parts, before the layout */
    void (*finish)(test_sample *sample); /* of the bytes, in place of sealing them */
} case_row;

#define HEADER(field, number)                                                                      \
    .edit = {EDIT_HEADER, 0, offsetof(artifact_header, field),                                     \
             sizeof(((artifact_header *)NULL)->field), (number)}
#define ENTRY(section, field, number)                                                              \
    .edit = {EDIT_ENTRY, ARTIFACT_SECTION_##section, offsetof(artifact_section_entry, field),      \
             sizeof(((artifact_section_entry *)NULL)->field), (number)}
#define BYTES(section, at, size, number)                                                           \
    .edit = {EDIT_SECTION, ARTIFACT_SECTION_##section, (at), (size), (number)}
#define GOOD(name) .result = {(name), SNAPCELL_OK, SNAPCELL_OK}
#define BAD(name, code) .result = {(name), SNAPCELL_##code, SNAPCELL_OK}

static size_t entry_offset(const test_sample *sample, uint16_t type)
{
    for (size_t i = 0; i < sample->section_count; i++) {
        if (sample->sections[i].type == type) {
            return sizeof(artifact_header) + i * sizeof(artifact_section_entry);
        }
    }
    return 0;
}

static void apply_edit(test_sample *sample, const case_edit *edit)
{
    if (edit->place == EDIT_NONE) return;
    size_t at = edit->offset;
    if (edit->place != EDIT_HEADER) {
        const size_t entry = entry_offset(sample, edit->type);
        const artifact_section_entry *bytes =
            (const artifact_section_entry *)(sample->bytes + entry);
        at += edit->place == EDIT_ENTRY ? entry : (size_t)le64_get(bytes->offset);
    }
    le_set(sample->bytes + at, edit->width < 8 ? edit->width : 8, edit->value);
}

/* --- Changes of the parts --- */

static void set_data(test_sample *sample, uint16_t type, const void *data, size_t size_bytes)
{
    sample_section *section = sample_find(sample, type);
    section->data = data;
    section->stored_size_bytes = size_bytes;
    section->decoded_size_bytes = size_bytes;
}

static void set_frame(test_sample *sample, const void *frame, size_t size_bytes)
{
    set_data(sample, ARTIFACT_SECTION_BLOB, frame, size_bytes);
    sample_find(sample, ARTIFACT_SECTION_BLOB)->codec = ARTIFACT_CODEC_ZSTD;
    sample_find(sample, ARTIFACT_SECTION_BLOB)->decoded_size_bytes = sizeof(sample_blob);
}

static void add_section(test_sample *sample, uint16_t type, uint8_t flags)
{
    sample_add(sample, (sample_section){type, flags, 0, "later", 5, 5});
}

static void use_frame(test_sample *sample)
{
    set_frame(sample, sample_blob_frame, sizeof(sample_blob_frame));
}

static void use_prefix(test_sample *sample)
{
    set_frame(sample, sample_blob_prefix_frame, sizeof(sample_blob_prefix_frame));
    sample_find(sample, ARTIFACT_SECTION_BLOB)->codec = ARTIFACT_CODEC_ZSTD_PREFIX;
}

static void use_prefix_twice(test_sample *sample)
{
    static uint8_t frames[2 * sizeof(sample_blob_prefix_frame)];
    memcpy(frames, sample_blob_prefix_frame, sizeof(sample_blob_prefix_frame));
    memcpy(frames + sizeof(frames) / 2, sample_blob_prefix_frame, sizeof(frames) / 2);
    set_frame(sample, frames, sizeof(frames));
    sample_find(sample, ARTIFACT_SECTION_BLOB)->codec = ARTIFACT_CODEC_ZSTD_PREFIX;
}

/* A frame that is good for a blob. */
static void use_prefix_for_source(test_sample *sample)
{
    sample_section *source = sample_find(sample, ARTIFACT_SECTION_SOURCE);
    source->data = sample_blob_prefix_frame;
    source->stored_size_bytes = sizeof(sample_blob_prefix_frame);
    source->decoded_size_bytes = sizeof(sample_blob);
    source->codec = ARTIFACT_CODEC_ZSTD_PREFIX;
}

static void use_code(test_sample *sample)
{
    sample->kind = SNAPCELL_ARTIFACT_CODE;
    set_data(sample, ARTIFACT_SECTION_BLOB, NULL, 0);
}

static void use_empty_blob(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_BLOB, NULL, 0);
}

static void use_utf16(test_sample *sample)
{
    sample->source_encoding = ARTIFACT_TEXT_UTF16LE;
    set_data(sample, ARTIFACT_SECTION_SOURCE, "a\0\xac\x20", 4);
}

static void use_utf16_code(test_sample *sample)
{
    use_code(sample);
    use_utf16(sample);
}

static void use_odd_utf16(test_sample *sample)
{
    sample->source_encoding = ARTIFACT_TEXT_UTF16LE;
    set_data(sample, ARTIFACT_SECTION_SOURCE, "a\0b", 3);
}

static void use_least(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_SOURCE_MAP);
    set_data(sample, ARTIFACT_SECTION_NAME, "n", 1);
    set_data(sample, ARTIFACT_SECTION_FILE_NAME, "f", 1);
    set_data(sample, ARTIFACT_SECTION_SOURCE, "s", 1);
    set_data(sample, ARTIFACT_SECTION_MANIFEST, "m", 1);
}

static const char name_201[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "a";

static void use_longest_name(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_NAME, name_201, 200);
}

static void use_long_name(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_NAME, name_201, 201);
}

static void use_long_file_name(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_FILE_NAME, sample_large_blob, 256);
}

static void use_framed_name(test_sample *sample)
{
    sample_section *name = sample_find(sample, ARTIFACT_SECTION_NAME);
    name->data = sample_blob_frame;
    name->stored_size_bytes = sizeof(sample_blob_frame);
    name->decoded_size_bytes = sizeof(sample_blob);
    name->codec = ARTIFACT_CODEC_ZSTD;
}

static void use_empty_source(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_SOURCE, NULL, 0);
}

static void use_empty_map(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_SOURCE_MAP, NULL, 0);
}

static void use_slash(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_NAME, "a/b", 3);
}
static void use_escape(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_NAME, "a\033[2J", 5);
}
static void use_zero(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_NAME, "a\0b", 3);
}
static void use_c1(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_FILE_NAME, "\xc2\x9b", 2);
}

static void use_latin1_name(test_sample *sample)
{
    set_data(sample, ARTIFACT_SECTION_FILE_NAME, "h\xe9llo", 5);
}

static void remove_name(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_NAME);
}
static void remove_file_name(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_FILE_NAME);
}
static void remove_blob(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_BLOB);
}
static void remove_source(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_SOURCE);
}
static void remove_manifest(test_sample *sample)
{
    sample_remove(sample, ARTIFACT_SECTION_MANIFEST);
}
static void remove_all(test_sample *sample)
{
    sample->section_count = 0;
}

static void add_optional(test_sample *sample)
{
    add_section(sample, 9, ARTIFACT_SECTION_OPTIONAL);
}
static void add_required(test_sample *sample)
{
    add_section(sample, 9, 0);
}

static void add_optional_codec(test_sample *sample)
{
    sample_add(sample, (sample_section){9, ARTIFACT_SECTION_OPTIONAL, 77, "later", 5, UINT64_MAX});
}

static void add_trailers(test_sample *sample)
{
    add_section(sample, 0xff00, ARTIFACT_SECTION_OPTIONAL);
    add_section(sample, 0xffff, ARTIFACT_SECTION_OPTIONAL);
}

static void add_signature(test_sample *sample)
{
    sample_add(sample, (sample_section){0xff00, ARTIFACT_SECTION_OPTIONAL, 0, sample_signature,
                                        sizeof(sample_signature), sizeof(sample_signature)});
}

static void add_required_trailer(test_sample *sample)
{
    add_section(sample, 0xff00, 0);
}

static void fill_table(test_sample *sample)
{
    while (sample->section_count < 32) {
        add_section(sample, (uint16_t)(sample->section_count + 1), ARTIFACT_SECTION_OPTIONAL);
    }
}

static void overfill_table(test_sample *sample)
{
    fill_table(sample);
    add_section(sample, 33, ARTIFACT_SECTION_OPTIONAL);
}

static void repeat_name(test_sample *sample)
{
    sample_add(sample, *sample_find(sample, ARTIFACT_SECTION_NAME));
}

/* --- zstd frames that lie --- */

#define TEXT "0123456789abcdefghijklmnopqrstuvwxyzABC" /* with its zero: 40 bytes */
#define MAGIC "\x28\xb5\x2f\xfd"
#define BLOCK "\x41\x01\x00" TEXT /* last, raw, 40 bytes */

#define FRAME_CASE(name, literal)                                                                  \
    static void name(test_sample *sample)                                                          \
    {                                                                                              \
        set_frame(sample, literal, sizeof(literal));                                               \
    }

FRAME_CASE(frame_none, TEXT)
FRAME_CASE(frame_two_bytes_size, MAGIC "\x60\x00\x00" BLOCK) /* 256 */
FRAME_CASE(frame_four_bytes_size, MAGIC "\xa0\x28\0\0\0" BLOCK)
FRAME_CASE(frame_eight_bytes_size, MAGIC "\xe0\x28\0\0\0\0\0\0\0" BLOCK)
FRAME_CASE(frame_window, MAGIC "\x80\x88\x28\0\0\0" BLOCK)      /* 2^27 */
FRAME_CASE(frame_wide_window, MAGIC "\x80\x90\x28\0\0\0" BLOCK) /* 2^28 */
FRAME_CASE(frame_without_size, MAGIC "\x00\x50" BLOCK)
FRAME_CASE(frame_bomb, MAGIC "\xe0\0\0\0\0\0\0\x10\0" BLOCK)
FRAME_CASE(frame_checksum, MAGIC "\x24\x28" BLOCK)
FRAME_CASE(frame_reserved_bit, MAGIC "\x28\x28" BLOCK)
FRAME_CASE(frame_unused_bit, MAGIC "\x30\x28" BLOCK)
FRAME_CASE(frame_dictionary, MAGIC "\x21\x07\x28" BLOCK)
FRAME_CASE(frame_reserved_block, MAGIC "\x20\x28\x47\x01\x00" TEXT)
FRAME_CASE(frame_no_last_block, MAGIC "\x20\x28\x40\x01\x00" TEXT)
FRAME_CASE(frame_block_past_end, MAGIC "\x20\x28\x49\x01\x00" TEXT)
FRAME_CASE(frame_bytes_behind, MAGIC "\x20\x28" BLOCK "\0")
FRAME_CASE(frame_twice, MAGIC "\x20\x28" BLOCK "\0" MAGIC "\x20\x28" BLOCK)
FRAME_CASE(frame_skippable, "\x50\x2a\x4d\x18\x28\0\0\0" TEXT)
/* One repeated byte, 40 times; the literal's zero is the byte. */
FRAME_CASE(frame_rle, MAGIC "\x20\x28\x43\x01\x00")
/* Passes what a reader checks: only decoding finds these. */
FRAME_CASE(frame_short_content, MAGIC "\x20\x28\x39\x01\x00" /* 39 */
                                      "0123456789abcdefghijklmnopqrstuvwxyzAB")
FRAME_CASE(frame_rle_bomb, MAGIC "\x20\x28\x02\x00\x10\x41\x03\x00\x10") /* 2 x 128 KiB */
FRAME_CASE(frame_bad_block, MAGIC "\x20\x28\x45\x01\x00" TEXT)

/* Copies from 124 bytes before the content: that is before the prefix. */
static void frame_before_prefix(test_sample *sample)
{
    set_frame(sample, MAGIC "\x20\x28\x3d\x00\x00\x00\x01\x00\xff\x32\x00\x01", 16);
    sample_find(sample, ARTIFACT_SECTION_BLOB)->codec = ARTIFACT_CODEC_ZSTD_PREFIX;
}

/* One that needs the prefix, passed off as one that does not. */
static void frame_without_prefix(test_sample *sample)
{
    set_frame(sample, sample_blob_prefix_frame, sizeof(sample_blob_prefix_frame));
}

static void frame_header_cut(test_sample *sample)
{
    set_frame(sample, sample_blob_frame, 5);
}
static void frame_cut(test_sample *sample)
{
    set_frame(sample, sample_blob_frame, 48);
}
static void frame_empty(test_sample *sample)
{
    set_frame(sample, NULL, 0);
}

/* Table and header agree on 16 MiB; the blocks hold 40 bytes. */
static void frame_agreed_lie(test_sample *sample)
{
    static const char frame[] = MAGIC "\xa0\0\0\0\x01" BLOCK;
    set_frame(sample, frame, sizeof(frame));
    sample_find(sample, ARTIFACT_SECTION_BLOB)->decoded_size_bytes = 16 << 20;
}

/* --- Endings other than a seal --- */

static void keep_bytes(test_sample *sample)
{
    (void)sample;
}

static void cut_header(test_sample *sample)
{
    sample_seal(sample);
    sample->size_bytes = sizeof(artifact_header) - 1;
}

static void cut_last(test_sample *sample)
{
    sample_seal(sample);
    sample->size_bytes--;
}

static void double_last(test_sample *sample)
{
    sample_seal(sample);
    sample->bytes[sample->size_bytes] = sample->bytes[sample->size_bytes - 1];
    sample->size_bytes++;
}

static void text_mode(test_sample *sample)
{
    sample_seal(sample);
    memmove(sample->bytes + 9, sample->bytes + 10, sample->size_bytes - 10); /* drops the CR */
    sample->size_bytes--;
}

static void wrong_checksum(test_sample *sample)
{
    sample_seal(sample);
    sample->bytes[offsetof(artifact_header, checksum)] ^= 1;
}

/* As an adversary would: the checksum is right. */
static void wrong_digest(test_sample *sample)
{
    sample_seal(sample);
    sample->bytes[offsetof(artifact_header, digest)] ^= 1;
    artifact_checksum(sample->bytes, sample->size_bytes,
                      ((artifact_header *)sample->bytes)->checksum);
}

/* A digest that claims the trailers, too. */
static void own_digest_end(test_sample *sample)
{
    le64_set(&((artifact_header *)sample->bytes)->digest_end, sample->size_bytes);
    sample_seal(sample);
}

static void flip_padding(test_sample *sample)
{
    /* The name has 5 bytes: 11 follow it. */
    const size_t entry = entry_offset(sample, ARTIFACT_SECTION_NAME);
    const artifact_section_entry *bytes = (const artifact_section_entry *)(sample->bytes + entry);
    sample->bytes[le64_get(bytes->offset) + 15] = 1;
    sample_seal(sample);
}

static void own_bytes_behind(test_sample *sample)
{
    artifact_header *header = (artifact_header *)sample->bytes;
    sample->size_bytes += 16;
    le64_set(&header->artifact_size, sample->size_bytes);
    le64_set(&header->digest_end, sample->size_bytes);
    sample_seal(sample);
}

static void table_past_end(test_sample *sample)
{
    artifact_header *header = (artifact_header *)sample->bytes;
    sample->size_bytes = sizeof(*header) + 6 * sizeof(artifact_section_entry) - 1;
    le64_set(&header->artifact_size, sample->size_bytes);
    le64_set(&header->digest_end, sample->size_bytes);
    sample_seal(sample);
}

static void swap_types(test_sample *sample)
{
    artifact_section_entry *table =
        (artifact_section_entry *)(sample->bytes + sizeof(artifact_header));
    le16_set(&table[0].type, ARTIFACT_SECTION_FILE_NAME);
    le16_set(&table[1].type, ARTIFACT_SECTION_NAME);
    sample_seal(sample);
}

static void own_commonjs_prelude(test_sample *sample)
{
    artifact_header *header = (artifact_header *)sample->bytes;
    header->source_format = SNAPCELL_SOURCE_COMMONJS;
    le32_set(&header->prelude_length, 1);
    sample_seal(sample);
}

static const case_row rows[] = {
    {GOOD("good-raw")},
    {GOOD("good-frame"), .change = use_frame},
    {GOOD("good-prefix"), .change = use_prefix},
    {GOOD("good-prefix-unused"), .change = use_frame, ENTRY(BLOB, codec, 2)},
    {GOOD("good-least"), .change = use_least},
    {GOOD("good-code"), .change = use_code},
    {GOOD("good-utf16"), .change = use_utf16},
    {GOOD("good-longest-name"), .change = use_longest_name},
    {GOOD("good-r14-full-table"), .change = fill_table},
    {GOOD("good-r22-optional-section"), .change = add_optional},
    {GOOD("good-r22-optional-section-codec"), .change = add_optional_codec},
    {GOOD("good-r34-trailers"), .change = add_trailers},
    {GOOD("good-signed"), .change = add_signature},
    {GOOD("good-r29-four-bytes-size"), .change = frame_four_bytes_size},
    {GOOD("good-r29-eight-bytes-size"), .change = frame_eight_bytes_size},
    {GOOD("good-r29-window"), .change = frame_window},
    {GOOD("good-r29-rle"), .change = frame_rle},
    {GOOD("good-r37-prelude"), .change = use_code, HEADER(prelude_length, 55)},
    {GOOD("good-r37-prelude-utf16"), .change = use_utf16_code, HEADER(prelude_length, 1)},
    {BAD("r01-header-cut", E_CORRUPT), .finish = cut_header},
    {BAD("r03-magic", E_CORRUPT), HEADER(magic, 0x89)},
    {BAD("r03-text-mode", E_CORRUPT), .finish = text_mode},
    {BAD("r04-version-0", E_FORMAT), HEADER(format_version, 0)},
    {BAD("r04-version-2", E_FORMAT), HEADER(format_version, 2)},
    {BAD("r05-cut", E_CORRUPT), .finish = cut_last},
    {BAD("r05-longer", E_CORRUPT), .finish = double_last},
    {BAD("r05-size-largest", E_CORRUPT), HEADER(artifact_size, UINT64_MAX)},
    {BAD("r06-checksum", E_CORRUPT), .finish = wrong_checksum},
    {BAD("r06-no-checksum", E_CORRUPT), .finish = keep_bytes},
    {BAD("r07-digest-end-small", E_CORRUPT), HEADER(digest_end, 191)},
    {BAD("r07-digest-end-largest", E_CORRUPT), HEADER(digest_end, UINT64_MAX)},
    {BAD("r08-digest", E_CORRUPT), .finish = wrong_digest},
    {BAD("r09-kind-0", E_FORMAT), HEADER(kind, 0)},
    {BAD("r09-kind-3", E_FORMAT), HEADER(kind, 3)},
    {BAD("r10-shape-0", E_FORMAT), HEADER(shape, 0)},
    {BAD("r10-shape-3", E_FORMAT), HEADER(shape, 3)},
    {BAD("r11-source-format-0", E_FORMAT), HEADER(source_format, 0)},
    {BAD("r11-source-format-4", E_FORMAT), HEADER(source_format, 4)},
    {BAD("r12-source-encoding-2", E_FORMAT), HEADER(source_encoding, 2)},
    {BAD("r13-reserved-first", E_FORMAT), HEADER(reserved[0], 1)},
    {BAD("r13-reserved-last", E_FORMAT), HEADER(reserved[35], 0x80)},
    {BAD("r14-sections-33", E_TOO_LARGE), .change = overfill_table},
    {BAD("r14-sections-largest", E_TOO_LARGE), HEADER(section_count, UINT32_MAX)},
    {BAD("r15-table-past-end", E_CORRUPT), .finish = table_past_end},
    {BAD("r16-type-0", E_CORRUPT), ENTRY(NAME, type, 0)},
    {BAD("r16-type-twice", E_CORRUPT), .change = repeat_name},
    {BAD("r16-types-descend", E_CORRUPT), .finish = swap_types},
    {BAD("r17-gap", E_CORRUPT), ENTRY(MANIFEST, offset, 592)},
    {BAD("r17-unaligned", E_CORRUPT), ENTRY(FILE_NAME, offset, 405)},
    {BAD("r17-overlap", E_CORRUPT), ENTRY(FILE_NAME, offset, 384)},
    {BAD("r17-in-header", E_CORRUPT), ENTRY(NAME, offset, 0)},
    {BAD("r17-offset-largest", E_CORRUPT), ENTRY(BLOB, offset, UINT64_MAX)},
    {BAD("r18-past-end", E_CORRUPT), ENTRY(MANIFEST, stored_size, 17)},
    {BAD("r18-size-largest", E_CORRUPT), ENTRY(BLOB, stored_size, UINT64_MAX)},
    {BAD("r19-padding", E_CORRUPT), .finish = flip_padding},
    {BAD("r20-flags", E_FORMAT), ENTRY(BLOB, flags, 2)},
    {BAD("r20-flags-all", E_FORMAT), ENTRY(SOURCE_MAP, flags, 0xff)},
    {BAD("r20-reserved", E_FORMAT), ENTRY(BLOB, reserved[3], 1)},
    {BAD("r21-required-section", E_FORMAT), .change = add_required},
    {BAD("r21-required-trailer", E_FORMAT), .change = add_required_trailer},
    {BAD("r23-blob-optional", E_CORRUPT), ENTRY(BLOB, flags, 1)},
    {BAD("r23-source-map-required", E_CORRUPT), ENTRY(SOURCE_MAP, flags, 0)},
    {BAD("r24-codec-3", E_FORMAT), ENTRY(BLOB, codec, 3)},
    {BAD("r24-codec-largest", E_FORMAT), ENTRY(NAME, codec, 255)},
    {BAD("r25-name-compressed", E_CORRUPT), .change = use_framed_name},
    {BAD("r25-manifest-compressed", E_CORRUPT), ENTRY(MANIFEST, codec, 1)},
    {BAD("r25-name-prefix", E_CORRUPT), ENTRY(NAME, codec, 2)},
    {BAD("r25-source-prefix", E_CORRUPT), .change = use_prefix_for_source},
    {BAD("r25-source-map-prefix", E_CORRUPT), ENTRY(SOURCE_MAP, codec, 2)},
    {BAD("r25-manifest-prefix", E_CORRUPT), ENTRY(MANIFEST, codec, 2)},
    {BAD("r26-name-201", E_TOO_LARGE), .change = use_long_name},
    {BAD("r26-file-name-256", E_TOO_LARGE), .change = use_long_file_name},
    {BAD("r26-blob-above-cap", E_TOO_LARGE), ENTRY(BLOB, decoded_size, (256 << 20) + 1)},
    {BAD("r26-blob-largest", E_TOO_LARGE), ENTRY(BLOB, decoded_size, UINT64_MAX)},
    {BAD("r26-source-above-cap", E_TOO_LARGE), ENTRY(SOURCE, decoded_size, (128 << 20) + 1)},
    {BAD("r26-map-above-cap", E_TOO_LARGE), ENTRY(SOURCE_MAP, decoded_size, (64 << 20) + 1)},
    {BAD("r26-manifest-above-cap", E_TOO_LARGE), ENTRY(MANIFEST, decoded_size, (1 << 20) + 1)},
    {BAD("r27-source-empty", E_CORRUPT), .change = use_empty_source},
    {BAD("r27-source-map-empty", E_CORRUPT), .change = use_empty_map},
    {BAD("r28-raw-grows", E_CORRUPT), ENTRY(BLOB, decoded_size, 41)},
    {BAD("r28-raw-shrinks", E_CORRUPT), ENTRY(SOURCE, decoded_size, 1)},
    {BAD("r29-no-frame", E_CORRUPT), .change = frame_none},
    {BAD("r29-frame-empty", E_CORRUPT), .change = frame_empty},
    {BAD("r29-frame-header-cut", E_CORRUPT), .change = frame_header_cut},
    {BAD("r29-frame-cut", E_CORRUPT), .change = frame_cut},
    {BAD("r29-other-content-size", E_CORRUPT), .change = frame_two_bytes_size},
    {BAD("r29-bomb", E_CORRUPT), .change = frame_bomb},
    {BAD("r29-no-content-size", E_CORRUPT), .change = frame_without_size},
    {BAD("r29-wide-window", E_CORRUPT), .change = frame_wide_window},
    {BAD("r29-checksum-flag", E_CORRUPT), .change = frame_checksum},
    {BAD("r29-reserved-bit", E_CORRUPT), .change = frame_reserved_bit},
    {BAD("r29-unused-bit", E_CORRUPT), .change = frame_unused_bit},
    {BAD("r29-dictionary-id", E_CORRUPT), .change = frame_dictionary},
    {BAD("r29-reserved-block", E_CORRUPT), .change = frame_reserved_block},
    {BAD("r29-no-last-block", E_CORRUPT), .change = frame_no_last_block},
    {BAD("r29-block-past-end", E_CORRUPT), .change = frame_block_past_end},
    {BAD("r29-bytes-behind", E_CORRUPT), .change = frame_bytes_behind},
    {BAD("r29-two-frames", E_CORRUPT), .change = frame_twice},
    {BAD("r29-skippable-frame", E_CORRUPT), .change = frame_skippable},
    {BAD("r29-prefix-no-frame", E_CORRUPT), ENTRY(BLOB, codec, 2)},
    {BAD("r29-prefix-two-frames", E_CORRUPT), .change = use_prefix_twice},
    {BAD("r30-slash", E_CORRUPT), .change = use_slash},
    {BAD("r30-escape", E_CORRUPT), .change = use_escape},
    {BAD("r30-zero", E_CORRUPT), .change = use_zero},
    {BAD("r30-c1", E_CORRUPT), .change = use_c1},
    {BAD("r30-latin1", E_CORRUPT), .change = use_latin1_name},
    {BAD("r31-blob-empty", E_CORRUPT), .change = use_empty_blob},
    {BAD("r32-utf16-odd", E_CORRUPT), .change = use_odd_utf16},
    {BAD("r33-bytes-behind", E_CORRUPT), .finish = own_bytes_behind},
    {BAD("r33-no-sections", E_CORRUPT), HEADER(section_count, 0)},
    {BAD("r34-digest-end", E_CORRUPT), HEADER(digest_end, 192)},
    {BAD("r34-digest-over-trailer", E_CORRUPT), .change = add_trailers, .finish = own_digest_end},
    {BAD("r35-nothing", E_CORRUPT), .change = remove_all},
    {BAD("r35-no-name", E_CORRUPT), .change = remove_name},
    {BAD("r35-no-file-name", E_CORRUPT), .change = remove_file_name},
    {BAD("r35-no-blob", E_CORRUPT), .change = remove_blob},
    {BAD("r35-no-source", E_CORRUPT), .change = remove_source},
    {BAD("r35-no-manifest", E_CORRUPT), .change = remove_manifest},
    {.result = {"r36-short-content", SNAPCELL_OK, SNAPCELL_E_CORRUPT},
     .change = frame_short_content},
    {.result = {"r36-agreed-lie", SNAPCELL_OK, SNAPCELL_E_CORRUPT}, .change = frame_agreed_lie},
    {.result = {"r36-rle-bomb", SNAPCELL_OK, SNAPCELL_E_CORRUPT}, .change = frame_rle_bomb},
    {.result = {"r36-bad-block", SNAPCELL_OK, SNAPCELL_E_CORRUPT}, .change = frame_bad_block},
    {.result = {"r36-before-prefix", SNAPCELL_OK, SNAPCELL_E_CORRUPT},
     .change = frame_before_prefix},
    {.result = {"r36-without-prefix", SNAPCELL_OK, SNAPCELL_E_CORRUPT},
     .change = frame_without_prefix},
    {BAD("r37-prelude-of-snapshot", E_CORRUPT), HEADER(prelude_length, 1)},
    {BAD("r37-prelude-is-whole", E_CORRUPT), .change = use_code, HEADER(prelude_length, 56)},
    {BAD("r37-prelude-largest", E_CORRUPT), .change = use_code, HEADER(prelude_length, UINT32_MAX)},
    {BAD("r37-prelude-in-bytes", E_CORRUPT), .change = use_utf16_code, HEADER(prelude_length, 2)},
    {BAD("r37-prelude-of-commonjs", E_CORRUPT), .change = use_code, .finish = own_commonjs_prelude},
};

const size_t sample_case_count = sizeof(rows) / sizeof(rows[0]);

const sample_case *sample_case_make(size_t index, test_sample *out)
{
    const case_row *row = &rows[index];
    sample_init(out);
    if (row->change != NULL) row->change(out);
    sample_layout(out);
    apply_edit(out, &row->edit);
    if (row->finish != NULL) {
        row->finish(out);
    } else {
        sample_seal(out);
    }
    return &row->result;
}
