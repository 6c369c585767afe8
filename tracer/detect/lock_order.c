/* Lock order as a run shows it: see lock_order.h. */
#include <string.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/lock_order_private.h"

/* 40 bytes each: beyond that, a deadlock is no longer proved but called possible. */
#define SECTION_LIMIT (4u << 20)

static uint32_t hash_dependency(const void *data)
{
    const struct reel_lock_dependency *dependency = data;
    uint64_t hash = dependency->thread * 0x9e3779b97f4a7c15ull ^ dependency->lock;
    hash = (hash ^ dependency->stack) * 0xbf58476d1ce4e5b9ull ^ dependency->shared;
    for (uint32_t i = 0; i < dependency->held_count; i++)
        hash = (hash ^ ((uint64_t)dependency->held[i].lock << 32 | dependency->held[i].stack)) *
               0x9e3779b97f4a7c15ull;
    return (uint32_t)(hash ^ hash >> 32);
}

static int same_dependency(const void *left, const void *right)
{
    const struct reel_lock_dependency *a = left, *b = right;
    if (a->thread != b->thread || a->lock != b->lock || a->stack != b->stack ||
        a->shared != b->shared || a->held_count != b->held_count)
        return false;
    for (uint32_t i = 0; i < a->held_count; i++)
        if (a->held[i].lock != b->held[i].lock || a->held[i].stack != b->held[i].stack ||
            a->held[i].shared != b->held[i].shared)
            return false;
    return true;
}

static void free_dependency(void *data)
{
    struct reel_lock_dependency *dependency = data;
    for (uint32_t i = 0; i < dependency->witness_count; i++) {
        reel_clock_unref(dependency->witness[i].must);
        reel_clock_unref(dependency->witness[i].replay);
    }
    g_free(dependency->witness);
    g_free(dependency->held);
    g_free(dependency);
}

static void free_thread(void *data)
{
    struct reel_lock_thread *thread = data;
    if (!thread)
        return;
    g_array_unref(thread->held);
    g_array_unref(thread->gates);
    g_free(thread);
}

static void free_clock(void *data)
{
    reel_clock_unref(data);
}

struct reel_lock_order *reel_lock_order_new(const struct reel_detect_context *context)
{
    struct reel_lock_order *order = g_new0(struct reel_lock_order, 1);
    order->context = context;
    order->must = reel_happens_before_new(context, REEL_ORDER_MUST);
    order->replay = reel_happens_before_new(context, REEL_ORDER_READS);
    order->semaphores = reel_semaphores_new();
    order->thread = g_ptr_array_new_with_free_func(free_thread);
    order->owner = g_hash_table_new(NULL, NULL);
    order->signals = g_hash_table_new(NULL, NULL);
    order->once_ns = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    order->writers_first = g_hash_table_new(NULL, NULL);
    order->annotated = g_hash_table_new(NULL, NULL);
    order->uses = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    order->gate_end = g_hash_table_new_full(NULL, NULL, NULL, free_clock);
    order->index = g_hash_table_new(hash_dependency, same_dependency);
    order->dependency = g_ptr_array_new_with_free_func(free_dependency);
    order->starving = g_ptr_array_new_with_free_func(free_dependency);
    order->conditions = reel_lock_conditions_new(context);
    order->section = g_array_new(FALSE, FALSE, sizeof(struct reel_critical_section));
    return order;
}

void reel_lock_order_free(struct reel_lock_order *order)
{
    if (!order)
        return;
    for (guint i = 0; i < order->section->len; i++)
        reel_clock_unref(g_array_index(order->section, struct reel_critical_section, i).replay);
    reel_happens_before_free(order->must);
    reel_happens_before_free(order->replay);
    reel_semaphores_free(order->semaphores);
    g_ptr_array_unref(order->thread);
    g_hash_table_unref(order->owner);
    g_hash_table_unref(order->signals);
    g_hash_table_unref(order->once_ns);
    g_hash_table_unref(order->writers_first);
    g_hash_table_unref(order->annotated);
    g_hash_table_unref(order->uses);
    g_hash_table_unref(order->gate_end);
    g_hash_table_unref(order->index);
    g_ptr_array_unref(order->dependency);
    g_ptr_array_unref(order->starving);
    reel_lock_conditions_free(order->conditions);
    g_array_unref(order->section);
    g_free(order);
}

