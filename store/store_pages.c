/* Pages and nodes of LMDB's file, with bounds. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "error_set.h"
#include "store_pages.h"

int store_pages_damaged(const store_pages *pages, uint64_t page, const char *what,
                        snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                     "%s/data.mdb is damaged: page %llu %s; " STORE_DAMAGE_ADVICE, pages->path,
                     (unsigned long long)page, what);
}

int store_pages_truncated(const store_pages *pages, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_STORE_CORRUPT,
                     "%s/data.mdb is truncated: expected %llu pages of %llu bytes, found "
                     "%llu; " STORE_DAMAGE_ADVICE,
                     pages->path, (unsigned long long)pages->page_count,
                     (unsigned long long)pages->page_size,
                     (unsigned long long)pages->file_page_count);
}

bool store_file_read(int file, void *out, size_t size_bytes, uint64_t offset)
{
    ssize_t got;
    do {
        got = pread(file, out, size_bytes, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)size_bytes;
}

static store_lmdb_page store_page_header(const uint8_t *page)
{
    store_lmdb_page header;
    memcpy(&header, page, sizeof(header));
    return header;
}

unsigned store_page_node_count(const uint8_t *page)
{
    return (unsigned)((store_page_header(page).lower - sizeof(store_lmdb_page)) / sizeof(uint16_t));
}

bool store_page_is_leaf(const uint8_t *page)
{
    return store_page_header(page).flags == STORE_LMDB_PAGE_LEAF;
}

int store_page_read(const store_pages *pages, uint64_t number, uint8_t *page, snapcell_error *err)
{
    if (number < STORE_LMDB_META_PAGES || number >= pages->file_page_count) {
        return store_pages_damaged(pages, number, "is in use, but no page that can be", err);
    }
    if (!store_file_read(pages->file, page, pages->page_size, number * pages->page_size)) {
        return store_pages_damaged(pages, number, "cannot be read", err);
    }
    const store_lmdb_page header = store_page_header(page);
    if (header.number != number ||
        (header.flags != STORE_LMDB_PAGE_BRANCH && header.flags != STORE_LMDB_PAGE_LEAF)) {
        return store_pages_damaged(pages, number, "should be part of a tree", err);
    }
    /* A branch with a single child is nothing that LMDB writes, or survives. */
    const size_t least = header.flags == STORE_LMDB_PAGE_BRANCH ? 2 : 1;
    if (header.lower < sizeof(header) + least * sizeof(uint16_t) || header.lower % 2 != 0 ||
        header.lower > header.upper || header.upper > pages->page_size) {
        return store_pages_damaged(pages, number, "has bounds that cannot be", err);
    }
    return SNAPCELL_OK;
}

uint64_t store_overflow_count(const store_pages *pages, uint64_t size_bytes)
{
    return (sizeof(store_lmdb_page) + size_bytes + pages->page_size - 1) / pages->page_size;
}

static bool store_overflow_fits(const store_pages *pages, const store_node *node)
{
    const uint64_t count = store_overflow_count(pages, node->value_size_bytes);
    return node->page >= STORE_LMDB_META_PAGES && node->page < pages->file_page_count &&
           count <= pages->file_page_count - node->page;
}

static bool store_leaf_node(const store_pages *pages, const uint8_t *value, size_t room,
                            const store_lmdb_node *header, store_node *out, size_t *out_size_bytes)
{
    const bool is_big = (header->flags & STORE_LMDB_NODE_BIG) != 0;
    out->value_size_bytes = header->low | (uint64_t)header->middle << 16;
    out->is_tree = (header->flags & STORE_LMDB_NODE_TREE) != 0;
    if (header->flags & ~(STORE_LMDB_NODE_BIG | STORE_LMDB_NODE_TREE)) return false;
    const uint64_t here = is_big ? sizeof(uint64_t) : out->value_size_bytes;
    if (here > room) return false;
    *out_size_bytes += here;
    if (!is_big) {
        out->value = value;
        return !out->is_tree || out->value_size_bytes == sizeof(store_lmdb_tree);
    }
    memcpy(&out->page, value, sizeof(out->page));
    return !out->is_tree && store_overflow_fits(pages, out);
}

bool store_page_node(const store_pages *pages, const uint8_t *page, unsigned index, store_node *out,
                     size_t *out_size_bytes)
{
    uint16_t offset;
    store_lmdb_node header;
    memset(out, 0, sizeof(*out));
    memcpy(&offset, page + sizeof(store_lmdb_page) + index * sizeof(offset), sizeof(offset));
    if (offset < store_page_header(page).upper || offset % 2 != 0 ||
        offset + sizeof(header) > pages->page_size)
        return false;
    memcpy(&header, page + offset, sizeof(header));
    size_t room = pages->page_size - offset - sizeof(header);
    if (header.key_size > room || header.key_size > STORE_LMDB_KEY_SIZE_MAX) return false;
    room -= header.key_size;
    out->key = page + offset + sizeof(header);
    out->key_size_bytes = header.key_size;
    *out_size_bytes = sizeof(header) + header.key_size;
    if (store_page_is_leaf(page)) {
        return store_leaf_node(pages, out->key + header.key_size, room, &header, out,
                               out_size_bytes);
    }
    out->page = header.low | (uint64_t)header.middle << 16 | (uint64_t)header.flags << 32;
    return true;
}

int store_node_order(const store_node *a, const store_node *b, bool are_numbers)
{
    const size_t a_size = a->key_size_bytes;
    const size_t b_size = b->key_size_bytes;
    if (are_numbers && a_size == sizeof(uint64_t) && b_size == sizeof(uint64_t)) {
        uint64_t left;
        uint64_t right;
        memcpy(&left, a->key, sizeof(left));
        memcpy(&right, b->key, sizeof(right));
        return (left > right) - (left < right);
    }
    const int order = memcmp(a->key, b->key, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

bool store_node_read(const store_pages *pages, const store_node *node, uint64_t offset, void *out,
                     size_t size_bytes)
{
    if (offset > node->value_size_bytes || size_bytes > node->value_size_bytes - offset)
        return false;
    if (node->value != NULL) {
        memcpy(out, node->value + offset, size_bytes);
        return true;
    }
    return store_file_read(pages->file, out, size_bytes,
                           node->page * pages->page_size + sizeof(store_lmdb_page) + offset);
}
