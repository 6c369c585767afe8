/* Barriers. ARRIVE is stamped before the call, LEAVE after: all arrivals of a round come before any
 * departure. */
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* glibc's struct pthread_barrier: in, current_round, count, shared, out. */
static inline uint32_t barrier_kind(const pthread_barrier_t *barrier, uint32_t operation)
{
    return REEL_KIND(operation, REEL_CLASS_BARRIER,
                     ((const uint32_t *)barrier)[3] ? REEL_FLAG_SHARED_OBJECT : 0);
}

REEL_INTERPOSE
int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_BARRIER);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_barrier_wait(barrier);
    uint32_t kind = barrier_kind(barrier, REEL_OP_ARRIVE), leave;
    bool shared = kind & REEL_FLAG_SHARED_OBJECT;
    uint64_t key = shared ? reel_object_key_shared(barrier) : reel_object_key(barrier);
    uint32_t stack = reel_stack_here(tls);
    leave = REEL_KIND(REEL_OP_LEAVE, REEL_CLASS_BARRIER, shared ? REEL_FLAG_SHARED_OBJECT : 0);
    uint32_t sequence = reel_sequence_atomic(key, &kind);
    reel_emit(tls, kind, (uintptr_t)barrier, sequence, REEL_CALL_BARRIER_WAIT, stack);
    reel_wait_begin(tls, kind, (uintptr_t)barrier, REEL_CALL_BARRIER_WAIT, stack);
    int result = reel_real.pthread_barrier_wait(barrier);
    reel_wait_end(tls);
    /* The barrier may be destroyed by now: only its address is used. */
    sequence = reel_sequence_atomic(key, &leave);
    reel_emit(tls, leave, (uintptr_t)barrier, sequence, (uint32_t)result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes,
                         unsigned count)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_BARRIER);
    int result = reel_real.pthread_barrier_init(barrier, attributes, count);
    if (tls && result == 0)
        reel_emit(tls, barrier_kind(barrier, REEL_OP_INIT), (uintptr_t)barrier, 0, count,
                  reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_BARRIER);
    if (!tls)
        return reel_real.pthread_barrier_destroy(barrier);
    uint32_t kind = barrier_kind(barrier, REEL_OP_DESTROY), stack = reel_stack_here(tls);
    int result = reel_real.pthread_barrier_destroy(barrier);
    reel_emit(tls, kind, (uintptr_t)barrier, 0, (uint32_t)result, stack);
    return result;
}
