/* The two ends of socket pairs. Of a pipe both ends are one object; each end of a socket pair is
 * read and written, so they are two: what is written to one is read from the other. Only pairs that
 * were seen being made are known; they keep their ends through dup, fork and exec. */
#ifndef REEL_DETECT_SOCKET_PAIRS_H
#define REEL_DETECT_SOCKET_PAIRS_H

#include <stdint.h>

#include "tracer/store/event.h"

struct reel_socket_pairs;

struct reel_socket_pairs *reel_socket_pairs_new(void);
void reel_socket_pairs_free(struct reel_socket_pairs *pairs);
void reel_socket_pairs_event(struct reel_socket_pairs *pairs, const struct reel_event *event,
                             uint32_t object);
/* The other end; 0: not known. */
uint32_t reel_socket_pairs_peer(const struct reel_socket_pairs *pairs, uint32_t object);

#endif
