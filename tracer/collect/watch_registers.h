/* Debug registers of other processes' threads, set through perf_event_open(2): one event a point, a
 * thread and a processor, all of a processor's into one buffer. */
#ifndef REEL_COLLECT_WATCH_REGISTERS_H
#define REEL_COLLECT_WATCH_REGISTERS_H

#include <sys/types.h>

#include "tracer/collect/watch.h"
#include "tracer/collect/watch_ring.h"

/* General registers as perf numbers them (arch/x86/include/uapi/asm/perf_regs.h): rax, rbx, rcx,
 * rdx, rsi, rdi, rbp, rsp; r8 … r15. A sample has them in that order. */
#define REEL_WATCH_GENERAL 0xff00ffull

/* One register, of all threads. */
struct reel_watch_point {
    struct reel_watch_range range, before; /* `before`: its last turn */
    bool writes_only;                      /* else any access; then with a stack */
    unsigned index;                        /* of the range, among those of its process */
};

struct reel_watch_registers;

struct reel_watch_registers *reel_watch_registers_new(void);
void reel_watch_registers_free(struct reel_watch_registers *registers);

/* Sets two registers for each range in all threads of the process, and in those it will make. 0, or
 * -errno: then none is set. */
int reel_watch_registers_arm(struct reel_watch_registers *registers, pid_t pid,
                             const struct reel_watch_range *ranges, unsigned count);

/* Moves all of them. */
void reel_watch_registers_move(struct reel_watch_registers *registers,
                               const struct reel_watch_range *ranges, unsigned count);

/* The point that the kernel's number of an event means; NULL: none. */
const struct reel_watch_point *
reel_watch_registers_point(const struct reel_watch_registers *registers, uint64_t id);

/* The processors' buffers; one that is not mapped has no page. */
unsigned reel_watch_registers_processors(const struct reel_watch_registers *registers);
struct reel_watch_ring *reel_watch_registers_ring(struct reel_watch_registers *registers,
                                                  unsigned processor);

/* Why arming failed, and what to do about it. g_free. */
char *reel_watch_registers_explain(int error);

#endif