static struct reel_lock_thread *thread_at(struct reel_lock_order *order, uint32_t number)
{
    if (order->thread->len <= number)
        g_ptr_array_set_size(order->thread, (int)number + 1);
    struct reel_lock_thread *thread = order->thread->pdata[number];
    if (!thread) {
        thread = g_new0(struct reel_lock_thread, 1);
        thread->held = g_array_new(FALSE, FALSE, sizeof(struct reel_lock_hold));
        thread->gates = g_array_new(FALSE, FALSE, sizeof(struct reel_lock_gate));
        order->thread->pdata[number] = thread;
    }
    return thread;
}

static struct reel_lock_hold *find_hold(struct reel_lock_thread *thread, uint32_t lock)
{
    for (guint i = thread->held->len; i-- > 0;) {
        struct reel_lock_hold *hold = &g_array_index(thread->held, struct reel_lock_hold, i);
        if (hold->lock.lock == lock)
            return hold;
    }
    return NULL;
}

static struct reel_lock_thread_use *use_of(struct reel_lock_order *order, uint32_t thread,
                                           uint32_t lock)
{
    int64_t key = (int64_t)((uint64_t)thread << 32 | lock);
    struct reel_lock_thread_use *use = g_hash_table_lookup(order->uses, &key);
    if (!use) {
        use = g_new0(struct reel_lock_thread_use, 1);
        use->key = key;
        g_hash_table_insert(order->uses, &use->key, use);
    }
    return use;
}

/* When there is no room, every second witness goes, and from then on only every second comes in:
 * those that stay cover the whole run evenly. */
static void thin_witnesses(struct reel_lock_dependency *dependency)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dependency->witness_count; i++) {
        if (i % 2 == 0) {
            dependency->witness[kept++] = dependency->witness[i];
        } else {
            reel_clock_unref(dependency->witness[i].must);
            reel_clock_unref(dependency->witness[i].replay);
        }
    }
    dependency->witness_count = kept;
    dependency->stride = dependency->stride ? dependency->stride * 2 : 2;
}

static void add_witness(struct reel_lock_order *order, struct reel_lock_dependency *dependency,
                        uint64_t time_ns, uint64_t held_ns)
{
    uint32_t thread = dependency->thread;
    struct reel_clock *must = reel_happens_before_clock(order->must, thread);
    uint32_t edges = reel_happens_before_edges(order->must, thread);
    dependency->occurrences++;
    if (dependency->witness_count) {
        const struct reel_lock_witness *last = &dependency->witness[dependency->witness_count - 1];
        if (last->must == must && last->edges == edges)
            return; /* ordered against all others as the last one is */
    }
    if (dependency->stride && ++dependency->skipped % dependency->stride)
        return;
    if (dependency->witness_count == REEL_LOCK_WITNESSES)
        thin_witnesses(dependency);
    if (dependency->witness_count == dependency->witness_capacity) {
        dependency->witness_capacity =
            dependency->witness_capacity ? dependency->witness_capacity * 2 : 2;
        dependency->witness =
            g_renew(struct reel_lock_witness, dependency->witness, dependency->witness_capacity);
    }
    dependency->witness[dependency->witness_count++] = (struct reel_lock_witness){
        .time_ns = time_ns,
        .held_ns = held_ns,
        .must = reel_clock_ref(must),
        .replay = reel_clock_ref(reel_happens_before_clock(order->replay, thread)),
        .position = reel_happens_before_position(order->must, thread),
        .edges = edges,
    };
}

