#include "artifact_samples.h"

#include <stdbool.h>
#include <string.h>

#include "artifact_checksum.h"

const char sample_name[] = "hello";
const char sample_file_name[] = "h\xc3\xa9llo.js";
const char sample_source[] = "export default { fetch() { return new Response('hi') } }";
const char sample_source_map[] = "{\"version\":3,\"sources\":[],\"mappings\":\"\"}";
const char sample_manifest[] = "{\"name\":\"hello\"}";
const uint8_t sample_blob[40] = "0123456789abcdefghijklmnopqrstuvwxyzABC";
const uint8_t sample_large_blob[4096] = {1, 2, 3};
const uint8_t sample_large_prefix[3000] = {1, 2, 3};

/* Magic; single segment with one byte of content size; 40; the last block, raw, of 40 bytes. */
const uint8_t sample_blob_frame[49] = "\x28\xb5\x2f\xfd\x20\x28\x41\x01\x00"
                                      "0123456789abcdefghijklmnopqrstuvwxyzABC";

const uint8_t sample_prefix[100] = "--------------------"
                                   "0123456789abcdefghijklmnopqrstuvwxyzABC\0"
                                   "----------------------------------------";

/* Magic; single segment with one byte of content size; 40; the last block, compressed, of 7 bytes:
 * no literals, one sequence, which copies 40 bytes from 80 bytes before the content. */
const uint8_t sample_blob_prefix_frame[16] = "\x28\xb5\x2f\xfd\x20\x28\x3d\x00\x00"
                                             "\x00\x01\x00\xa7\x32\x00\x01";

/* Scheme, sizes, zeros; the public key; the name; the signature. Never to change. */
const uint8_t sample_signature[117] =
    "\x01\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x8a\x88\xe3\xdd\x74\x09\xf1\x95\xfd\x52\xdb\x2d\x3c\xba\x5d\x72"
    "\xca\x67\x09\xbf\x1d\x94\x12\x1b\xf3\x74\x88\x01\xb4\x0f\x6f\x5c"
    "hello\x6f\x95\x89\xe9\xee\xed\x0e\x1c\x13\x13\x69"
    "\x11\xe6\x54\x1c\x3c\xa0\x80\xe1\x53\x34\xe4\x6a\x5a\x18\x91\x39"
    "\xa7\x77\x7f\x22\xfb\x1f\x4f\xe7\xf1\xf8\x8e\xb5\x50\x17\x5a\x68"
    "\x16\x34\x58\x23\x27\x5a\x53\xe6\x9c\xe5\xbe\x23\xcb\xb4\x99\x6d"
    "\x82\xdc\x31\xe8\x0d";

static sample_section sample_raw(uint16_t type, const void *data, size_t size_bytes)
{
    return (sample_section){type, 0, ARTIFACT_CODEC_RAW, data, size_bytes, size_bytes};
}

void sample_init(test_sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    sample->kind = SNAPCELL_ARTIFACT_SNAPSHOT;
    sample->source_encoding = ARTIFACT_TEXT_LATIN1;
    sample_add(sample, sample_raw(ARTIFACT_SECTION_NAME, sample_name, strlen(sample_name)));
    sample_add(sample,
               sample_raw(ARTIFACT_SECTION_FILE_NAME, sample_file_name, strlen(sample_file_name)));
    sample_add(sample, sample_raw(ARTIFACT_SECTION_BLOB, sample_blob, sizeof(sample_blob)));
    sample_add(sample, sample_raw(ARTIFACT_SECTION_SOURCE, sample_source, strlen(sample_source)));
    sample_add(sample, sample_raw(ARTIFACT_SECTION_SOURCE_MAP, sample_source_map,
                                  strlen(sample_source_map)));
    sample_find(sample, ARTIFACT_SECTION_SOURCE_MAP)->flags = ARTIFACT_SECTION_OPTIONAL;
    sample_add(sample,
               sample_raw(ARTIFACT_SECTION_MANIFEST, sample_manifest, strlen(sample_manifest)));
}

