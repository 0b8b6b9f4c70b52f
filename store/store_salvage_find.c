/* Finding artifacts and names in a data.mdb that LMDB must not see: by its trees as far as they can
 * be followed, and by looking at all of its bytes.
 *
 * LMDB never writes over what the last state needs. So pages that are free hold older states, as
 * far as the list of free pages can be read, and so does all that is loose where the trees are
 * whole: what lies there was removed and stays so, but may be a spare copy of what is damaged. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact_layout.h"
#include "cleanup.h"
#include "error_set.h"
#include "store_record.h"
#include "store_salvage.h"

/* No value of "meta" is larger: a release of 65,536 names of 255 bytes. */
#define SALVAGE_RECORD_SIZE_MAX ((uint64_t)32 << 20)

#define SALVAGE_CHUNK_SIZE ((size_t)1 << 20)

typedef struct salvage_search {
    salvage_finds *finds;
    salvage_rank rank;
    bool broken;      /* a page could not be read, or lacks entries */
    bool free_broken; /* among those that list free pages */
    unsigned database_count;
    bool no_memory;
    uint8_t *visited; /* Owned: a bit for each page, as is the next */
    uint8_t *free_pages;
} salvage_search;

typedef void salvage_node_fn(salvage_search *search, uint64_t offset, const store_node *node);

static bool salvage_bit(const uint8_t *bits, uint64_t index)
{
    return (bits[index / 8] >> index % 8 & 1) != 0;
}

static void salvage_bit_set(uint8_t *bits, uint64_t index)
{
    bits[index / 8] |= (uint8_t)(1u << index % 8);
}

/* Room for one more, by doubling. */
static void *salvage_grow(salvage_search *search, void *items, size_t count, size_t item_size)
{
    if (count > 0 && (count & (count - 1)) != 0) return items;
    void *larger = reallocarray(items, count > 0 ? count * 2 : 1, item_size);
    if (larger == NULL) search->no_memory = true;
    return larger;
}

static void salvage_add_artifact(salvage_search *search, const salvage_artifact *artifact)
{
    salvage_finds *finds = search->finds;
    salvage_artifact *items =
        salvage_grow(search, finds->artifacts, finds->artifact_count, sizeof(*items));
    if (items == NULL) return;
    finds->artifacts = items;
    items[finds->artifact_count++] = *artifact;
}

static void salvage_add_name(salvage_search *search, const store_name_entry *entry)
{
    salvage_finds *finds = search->finds;
    salvage_name *items = salvage_grow(search, finds->names, finds->name_count, sizeof(*items));
    if (items == NULL) return;
    finds->names = items;
    salvage_name *name = &items[finds->name_count++];
    memset(name, 0, sizeof(*name));
    memcpy(name->name, entry->name, strlen(entry->name)); /* store_name_parse() saw its length */
    name->engine = *entry->engine;
    name->key = *entry->key;
    name->rank = search->rank;
}

/* --- By the trees
 * -------------------------------------------------------------------------------------------------
 */

static void salvage_page(salvage_search *search, uint64_t number, unsigned depth,
                         salvage_node_fn *each);

static void salvage_free_node(salvage_search *search, uint64_t offset, const store_node *node);

/* A bit in a page's index can make it list one record twice, and another one not. */
static void salvage_see_order(salvage_search *search, const store_node *node, store_node *last,
                              salvage_node_fn *each)
{
    if (last->key_size_bytes > 0 && store_node_order(node, last, each == salvage_free_node) <= 0)
        search->broken = true;
    *last = *node;
}

static void salvage_nodes(salvage_search *search, uint64_t number, const uint8_t *page,
                          unsigned depth, salvage_node_fn *each)
{
    const store_pages *pages = &search->finds->pages;
    const unsigned count = store_page_node_count(page);
    store_node last = {0};
    for (unsigned i = 0; i < count; i++) {
        store_node node;
        size_t size_bytes = 0;
        if (!store_page_node(pages, page, i, &node, &size_bytes)) {
            search->broken = true;
            continue;
        }
        salvage_see_order(search, &node, &last, each);
        if (!store_page_is_leaf(page)) {
            salvage_page(search, node.page, depth + 1, each);
        } else {
            uint64_t offset = node.page * pages->page_size + sizeof(store_lmdb_page);
            if (node.value != NULL) {
                offset = number * pages->page_size + (uint64_t)(node.value - page);
            }
            each(search, offset, &node);
        }
    }
}

