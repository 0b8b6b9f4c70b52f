/* The structure of data.mdb, checked page by page: what LMDB would follow into a crash, or take for
 * free and overwrite, is an error instead.
 *
 * Opening checks it, to read as far as few pages go (a store of some thousand artifacts is checked
 * whole), to write all of it; `snapcell verify` looks at every page. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_pages.h"

/* So many pages are read when a store is opened to read: a fraction of a millisecond. */
#define STORE_CHECK_BRIEF_PAGES 256

typedef enum store_tree_kind {
    STORE_TREE_MAIN,     /* names databases */
    STORE_TREE_DATABASE, /* one of the three that a store has */
    STORE_TREE_FREE,     /* free pages; its keys are numbers */
} store_tree_kind;

typedef struct store_walk {
    store_pages pages;
    store_check_depth depth;
    bool is_short;   /* the file has fewer pages than it claims */
    uint64_t budget; /* pages that may still be read */
    bool cut;        /* it did not go far enough for all */
    uint8_t *used;   /* Owned: a bit for each page */
    snapcell_error *err;

    /* The tree being walked. */
    store_lmdb_tree tree;
    store_lmdb_tree seen;
    store_tree_kind kind;
    uint8_t last_key[STORE_LMDB_KEY_SIZE_MAX];
    size_t last_key_size_bytes;
    bool last_is_branch;          /* then a key may equal it */
    store_lmdb_tree databases[3]; /* found in the main tree */
    unsigned database_count;
    bool foreign; /* the main tree has what no store has */
} store_walk;

static int store_walk_damaged(const store_walk *walk, uint64_t page, const char *what)
{
    return store_pages_damaged(&walk->pages, page, what, walk->err);
}

static bool store_is_ours(const store_node *node)
{
    static const char *const names[] = {"artifacts", "names", "meta"};
    for (size_t i = 0; node->is_tree && i < sizeof(names) / sizeof(names[0]); i++) {
        if (node->key_size_bytes == strlen(names[i]) &&
            memcmp(node->key, names[i], node->key_size_bytes) == 0)
            return true;
    }
    return false;
}

static bool store_page_is_used(const store_walk *walk, uint64_t page)
{
    return (walk->used[page / 8] >> page % 8 & 1) != 0;
}

/* Every page has one use. */
static int store_walk_use(store_walk *walk, uint64_t first, uint64_t count, const char *what)
{
    for (uint64_t page = first; page < first + count; page++) {
        if (store_page_is_used(walk, page)) return store_walk_damaged(walk, page, what);
        walk->used[page / 8] |= (uint8_t)(1u << page % 8);
    }
    return SNAPCELL_OK;
}

/* --- Nodes
 * -------------------------------------------------------------------------------------------------
 */

/* Keys ascend over the whole tree, those of branches among them; lookups rest on it. */
static int store_walk_key(store_walk *walk, uint64_t page, const store_node *node, bool is_branch)
{
    if (node->key_size_bytes == 0 ||
        (walk->kind == STORE_TREE_FREE && node->key_size_bytes != sizeof(uint64_t))) {
        return store_walk_damaged(walk, page, "has a key of a size that cannot be");
    }
    const int least = walk->last_is_branch && !is_branch ? 0 : 1;
    const store_node last = {.key = walk->last_key, .key_size_bytes = walk->last_key_size_bytes};
    if (last.key_size_bytes > 0 &&
        store_node_order(node, &last, walk->kind == STORE_TREE_FREE) < least) {
        return store_walk_damaged(walk, page, "has keys that are out of order");
    }
    memcpy(walk->last_key, node->key, node->key_size_bytes);
    walk->last_key_size_bytes = node->key_size_bytes;
    walk->last_is_branch = is_branch;
    return SNAPCELL_OK;
}

static int store_walk_overflow(store_walk *walk, const store_node *node)
{
    store_lmdb_page header;
    const uint64_t count = store_overflow_count(&walk->pages, node->value_size_bytes);
    walk->seen.overflow_pages += count;
    if (walk->depth == STORE_CHECK_ALL_PAGES) {
        if (!store_file_read(walk->pages.file, &header, sizeof(header),
                             node->page * walk->pages.page_size)) {
            return store_walk_damaged(walk, node->page, "cannot be read");
        }
        if (header.number != node->page || header.flags != STORE_LMDB_PAGE_OVERFLOW ||
            (header.lower | (uint64_t)header.upper << 16) != count) {
            return store_walk_damaged(walk, node->page, "should be the first of a long value");
        }
    }
    return store_walk_use(walk, node->page, count, "is used twice");
}

