#include "tracer/model/address_map.h"

#include <stdlib.h>

static struct reel_address_entry *slot(struct reel_address_map *map, uint32_t place,
                                       uint64_t address)
{
    size_t i = reel_address_hash(place, address);
    while (map->entry[i & map->mask].place)
        i++;
    return &map->entry[i & map->mask];
}

static bool grow(struct reel_address_map *map)
{
    struct reel_address_map larger = {.mask = map->entry ? map->mask * 2 + 1 : 1023};
    larger.entry = calloc(larger.mask + 1, sizeof *larger.entry);
    if (!larger.entry)
        return false;
    for (size_t i = 0; map->entry && i <= map->mask; i++)
        if (map->entry[i].place)
            *slot(&larger, map->entry[i].place, map->entry[i].address) = map->entry[i];
    larger.count = map->count;
    free(map->entry);
    *map = larger;
    return true;
}

bool reel_address_map_set(struct reel_address_map *map, uint32_t place, uint64_t address,
                          uint32_t value)
{
    struct reel_address_entry *entry = reel_address_map_find(map, place, address);
    if (entry) {
        entry->value = value;
        return true;
    }
    if ((!map->entry || map->count * 2 > map->mask) && !grow(map))
        return false;
    entry = slot(map, place, address);
    *entry = (struct reel_address_entry){address, place, value};
    map->count++;
    return true;
}

void reel_address_map_clear(struct reel_address_map *map)
{
    free(map->entry);
    *map = (struct reel_address_map){0};
}
