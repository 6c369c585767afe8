/* A hash map from (scope, space, address) to a number: which object an address means just now.
 * Scope is a process, or 0 for what is one in the whole recording; a space keeps apart things that
 * may share an address without being one (a queue and the mutex that is its first member). Open
 * addressing, linear probing, at most half full; keys are never removed, values may change. */
#ifndef REEL_MODEL_ADDRESS_MAP_H
#define REEL_MODEL_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_address_entry {
    uint64_t address;
    uint32_t place; /* scope and space, never 0 when used */
    uint32_t value; /* 0 = a key that means nothing now */
};

struct reel_address_map {
    struct reel_address_entry *entry;
    size_t mask; /* capacity - 1; 0 before the first insertion */
    size_t count;
};

#define REEL_ADDRESS_SPACES      64u
#define REEL_ADDRESS_SCOPE_LIMIT (UINT32_MAX / REEL_ADDRESS_SPACES - 1)

static inline uint32_t reel_address_place(uint32_t scope, uint32_t space)
{
    return (scope + 1) * REEL_ADDRESS_SPACES + space;
}

static inline size_t reel_address_hash(uint32_t place, uint64_t address)
{
    uint64_t mixed = (address ^ (uint64_t)place << 40 ^ place) * 0x9e3779b97f4a7c15ull;
    return (size_t)(mixed ^ mixed >> 32);
}

/* The entry of that key, or NULL. Valid until the next insertion. */
static inline struct reel_address_entry *reel_address_map_find(const struct reel_address_map *map,
                                                               uint32_t place, uint64_t address)
{
    if (!map->entry)
        return NULL;
    for (size_t i = reel_address_hash(place, address);; i++) {
        struct reel_address_entry *entry = &map->entry[i & map->mask];
        if (entry->address == address && entry->place == place)
            return entry;
        if (!entry->place)
            return NULL;
    }
}

/* The value of that key, 0 when there is none. */
static inline uint32_t reel_address_map_get(const struct reel_address_map *map, uint32_t place,
                                            uint64_t address)
{
    const struct reel_address_entry *entry = reel_address_map_find(map, place, address);
    return entry ? entry->value : 0;
}

/* Sets the value; false when memory ran out. */
bool reel_address_map_set(struct reel_address_map *map, uint32_t place, uint64_t address,
                          uint32_t value);
void reel_address_map_clear(struct reel_address_map *map);

#endif
