/* Condition variables: who waits, who is woken, by whom; pthread and C11.
 *
 * A wait is four events: the mutex goes (RELEASE, IN_WAIT), the wait begins (WAIT, with the mutex),
 * it ends (WAKE), the mutex is back (ACQUIRE, IN_WAIT). Cancellation inside of it runs the cleanup:
 * the mutex is held again by then, as POSIX says. */
#include <errno.h>

#include "probes/preload/mutex.h"
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* glibc: bit 0 of __wrefs says process-shared. */
#define CONDITION_SHARED(condition) ((condition)->__data.__wrefs & 1)

static inline uint32_t condition_kind(const pthread_cond_t *condition, uint32_t operation)
{
    return REEL_KIND(operation, REEL_CLASS_CONDITION,
                     CONDITION_SHARED(condition) ? REEL_FLAG_SHARED_OBJECT : 0);
}

static inline uint64_t condition_key(const pthread_cond_t *condition)
{
    return CONDITION_SHARED(condition) ? reel_object_key_shared(condition)
                                       : reel_object_key(condition);
}

struct wait {
    struct reel_tls *tls;
    pthread_cond_t *condition;
    pthread_mutex_t *mutex;
    uint32_t flags, stack;
    int result;
};

static void wait_begin(struct wait *wait, uint32_t call)
{
    struct reel_tls *tls = wait->tls;
    wait->result = ECANCELED;
    reel_mutex_wait_releases(tls, wait->mutex, wait->stack);
    uint32_t kind = condition_kind(wait->condition, REEL_OP_WAIT);
    uint32_t sequence = reel_sequence_atomic(condition_key(wait->condition), &kind);
    uint64_t word = (uintptr_t)wait->mutex;
    reel_emit_words(tls, kind, (uintptr_t)wait->condition, sequence, call, wait->stack, &word, 1);
    reel_wait_begin(tls, kind, (uintptr_t)wait->condition, call, wait->stack);
}

static void wait_end(struct wait *wait)
{
    struct reel_tls *tls = wait->tls;
    if (!tls)
        return;
    reel_wait_end(tls);
    /* The condition may be gone by now: a waiter may be woken by the one who then destroys it once
     * the waiter let go of the mutex. It is not touched; the event goes by time. */
    reel_emit(tls, REEL_KIND(REEL_OP_WAKE, REEL_CLASS_CONDITION, wait->flags),
              (uintptr_t)wait->condition, 0, (uint32_t)wait->result, 0);
    reel_mutex_wait_reacquires(tls, wait->mutex, wait->stack);
}

#define WAIT(the_condition, the_mutex, call, real_call, translate)                                 \
    struct wait wait __attribute__((cleanup(wait_end))) = {.tls = reel_enter(REEL_FAMILY_COND)};   \
    if (!wait.tls)                                                                                 \
        return real_call;                                                                          \
    wait.condition = (pthread_cond_t *)(the_condition);                                            \
    wait.mutex = (pthread_mutex_t *)(the_mutex);                                                   \
    wait.flags = CONDITION_SHARED(wait.condition) ? REEL_FLAG_SHARED_OBJECT : 0;                   \
    wait.stack = reel_stack_here(wait.tls);                                                        \
    wait_begin(&wait, call);                                                                       \
    int result = real_call;                                                                        \
    wait.result = translate(result);                                                               \
    return result

static inline int same(int result)
{
    return result;
}

static inline int errno_of(int result)
{
    return result == thrd_success ? 0 : result == thrd_timedout ? ETIMEDOUT : EINVAL;
}

REEL_INTERPOSE
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    WAIT(condition, mutex, REEL_CALL_COND_WAIT, reel_real.pthread_cond_wait(condition, mutex),
         same);
}

REEL_INTERPOSE
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *deadline)
{
    WAIT(condition, mutex, REEL_CALL_COND_WAIT | REEL_CALL_TIMED,
         reel_real.pthread_cond_timedwait(condition, mutex, deadline), same);
}

REEL_INTERPOSE
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline)
{
    WAIT(condition, mutex, REEL_CALL_COND_WAIT | REEL_CALL_TIMED,
         reel_real.pthread_cond_clockwait(condition, mutex, clock, deadline), same);
}

REEL_INTERPOSE
int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    WAIT(condition, mutex, REEL_CALL_COND_WAIT, reel_real.cnd_wait(condition, mutex), errno_of);
}

REEL_INTERPOSE
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline)
{
    WAIT(condition, mutex, REEL_CALL_COND_WAIT | REEL_CALL_TIMED,
         reel_real.cnd_timedwait(condition, mutex, deadline), errno_of);
}

/* Stamped before the call: a waiter's WAKE can only follow. */
static void waking(struct reel_tls *tls, pthread_cond_t *condition, uint32_t operation,
                   uint32_t stack)
{
    uint32_t kind = condition_kind(condition, operation);
    uint32_t sequence = reel_sequence_atomic(condition_key(condition), &kind);
    reel_emit(tls, kind, (uintptr_t)condition, sequence, 0, stack);
}

#define WAKING(name, condition, operation)                                                         \
    struct reel_tls *tls = reel_enter(REEL_FAMILY_COND);                                           \
    if (tls)                                                                                       \
        waking(tls, (pthread_cond_t *)(condition), operation, reel_stack_here(tls));               \
    return reel_real.name(condition)

REEL_INTERPOSE
int pthread_cond_signal(pthread_cond_t *condition)
{
    WAKING(pthread_cond_signal, condition, REEL_OP_SIGNAL);
}

REEL_INTERPOSE
int pthread_cond_broadcast(pthread_cond_t *condition)
{
    WAKING(pthread_cond_broadcast, condition, REEL_OP_BROADCAST);
}

REEL_INTERPOSE
int cnd_signal(cnd_t *condition)
{
    WAKING(cnd_signal, condition, REEL_OP_SIGNAL);
}

REEL_INTERPOSE
int cnd_broadcast(cnd_t *condition)
{
    WAKING(cnd_broadcast, condition, REEL_OP_BROADCAST);
}

static void changed(struct reel_tls *tls, pthread_cond_t *condition, uint32_t operation, int result,
                    uint32_t stack)
{
    uint32_t kind = condition_kind(condition, operation);
    reel_emit(tls, kind, (uintptr_t)condition, 0, (uint32_t)result, stack);
}

REEL_INTERPOSE
int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_COND);
    int result = reel_real.pthread_cond_init(condition, attributes);
    if (tls && result == 0)
        changed(tls, condition, REEL_OP_INIT, 0, reel_stack_here(tls));
    return result;
}

/* Before the call: it waits until the last waiter has left, and then the memory is the program's.
 */
REEL_INTERPOSE
int pthread_cond_destroy(pthread_cond_t *condition)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_COND);
    if (tls)
        changed(tls, condition, REEL_OP_DESTROY, 0, reel_stack_here(tls));
    return reel_real.pthread_cond_destroy(condition);
}

REEL_INTERPOSE
int cnd_init(cnd_t *condition)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_COND);
    int result = reel_real.cnd_init(condition);
    if (tls && result == thrd_success)
        changed(tls, (pthread_cond_t *)condition, REEL_OP_INIT, 0, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
void cnd_destroy(cnd_t *condition)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_COND);
    if (tls)
        changed(tls, (pthread_cond_t *)condition, REEL_OP_DESTROY, 0, reel_stack_here(tls));
    reel_real.cnd_destroy(condition);
}
