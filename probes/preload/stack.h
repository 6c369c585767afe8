/* Stacks, interned per thread.
 *
 * A stack is a path in a tree, from the innermost frame outwards: a node is a return address, its
 * child that of the caller. Each node also keeps how to get from its frame to the caller's
 * (where the canonical frame address is, and where the frame pointer was saved). That depends on
 * the return address alone (DWARF 5, 6.4: call frame information is a function of the pc), so
 * walking a stack seen before reads one or two words a frame and compares one, without frame
 * pointers, and is as exact as the unwind tables. A new node asks the tables (cfi.h), gets the next
 * number and is told to the collector by one STACK_NODE record. */
#ifndef REEL_PRELOAD_STACK_H
#define REEL_PRELOAD_STACK_H

#include "probes/preload/probe.h"

/* The stack of the code that called the function whose frame address this is. 0: none. */
uint32_t reel_stack_walk(struct reel_tls *tls, void *frame) REEL_HIDDEN;

/* The stack of these return addresses, innermost first. */
uint32_t reel_stack_path(struct reel_tls *tls, const uint64_t *pc, unsigned count) REEL_HIDDEN;

static inline uint32_t reel_stack_from(struct reel_tls *tls, void *frame)
{
    if (reel_probe.stack_mode == REEL_STACK_NONE)
        return 0;
    return reel_stack_walk(tls, frame);
}

/* To be used in a wrapper itself (which keeps a frame pointer): the stack of its caller. */
#define reel_stack_here(tls) reel_stack_from(tls, __builtin_frame_address(0))

/* Walks end at this frame: the thread's first one of ours. */
void reel_stack_mark_top(struct reel_tls *tls, void *frame) REEL_HIDDEN;

#endif
