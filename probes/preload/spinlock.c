/* Spin locks: an int in memory, no owner, no kind: what the wrapper knows is what it saw. */
#include <errno.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

#define SPIN(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_SPINLOCK, 0)

static inline void acquired(struct reel_tls *tls, pthread_spinlock_t *lock, uint32_t flags,
                            uint32_t stack)
{
    uint32_t kind = SPIN(ACQUIRE) | flags;
    uint32_t sequence = reel_sequence_exclusive(reel_object_key(lock), &kind);
    reel_emit(tls, kind, (uintptr_t)lock, sequence, 0, stack);
}

REEL_INTERPOSE
int pthread_spin_lock(pthread_spinlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_spin_lock(lock);
    uint32_t stack = reel_stack_here(tls), flags = 0;
    int result = reel_real.pthread_spin_trylock(lock);
    if (REEL_UNLIKELY(result)) {
        reel_emit(tls, SPIN(REQUEST), (uintptr_t)lock, 0, REEL_CALL_LOCK, stack);
        reel_wait_begin(tls, SPIN(REQUEST), (uintptr_t)lock, REEL_CALL_LOCK, stack);
        flags = REEL_FLAG_BLOCKED;
        result = reel_real.pthread_spin_lock(lock);
        reel_wait_end(tls);
    }
    if (REEL_LIKELY(result == 0))
        acquired(tls, lock, flags, stack);
    else
        reel_emit(tls, SPIN(FAIL) | flags, (uintptr_t)lock, 0, (uint32_t)result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    int result = reel_real.pthread_spin_trylock(lock);
    if (!tls)
        return result;
    uint32_t stack = reel_stack_here(tls);
    if (result == 0)
        acquired(tls, lock, REEL_FLAG_TRY, stack);
    else
        reel_emit(tls, SPIN(FAIL) | REEL_FLAG_TRY, (uintptr_t)lock, 0, (uint32_t)result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_spin_unlock(lock);
    uint32_t kind = SPIN(RELEASE);
    uint32_t sequence = reel_sequence_exclusive(reel_object_key(lock), &kind);
    reel_emit(tls, kind, (uintptr_t)lock, sequence, 0, 0);
    return reel_real.pthread_spin_unlock(lock);
}

REEL_INTERPOSE
int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    int result = reel_real.pthread_spin_init(lock, shared);
    if (tls && result == 0)
        reel_emit(tls, SPIN(INIT), (uintptr_t)lock, 0, (uint32_t)shared, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    int result = reel_real.pthread_spin_destroy(lock);
    if (tls)
        reel_emit(tls, SPIN(DESTROY), (uintptr_t)lock, 0, (uint32_t)result, reel_stack_here(tls));
    return result;
}