static void salvage_page(salvage_search *search, uint64_t number, unsigned depth,
                         salvage_node_fn *each)
{
    const store_pages *pages = &search->finds->pages;
    cleanup_free uint8_t *page = malloc(pages->page_size);
    if (page == NULL) search->no_memory = true;
    if (page == NULL || depth > STORE_LMDB_DEPTH_MAX || number >= pages->page_count ||
        salvage_bit(search->visited, number) ||
        store_page_read(pages, number, page, NULL) != SNAPCELL_OK) {
        search->broken = true;
        return;
    }
    salvage_bit_set(search->visited, number);
    salvage_nodes(search, number, page, depth, each);
}

static void salvage_tree(salvage_search *search, const store_lmdb_tree *tree, salvage_node_fn *each)
{
    if (tree->root != STORE_LMDB_NO_PAGE) salvage_page(search, tree->root, 1, each);
}

static void salvage_artifact_node(salvage_search *search, uint64_t offset, const store_node *node)
{
    salvage_artifact artifact = {
        .offset = offset, .size_bytes = node->value_size_bytes, .rank = search->rank};
    if (node->key_size_bytes != sizeof(artifact.key)) {
        search->broken = true;
        return;
    }
    memcpy(&artifact.key, node->key, sizeof(artifact.key));
    salvage_add_artifact(search, &artifact);
}

static bool salvage_parse_name(const store_node *node, store_name_entry *out)
{
    const MDB_val key = {.mv_size = node->key_size_bytes, .mv_data = (void *)(uintptr_t)node->key};
    const MDB_val value = {.mv_size = node->value_size_bytes,
                           .mv_data = (void *)(uintptr_t)node->value};
    return node->value != NULL && store_name_parse(&key, &value, out) == MDB_SUCCESS &&
           snapcell_name_check(out->name, NULL) == SNAPCELL_OK;
}

static void salvage_name_node(salvage_search *search, uint64_t offset, const store_node *node)
{
    store_name_entry entry;
    (void)offset;
    if (salvage_parse_name(node, &entry)) {
        salvage_add_name(search, &entry);
    } else {
        search->broken = true;
    }
}

static void salvage_database(salvage_search *search, const store_node *node, size_t *count,
                             salvage_node_fn *each)
{
    store_lmdb_tree tree;
    const size_t before = *count;
    memcpy(&tree, node->value, sizeof(tree));
    salvage_tree(search, &tree, each);
    search->broken |= *count - before != tree.entries;
    search->database_count++;
}

static bool salvage_is_record(const store_node *node)
{
    static const char *const prefixes[] = {"release:", "releases", "event:", "history:"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const size_t size = strlen(prefixes[i]);
        if (node->key_size_bytes >= size && memcmp(node->key, prefixes[i], size) == 0) return true;
    }
    return false;
}

/* Whether it was written so; `*out_value`: Owned. */
static bool salvage_read_record(const salvage_search *search, const store_node *node,
                                uint8_t **out_value)
{
    record_reader reader;
    const size_t size = (size_t)node->value_size_bytes;
    if (node->value_size_bytes > SALVAGE_RECORD_SIZE_MAX ||
        node->value_size_bytes > search->finds->file_size_bytes)
        return false;
    cleanup_free uint8_t *value = malloc(size + 1);
    const MDB_val key = {.mv_size = node->key_size_bytes, .mv_data = (void *)(uintptr_t)node->key};
    const MDB_val bytes = {.mv_size = size, .mv_data = value};
    if (value == NULL || !store_node_read(&search->finds->pages, node, 0, value, size) ||
        record_open(&key, &bytes, &reader) != MDB_SUCCESS)
        return false;
    *out_value = steal_pointer(&value);
    return true;
}

static void salvage_record_node(salvage_search *search, uint64_t offset, const store_node *node)
{
    uint8_t *value = NULL;
    salvage_finds *finds = search->finds;
    (void)offset;
    if (node->is_tree || !salvage_is_record(node)) return;
    if (node->key_size_bytes > STORE_LMDB_KEY_SIZE_MAX ||
        !salvage_read_record(search, node, &value)) {
        if (search->rank == SALVAGE_NEWEST) finds->record_lost_count++;
        return;
    }
    salvage_record *items =
        salvage_grow(search, finds->records, finds->record_count, sizeof(*items));
    if (items == NULL) {
        free(value);
        return;
    }
    finds->records = items;
    salvage_record *record = &items[finds->record_count++];
    memcpy(record->key, node->key, node->key_size_bytes);
    record->key_size_bytes = node->key_size_bytes;
    record->value = value;
    record->value_size_bytes = (size_t)node->value_size_bytes;
}

/* What cannot be found of it concerns releases, but neither artifacts nor names. */
static void salvage_meta_database(salvage_search *search, const store_node *node)
{
    store_lmdb_tree tree;
    const bool was_broken = search->broken;
    memcpy(&tree, node->value, sizeof(tree));
    search->broken = false;
    salvage_tree(search, &tree, salvage_record_node);
    if (search->rank == SALVAGE_NEWEST) search->finds->records_complete = !search->broken;
    search->broken = was_broken;
}

