/* Which sequence numbers are in a trace at all: runs of consecutive ones, domain by domain. A trace
 * that lost nothing has one run a domain. The merge asks here whether an event it waits for can
 * still come, instead of waiting until nothing else is left. */
#ifndef REEL_STORE_PRESENCE_H
#define REEL_STORE_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_presence;

struct reel_presence *reel_presence_new(void);
void reel_presence_free(struct reel_presence *presence);

/* In any order; sequence is not 0. False: out of memory. */
bool reel_presence_add(struct reel_presence *presence, uint32_t domain, uint32_t sequence);
/* After the last one was added. False: out of memory. */
bool reel_presence_finish(struct reel_presence *presence);

/* The largest sequence present in [from, to] of the domain; 0 when none is. */
uint32_t reel_presence_last(const struct reel_presence *presence, uint32_t domain, uint32_t from,
                            uint32_t to);

#endif
