/* Threads: creation, start, end, join, detach, cancel, names; pthread and C11. */
#include <errno.h>
#include <string.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

#define THREAD(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_THREAD, 0)

/* The first function of every thread. The slot stands in for an argument block: no allocation. */
static void begin(struct reel_thread_slot *slot)
{
    struct reel_tls *tls = &reel_tls;
    tls->exit_reason = REEL_EXIT_CANCELLED; /* until it returns or calls exit */
    reel_stack_mark_top(tls, __builtin_frame_address(0));
    reel_thread_begin(tls, slot);
    uint64_t words[3] = {slot->handle, slot->start_routine, slot->parent};
    reel_emit_words(tls, THREAD(START), slot->number, 0, (uint32_t)slot->tid, 0, words, 3);
}

/* Leaving the trampoline, also by exit or cancellation: the end, when no key will tell it. */
static void leaving(struct reel_thread_slot **slot)
{
    (void)slot;
    if (REEL_UNLIKELY(!reel_probe.key_made))
        reel_thread_end(&reel_tls);
}

static void *begin_posix(void *data)
{
    struct reel_thread_slot *slot __attribute__((cleanup(leaving))) = data;
    void *(*routine)(void *) = (void *(*)(void *))(uintptr_t)slot->start_routine;
    void *argument = (void *)(uintptr_t)slot->start_argument;
    begin(slot);
    void *result = routine(argument);
    reel_tls.exit_reason = REEL_EXIT_RETURNED;
    return result;
}

static int begin_c11(void *data)
{
    struct reel_thread_slot *slot __attribute__((cleanup(leaving))) = data;
    int (*routine)(void *) = (int (*)(void *))(uintptr_t)slot->start_routine;
    void *argument = (void *)(uintptr_t)slot->start_argument;
    begin(slot);
    int result = routine(argument);
    reel_tls.exit_reason = REEL_EXIT_RETURNED;
    return result;
}

/* Claims the child's slot and says that it is being made; NULL: it will not be recorded. */
static struct reel_thread_slot *announce(struct reel_tls *tls, uint32_t stack, uintptr_t routine,
                                         void *argument)
{
    struct reel_thread_slot *slot = reel_thread_slot_claim(tls->slot ? tls->slot->number : 0);
    if (!slot) {
        atomic_fetch_add(&reel_probe.process->lost, 1);
        return NULL;
    }
    slot->start_routine = routine;
    slot->start_argument = (uintptr_t)argument;
    reel_emit(tls, THREAD(CREATE), slot->number, 0, 0, stack);
    return slot;
}

static void created(struct reel_tls *tls, struct reel_thread_slot *slot, uint32_t number, int error)
{
    if (error)
        reel_thread_slot_return(slot);
    reel_emit(tls, THREAD(CREATED), number, 0, (uint32_t)error, 0);
}

REEL_INTERPOSE
int pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*routine)(void *),
                   void *argument)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    if (!tls)
        return reel_real.pthread_create(handle, attributes, routine, argument);
    uint32_t stack = reel_stack_here(tls);
    struct reel_thread_slot *slot = announce(tls, stack, (uintptr_t)routine, argument);
    if (!slot)
        return reel_real.pthread_create(handle, attributes, routine, argument);
    uint32_t number = slot->number;
    int error = reel_real.pthread_create(handle, attributes, begin_posix, slot);
    created(tls, slot, number, error);
    return error;
}

REEL_INTERPOSE
int thrd_create(thrd_t *handle, thrd_start_t routine, void *argument)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    if (!tls)
        return reel_real.thrd_create(handle, routine, argument);
    uint32_t stack = reel_stack_here(tls);
    struct reel_thread_slot *slot = announce(tls, stack, (uintptr_t)routine, argument);
    if (!slot)
        return reel_real.thrd_create(handle, routine, argument);
    uint32_t number = slot->number;
    int error = reel_real.thrd_create(handle, begin_c11, slot);
    created(tls, slot, number, error == thrd_success ? 0 : error);
    return error;
}

