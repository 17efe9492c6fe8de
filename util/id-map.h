#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct IdMapEntry {
        uint64_t id;
        void *value; /* NULL: a free place */
} IdMapEntry;

/* Numbers and what belongs to them; all zero is the empty map. The values stay the caller's. */
typedef struct IdMap {
        IdMapEntry *entries;
        size_t n, allocated;
} IdMap;

int id_map_put(IdMap *map, uint64_t id, void *value);
void *id_map_get(const IdMap *map, uint64_t id);
void *id_map_remove(IdMap *map, uint64_t id);
void *id_map_next(const IdMap *map, size_t *position);
void id_map_done(IdMap *map);
