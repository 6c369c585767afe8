/* Ordering domains: what a sequence number counts. An object has its own, numbered by the process
 * image and the address (or by the address alone when processes share it); an object the probe
 * found no counter for shares one of REEL_STRIPES with others. Numbers here are small and dense, so
 * that the merge's state of a domain is an array element. */
#ifndef REEL_STORE_DOMAIN_H
#define REEL_STORE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/store/chunk_format.h"

struct reel_domain {
    uint32_t last;   /* sequence of the last event delivered */
    uint32_t parked; /* streams that wait for one of its events */
};

struct reel_domain_entry {
    uint64_t key;
    uint32_t number; /* 0: free */
};

struct reel_domains {
    struct reel_domain *state; /* by number; [0] is not used */
    uint32_t count, capacity;
    struct reel_domain_entry *index; /* open addressing, at most half full */
    uint32_t mask;
};

bool reel_domains_init(struct reel_domains *domains);
void reel_domains_clear(struct reel_domains *domains);

/* The number of the domain of the events at `site`, which a thread of table row `process` recorded;
 * 0 when memory is short. Remembered in the site. */
uint32_t reel_domains_find(struct reel_domains *domains, uint32_t process,
                           struct reel_chunk_site *site);

#endif