/* The value of a record of free pages: how many, then their numbers. */
static int store_walk_free_list(store_walk *walk, uint64_t page, const store_node *node)
{
    uint64_t count = 0;
    uint64_t numbers[256];
    if (!store_node_read(&walk->pages, node, 0, &count, sizeof(count)) ||
        count >= node->value_size_bytes / sizeof(count)) {
        return store_walk_damaged(walk, page, "has a list of free pages that cannot be");
    }
    for (uint64_t done = 0; done < count;) {
        const uint64_t left = count - done;
        const uint64_t some = left < 256 ? left : 256;
        if (!store_node_read(&walk->pages, node, (done + 1) * sizeof(count), numbers,
                             (size_t)some * sizeof(count)))
            return store_walk_damaged(walk, page, "has a list of free pages that cannot be");
        for (uint64_t i = 0; i < some; i++) {
            if (numbers[i] < STORE_LMDB_META_PAGES || numbers[i] >= walk->pages.page_count)
                return store_walk_damaged(walk, numbers[i], "is free, but not in the file");
            int status = store_walk_use(walk, numbers[i], 1, "is both free and in use");
            if (status != SNAPCELL_OK) return status;
        }
        done += some;
    }
    return SNAPCELL_OK;
}

static void store_walk_main_node(store_walk *walk, const store_node *node)
{
    if (!store_is_ours(node) || walk->database_count == 3) {
        walk->foreign = true;
        return;
    }
    memcpy(&walk->databases[walk->database_count++], node->value, sizeof(store_lmdb_tree));
}

static int store_walk_leaf_node(store_walk *walk, uint64_t page, const store_node *node)
{
    int status = store_walk_key(walk, page, node, false);
    if (status == SNAPCELL_OK && node->page != 0) status = store_walk_overflow(walk, node);
    if (status == SNAPCELL_OK && walk->kind == STORE_TREE_FREE)
        status = store_walk_free_list(walk, page, node);
    if (status == SNAPCELL_OK && walk->kind == STORE_TREE_MAIN) store_walk_main_node(walk, node);
    walk->seen.entries++;
    return status;
}

/* --- Pages and trees
 * -------------------------------------------------------------------------------------------------
 */

static int store_walk_page(store_walk *walk, uint64_t number, unsigned depth);

/* The first key of a branch is empty: nothing is less than the key there. */
static int store_walk_branch_node(store_walk *walk, uint64_t page, const store_node *node,
                                  unsigned index, unsigned depth)
{
    int status = index == 0 ? SNAPCELL_OK : store_walk_key(walk, page, node, true);
    return status == SNAPCELL_OK ? store_walk_page(walk, node->page, depth + 1) : status;
}

static int store_walk_nodes(store_walk *walk, uint64_t number, const uint8_t *page, unsigned depth)
{
    size_t sum_bytes = 0;
    const bool is_leaf = store_page_is_leaf(page);
    const unsigned count = store_page_node_count(page);
    for (unsigned i = 0; i < count; i++) {
        store_node node;
        size_t size_bytes = 0;
        if (!store_page_node(&walk->pages, page, i, &node, &size_bytes)) {
            return store_walk_damaged(walk, number, "has an entry that lies outside of it");
        }
        sum_bytes += size_bytes + size_bytes % 2;
        int status = is_leaf ? store_walk_leaf_node(walk, number, &node)
                             : store_walk_branch_node(walk, number, &node, i, depth);
        if (status != SNAPCELL_OK) return status;
    }
    store_lmdb_page header;
    memcpy(&header, page, sizeof(header));
    if (sum_bytes == walk->pages.page_size - header.upper) return SNAPCELL_OK;
    return store_walk_damaged(walk, number, "has entries that overlap or are missing");
}

static int store_walk_page(store_walk *walk, uint64_t number, unsigned depth)
{
    if (walk->budget == 0) {
        walk->cut = true;
        return SNAPCELL_OK;
    }
    walk->budget--;
    cleanup_free uint8_t *page = malloc(walk->pages.page_size);
    if (page == NULL) {
        return error_set(walk->err, SNAPCELL_E_NOMEM, "out of memory while checking the store %s",
                         walk->pages.path);
    }
    int status = store_page_read(&walk->pages, number, page, walk->err);
    if (status == SNAPCELL_OK) status = store_walk_use(walk, number, 1, "is used twice");
    if (status != SNAPCELL_OK) return status;
    const bool is_leaf = store_page_is_leaf(page);
    if (is_leaf != (depth >= walk->tree.depth)) {
        return store_walk_damaged(walk, number, "is at the wrong depth of its tree");
    }
    walk->seen.leaf_pages += is_leaf;
    walk->seen.branch_pages += !is_leaf;
    return store_walk_nodes(walk, number, page, depth);
}