static bool is_annotated(const struct reel_lock_order *order, uint32_t lock)
{
    return g_hash_table_contains(order->annotated, GUINT_TO_POINTER(lock));
}

static void add_dependency(struct reel_lock_order *order, const struct reel_event *event,
                           struct reel_lock_dependency *seen)
{
    struct reel_lock_thread *thread = thread_at(order, event->thread);
    struct reel_held_lock few[16], *held = few;
    seen->thread = event->thread;
    seen->process = event->process;
    seen->held_count = 0;
    if (thread->held->len > G_N_ELEMENTS(few))
        held = g_new(struct reel_held_lock, thread->held->len);
    uint64_t held_ns = 0;
    /* An annotated lock is made of others: taking it inside of its own mutex is how it works. Only
     * among themselves do such locks have an order. */
    bool annotated = is_annotated(order, seen->lock);
    for (guint i = 0; i < thread->held->len; i++) {
        const struct reel_lock_hold *hold = &g_array_index(thread->held, struct reel_lock_hold, i);
        if (annotated != is_annotated(order, hold->lock.lock))
            continue;
        held[seen->held_count++] = hold->lock;
        held_ns = hold->since_ns;
    }
    seen->held = held;
    struct reel_lock_dependency *known = g_hash_table_lookup(order->index, seen);
    if (!known) {
        known = g_new(struct reel_lock_dependency, 1);
        *known = *seen;
        known->held = g_new(struct reel_held_lock, seen->held_count);
        if (seen->held_count)
            memcpy(known->held, held, seen->held_count * sizeof *held);
        g_hash_table_add(order->index, known);
        g_ptr_array_add(order->dependency, known);
    }
    if (held != few)
        g_free(held);
    add_witness(order, known, event->time_ns, held_ns);
}

static uint32_t begin_section(struct reel_lock_order *order, const struct reel_event *event,
                              uint32_t lock, bool shared)
{
    order->acquisitions++;
    if (order->section->len >= SECTION_LIMIT) {
        order->incomplete = true;
        return 0;
    }
    struct reel_critical_section section = {
        .lock = lock,
        .thread = event->thread,
        .acquired = reel_happens_before_position(order->must, event->thread),
        .released = UINT32_MAX,
        .order = order->acquisitions,
        .shared = shared,
        .class = event->class,
    };
    g_array_append_val(order->section, section);
    return order->section->len;
}

static void end_section(struct reel_lock_order *order, uint32_t thread,
                        const struct reel_lock_hold *hold)
{
    if (!hold->section)
        return;
    struct reel_critical_section *section =
        &g_array_index(order->section, struct reel_critical_section, hold->section - 1);
    section->released = reel_happens_before_position(order->must, thread);
    reel_clock_unref(section->replay);
    section->replay = reel_clock_ref(reel_happens_before_clock(order->replay, thread));
}

