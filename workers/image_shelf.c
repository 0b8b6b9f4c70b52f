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
    shelf->size_bytes -= image->size_bytes;
    return image;
}

static void shelf_add(image_shelf *shelf, shelf_image *image)
{
    image->next = shelf->newest;
    shelf->newest = image;
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

shelf_image *image_shelf_find(image_shelf *shelf, const image_key *key)
{
    shelf_image **link = shelf_seek(shelf, key);
    if (*link == NULL) return NULL;
    shelf_add(shelf, shelf_take(shelf, link));
    return shelf->newest;
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

bool image_shelf_put(image_shelf *shelf, const image_key *key, int fd, uint64_t size_bytes,
                     uint64_t made_ns)
{
    shelf_image *image = size_bytes <= shelf->size_bytes_max ? calloc(1, sizeof(*image)) : NULL;
    image_shelf_drop(shelf, key);
    if (image == NULL) {
        close(fd);
        return false;
    }
    while (shelf->size_bytes_max - shelf->size_bytes < size_bytes)
        shelf_drop_oldest(shelf);
    *image = (shelf_image){.key = *key, .fd = fd, .size_bytes = size_bytes, .made_ns = made_ns};
    shelf_add(shelf, image);
    return true;
}

void image_shelf_clear(image_shelf *shelf)
{
    while (shelf->newest != NULL)
        shelf_release(shelf_take(shelf, &shelf->newest));
}
