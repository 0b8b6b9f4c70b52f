#include "image_shelf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool key_is(const image_key *a, const image_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Unlinks what `link` points to. */
static shelf_image *shelf_take(image_shelf *shelf, shelf_image **link)
{
    shelf_image *image = *link;
    *link = image->next;
    shelf->count--;
    shelf->size_bytes -= image->size_bytes;
    return image;
}

static void shelf_add(image_shelf *shelf, shelf_image *image)
{
    image->next = shelf->newest;
    shelf->newest = image;
    shelf->count++;
    shelf->size_bytes += image->size_bytes;
}

static void shelf_release(shelf_image *image)
{
    close(image->fd);
    free(image);
}

static shelf_image **shelf_seek(image_shelf *shelf, const image_key *key)
{
    shelf_image **link = &shelf->newest;
    while (*link != NULL && !key_is(&(*link)->key, key))
        link = &(*link)->next;
    return link;
}

shelf_image *image_shelf_find(image_shelf *shelf, const image_key *key, uint64_t now_ns)
{
    shelf_image **link = shelf_seek(shelf, key);
    if (*link == NULL) return NULL;
    shelf_add(shelf, shelf_take(shelf, link));
    shelf->newest->used_ns = now_ns;
    return shelf->newest;
}

/* Where more functions take turns than have room, making room for each would leave none of them an
 * image for its next turn. */
bool image_shelf_admits(const image_shelf *shelf, uint64_t used_ns)
{
    if (shelf->count == 0) return true;
    uint64_t common_bytes = shelf->size_bytes / shelf->count;
    if (shelf->size_bytes_max - shelf->size_bytes >= common_bytes) return true;
    const shelf_image *oldest = shelf->newest;
    while (oldest->next != NULL)
        oldest = oldest->next;
    return oldest->used_ns < used_ns;
}

void image_shelf_drop(image_shelf *shelf, const image_key *key)
{
    shelf_image **link = shelf_seek(shelf, key);
    if (*link != NULL) shelf_release(shelf_take(shelf, link));
}

static void shelf_drop_oldest(image_shelf *shelf)
{
    shelf_image **link = &shelf->newest;
    while ((*link)->next != NULL)
        link = &(*link)->next;
    shelf_release(shelf_take(shelf, link));
}

bool image_shelf_put(image_shelf *shelf, const shelf_image *given)
{
    shelf_image *image =
        given->size_bytes <= shelf->size_bytes_max ? calloc(1, sizeof(*image)) : NULL;
    image_shelf_drop(shelf, &given->key);
    if (image == NULL) {
        close(given->fd);
        return false;
    }
    while (shelf->size_bytes_max - shelf->size_bytes < given->size_bytes)
        shelf_drop_oldest(shelf);
    *image = *given;
    shelf_add(shelf, image);
    return true;
}

void image_shelf_clear(image_shelf *shelf)
{
    while (shelf->newest != NULL)
        shelf_release(shelf_take(shelf, &shelf->newest));
}