static void acquire(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock)
{
    struct reel_lock_thread *thread = thread_at(order, event->thread);
    bool shared = event->flags & REEL_FLAG_READ;
    bool asked = thread->wanted == lock;
    bool timed = asked && thread->wanted_call & REEL_CALL_TIMED;
    uint32_t file = asked ? thread->wanted_file : 0;
    uint8_t call = (uint8_t)(asked ? thread->wanted_call & REEL_CALL_NUMBER : 0);
    thread->wanted = 0;
    thread->released_of = 0;
    if (event->flags & REEL_FLAG_RECURSIVE)
        return;
    struct reel_lock_hold *held = find_hold(thread, lock);
    bool rereads = held && shared && held->lock.shared &&
                   g_hash_table_contains(order->writers_first, GUINT_TO_POINTER(lock));
    bool may_block = !(event->flags & REEL_FLAG_TRY) && !timed;
    if (may_block && (!held || rereads)) {
        struct reel_lock_dependency seen = {
            .lock = lock,
            .object = lock,
            .stack = event->stack,
            .class = event->class,
            .call = call,
            .shared = shared,
            .rereads = rereads,
            .file = file,
        };
        add_dependency(order, event, &seen);
        if (!shared && !(event->flags & REEL_FLAG_IN_WAIT) && !is_annotated(order, lock))
            reel_lock_conditions_taken(order->conditions, event, lock,
                                       reel_happens_before_position(order->must, event->thread),
                                       reel_happens_before_clock(order->must, event->thread));
    }
    if (held && shared && held->lock.shared) {
        held->depth++;
        return;
    }
    if (held) { /* another mode, or a release was not seen */
        end_section(order, event->thread, held);
        g_array_remove_index(
            thread->held, (guint)(held - &g_array_index(thread->held, struct reel_lock_hold, 0)));
    }
    struct reel_lock_hold hold = {
        .lock = {lock, event->stack, ++order->holds, file, shared, event->class},
        .since_ns = event->time_ns,
        .depth = 1,
        .section = begin_section(order, event, lock, shared),
    };
    g_array_append_val(thread->held, hold);
    use_of(order, event->thread, lock)->sections++;
    if (!shared)
        g_hash_table_insert(order->owner, GUINT_TO_POINTER(lock), GUINT_TO_POINTER(event->thread));
}

static void end_gate(struct reel_lock_order *order, uint32_t thread,
                     const struct reel_lock_hold *hold)
{
    if (hold->is_gate)
        g_hash_table_insert(order->gate_end, GUINT_TO_POINTER(hold->lock.hold),
                            reel_clock_ref(reel_happens_before_clock(order->must, thread)));
}

static bool release_of(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock,
                       uint32_t owner)
{
    struct reel_lock_thread *thread = owner ? thread_at(order, owner) : NULL;
    struct reel_lock_hold *hold = thread ? find_hold(thread, lock) : NULL;
    if (!hold)
        return false;
    if (hold->depth > 1) {
        hold->depth--;
        return true;
    }
    struct reel_lock_thread *releaser = thread_at(order, event->thread);
    end_section(order, owner, hold);
    end_gate(order, owner, hold);
    releaser->released = *hold;
    releaser->released_of = owner;
    releaser->released_foreign = owner != event->thread;
    g_array_remove_index(thread->held,
                         (guint)(hold - &g_array_index(thread->held, struct reel_lock_hold, 0)));
    return true;
}

static void release(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock)
{
    if (event->flags & REEL_FLAG_RECURSIVE || release_of(order, event, lock, event->thread))
        return;
    uint32_t owner = GPOINTER_TO_UINT(g_hash_table_lookup(order->owner, GUINT_TO_POINTER(lock)));
    if (owner != event->thread && release_of(order, event, lock, owner))
        g_hash_table_add(order->signals, GUINT_TO_POINTER(lock));
}

/* The release before this was none. */
static void take_back(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock)
{
    struct reel_lock_thread *thread = thread_at(order, event->thread);
    if (!thread->released_of || thread->released.lock.lock != lock)
        return;
    struct reel_lock_thread *owner = thread_at(order, thread->released_of);
    if (thread->released.section)
        g_array_index(order->section, struct reel_critical_section, thread->released.section - 1)
            .released = UINT32_MAX;
    if (!find_hold(owner, lock))
        g_array_append_val(owner->held, thread->released);
    if (thread->released_foreign)
        g_hash_table_remove(order->signals, GUINT_TO_POINTER(lock));
    thread->released_of = 0;
}

static void request(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock)
{
    struct reel_lock_thread *thread = thread_at(order, event->thread);
    thread->wanted = lock;
    thread->wanted_stack = event->stack;
    thread->wanted_call = event->argument;
    thread->wanted_class = event->class;
    thread->wanted_flags = event->flags;
    thread->wanted_ns = event->time_ns;
    thread->wanted_file = 0;
    if (event->class == REEL_CLASS_FILE_LOCK && event->extra_words &&
        (event->argument & REEL_CALL_NUMBER) == REEL_CALL_FLOCK)
        thread->wanted_file = (uint32_t)event->extra[0] + 1;
}