artifact_spec sample_spec(void)
{
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .name = sample_name,
        .file_name = sample_file_name,
        .blob = {sample_blob, sizeof(sample_blob)},
        .source = {sample_source, strlen(sample_source)},
        .source_encoding = ARTIFACT_TEXT_LATIN1,
        .source_map = {sample_source_map, strlen(sample_source_map)},
        .manifest = {sample_manifest, strlen(sample_manifest)},
        .codec = ARTIFACT_CODEC_RAW,
    };
    memset(spec.key.bytes, 0x11, sizeof(spec.key.bytes));
    memset(spec.engine.bytes, 0x22, sizeof(spec.engine.bytes));
    memset(spec.host.bytes, 0x33, sizeof(spec.host.bytes));
    memset(spec.bundle_hash, 0x44, sizeof(spec.bundle_hash));
    return spec;
}

sample_section *sample_find(test_sample *sample, uint16_t type)
{
    for (size_t i = 0; i < sample->section_count; i++) {
        if (sample->sections[i].type == type) return &sample->sections[i];
    }
    return NULL;
}

void sample_add(test_sample *sample, sample_section section)
{
    size_t at = sample->section_count++;
    for (; at > 0 && sample->sections[at - 1].type > section.type; at--) {
        sample->sections[at] = sample->sections[at - 1];
    }
    sample->sections[at] = section;
}

void sample_remove(test_sample *sample, uint16_t type)
{
    sample_section *section = sample_find(sample, type);
    const sample_section *end = sample->sections + sample->section_count--;
    memmove(section, section + 1, (size_t)(end - (section + 1)) * sizeof(*section));
}

static void sample_layout_sections(test_sample *sample, artifact_header *header)
{
    artifact_section_entry *table =
        (artifact_section_entry *)(sample->bytes + sizeof(artifact_header));
    size_t end = sizeof(artifact_header) + sample->section_count * sizeof(artifact_section_entry);
    bool trailing = false;
    for (size_t i = 0; i < sample->section_count; i++) {
        const sample_section *section = &sample->sections[i];
        end = (end + 15) / 16 * 16;
        if (section->type >= 0xff00 && !trailing) {
            le64_set(&header->digest_end, end);
            trailing = true;
        }
        le16_set(&table[i].type, section->type);
        table[i].flags = section->flags;
        table[i].codec = section->codec;
        le64_set(&table[i].offset, end);
        le64_set(&table[i].stored_size, section->stored_size_bytes);
        le64_set(&table[i].decoded_size, section->decoded_size_bytes);
        if (section->stored_size_bytes > 0) {
            memcpy(sample->bytes + end, section->data, section->stored_size_bytes);
        }
        end += section->stored_size_bytes;
    }
    if (!trailing) le64_set(&header->digest_end, end);
    le64_set(&header->artifact_size, end);
    sample->size_bytes = end;
}

void sample_layout(test_sample *sample)
{
    memset(sample->bytes, 0, sizeof(sample->bytes));
    artifact_header *header = (artifact_header *)sample->bytes;
    memcpy(header->magic, "\x89snapcell\r\n\x1a", 12);
    le32_set(&header->format_version, 1);
    header->kind = sample->kind;
    header->shape = SNAPCELL_SHAPE_FETCH;
    header->source_format = SNAPCELL_SOURCE_ESM;
    header->source_encoding = sample->source_encoding;
    le32_set(&header->section_count, (uint32_t)sample->section_count);
    memset(header->key, 0x11, sizeof(header->key));
    memset(header->engine, 0x22, sizeof(header->engine));
    memset(header->host, 0x33, sizeof(header->host));
    memset(header->bundle_hash, 0x44, sizeof(header->bundle_hash));
    sample_layout_sections(sample, header);
}

void sample_seal(test_sample *sample)
{
    const artifact_header *header = (const artifact_header *)sample->bytes;
    const uint64_t digest_end = le64_get(header->digest_end);
    if (digest_end < sizeof(*header) || digest_end > sample->size_bytes) {
        /* No digest can be right then; the checksum can. */
        artifact_checksum(sample->bytes, sample->size_bytes,
                          ((artifact_header *)sample->bytes)->checksum);
        return;
    }
    artifact_seal(sample->bytes, sample->size_bytes);
}
