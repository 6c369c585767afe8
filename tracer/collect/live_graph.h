/* The wait-for graph of one look at all threads: who is blocked on what, and by whom.
 *
 * A party waits for *all* its blockers (a writer for every reader), so a party on a cycle can never
 * go on, whatever the others do. Blockers that only *may* release (a semaphore's posters, a
 * condition's signallers) are not in it. Pure: no thread, no system call; testable by hand. */
#ifndef REEL_COLLECT_LIVE_GRAPH_H
#define REEL_COLLECT_LIVE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REEL_LIVE_NOBODY UINT32_MAX        /* no blocker is known */
#define REEL_LIVE_GONE   (UINT32_MAX - 1u) /* the blocker is a thread that exists no more */

struct reel_live_party {
    uint64_t since_ns; /* blocked since; 0: not blocked */
    uint64_t raw_since, object;
    uint32_t slot, thread, process; /* thread and process: their numbers in the recording */
    pid_t pid, tid;
    uint32_t call;
    uint8_t operation, class, flags;
    uint32_t *blocker; /* parties (indices), or REEL_LIVE_GONE */
    uint32_t blocker_count, blocker_capacity;
};

struct reel_live_graph {
    struct reel_live_party *party;
    uint32_t count, capacity;
};

void reel_live_graph_clear(struct reel_live_graph *graph); /* keeps memory for the next look */
void reel_live_graph_free(struct reel_live_graph *graph);
struct reel_live_party *reel_live_graph_add(struct reel_live_graph *graph);
void reel_live_party_block(struct reel_live_party *party, uint32_t blocker);

/* Finds a cycle, or a party that waits for one who is gone. Writes the parties' indices in the
 * order of waiting (each waits for the next, the last for the first or for the one who is gone),
 * `limit` of them at most; returns how many, 0 when there is none. `skip` (may be NULL): parties
 * whose flag is set are left out. A depth-first walk with three colours, linear in the edges. */
uint32_t reel_live_graph_cycle(const struct reel_live_graph *graph, const bool *skip,
                               uint32_t *indices, uint32_t limit);

#endif
