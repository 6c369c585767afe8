/* Spin locks: an int in memory, no owner, no kind: what the wrapper knows is what it saw. */
#include <errno.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* A spin lock does not say that it is shared between processes; its initialisation did. Remembered
 * here, and by the children that are forked: the few there are. */
#define SHARED_LIMIT 64u
static _Atomic uintptr_t shared_locks[SHARED_LIMIT];
static _Atomic uint32_t shared_count;

static void remember(pthread_spinlock_t *lock, bool shared)
{
    uint32_t count = atomic_load_explicit(&shared_count, memory_order_acquire);
    for (uint32_t i = 0; i < count && i < SHARED_LIMIT; i++)
        if (shared_locks[i] == (uintptr_t)lock) {
            if (!shared)
                shared_locks[i] = 0; /* other memory by now */
            return;
        }
    if (!shared)
        return;
    uint32_t index = atomic_fetch_add(&shared_count, 1);
    if (index < SHARED_LIMIT)
        shared_locks[index] = (uintptr_t)lock;
    else
        atomic_store(&shared_count, SHARED_LIMIT);
}

static inline bool is_shared(pthread_spinlock_t *lock)
{
    uint32_t count = atomic_load_explicit(&shared_count, memory_order_relaxed);
    for (uint32_t i = 0; REEL_UNLIKELY(i < count) && i < SHARED_LIMIT; i++)
        if (atomic_load_explicit(&shared_locks[i], memory_order_relaxed) == (uintptr_t)lock)
            return true;
    return false;
}

static inline uint32_t spin_kind(pthread_spinlock_t *lock, uint32_t operation)
{
    return REEL_KIND(operation, REEL_CLASS_SPINLOCK, is_shared(lock) ? REEL_FLAG_SHARED_OBJECT : 0);
}

static inline uint64_t spin_key(pthread_spinlock_t *lock, uint32_t kind)
{
    return kind & REEL_FLAG_SHARED_OBJECT ? reel_object_key_shared(lock) : reel_object_key(lock);
}

#define SPIN(op) spin_kind(lock, REEL_OP_##op)

static inline void acquired(struct reel_tls *tls, pthread_spinlock_t *lock, uint32_t flags,
                            uint32_t stack)
{
    uint32_t kind = SPIN(ACQUIRE) | flags;
    uint32_t sequence = reel_sequence_exclusive(spin_key(lock, kind), &kind);
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
    uint32_t sequence = reel_sequence_exclusive(spin_key(lock, kind), &kind);
    reel_emit(tls, kind, (uintptr_t)lock, sequence, 0, 0);
    return reel_real.pthread_spin_unlock(lock);
}

REEL_INTERPOSE
int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SPIN);
    int result = reel_real.pthread_spin_init(lock, shared);
    if (result == 0)
        remember(lock, shared == PTHREAD_PROCESS_SHARED);
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
