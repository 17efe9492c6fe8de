/*
 * Finding a thing by its number in one step, however many there are. A place that is taken sends to
 * the next one; what is removed is filled up from behind, so that no marks of the dead pile up.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "id-map.h"
#include "macros.h"

#define PLACES_MIN ((size_t) 16) /* a power of two, as all later sizes */

/* Whoever hands out the numbers may count up, or by strides: each bit of them counts. */
static size_t home_of(const IdMap *map, uint64_t id) {
        id ^= id >> 32;
        id *= UINT64_C(0x9e3779b97f4a7c15);
        return (size_t) (id >> 32) & (map->allocated - 1);
}

/* Where @id is, or the free place where it would be. */
static IdMapEntry *find(const IdMap *map, uint64_t id) {
        size_t i = home_of(map, id);

        while (map->entries[i].value && map->entries[i].id != id)
                i = (i + 1) & (map->allocated - 1);
        return &map->entries[i];
}

static int grow(IdMap *map) {
        IdMap more = { .n = map->n, .allocated = map->allocated ? 2 * map->allocated : PLACES_MIN };

        more.entries = calloc(more.allocated, sizeof(*more.entries));
        if (!more.entries)
                return -ENOMEM;
        for (size_t i = 0; i < map->allocated; i++)
                if (map->entries[i].value)
                        *find(&more, map->entries[i].id) = map->entries[i];
        free(map->entries);
        *map = more;
        return 0;
}

/**
 * id_map_put() - remember a value
 * @value: not NULL
 *
 * Return: 0, -EEXIST if there is one by that number already, or -ENOMEM.
 */
int id_map_put(IdMap *map, uint64_t id, void *value) {
        IdMapEntry *entry;
        int r;

        assert(value);

        if (id_map_get(map, id))
                return -EEXIST;
        if (2 * (map->n + 1) > map->allocated) {
                r = grow(map);
                if (r < 0)
                        return r;
        }
        entry = find(map, id);
        *entry = (IdMapEntry){ .id = id, .value = value };
        map->n++;
        return 0;
}

/** id_map_get() - the value, or NULL. */
void *id_map_get(const IdMap *map, uint64_t id) {
        return map->n > 0 ? find(map, id)->value : NULL;
}

/** id_map_remove() - forget a value; answers what it was, or NULL. */
void *id_map_remove(IdMap *map, uint64_t id) {
        const size_t mask = map->allocated - 1;
        IdMapEntry *entry;
        size_t hole;
        void *value;

        entry = map->n > 0 ? find(map, id) : NULL;
        if (!entry || !entry->value)
                return NULL;
        value = entry->value;
        hole = (size_t) (entry - map->entries);

        for (size_t i = (hole + 1) & mask; map->entries[i].value; i = (i + 1) & mask) {
                size_t home = home_of(map, map->entries[i].id);

                /* It may move back only as far as its home. */
                if (((i - home) & mask) < ((i - hole) & mask))
                        continue;
                map->entries[hole] = map->entries[i];
                hole = i;
        }
        map->entries[hole] = (IdMapEntry){ 0 };
        map->n--;
        return value;
}

/** id_map_next() - each value once, in any order; @position is 0 at first, NULL is the end. */
void *id_map_next(const IdMap *map, size_t *position) {
        while (*position < map->allocated) {
                void *value = map->entries[(*position)++].value;

                if (value)
                        return value;
        }
        return NULL;
}

void id_map_done(IdMap *map) {
        free(map->entries);
        *map = (IdMap){ 0 };
}
