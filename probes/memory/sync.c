/* What threads leave at objects for others to hear. An object that is a word of memory (a lock, an
 * atomic) keeps it in the extension of its cell and goes with it; threads and descriptors have
 * channels in a table. */

#include "probes/memory/memory.h"

struct reel_sync *reel_sync_at(struct reel_cell *cell, bool make)
{
    struct reel_extension *extension = make ? reel_extension_make(cell) : reel_extension_of(cell);
    if (!extension)
        return NULL;
    if (!extension->sync && make)
        extension->sync = reel_room_take(sizeof *extension->sync);
    return extension->sync;
}

void reel_sync_free(struct reel_sync *sync)
{
    reel_past_free(&sync->heard);
    reel_past_free(&sync->readers);
    reel_past_free(&sync->odd);
    reel_room_give(sync, sizeof *sync);
}

#define BUCKETS 4096u

struct channel {
    struct channel *next;
    uint64_t number;
    enum reel_channel space;
    struct reel_sync sync;
};

static struct {
    atomic_flag locked;
    struct channel *bucket[BUCKETS];
} channels = {.locked = ATOMIC_FLAG_INIT};

static struct channel **place_of(enum reel_channel space, uint64_t number)
{
    uint64_t hash = (number ^ (uint64_t)space << 56) * 0x9e3779b97f4a7c15ull;
    struct channel **place = &channels.bucket[hash >> 52];
    while (*place && ((*place)->number != number || (*place)->space != space))
        place = &(*place)->next;
    return place;
}

struct reel_sync *reel_channel_lock(enum reel_channel space, uint64_t number, bool make)
{
    reel_spin_lock(&channels.locked);
    struct channel **place = place_of(space, number);
    if (!*place && make) {
        struct channel *channel = reel_room_take(sizeof *channel);
        if (channel) {
            channel->number = number;
            channel->space = space;
            *place = channel;
        }
    }
    return *place ? &(*place)->sync : NULL;
}

void reel_channel_unlock(void)
{
    reel_spin_unlock(&channels.locked);
}

void reel_channel_remove(enum reel_channel space, uint64_t number)
{
    struct channel **place = place_of(space, number), *channel = *place;
    if (!channel)
        return;
    *place = channel->next;
    reel_past_free(&channel->sync.heard);
    reel_past_free(&channel->sync.readers);
    reel_past_free(&channel->sync.odd);
    reel_room_give(channel, sizeof *channel);
}

void reel_channel_reset(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        channels.bucket[i] = NULL;
    reel_channel_unlock();
}
