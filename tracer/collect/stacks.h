/* Stacks seen so far: every thread numbers its own; here they get one number for the trace. */
#ifndef REEL_COLLECT_STACKS_H
#define REEL_COLLECT_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/store/trace.h"

struct reel_stacks;

struct reel_stacks *reel_stacks_new(struct reel_trace *trace);
void reel_stacks_free(struct reel_stacks *stacks);

/* The number of the stack that is `address` called from stack `parent` (0: outermost) in `process`;
 * a new one is written to the trace. 0 and an error when that failed. */
uint32_t reel_stacks_intern(struct reel_stacks *stacks, uint32_t process, uint32_t parent,
                            uint64_t address, struct reel_error *error);

/* One thread's numbering. A thread tells its stacks as a tree that grows from the innermost frame
 * outwards (probes/preload/stack.h); in the trace a stack is its innermost frame and the stack of
 * the caller, so that stacks share their outer ends. Turned round when a stack is first used. */
struct reel_stack_numbers {
    struct reel_stack_local {
        uint64_t address;
        uint32_t inner;  /* the thread's number of the path without this, its outermost, frame */
        uint32_t global; /* 0: not asked for yet */
    } * local;           /* by the thread's own number */
    uint32_t capacity;
};
void reel_stack_numbers_clear(struct reel_stack_numbers *numbers);
void reel_stack_numbers_define(struct reel_stack_numbers *numbers, uint32_t local, uint32_t inner,
                               uint64_t address);

/* The trace's number for a thread's. 0: it was never told (its definition was lost), or the trace
 * could not be written (then `error` is set). */
uint32_t reel_stack_numbers_get(struct reel_stack_numbers *numbers, struct reel_stacks *stacks,
                                uint32_t process, uint32_t local, struct reel_error *error);

#endif