static bool salvage_is_database(const store_node *node, const char *name)
{
    return node->is_tree && node->key_size_bytes == strlen(name) &&
           memcmp(node->key, name, node->key_size_bytes) == 0;
}

static void salvage_main_node(salvage_search *search, uint64_t offset, const store_node *node)
{
    salvage_finds *finds = search->finds;
    (void)offset;
    if (salvage_is_database(node, "artifacts"))
        salvage_database(search, node, &finds->artifact_count, salvage_artifact_node);
    if (salvage_is_database(node, "names"))
        salvage_database(search, node, &finds->name_count, salvage_name_node);
    /* What the newest state has not was removed. */
    if (salvage_is_database(node, "meta") && !finds->records_complete)
        salvage_meta_database(search, node);
}

static void salvage_free_node(salvage_search *search, uint64_t offset, const store_node *node)
{
    const store_pages *pages = &search->finds->pages;
    uint64_t count = 0;
    (void)offset;
    if (!store_node_read(pages, node, 0, &count, sizeof(count)) ||
        count >= node->value_size_bytes / sizeof(count)) {
        search->broken = true;
        return;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = 0;
        if (!store_node_read(pages, node, i * sizeof(page), &page, sizeof(page))) {
            search->broken = true;
            return;
        }
        if (page < pages->page_count) salvage_bit_set(search->free_pages, page);
    }
}

static void salvage_state(salvage_search *search, const store_lmdb_meta *meta, salvage_rank rank)
{
    search->rank = rank;
    memset(search->visited, 0, search->finds->pages.page_count / 8 + 1);
    salvage_tree(search, &meta->trees[1], salvage_main_node);
    if (rank != SALVAGE_NEWEST) return;
    search->finds->complete = !search->broken && search->database_count == 2;
    search->broken = false;
    salvage_tree(search, &meta->trees[0], salvage_free_node);
    search->free_broken = search->broken;
}

/* --- By looking at all bytes
 * -------------------------------------------------------------------------------------------------
 */

static bool salvage_is_free(const salvage_search *search, uint64_t offset)
{
    const uint64_t page = offset / search->finds->pages.page_size;
    return !search->free_broken && salvage_bit(search->free_pages, page);
}

static void salvage_magic(salvage_search *search, uint64_t offset)
{
    artifact_header header;
    const salvage_finds *finds = search->finds;
    if (!store_file_read(finds->pages.file, &header, sizeof(header), offset)) return;
    const uint64_t size = le64_get(header.artifact_size);
    const bool is_old = finds->complete || salvage_is_free(search, offset);
    salvage_artifact artifact = {
        .offset = offset, .size_bytes = size, .rank = is_old ? SALVAGE_SPARE : SALVAGE_LOOSE};
    if (size < sizeof(header) || size > finds->file_size_bytes - offset) return;
    memcpy(&artifact.key, header.key, sizeof(artifact.key));
    salvage_add_artifact(search, &artifact);
}

static void salvage_scan_artifacts(salvage_search *search)
{
    const salvage_finds *finds = search->finds;
    cleanup_free uint8_t *chunk = malloc(SALVAGE_CHUNK_SIZE);
    if (chunk == NULL) {
        search->no_memory = true;
        return;
    }
    /* Chunks overlap by what a magic that is cut by their border takes. */
    const size_t step = SALVAGE_CHUNK_SIZE - ARTIFACT_MAGIC_SIZE;
    for (uint64_t start = 0; start < finds->file_size_bytes; start += step) {
        const uint64_t left = finds->file_size_bytes - start;
        const size_t size = left < SALVAGE_CHUNK_SIZE ? (size_t)left : SALVAGE_CHUNK_SIZE;
        if (!store_file_read(finds->pages.file, chunk, size, start)) continue;
        const uint8_t *end = chunk + size;
        const uint8_t *hit = chunk;
        while ((hit = memmem(hit, (size_t)(end - hit), ARTIFACT_MAGIC, ARTIFACT_MAGIC_SIZE))) {
            if ((size_t)(hit - chunk) < step)
                salvage_magic(search, start + (uint64_t)(hit - chunk));
            hit++;
        }
    }
}

static void salvage_loose_names(salvage_search *search, const uint8_t *page)
{
    const unsigned count = store_page_node_count(page);
    for (unsigned i = 0; i < count; i++) {
        store_node node;
        store_name_entry entry;
        size_t size_bytes = 0;
        if (!store_page_node(&search->finds->pages, page, i, &node, &size_bytes)) continue;
        if (salvage_parse_name(&node, &entry)) salvage_add_name(search, &entry);
        if (!search->finds->records_complete) salvage_record_node(search, 0, &node);
    }
}

