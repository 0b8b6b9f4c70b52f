/* LMDB's file as bytes: its pages are read with bounds and without trust, since LMDB itself follows
 * whatever they say. Internal to store/ and its tests.
 *
 * The format is that of LMDB 0.9 on a 64-bit little-endian machine, as far as a store uses it: two
 * meta pages, then B+ trees of pages. A value of more than half a page is in a run of overflow
 * pages. A tree in a leaf of the main tree is a database. */
#ifndef SNAPCELL_STORE_PAGES_H
#define SNAPCELL_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

#define STORE_LMDB_MAGIC 0xBEEFC0DEu
#define STORE_LMDB_VERSION 1u
#define STORE_LMDB_PAGE_BRANCH 0x01u
#define STORE_LMDB_PAGE_LEAF 0x02u
#define STORE_LMDB_PAGE_OVERFLOW 0x04u
#define STORE_LMDB_PAGE_META 0x08u
#define STORE_LMDB_NODE_BIG 0x01u  /* its value lies in overflow pages */
#define STORE_LMDB_NODE_TREE 0x02u /* its value is a tree */
#define STORE_LMDB_PAGE_SIZE_MIN 256u
#define STORE_LMDB_PAGE_SIZE_MAX 0x8000u
#define STORE_LMDB_KEY_SIZE_MAX 511u
#define STORE_LMDB_DEPTH_MAX 32u
#define STORE_LMDB_NO_PAGE UINT64_MAX
#define STORE_LMDB_META_PAGES 2u

/* What every message about damage ends with. */
#define STORE_DAMAGE_ADVICE "restore it, or recover what is intact with `snapcell salvage --to DIR`"

typedef struct store_lmdb_page {
    uint64_t number;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower; /* end of the offsets of nodes; with `upper`, of overflow pages: their count */
    uint16_t upper; /* begin of the nodes */
} store_lmdb_page;

typedef struct store_lmdb_tree {
    uint32_t pad; /* of the first tree: the page size */
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root;
} store_lmdb_tree;

typedef struct store_lmdb_meta {
    store_lmdb_page page;
    uint32_t magic;
    uint32_t version;
    uint64_t address;
    uint64_t map_size_bytes;
    store_lmdb_tree trees[2]; /* free pages, and the main one */
    uint64_t last_page;
    uint64_t transaction;
} store_lmdb_meta;

typedef struct store_lmdb_node {
    uint16_t low; /* of the value's size, or of the child's page number */
    uint16_t middle;
    uint16_t flags; /* of a branch: the high part of the page number */
    uint16_t key_size;
} store_lmdb_node;

_Static_assert(sizeof(store_lmdb_page) == 16, "LMDB's page header");
_Static_assert(sizeof(store_lmdb_tree) == 48, "LMDB's tree record");
_Static_assert(sizeof(store_lmdb_meta) == 16 + 136, "LMDB's meta page");
_Static_assert(sizeof(store_lmdb_node) == 8, "LMDB's node header");
_Static_assert(sizeof(size_t) == 8, "LMDB's file format on 64-bit machines");

/* Where pages are read from. */
typedef struct store_pages {
    int file;
    const char *path; /* of the store, for messages */
    size_t page_size;
    uint64_t page_count; /* what follows them is not looked at */
    /* How many of them the file has: less, when LMDB took a new page at the end and freed it in the
     * same transaction, without ever writing it. What is in use must be there. */
    uint64_t file_page_count;
} store_pages;

/* A node that lies within its page, Borrowed from the page's bytes. */
typedef struct store_node {
    const uint8_t *key;
    size_t key_size_bytes;
    const uint8_t *value; /* NULL when it is in overflow pages, or of a branch */
    uint64_t value_size_bytes;
    uint64_t page; /* a branch's child, or the first of the overflow pages; else 0 */
    bool is_tree;
} store_node;

/* Fills in `err`: which file, which page, what about it, what to do. Returns E_STORE_CORRUPT. */
int store_pages_damaged(const store_pages *pages, uint64_t page, const char *what,
                        snapcell_error *err);

int store_pages_truncated(const store_pages *pages, snapcell_error *err);

bool store_file_read(int file, void *out, size_t size_bytes, uint64_t offset);

/* Reads a branch or leaf into `page`, of page_size bytes, and checks its frame: number, kind,
 * bounds. */
int store_page_read(const store_pages *pages, uint64_t number, uint8_t *page, snapcell_error *err);
unsigned store_page_node_count(const uint8_t *page);
bool store_page_is_leaf(const uint8_t *page);
/* Node `index` of a page that was read. False when it does not lie within the page or its overflow
 * pages not within the file; `out_size_bytes`: what it takes of the page. */
bool store_page_node(const store_pages *pages, const uint8_t *page, unsigned index, store_node *out,
                     size_t *out_size_bytes);
/* Below, at or above 0 as LMDB orders their keys: bytes, or the numbers that list free pages. */
int store_node_order(const store_node *a, const store_node *b, bool are_numbers);
/* How many overflow pages a value of this size takes. */
uint64_t store_overflow_count(const store_pages *pages, uint64_t size_bytes);
/* Copies a value, which may be in overflow pages, from `offset` on. False when it cannot be read.
 */
bool store_node_read(const store_pages *pages, const store_node *node, uint64_t offset, void *out,
                     size_t size_bytes);

/* --- store_check.c --- */

typedef enum store_check_depth {
    STORE_CHECK_BRIEF,    /* trees as far as few pages go */
    STORE_CHECK_TREES,    /* every branch and leaf, every free page */
    STORE_CHECK_ALL_PAGES /* and every overflow page; each page has one use */
} store_check_depth;

/* Checks the structure of the newest state in `file`, of which nothing may be reused meanwhile: a
 * read transaction is open, or nobody else knows the file. Errors: E_STORE_CORRUPT, E_NOMEM,
 * E_IO. */
int store_check_structure(int file, const char *path, store_check_depth depth, snapcell_error *err);

#endif
