#include "tracer/detect/lock_conditions.h"

#include <glib.h>
#include <string.h>

/* What a thread took last: older acquisitions are forgotten, and then a need is not seen. */
#define RECENT      32u
#define NEEDS_LIMIT 32u

struct taken {
    uint64_t time_ns;
    uint32_t lock, stack, position;
    struct reel_clock *must;
};

struct taker {
    struct taken recent[RECENT]; /* a ring */
    uint32_t next;
};

struct condition {
    bool signalled;
    GPtrArray *need;   /* struct reel_lock_need, those that all signals so far had */
    GArray *mutex;     /* uint32_t: waited with */
    GHashTable *since; /* signaller → pointer to the time of its last signal */
};

struct reel_lock_conditions {
    const struct reel_detect_context *context;
    GHashTable *condition; /* object → struct condition */
    GPtrArray *taker;      /* struct taker, by thread number */
};

static void free_need(void *data)
{
    struct reel_lock_need *need = data;
    reel_clock_unref(need->fresh.must);
    for (uint32_t i = 0; i < REEL_LOCK_SIGNALLINGS; i++)
        reel_clock_unref(need->some[i].must);
    g_free(need);
}

static void free_taker(void *data)
{
    struct taker *taker = data;
    for (uint32_t i = 0; taker && i < RECENT; i++)
        reel_clock_unref(taker->recent[i].must);
    g_free(taker);
}

static void free_condition(void *data)
{
    struct condition *condition = data;
    g_ptr_array_unref(condition->need);
    g_array_unref(condition->mutex);
    g_hash_table_unref(condition->since);
    g_free(condition);
}

struct reel_lock_conditions *reel_lock_conditions_new(const struct reel_detect_context *context)
{
    struct reel_lock_conditions *conditions = g_new0(struct reel_lock_conditions, 1);
    conditions->context = context;
    conditions->condition = g_hash_table_new_full(NULL, NULL, NULL, free_condition);
    conditions->taker = g_ptr_array_new_with_free_func(free_taker);
    return conditions;
}

void reel_lock_conditions_free(struct reel_lock_conditions *conditions)
{
    if (!conditions)
        return;
    g_hash_table_unref(conditions->condition);
    g_ptr_array_unref(conditions->taker);
    g_free(conditions);
}

static struct condition *condition_at(struct reel_lock_conditions *conditions, uint32_t object)
{
    struct condition *condition =
        g_hash_table_lookup(conditions->condition, GUINT_TO_POINTER(object));
    if (!condition) {
        condition = g_new0(struct condition, 1);
        condition->need = g_ptr_array_new_with_free_func(free_need);
        condition->mutex = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        condition->since = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_hash_table_insert(conditions->condition, GUINT_TO_POINTER(object), condition);
    }
    return condition;
}

void reel_lock_conditions_taken(struct reel_lock_conditions *conditions,
                                const struct reel_event *event, uint32_t lock, uint32_t position,
                                struct reel_clock *must)
{
    if (conditions->taker->len <= event->thread)
        g_ptr_array_set_size(conditions->taker, (int)event->thread + 1);
    struct taker *taker = conditions->taker->pdata[event->thread];
    if (!taker)
        conditions->taker->pdata[event->thread] = taker = g_new0(struct taker, 1);
    struct taken *taken = &taker->recent[taker->next++ % RECENT];
    reel_clock_unref(taken->must);
    *taken = (struct taken){event->time_ns, lock, event->stack, position, reel_clock_ref(must)};
}

void reel_lock_conditions_wait(struct reel_lock_conditions *conditions, uint32_t object,
                               uint32_t mutex)
{
    struct condition *condition = condition_at(conditions, object);
    for (guint i = 0; i < condition->mutex->len; i++)
        if (g_array_index(condition->mutex, uint32_t, i) == mutex)
            return;
    if (mutex)
        g_array_append_val(condition->mutex, mutex);
}

/* The newest acquisition of that lock; NULL: forgotten, or never. */
static const struct taken *last_taken(const struct taker *taker, uint32_t lock)
{
    for (uint32_t i = 0; taker && i < RECENT; i++) {
        const struct taken *taken = &taker->recent[(taker->next - 1 - i) % RECENT];
        if (taken->lock == lock)
            return taken;
    }
    return NULL;
}

/* When the newest of the waits began that a signal now could end; 0: there is none. */
static uint64_t newest_wait(const struct reel_lock_conditions *conditions, uint32_t object,
                            uint32_t signaller)
{
    const struct reel_world *world = conditions->context->world;
    const struct reel_world_object *known = reel_world_object(world, object);
    uint64_t newest = 0;
    for (uint32_t i = 0; known && i < known->waiter_count; i++) {
        const struct reel_wait *wait = reel_world_wait(world, known->waiter[i]);
        if (wait && wait->object == object && known->waiter[i] != signaller)
            newest = MAX(newest, wait->since_ns);
    }
    return newest;
}

static bool holds(const struct reel_lock_conditions *conditions, uint32_t thread, uint32_t lock)
{
    const struct reel_world_thread *known = reel_world_thread(conditions->context->world, thread);
    for (uint32_t i = 0; known && i < known->held_count; i++)
        if (known->held[i].object == lock)
            return true;
    return false;
}