static int store_walk_tree(store_walk *walk, const store_lmdb_tree *tree, store_tree_kind kind)
{
    walk->tree = *tree;
    walk->seen = (store_lmdb_tree){0};
    walk->kind = kind;
    walk->last_key_size_bytes = 0;
    walk->last_is_branch = false;
    int status = SNAPCELL_OK;
    if (tree->depth > STORE_LMDB_DEPTH_MAX || (kind == STORE_TREE_DATABASE && tree->flags != 0)) {
        return store_walk_damaged(walk, tree->root, "is the root of a tree that cannot be");
    }
    if (tree->root != STORE_LMDB_NO_PAGE) status = store_walk_page(walk, tree->root, 1);
    if (status != SNAPCELL_OK || walk->cut) return status;
    if (walk->seen.branch_pages == tree->branch_pages &&
        walk->seen.leaf_pages == tree->leaf_pages &&
        walk->seen.overflow_pages == tree->overflow_pages && walk->seen.entries == tree->entries) {
        return SNAPCELL_OK;
    }
    return store_walk_damaged(walk, tree->root, "is the root of a tree that misses something");
}

static int store_walk_account(const store_walk *walk)
{
    for (uint64_t page = STORE_LMDB_META_PAGES; page < walk->pages.page_count; page++) {
        if (!store_page_is_used(walk, page))
            return store_walk_damaged(walk, page, "is neither in use nor free");
    }
    return SNAPCELL_OK;
}

static int store_walk_all(store_walk *walk, const store_lmdb_meta *meta)
{
    int status = store_walk_tree(walk, &meta->trees[1], STORE_TREE_MAIN);
    /* Whatever another program keeps in its trees is told from a store by its content, later. */
    if (status != SNAPCELL_OK || walk->foreign) return status;
    for (unsigned i = 0; status == SNAPCELL_OK && i < walk->database_count; i++) {
        status = store_walk_tree(walk, &walk->databases[i], STORE_TREE_DATABASE);
    }
    if (status == SNAPCELL_OK) status = store_walk_tree(walk, &meta->trees[0], STORE_TREE_FREE);
    if (status == SNAPCELL_OK && walk->depth == STORE_CHECK_ALL_PAGES)
        status = store_walk_account(walk);
    return status;
}

static int store_check_newest(int file, const char *path, store_lmdb_meta *out, snapcell_error *err)
{
    store_lmdb_meta other;
    if (!store_file_read(file, out, sizeof(*out), 0) ||
        !store_file_read(file, &other, sizeof(other), out->trees[0].pad)) {
        return error_set(err, SNAPCELL_E_IO, "cannot read the first pages of %s/data.mdb", path);
    }
    if (other.transaction > out->transaction) *out = other;
    return SNAPCELL_OK;
}

static int store_check_file_pages(store_walk *walk, snapcell_error *err)
{
    struct stat status;
    store_pages *pages = &walk->pages;
    if (fstat(pages->file, &status) != 0) {
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot look at %s/data.mdb",
                               pages->path);
    }
    pages->file_page_count = (uint64_t)status.st_size / pages->page_size;
    walk->is_short = pages->file_page_count < pages->page_count;
    /* What lies in the file after the last page does not belong to this state. */
    if (!walk->is_short) pages->file_page_count = pages->page_count;
    return SNAPCELL_OK;
}

int store_check_structure(int file, const char *path, store_check_depth depth, snapcell_error *err)
{
    store_lmdb_meta meta;
    int status = store_check_newest(file, path, &meta, err);
    if (status != SNAPCELL_OK) return status;
    store_walk walk = {.depth = depth, .err = err};
    walk.budget = depth == STORE_CHECK_BRIEF ? STORE_CHECK_BRIEF_PAGES : UINT64_MAX;
    walk.pages = (store_pages){.file = file,
                               .path = path,
                               .page_size = meta.trees[0].pad,
                               .page_count = meta.last_page + 1};
    status = store_check_file_pages(&walk, err);
    if (status != SNAPCELL_OK) return status;
    if (walk.is_short) walk.budget = UINT64_MAX;
    cleanup_free uint8_t *used = calloc(walk.pages.page_count / 8 + 1, 1);
    if (used == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while checking the store %s", path);
    }
    walk.used = used;
    status = store_walk_all(&walk, &meta);
    return status == SNAPCELL_E_STORE_CORRUPT && walk.is_short
               ? store_pages_truncated(&walk.pages, err)
               : status;
}
