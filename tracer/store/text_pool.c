#include "tracer/store/text_pool.h"

#include <stdlib.h>
#include <string.h>

enum { first_slots = 64 };

bool reel_text_pool_init(struct reel_text_pool *pool)
{
    *pool = (struct reel_text_pool){.slots = calloc(first_slots, sizeof(struct reel_text *)),
                                    .mask = first_slots - 1};
    return pool->slots != NULL;
}

void reel_text_pool_clear(struct reel_text_pool *pool)
{
    for (uint32_t i = 0; pool->slots && i <= pool->mask; i++)
        free(pool->slots[i]);
    free(pool->slots);
    *pool = (struct reel_text_pool){0};
}

/* FNV-1a. */
static uint32_t hash_text(const char *text, uint32_t bytes)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

static bool grow(struct reel_text_pool *pool)
{
    uint32_t mask = 2 * pool->mask + 1;
    struct reel_text **slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i <= pool->mask; i++) {
        if (!pool->slots[i])
            continue;
        uint32_t at = pool->slots[i]->hash;
        while (slots[at & mask])
            at++;
        slots[at & mask] = pool->slots[i];
    }
    free(pool->slots);
    pool->slots = slots;
    pool->mask = mask;
    return true;
}

const struct reel_text *reel_text_pool_find(struct reel_text_pool *pool, const char *text)
{
    uint32_t bytes = (uint32_t)strnlen(text, REEL_TEXT_LIMIT + 1);
    if (bytes > REEL_TEXT_LIMIT) {
        bytes = REEL_TEXT_LIMIT;
        while (bytes > 0 && (text[bytes] & 0xc0) == 0x80) /* inside an UTF-8 character */
            bytes--;
    }
    uint32_t hash = hash_text(text, bytes), at = hash;
    for (; pool->slots[at & pool->mask]; at++) {
        const struct reel_text *entry = pool->slots[at & pool->mask];
        if (entry->hash == hash && entry->bytes == bytes && memcmp(entry->data, text, bytes) == 0)
            return entry;
    }
    if (pool->count > pool->mask / 2) {
        if (!grow(pool))
            return NULL;
        for (at = hash; pool->slots[at & pool->mask];)
            at++;
    }
    struct reel_text *entry = malloc(sizeof *entry + bytes + 1);
    if (!entry)
        return NULL;
    entry->hash = hash;
    entry->bytes = bytes;
    memcpy(entry->data, text, bytes);
    entry->data[bytes] = '\0';
    pool->slots[at & pool->mask] = entry;
    pool->count++;
    return entry;
}