/* A process has 1024 keys, and one is ours: who asks for the last gets that. */
REEL_INTERPOSE
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    if (REEL_UNLIKELY(!reel_real.pthread_key_create))
        reel_initialise();
    int error = reel_real.pthread_key_create(key, destructor);
    if (error == EAGAIN && __atomic_exchange_n(&reel_probe.key_made, false, __ATOMIC_RELAXED)) {
        pthread_key_delete(reel_probe.key);
        error = reel_real.pthread_key_create(key, destructor);
    }
    return error;
}

/* A join that is under way; ended by return, or by the joiner's own cancellation. */
struct join {
    struct reel_tls *tls;
    uint64_t handle;
    int result;
};

static void join_begin(struct join *join, pthread_t handle, uint32_t call, uint32_t stack)
{
    join->handle = (uint64_t)handle;
    join->result = ECANCELED;
    reel_emit(join->tls, THREAD(WAIT), join->handle, 0, call, stack);
    reel_wait_begin(join->tls, THREAD(WAIT), join->handle, call, stack);
}

static void join_end(struct join *join)
{
    if (!join->tls)
        return;
    reel_wait_end(join->tls);
    reel_emit(join->tls, THREAD(WAKE), join->handle, 0, (uint32_t)join->result, 0);
}

#define JOIN(call_flags, real_call)                                                                \
    struct join join __attribute__((cleanup(join_end))) = {.tls = reel_enter(REEL_FAMILY_THREAD)}; \
    if (!join.tls)                                                                                 \
        return real_call;                                                                          \
    join_begin(&join, handle, REEL_CALL_JOIN | (call_flags), reel_stack_here(join.tls));           \
    int result = real_call;                                                                        \
    join.result = result;                                                                          \
    return result

REEL_INTERPOSE
int pthread_join(pthread_t handle, void **value)
{
    JOIN(0, reel_real.pthread_join(handle, value));
}

REEL_INTERPOSE
int pthread_timedjoin_np(pthread_t handle, void **value, const struct timespec *deadline)
{
    JOIN(REEL_CALL_TIMED, reel_real.pthread_timedjoin_np(handle, value, deadline));
}

REEL_INTERPOSE
int pthread_clockjoin_np(pthread_t handle, void **value, clockid_t clock,
                         const struct timespec *deadline)
{
    JOIN(REEL_CALL_TIMED, reel_real.pthread_clockjoin_np(handle, value, clock, deadline));
}

REEL_INTERPOSE
int pthread_tryjoin_np(pthread_t handle, void **value)
{
    JOIN(REEL_CALL_TRY, reel_real.pthread_tryjoin_np(handle, value));
}

REEL_INTERPOSE
int thrd_join(thrd_t handle, int *value)
{
    JOIN(0, reel_real.thrd_join(handle, value));
}

REEL_INTERPOSE
int pthread_detach(pthread_t handle)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    int error = reel_real.pthread_detach(handle);
    if (tls)
        reel_emit(tls, THREAD(DETACH), (uint64_t)handle, 0, (uint32_t)error, reel_stack_here(tls));
    return error;
}

REEL_INTERPOSE
int thrd_detach(thrd_t handle)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    int error = reel_real.thrd_detach(handle);
    if (tls)
        reel_emit(tls, THREAD(DETACH), (uint64_t)handle, 0, (uint32_t)error, reel_stack_here(tls));
    return error;
}

REEL_INTERPOSE
int pthread_cancel(pthread_t handle)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    if (tls)
        reel_emit(tls, THREAD(CANCEL), (uint64_t)handle, 0, 0, reel_stack_here(tls));
    return reel_real.pthread_cancel(handle);
}

REEL_INTERPOSE
void pthread_exit(void *value)
{
    if (reel_enter(REEL_FAMILY_THREAD))
        reel_tls.exit_reason = REEL_EXIT_CALLED;
    reel_real.pthread_exit(value);
    __builtin_unreachable();
}

REEL_INTERPOSE
void thrd_exit(int value)
{
    if (reel_enter(REEL_FAMILY_THREAD))
        reel_tls.exit_reason = REEL_EXIT_CALLED;
    reel_real.thrd_exit(value);
    __builtin_unreachable();
}

REEL_INTERPOSE
int pthread_setname_np(pthread_t handle, const char *name)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
    int error = reel_real.pthread_setname_np(handle, name);
    if (tls && error == 0)
        reel_emit_text(tls, THREAD(NAME), (uint64_t)handle, 0, 0, name);
    return error;
}
