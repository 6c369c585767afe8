/* Watchpoints: accesses to a few words of memory of an unmodified program, told by the processor's
 * debug registers through perf_event_open(2) (PERF_TYPE_BREAKPOINT). Nothing of it is in the
 * target, no privilege is needed for one's own programs at the usual paranoia level, threads and
 * forked children inherit.
 *
 * x86 has four registers of up to 8 bytes each, which stop behind the access, at writes or at any
 * access, never at reads alone: to tell one from the other two are spent on a word. So two words
 * can be watched. What the kernel writes for the program (read(2) into the word) is not seen.
 *
 * Time: the kernel stamps a hit with CLOCK_MONOTONIC while the thread is still in the trap, within
 * a microsecond of the access; between two pairs of clocks, taken at each look, that is turned into
 * the ticks the target's own events are stamped with, with an error of some ten nanoseconds. The
 * thread's events before and after the access are at least that trap apart, so a hit has its right
 * place among them. Used by the collector's thread alone. */
#ifndef REEL_COLLECT_WATCH_H
#define REEL_COLLECT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "probes/event/region.h"
#include "tracer/collect/clock.h"

#define REEL_WATCH_RANGES 2u
#define REEL_WATCH_FRAMES 16u

struct reel_watch_range {
    uint64_t address;
    uint32_t size; /* 1, 2, 4 or 8, and the address a multiple of it */
    bool atomic;   /* of a type whose every access is */
};

struct reel_watch_hooks {
    /* Which words to watch in that process, whose image has just been mapped: REEL_WATCH_RANGES at
     * most into `ranges`; returns how many. */
    unsigned (*ranges)(void *data, pid_t pid, struct reel_watch_range *ranges);
    /* May be NULL. What to watch instead, in all processes that have these addresses: asked again
     * and again, so that many words have their turn. Returns how many; 0: go on as before. */
    unsigned (*turn)(void *data, struct reel_watch_range *ranges);
    /* May be NULL: which heap block the program shall announce. */
    const struct reel_block_watch *block;
    /* That block was announced: which words of it to watch, as `ranges` does. */
    unsigned (*announced)(void *data, pid_t pid, uint64_t address, uint64_t bytes,
                          struct reel_watch_range *ranges);
    /* Why nothing, or not all of it, is watched in that process. */
    void (*refused)(void *data, pid_t pid, const char *why);
    void *data;
};

enum reel_watch_access {
    REEL_WATCH_READ,
    REEL_WATCH_WRITE, /* reads before it, perhaps */
    REEL_WATCH_SYNC,  /* in one atomic step, or to an atomic variable: it orders */
    REEL_WATCH_BEGUN, /* from here on the word is watched: no access */
    REEL_WATCH_LOST,  /* accesses by this or other threads came too fast for the kernel's buffer */
};

struct reel_watch_hit {
    uint64_t time_ns; /* since the recording began */
    int32_t pid, tid;
    uint64_t address;
    uint32_t size;
    enum reel_watch_access access;
    bool reads, writes; /* of a SYNC */
    bool single;        /* one load or one store, such as atomic ones are compiled to as well */
    bool has_value;     /* what was read, or written: */
    uint64_t value;
    uint64_t lost;     /* how many, */
    uint64_t since_ns; /* and since when: of a LOST */
    uint32_t depth;
    uint64_t frame[REEL_WATCH_FRAMES]; /* return addresses, innermost first */
};

struct reel_watch;

struct reel_watch *reel_watch_new(const struct reel_watch_hooks *hooks,
                                  const struct reel_clock_map *clock);
void reel_watch_free(struct reel_watch *watch);

/* A process image is there: arms what is to be watched in it. `parent`: the process it was forked
 * from, whose registers and addresses it has; 0 for a new image. */
void reel_watch_attach(struct reel_watch *watch, pid_t pid, pid_t parent);

/* The heap block that was asked for has come, and its thread waits. */
void reel_watch_block(struct reel_watch *watch, pid_t pid, uint64_t address, uint64_t bytes);

/* Gives other words their turn, when it is time to. Call between looks. */
void reel_watch_turn(struct reel_watch *watch);

#define REEL_WATCH_NOBODY 0
#define REEL_WATCH_ALL    (-1)

/* Takes what the kernel has told since the last look. What is younger than this look is kept for
 * the next one, but of the thread `ended`, of which nothing more will come (or of all threads). */
void reel_watch_look(struct reel_watch *watch, int32_t ended);
/* Offers all hits that are not taken yet, in order of time for each thread; `take` returns false
 * for one that it wants to be offered again. */
void reel_watch_offer(struct reel_watch *watch,
                      bool (*take)(void *data, const struct reel_watch_hit *hit), void *data);

/* Is that word watched in that process? An exec'd image has inherited the registers, but not what
 * they were set for. */
bool reel_watch_is_armed(const struct reel_watch *watch, pid_t pid, uint64_t address);

/* Samples the kernel dropped because the buffers were full. */
uint64_t reel_watch_lost(const struct reel_watch *watch);
uint64_t reel_watch_hits(const struct reel_watch *watch);

#endif
