/* The two ends of socket pairs and of connections within the recording. Of a pipe both ends are one
 * object; each end of a socket is read and written, so they are two: what is written to one is read
 * from the other. A pair is known by the call that makes both ends; a connection's ends find each
 * other by the client's address, as connect and accept tell it. They keep their ends through dup,
 * fork and exec. */
#ifndef REEL_DETECT_SOCKET_PAIRS_H
#define REEL_DETECT_SOCKET_PAIRS_H

#include <stdint.h>

#include "tracer/store/event.h"

struct reel_socket_pairs;

struct reel_socket_pairs *reel_socket_pairs_new(void);
void reel_socket_pairs_free(struct reel_socket_pairs *pairs);
/* Returns the other end when this event (OPEN, or the END of a connect) is the last that was
 * missing to know both, else 0. Either may have been written to before that. */
uint32_t reel_socket_pairs_event(struct reel_socket_pairs *pairs, const struct reel_event *event,
                                 uint32_t object);
/* The other end; 0: not known. */
uint32_t reel_socket_pairs_peer(const struct reel_socket_pairs *pairs, uint32_t object);

#endif
