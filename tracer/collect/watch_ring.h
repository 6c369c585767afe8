/* A processor's buffer of perf records: mapped as large as the user may, read without blocking the
 * kernel. See perf_event_open(2). */
#ifndef REEL_COLLECT_WATCH_RING_H
#define REEL_COLLECT_WATCH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_watch_ring {
    int descriptor; /* of the event that the buffer belongs to; not owned */
    void *page;     /* struct perf_event_mmap_page; NULL: not mapped */
    uint32_t pages; /* of data */
};

/* Maps the buffer of that event, of `pages` pages (a power of two) or as many as there may be.
 * False: none at all. */
bool reel_watch_ring_map(struct reel_watch_ring *ring, int event, uint32_t pages);
void reel_watch_ring_unmap(struct reel_watch_ring *ring);

/* Calls `each` for every complete record, without its header, and gives the room back. Records that
 * are larger than any asked for are skipped. */
void reel_watch_ring_read(struct reel_watch_ring *ring,
                          void (*each)(void *data, uint32_t type, const char *body, size_t bytes),
                          void *data);

#endif