static void salvage_scan_names(salvage_search *search)
{
    const store_pages *pages = &search->finds->pages;
    cleanup_free uint8_t *page = malloc(pages->page_size);
    if (page == NULL) search->no_memory = true;
    for (uint64_t i = STORE_LMDB_META_PAGES; page != NULL && i < pages->page_count; i++) {
        if (salvage_is_free(search, i * pages->page_size)) continue;
        if (store_page_read(pages, i, page, NULL) == SNAPCELL_OK && store_page_is_leaf(page))
            salvage_loose_names(search, page);
    }
}

/* --- The whole
 * -------------------------------------------------------------------------------------------------
 */

static bool salvage_meta(int file, uint64_t offset, store_lmdb_meta *out)
{
    return store_file_read(file, out, sizeof(*out), offset) && out->magic == STORE_LMDB_MAGIC &&
           out->version == STORE_LMDB_VERSION && out->trees[0].pad >= STORE_LMDB_PAGE_SIZE_MIN &&
           out->trees[0].pad <= STORE_LMDB_PAGE_SIZE_MAX &&
           (out->trees[0].pad & (out->trees[0].pad - 1)) == 0;
}

/* Reads the meta pages that are left, the newest first. Returns how many. */
static unsigned salvage_metas(int file, store_lmdb_meta metas[2])
{
    store_lmdb_meta second;
    unsigned count = salvage_meta(file, 0, &metas[0]) ? 1 : 0;
    for (uint64_t size = STORE_LMDB_PAGE_SIZE_MIN; size <= STORE_LMDB_PAGE_SIZE_MAX; size *= 2) {
        if (!salvage_meta(file, size, &second) || second.trees[0].pad != size) continue;
        metas[count++] = second;
        break;
    }
    if (count == 2 && metas[1].transaction > metas[0].transaction) {
        metas[1] = metas[0];
        metas[0] = second;
    }
    return count;
}

static void salvage_search_all(salvage_search *search, const store_lmdb_meta metas[2],
                               unsigned count)
{
    /* When one of the two is gone it may have been the newest, for which the other one's free pages
     * were not. */
    const bool both = count == 2 && metas[0].transaction - metas[1].transaction <= 1;
    search->free_broken = true;
    for (unsigned i = 0; i < count; i++) {
        salvage_state(search, &metas[i], i == 0 ? SALVAGE_NEWEST : SALVAGE_OLDER);
        search->finds->complete &= both;
        if (search->finds->complete && search->finds->records_complete) break;
    }
    search->free_broken |= !both;
    salvage_scan_artifacts(search);
    if (search->finds->complete) return;
    search->rank = SALVAGE_LOOSE;
    salvage_scan_names(search);
}

int salvage_find(int file, const char *path, salvage_finds *out, snapcell_error *err)
{
    struct stat status;
    store_lmdb_meta metas[2];
    memset(out, 0, sizeof(*out));
    if (fstat(file, &status) != 0) {
        return error_set(err, SNAPCELL_E_IO, "cannot look at %s/" STORE_DATA_FILE, path);
    }
    const unsigned count = salvage_metas(file, metas);
    out->file_size_bytes = (uint64_t)status.st_size;
    out->damaged = store_file_check(file, path, NULL) != SNAPCELL_OK ||
                   store_check_structure(file, path, STORE_CHECK_ALL_PAGES, NULL) != SNAPCELL_OK;
    out->pages = (store_pages){.file = file,
                               .path = path,
                               .page_size = count > 0 ? metas[0].trees[0].pad
                                                      : (size_t)sysconf(_SC_PAGESIZE)};
    out->pages.page_count = out->file_size_bytes / out->pages.page_size;
    out->pages.file_page_count = out->pages.page_count;
    const size_t bits = (size_t)out->file_size_bytes / STORE_LMDB_PAGE_SIZE_MIN / 8 + 1;
    cleanup_free uint8_t *visited = calloc(bits, 1);
    cleanup_free uint8_t *free_pages = calloc(bits, 1);
    salvage_search search = {.finds = out, .visited = visited, .free_pages = free_pages};
    search.no_memory = visited == NULL || free_pages == NULL;
    if (!search.no_memory) salvage_search_all(&search, metas, count);
    if (search.no_memory) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while salvaging %s", path);
    }
    if (count > 0 || out->artifact_count > 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOT_A_STORE,
                     "%s/" STORE_DATA_FILE " is not a snapcell store: it has neither LMDB's first "
                     "pages nor any artifact",
                     path);
}

void salvage_finds_release(salvage_finds *finds)
{
    free(finds->artifacts);
    free(finds->names);
    for (size_t i = 0; i < finds->record_count; i++)
        free(finds->records[i].value);
    free(finds->records);
    memset(finds, 0, sizeof(*finds));
}
