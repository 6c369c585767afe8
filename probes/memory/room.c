/* Memory of our own: powers of two from the kernel, given back to free lists. Not malloc: this runs
 * inside it. A thread holds the lock for some instructions only, and never twice: signal handlers
 * do not get here while their thread does (defer.c). */
#include <sys/mman.h>

#include "probes/memory/memory.h"

#define SMALLEST 5u /* 32 bytes */
#define LARGEST  16u
#define CHUNK    (1u << 20)
#define SIZES    (LARGEST - SMALLEST + 1)

struct hole {
    struct hole *next;
};

static struct {
    atomic_flag locked;
    struct hole *hole[SIZES];
    char *next, *end;
} room = {.locked = ATOMIC_FLAG_INIT};

static void lock(void)
{
    reel_spin_lock(&room.locked);
}

static void unlock(void)
{
    reel_spin_unlock(&room.locked);
}

void *reel_room_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static unsigned size_class(size_t bytes)
{
    unsigned class = SMALLEST;
    while (((size_t)1 << class) < bytes)
        class ++;
    return class;
}

void *reel_room_take(size_t bytes)
{
    unsigned class = size_class(bytes);
    if (class > LARGEST)
        return reel_room_map((size_t)1 << class);
    size_t size = (size_t)1 << class;
    lock();
    struct hole *hole = room.hole[class - SMALLEST];
    if (hole) {
        room.hole[class - SMALLEST] = hole->next;
        unlock();
        uint64_t *word = (uint64_t *)hole;
        for (size_t i = 0; i < size / 8; i++)
            word[i] = 0;
        return hole;
    }
    /* Aligned to its size, as what is larger than a line of cache likes to be. */
    room.next = (char *)(((uintptr_t)room.next + size - 1) & ~(uintptr_t)(size - 1));
    if (room.next + size > room.end) {
        char *chunk = reel_room_map(CHUNK);
        if (!chunk) {
            unlock();
            return NULL;
        }
        room.next = chunk;
        room.end = chunk + CHUNK;
    }
    void *taken = room.next;
    room.next += size;
    unlock();
    return taken;
}

void reel_room_give(void *memory, size_t bytes)
{
    if (!memory)
        return;
    unsigned class = size_class(bytes);
    if (class > LARGEST) {
        munmap(memory, (size_t)1 << class);
        return;
    }
    struct hole *hole = memory;
    lock();
    hole->next = room.hole[class - SMALLEST];
    room.hole[class - SMALLEST] = hole;
    unlock();
}

/* In a forked child, where the lock may have been held by a thread that is not there. What was
 * given out is lost. */
void reel_room_reset(void)
{
    for (unsigned i = 0; i < SIZES; i++)
        room.hole[i] = NULL;
    room.next = room.end = NULL;
    unlock();
}