static void create(struct reel_lock_order *order, const struct reel_event *event)
{
    if (event->object >= REEL_MODEL_NUMBER_LIMIT || event->object == event->thread)
        return;
    struct reel_lock_thread *child = thread_at(order, (uint32_t)event->object);
    struct reel_lock_thread *parent = thread_at(order, event->thread);
    g_array_set_size(child->gates, 0);
    for (guint i = 0; i < parent->gates->len; i++)
        g_array_append_val(child->gates, g_array_index(parent->gates, struct reel_lock_gate, i));
    for (guint i = 0; i < parent->held->len; i++) {
        struct reel_lock_hold *hold = &g_array_index(parent->held, struct reel_lock_hold, i);
        struct reel_lock_gate gate = {hold->lock.lock, hold->lock.hold, event->thread,
                                      hold->lock.shared};
        hold->is_gate = true;
        g_array_append_val(child->gates, gate);
    }
}

static void join(struct reel_lock_order *order, const struct reel_event *event, uint32_t object)
{
    uint32_t target = reel_thread_of(order->context, object);
    struct reel_lock_thread *thread = thread_at(order, event->thread);
    if (!target || target == event->thread || !thread->held->len ||
        event->argument & (REEL_CALL_TIMED | REEL_CALL_TRY))
        return;
    for (guint i = 0; i < thread->held->len; i++) {
        struct reel_lock_hold *hold = &g_array_index(thread->held, struct reel_lock_hold, i);
        if (!hold->has_joined)
            use_of(order, event->thread, hold->lock.lock)->joins++;
        hold->has_joined = true;
    }
    struct reel_lock_dependency seen = {
        .lock = REEL_LOCK_END | target,
        .object = object,
        .stack = event->stack,
        .class = REEL_CLASS_THREAD,
        .call = REEL_CALL_JOIN,
    };
    add_dependency(order, event, &seen);
}

/* The lock that it amounts to is known when all signals are. */
static void wait_for_condition(struct reel_lock_order *order, const struct reel_event *event,
                               uint32_t condition, uint32_t mutex)
{
    reel_lock_conditions_wait(order->conditions, condition, mutex);
    if (!thread_at(order, event->thread)->held->len ||
        event->argument & (REEL_CALL_TIMED | REEL_CALL_TRY))
        return;
    struct reel_lock_dependency seen = {
        .lock = condition,
        .object = condition,
        .stack = event->stack,
        .class = REEL_CLASS_CONDITION,
        .call = REEL_CALL_COND_WAIT,
    };
    add_dependency(order, event, &seen);
}

static void signal_condition(struct reel_lock_order *order, const struct reel_event *event,
                             uint32_t condition)
{
    const GArray *held = thread_at(order, event->thread)->held;
    for (guint i = 0; i < held->len; i++)
        use_of(order, event->thread, g_array_index(held, struct reel_lock_hold, i).lock.lock)
            ->speaks = true;
    if (condition)
        reel_lock_conditions_signal(order->conditions, event, condition);
}

static bool is_lock(unsigned class)
{
    return class == REEL_CLASS_MUTEX || class == REEL_CLASS_RWLOCK ||
           class == REEL_CLASS_SPINLOCK || class == REEL_CLASS_FILE_LOCK ||
           class == REEL_CLASS_ONCE;
}

static void note_once(struct reel_lock_order *order, uint32_t lock, uint64_t time_ns)
{
    uint64_t *done = g_new(uint64_t, 1);
    *done = time_ns;
    g_hash_table_insert(order->once_ns, GUINT_TO_POINTER(lock), done);
}

