/* Sleeps and yields. Cancellation points: the end is written by a cleanup. */
#include <errno.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

#define CLOCK(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_CLOCK, 0)

struct nap {
    struct reel_tls *tls;
    int result;
};

static void nap_begin(struct nap *nap, uint64_t ns, uint32_t stack)
{
    uint32_t call = REEL_CALL_SLEEP | REEL_CALL_TIMED;
    reel_emit_words(nap->tls, CLOCK(WAIT), 0, 0, call, stack, &ns, 1);
    reel_wait_begin(nap->tls, CLOCK(WAIT), 0, call, stack);
}

static void nap_end(struct nap *nap)
{
    if (!nap->tls)
        return;
    reel_wait_end(nap->tls);
    reel_emit(nap->tls, CLOCK(WAKE), 0, 0, (uint32_t)nap->result, 0);
}

#define NAP(type, ns, real_call)                                                                   \
    struct nap nap __attribute__((cleanup(nap_end))) = {.tls = reel_enter(REEL_FAMILY_SLEEP),      \
                                                        .result = ECANCELED};                      \
    if (!nap.tls)                                                                                  \
        return reel_real.real_call;                                                                \
    nap_begin(&nap, ns, reel_stack_here(nap.tls));                                                 \
    type result = reel_real.real_call;                                                             \
    nap.result = (int)result;                                                                      \
    return result

static inline uint64_t ns_of(const struct timespec *time)
{
    if (!time) /* the call answers EFAULT */
        return 0;
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

REEL_INTERPOSE
unsigned sleep(unsigned seconds)
{
    NAP(unsigned, (uint64_t)seconds * 1000000000u, sleep(seconds));
}

REEL_INTERPOSE
int usleep(useconds_t microseconds)
{
    NAP(int, (uint64_t)microseconds * 1000u, usleep(microseconds));
}

REEL_INTERPOSE
int nanosleep(const struct timespec *time, struct timespec *left)
{
    NAP(int, ns_of(time), nanosleep(time, left));
}

REEL_INTERPOSE
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    NAP(int, flags &TIMER_ABSTIME ? 0 : ns_of(time), clock_nanosleep(clock, flags, time, left));
}

REEL_INTERPOSE
int thrd_sleep(const struct timespec *time, struct timespec *left)
{
    NAP(int, ns_of(time), thrd_sleep(time, left));
}

REEL_INTERPOSE
int sched_yield(void)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SLEEP);
    if (tls)
        reel_emit(tls, CLOCK(MARK), 0, 0, REEL_CALL_YIELD, 0);
    return reel_real.sched_yield();
}

REEL_INTERPOSE
void thrd_yield(void)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SLEEP);
    if (tls)
        reel_emit(tls, CLOCK(MARK), 0, 0, REEL_CALL_YIELD, 0);
    reel_real.thrd_yield();
}