/* The first signal: all that its thread took since its beginning. */
static void begin_needs(struct condition *condition, const struct taker *taker)
{
    for (uint32_t i = 0; taker && i < RECENT && condition->need->len < NEEDS_LIMIT; i++) {
        const struct taken *taken = &taker->recent[(taker->next - 1 - i) % RECENT];
        if (!taken->lock || last_taken(taker, taken->lock) != taken)
            continue;
        struct reel_lock_need *need = g_new0(struct reel_lock_need, 1);
        need->lock = taken->lock;
        g_ptr_array_add(condition->need, need);
    }
}

static void note(struct reel_lock_signalling *place, const struct reel_event *signal,
                 const struct taken *taken)
{
    reel_clock_unref(place->must);
    *place = (struct reel_lock_signalling){
        .taken_ns = taken->time_ns,
        .signal_ns = signal->time_ns,
        .thread = signal->thread,
        .taken_stack = taken->stack,
        .signal_stack = signal->stack,
        .position = taken->position,
        .must = reel_clock_ref(taken->must),
    };
}

static void note_signal(struct reel_lock_need *need, const struct reel_event *signal,
                        const struct taken *taken, uint64_t wait_ns)
{
    const uint32_t half = REEL_LOCK_SIGNALLINGS / 2;
    uint32_t at = need->seen < half ? need->seen : half + need->seen % half;
    need->seen++;
    note(&need->some[at], signal, taken);
    if (!need->fresh.thread && wait_ns && taken->time_ns > wait_ns)
        note(&need->fresh, signal, taken);
}

void reel_lock_conditions_signal(struct reel_lock_conditions *conditions,
                                 const struct reel_event *event, uint32_t object)
{
    struct condition *condition = condition_at(conditions, object);
    const struct taker *taker =
        event->thread < conditions->taker->len ? conditions->taker->pdata[event->thread] : NULL;
    if (!condition->signalled)
        begin_needs(condition, taker);
    condition->signalled = true;
    if (!condition->need->len)
        return;
    uint64_t *since = g_hash_table_lookup(condition->since, GUINT_TO_POINTER(event->thread));
    uint64_t wait_ns = newest_wait(conditions, object, event->thread);
    for (guint i = condition->need->len; i-- > 0;) {
        struct reel_lock_need *need = condition->need->pdata[i];
        const struct taken *taken = last_taken(taker, need->lock);
        if (!taken ||
            (since && taken->time_ns < *since && !holds(conditions, event->thread, need->lock)))
            g_ptr_array_remove_index_fast(condition->need, i);
        else
            note_signal(need, event, taken, wait_ns);
    }
    if (!since) {
        since = g_new(uint64_t, 1);
        g_hash_table_insert(condition->since, GUINT_TO_POINTER(event->thread), since);
    }
    *since = event->time_ns;
}

/* Is there a moment of the wait, and one of taking the lock for a signal, that nothing orders? */
static bool may_meet(const struct reel_lock_dependency *wait, const struct reel_lock_need *need)
{
    for (uint32_t i = 0; i < REEL_LOCK_SIGNALLINGS; i++) {
        const struct reel_lock_signalling *signalling = &need->some[i];
        if (!signalling->thread || signalling->thread == wait->thread)
            continue;
        for (uint32_t k = 0; k < wait->witness_count; k++)
            if (wait->witness[k].position > reel_clock_at(signalling->must, wait->thread) &&
                signalling->position > reel_clock_at(wait->witness[k].must, signalling->thread))
                return true;
    }
    return false;
}

static bool is_own_mutex(const struct condition *condition, uint32_t lock)
{
    for (guint i = 0; i < condition->mutex->len; i++)
        if (g_array_index(condition->mutex, uint32_t, i) == lock)
            return true;
    return false;
}

void reel_lock_conditions_needs(const struct reel_lock_conditions *conditions,
                                const struct reel_lock_dependency *wait,
                                void (*each)(void *data, const struct reel_lock_need *need),
                                void *data)
{
    const struct condition *condition =
        g_hash_table_lookup(conditions->condition, GUINT_TO_POINTER(wait->object));
    for (guint i = 0; condition && i < condition->need->len; i++) {
        const struct reel_lock_need *need = condition->need->pdata[i];
        if (need->fresh.thread && !is_own_mutex(condition, need->lock) && may_meet(wait, need))
            each(data, need);
    }
}

struct reel_lock_dependency *
reel_lock_conditions_dependency(const struct reel_lock_dependency *wait,
                                const struct reel_lock_need *need)
{
    struct reel_lock_dependency *dependency = g_memdup2(wait, sizeof *wait);
    dependency->lock = need->lock;
    dependency->need = need;
    dependency->held = g_memdup2(wait->held, wait->held_count * sizeof *wait->held);
    dependency->witness = g_memdup2(wait->witness, wait->witness_count * sizeof *wait->witness);
    dependency->witness_capacity = wait->witness_count;
    for (uint32_t i = 0; i < wait->witness_count; i++) {
        reel_clock_ref(wait->witness[i].must);
        reel_clock_ref(wait->witness[i].replay);
    }
    return dependency;
}
