#include "tracer/collect/watch_ring.h"

#include <linux/perf_event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool reel_watch_ring_map(struct reel_watch_ring *ring, int event, uint32_t pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (; pages; pages /= 2) {
        void *memory = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
        if (memory == MAP_FAILED)
            continue;
        *ring = (struct reel_watch_ring){.descriptor = event, .page = memory, .pages = pages};
        return true;
    }
    return false;
}

void reel_watch_ring_unmap(struct reel_watch_ring *ring)
{
    if (ring->page)
        munmap(ring->page, (ring->pages + 1) * (size_t)sysconf(_SC_PAGESIZE));
    ring->page = NULL;
}

static void copy(const char *base, uint64_t size, uint64_t from, void *to, size_t bytes)
{
    uint64_t at = from & (size - 1);
    size_t first = bytes < size - at ? bytes : (size_t)(size - at);
    memcpy(to, base + at, first);
    memcpy((char *)to + first, base, bytes - first);
}

void reel_watch_ring_read(struct reel_watch_ring *ring,
                          void (*each)(void *data, uint32_t type, const char *body, size_t bytes),
                          void *data)
{
    char body[2048];
    if (!ring->page)
        return;
    struct perf_event_mmap_page *control = ring->page;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *base = (const char *)ring->page + page;
    uint64_t size = ring->pages * page;
    uint64_t head = control->data_head, tail = control->data_tail;
    atomic_thread_fence(memory_order_acquire); /* the kernel writes data before data_head */
    while (tail < head) {
        struct perf_event_header header;
        copy(base, size, tail, &header, sizeof header);
        if (header.size < sizeof header || header.size > head - tail)
            break;
        size_t bytes = header.size - sizeof header;
        if (bytes <= sizeof body) {
            copy(base, size, tail + sizeof header, body, bytes);
            each(data, header.type, body, bytes);
        }
        tail += header.size;
    }
    atomic_thread_fence(memory_order_seq_cst);
    control->data_tail = tail;
}
