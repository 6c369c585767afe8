/* What is said of two accesses that nothing orders. */
#ifndef REEL_DETECT_RACE_REPORT_H
#define REEL_DETECT_RACE_REPORT_H

#include "tracer/detect/detector.h"

#define REEL_RACE_LOCKS 12u
#define REEL_RACE_FIELD 192u

struct reel_race_access {
    uint64_t time_ns;
    uint32_t thread, stack;
    bool writes, atomic;
    bool single;      /* one load or one store, of a program that does not tell what is atomic */
    bool value_known; /* what it read, or wrote: */
    uint64_t value;
    bool locks_known;
    uint32_t lock[REEL_RACE_LOCKS]; /* objects held; 0: one that is not known */
    uint32_t lock_count;
};

struct reel_race {
    uint32_t object;
    uint64_t address;
    uint32_t size;                /* bytes that both touch; 0: not known */
    struct reel_race_access a, b; /* in the order in which they were seen */
    bool value_known;             /* what the memory held before b */
    uint64_t value;
    uint64_t block, block_size;  /* of the heap; size 0: none */
    uint32_t block_stack;        /* where it was allocated */
    char field[REEL_RACE_FIELD]; /* what of it was accessed: "struct stats.hits"; "": not known */
    bool unsure;                 /* events were lost: an order may be among them */
    bool hidden;                 /* it did not happen: a lock happened to be taken in between */
    uint32_t between;            /* that lock, when it is one that both used; 0: several */
};

void reel_race_report(const struct reel_detect_context *context, const struct reel_race *race);

#endif