static void lock_event(struct reel_lock_order *order, const struct reel_event *event, uint32_t lock)
{
    const uint32_t prefers_writers = 2; /* PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP */
    switch (event->operation) {
    case REEL_OP_REQUEST:
        request(order, event, lock);
        break;
    case REEL_OP_ACQUIRE:
        acquire(order, event, lock);
        break;
    case REEL_OP_FAIL:
        thread_at(order, event->thread)->wanted = 0;
        break;
    case REEL_OP_RELEASE:
        release(order, event, lock);
        if (event->class == REEL_CLASS_ONCE)
            note_once(order, lock, event->time_ns);
        break;
    case REEL_OP_WAKE: /* another ran the once routine */
        thread_at(order, event->thread)->wanted = 0;
        break;
    case REEL_OP_RELEASE_FAILED:
        take_back(order, event, lock);
        break;
    case REEL_OP_INIT:
        if (event->class == REEL_CLASS_RWLOCK && event->argument == prefers_writers)
            g_hash_table_add(order->writers_first, GUINT_TO_POINTER(lock));
        if (event->extra_words) /* its name: no call of the C library gives one */
            g_hash_table_add(order->annotated, GUINT_TO_POINTER(lock));
        break;
    default:
        break;
    }
}

static void semaphore_event(struct reel_lock_order *order, const struct reel_event *event,
                            uint32_t object)
{
    enum reel_semaphore_step step = reel_semaphores_event(order->semaphores, event, object);
    const struct reel_semaphore *semaphore = reel_semaphores_find(order->semaphores, object);
    if (!reel_semaphore_is_mutex(semaphore)) {
        g_hash_table_add(order->signals, GUINT_TO_POINTER(object));
        if (step == REEL_SEMAPHORE_SIGNAL && semaphore && semaphore->initial > 0)
            release(order, event, object); /* whoever was thought to hold it does not */
        thread_at(order, event->thread)->wanted = 0;
        return;
    }
    if (event->operation == REEL_OP_REQUEST)
        request(order, event, object);
    else if (event->operation == REEL_OP_FAIL)
        thread_at(order, event->thread)->wanted = 0;
    else if (step == REEL_SEMAPHORE_TOOK)
        acquire(order, event, object);
    else if (step == REEL_SEMAPHORE_GAVE)
        release(order, event, object);
}

void reel_lock_order_event(struct reel_lock_order *order, const struct reel_event *event,
                           uint32_t object, uint32_t other)
{
    if (!event->thread)
        return;
    reel_happens_before_event(order->must, event, object, other);
    reel_happens_before_event(order->replay, event, object, other);
    if (event->operation == REEL_OP_GAP && event->class != REEL_CLASS_MEMORY) {
        /* What it holds now is not known: better nothing than what it let go long ago. */
        g_array_set_size(thread_at(order, event->thread)->held, 0);
        thread_at(order, event->thread)->wanted = 0;
    } else if (event->class == REEL_CLASS_SEMAPHORE) {
        semaphore_event(order, event, object);
    } else if (object && is_lock(event->class)) {
        lock_event(order, event, object);
    } else if (event->operation == REEL_OP_SIGNAL || event->operation == REEL_OP_BROADCAST) {
        signal_condition(order, event, object);
    } else if (object && event->operation == REEL_OP_WAIT && event->class == REEL_CLASS_CONDITION) {
        wait_for_condition(order, event, object, other);
    } else if (event->class == REEL_CLASS_THREAD) {
        if (event->operation == REEL_OP_CREATE)
            create(order, event);
        else if (event->operation == REEL_OP_WAIT)
            join(order, event, object);
        else if (event->operation == REEL_OP_EXIT)
            g_array_set_size(thread_at(order, event->thread)->held, 0);
    }
}

void reel_lock_order_interval(struct reel_lock_order *order, const struct reel_interval *interval)
{
    reel_happens_before_interval(order->must, interval);
    reel_happens_before_interval(order->replay, interval);
}

