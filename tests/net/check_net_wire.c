/* What goes over the socket: what is written is read back, and what is cut is noticed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../format/check_run.h"
#include "net_wire.h"

static const snapcell_header two_headers[] = {{"a", ""}, {"bb", "value"}};

static void write_all(wire_writer *writer)
{
    wire_put_u64(writer, (uint64_t)INT64_C(-2));
    wire_put_string(writer, "text");
    net_put_headers(writer, two_headers, 2);
    wire_put_u32(writer, 7);
}

/* Whether all of it was there. */
static bool read_all(const void *data, size_t size)
{
    wire_reader reader = wire_reader_over(data, size);
    int64_t number = (int64_t)wire_get_u64(&reader);
    const char *text = wire_get_string(&reader);
    snapcell_header *headers = NULL;
    size_t count = net_get_headers(&reader, &headers);
    uint32_t last = wire_get_u32(&reader);
    if (!reader.failed) {
        ck_assert_int_eq(number, -2);
        ck_assert_str_eq(text, "text");
        ck_assert_uint_eq(count, 2);
        ck_assert_str_eq(headers[1].name, "bb");
        ck_assert_str_eq(headers[1].value, "value");
        ck_assert_uint_eq(last, 7);
    }
    free(headers);
    return !reader.failed;
}

START_TEST(test_what_is_written_is_read)
{
    wire_writer writer = {0};
    write_all(&writer);
    ck_assert(!writer.failed);
    ck_assert(read_all(writer.data, writer.size_bytes));
    wire_writer_release(&writer);
}
END_TEST

START_TEST(test_every_cut_is_noticed)
{
    wire_writer writer = {0};
    write_all(&writer);
    for (size_t size = 0; size < writer.size_bytes; size++) {
        char *copy = malloc(size + 1); /* of that size, so that a sanitizer sees what is beyond */
        memcpy(copy, writer.data, size);
        copy = realloc(copy, size > 0 ? size : 1);
        ck_assert_msg(!read_all(copy, size), "cut at %zu", size);
        free(copy);
    }
    wire_writer_release(&writer);
}
END_TEST

START_TEST(test_counts_and_texts_are_checked)
{
    static const uint32_t many[] = {UINT32_MAX, 0, 0};
    wire_reader reader = wire_reader_over(many, sizeof(many));
    snapcell_header *headers = NULL;
    ck_assert_uint_eq(net_get_headers(&reader, &headers), 0);
    ck_assert(reader.failed);
    ck_assert_ptr_null(headers);
    static const char *const texts[] = {"\0\0\0\0\0\0\0", "\2\0\0\0\0\0\0\0a\0",
                                        "\1\0\0\0\0\0\0\0ax", "\3\0\0\0\0\0\0\0a\0b"};
    static const size_t sizes[] = {8, 10, 10, 12};
    for (size_t i = 0; i < 4; i++) {
        reader = wire_reader_over(texts[i], sizes[i]);
        ck_assert_ptr_null(wire_get_string(&reader));
        ck_assert_msg(reader.failed, "text %zu", i);
    }
}
END_TEST

START_TEST(test_frame_has_a_cap)
{
    static char large[NET_FRAME_SIZE_MAX + 1];
    wire_writer writer = {0};
    wire_put_raw(&writer, large, sizeof(large) - 1);
    ck_assert(net_body_fits(&writer));
    wire_put_raw(&writer, large, 1);
    ck_assert(!net_body_fits(&writer));
    wire_writer_release(&writer);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("net_wire");
    tcase_add_test(tcase, test_what_is_written_is_read);
    tcase_add_test(tcase, test_every_cut_is_noticed);
    tcase_add_test(tcase, test_counts_and_texts_are_checked);
    tcase_add_test(tcase, test_frame_has_a_cap);
    Suite *suite = suite_create("net_wire");
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
