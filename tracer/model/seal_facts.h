/* What the recorder's tables know, as sealing needs it: which threads, processes and stacks there
 * are, so that rows refer to nothing that is not, and what is known about threads' ends. */
#ifndef REEL_MODEL_SEAL_FACTS_H
#define REEL_MODEL_SEAL_FACTS_H

#include "tracer/model/identity.h"
#include "tracer/store/trace.h"

struct reel_seal_thread {
    uint32_t id, process;
    uint64_t handle, routine, start_ns;
    uint64_t end_ns;    /* 0 = not known */
    uint64_t lost;      /* events the recorder counts as lost */
    uint64_t lost_seen; /* of them, those that GAP events tell */
    bool is_first;      /* of its process */
};

struct reel_seal_facts {
    struct reel_seal_thread *thread; /* by id */
    size_t thread_count;
    uint8_t *stack; /* bit per id */
    uint64_t stack_limit;
    uint64_t end_ns, events;
};

/* Adds rows for processes and threads that only chunks mention, then reads. */
bool reel_seal_facts_load(struct reel_seal_facts *facts, struct reel_trace *trace,
                          struct reel_error *error);
/* Reads only: for looking at a trace without changing it. Clear it in any case. */
bool reel_seal_facts_peek(struct reel_seal_facts *facts, struct reel_trace *trace,
                          struct reel_error *error);
void reel_seal_facts_clear(struct reel_seal_facts *facts);

/* Tells identity what it needs to know beforehand. */
bool reel_seal_facts_declare(const struct reel_seal_facts *facts, struct reel_trace *trace,
                             struct reel_identity *identity, struct reel_error *error);

/* NULL when there is no such thread. */
struct reel_seal_thread *reel_seal_facts_thread(const struct reel_seal_facts *facts, uint32_t id);
/* `stack` if there is such a row, else 0. */
uint32_t reel_seal_facts_stack(const struct reel_seal_facts *facts, uint32_t stack);

#endif