struct resolving {
    struct reel_lock_order *order;
    const struct reel_lock_dependency *wait;
    GPtrArray *locks; /* where dependencies go */
};

static void add_need(void *data, const struct reel_lock_need *need)
{
    struct resolving *resolving = data;
    const struct reel_lock_dependency *wait = resolving->wait;
    if (g_hash_table_contains(resolving->order->signals, GUINT_TO_POINTER(need->lock)))
        return;
    bool starves = false;
    for (uint32_t i = 0; i < wait->held_count; i++)
        starves |= wait->held[i].lock == need->lock && !wait->held[i].shared;
    g_ptr_array_add(starves ? resolving->order->starving : resolving->locks,
                    reel_lock_conditions_dependency(wait, need));
}

void reel_lock_order_end(struct reel_lock_order *order)
{
    for (uint32_t i = 1; i < order->thread->len; i++) {
        struct reel_lock_thread *thread = order->thread->pdata[i];
        const struct reel_world_thread *known = reel_world_thread(order->context->world, i);
        if (!thread || !thread->wanted || !known || thread->wanted_call & REEL_CALL_TIMED ||
            find_hold(thread, thread->wanted))
            continue;
        struct reel_event event = {
            .time_ns = thread->wanted_ns, .thread = i, .process = known->process};
        struct reel_lock_dependency seen = {
            .lock = thread->wanted,
            .object = thread->wanted,
            .stack = thread->wanted_stack,
            .class = thread->wanted_class,
            .call = (uint8_t)(thread->wanted_call & REEL_CALL_NUMBER),
            .shared = thread->wanted_flags & REEL_FLAG_READ,
            .file = thread->wanted_file,
        };
        add_dependency(order, &event, &seen);
        thread->wanted = 0;
    }
    /* What became a signal never was a lock. */
    GPtrArray *locks = g_ptr_array_new_with_free_func(free_dependency);
    g_hash_table_remove_all(order->index);
    for (guint i = 0; i < order->dependency->len; i++) {
        struct reel_lock_dependency *dependency = order->dependency->pdata[i];
        uint32_t kept = 0;
        for (uint32_t h = 0; h < dependency->held_count; h++)
            if (!g_hash_table_contains(order->signals, GUINT_TO_POINTER(dependency->held[h].lock)))
                dependency->held[kept++] = dependency->held[h];
        dependency->held_count = kept;
        if (dependency->class == REEL_CLASS_CONDITION && dependency->held_count) {
            struct resolving resolving = {order, dependency, locks};
            reel_lock_conditions_needs(order->conditions, dependency, add_need, &resolving);
        }
        if (dependency->class == REEL_CLASS_CONDITION ||
            g_hash_table_contains(order->signals, GUINT_TO_POINTER(dependency->lock)))
            free_dependency(dependency);
        else
            g_ptr_array_add(locks, dependency);
    }
    g_ptr_array_set_free_func(order->dependency, NULL);
    g_ptr_array_unref(order->dependency);
    order->dependency = locks;
}

size_t reel_lock_order_count(const struct reel_lock_order *order)
{
    return order->dependency->len;
}

const struct reel_lock_dependency *reel_lock_order_at(const struct reel_lock_order *order,
                                                      size_t index)
{
    return order->dependency->pdata[index];
}

size_t reel_lock_order_starving_count(const struct reel_lock_order *order)
{
    return order->starving->len;
}

const struct reel_lock_dependency *reel_lock_order_starving_at(const struct reel_lock_order *order,
                                                               size_t index)
{
    return order->starving->pdata[index];
}

const struct reel_critical_section *reel_lock_order_sections(const struct reel_lock_order *order,
                                                             size_t *count, bool *complete)
{
    *count = order->section->len;
    *complete = !order->incomplete;
    return (const struct reel_critical_section *)(void *)order->section->data;
}

const struct reel_happens_before *reel_lock_order_replay(const struct reel_lock_order *order)
{
    return order->replay;
}
