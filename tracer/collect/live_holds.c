#include "tracer/collect/live_holds.h"

#include <glib.h>
#include <string.h>

#include "probes/event/kinds.h"
#include "probes/event/record.h"

#define NAMES_LIMIT      4096u
#define SEMAPHORES_LIMIT 65536u

static guint hash_name(const void *key)
{
    const struct reel_live_name *name = key;
    return (guint)(name->object >> 3 ^ name->object >> 35) * 31u + name->process;
}

static gboolean same_name(const void *left, const void *right)
{
    const struct reel_live_name *one = left, *other = right;
    return one->object == other->object && one->process == other->process;
}

/* Memory is used again: an object that is made or destroyed loses the name of what was there. */
static void learn_name(struct reel_live_holds *holds, const struct reel_event *event)
{
    const struct reel_live_name key = {.object = event->object, .process = event->process};
    if (event->operation != REEL_OP_NAME) {
        g_hash_table_remove(holds->names, &key);
        return;
    }
    bool is_object = event->class == REEL_CLASS_NONE ||
                     (event->class >= REEL_CLASS_MUTEX && event->class <= REEL_CLASS_ONCE);
    if (!is_object || !event->object || !event->extra_words ||
        g_hash_table_size(holds->names) >= NAMES_LIMIT)
        return;
    struct reel_live_name *name = g_memdup2(&key, sizeof key);
    size_t bytes = MIN(sizeof name->text - 1, (size_t)event->extra_words * 8);
    memcpy(name->text, event->extra, bytes);
    g_hash_table_add(holds->names, name);
}

const char *reel_live_holds_name(const struct reel_live_holds *holds, uint32_t process,
                                 uint64_t object)
{
    const struct reel_live_name key = {.object = object, .process = process};
    const struct reel_live_name *name = g_hash_table_lookup(holds->names, &key);
    return name && name->text[0] ? name->text : NULL;
}

static guint hash_semaphore(const void *key)
{
    const struct reel_live_semaphore *semaphore = key;
    return (guint)(semaphore->object >> 3 ^ semaphore->object >> 35) * 31u + semaphore->process;
}

static gboolean same_semaphore(const void *left, const void *right)
{
    const struct reel_live_semaphore *one = left, *other = right;
    return one->object == other->object && one->process == other->process;
}

static struct reel_live_semaphore *find_semaphore(const struct reel_live_holds *holds,
                                                  uint32_t process, uint64_t object)
{
    const struct reel_live_semaphore key = {.object = object, .process = process};
    return g_hash_table_lookup(holds->semaphores, &key);
}

bool reel_live_holds_is_lock(const struct reel_live_holds *holds, uint32_t process, uint64_t object)
{
    const struct reel_live_semaphore *semaphore = find_semaphore(holds, process, object);
    return semaphore && semaphore->is_lock && semaphore->returned;
}

static void note_semaphore(struct reel_live_holds *holds, const struct reel_event *event)
{
    const struct reel_live_semaphore fresh = {
        .object = event->object, .process = event->process, .is_lock = event->argument == 1};
    g_hash_table_remove(holds->semaphores, &fresh);
    if (event->operation == REEL_OP_INIT && !(event->flags & REEL_FLAG_SHARED_OBJECT) &&
        g_hash_table_size(holds->semaphores) < SEMAPHORES_LIMIT)
        g_hash_table_add(holds->semaphores, g_memdup2(&fresh, sizeof fresh));
}

/* A program that waits in a loop for what others tell it may have very many of them. */
#define WRITTEN_LIMIT 65536u

static void note_written(struct reel_live_holds *holds, uint64_t eventfd)
{
    if (!reel_live_holds_has_written(holds, eventfd) &&
        g_hash_table_size(holds->written) < WRITTEN_LIMIT)
        g_hash_table_add(holds->written, g_memdup2(&eventfd, sizeof eventfd));
}

bool reel_live_holds_has_written(const struct reel_live_holds *holds, uint64_t eventfd)
{
    return g_hash_table_contains(holds->written, &eventfd);
}

void reel_live_holds_init(struct reel_live_holds *holds, uint32_t slots)
{
    *holds = (struct reel_live_holds){
        .holder = g_new0(struct reel_live_holder, slots),
        .slots = slots,
        .classes = 1ull << REEL_CLASS_MUTEX | 1ull << REEL_CLASS_RWLOCK |
                   1ull << REEL_CLASS_SPINLOCK | 1ull << REEL_CLASS_ONCE |
                   1ull << REEL_CLASS_SEMAPHORE | 1ull << REEL_CLASS_FILE_LOCK |
                   1ull << REEL_CLASS_EVENTFD | 1ull << REEL_CLASS_RECORDER,
        .semaphores = g_hash_table_new_full(hash_semaphore, same_semaphore, g_free, NULL),
        .written = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
        .names = g_hash_table_new_full(hash_name, same_name, g_free, NULL),
    };
}

void reel_live_holds_clear(struct reel_live_holds *holds)
{
    for (uint32_t i = 0; i < holds->slots; i++)
        g_free(holds->holder[i].hold);
    g_free(holds->holder);
    g_hash_table_unref(holds->names);
    g_hash_table_unref(holds->written);
    g_hash_table_unref(holds->semaphores);
    memset(holds, 0, sizeof *holds);
}

void reel_live_holds_drop_mutexes(struct reel_live_holds *holds)
{
    holds->classes &= ~(1ull << REEL_CLASS_MUTEX);
    for (uint32_t i = 0; i < holds->slots; i++) {
        struct reel_live_holder *holder = &holds->holder[i];
        uint32_t kept = 0;
        for (uint32_t k = 0; k < holder->count; k++)
            if (holder->hold[k].class != REEL_CLASS_MUTEX)
                holder->hold[kept++] = holder->hold[k];
        holder->count = kept;
    }
}

static void push(struct reel_live_holder *holder, const struct reel_live_hold *hold)
{
    if (holder->count == holder->capacity) {
        holder->capacity = holder->capacity ? holder->capacity * 2 : 8;
        holder->hold = g_renew(struct reel_live_hold, holder->hold, holder->capacity);
    }
    holder->hold[holder->count++] = *hold;
}

static bool release(struct reel_live_holder *holder, uint8_t class, uint64_t object)
{
    for (uint32_t i = holder->count; i-- > 0;) {
        struct reel_live_hold *hold = &holder->hold[i];
        if (hold->object != object || hold->class != class)
            continue;
        holder->last_released = *hold;
        memmove(hold, hold + 1, (holder->count - i - 1) * sizeof *hold);
        holder->count--;
        return true;
    }
    return false;
}

static void semaphore_event(struct reel_live_holds *holds, struct reel_live_holder *holder,
                            const struct reel_event *event)
{
    struct reel_live_semaphore *semaphore = find_semaphore(holds, event->process, event->object);
    if (!semaphore || !semaphore->is_lock)
        return;
    if (event->operation == REEL_OP_ACQUIRE) {
        push(holder, &(struct reel_live_hold){.object = event->object,
                                              .process = event->process,
                                              .class = event->class,
                                              .flags = event->flags});
    } else if (event->operation == REEL_OP_POST) {
        bool returned = release(holder, event->class, event->object);
        semaphore->is_lock = returned; /* else it is a signal, now and for good */
        semaphore->returned |= returned;
    }
}

void reel_live_holds_event(struct reel_live_holds *holds, uint32_t slot,
                           const struct reel_event *event)
{
    if (event->operation == REEL_OP_NAME || event->operation == REEL_OP_INIT ||
        event->operation == REEL_OP_DESTROY) {
        learn_name(holds, event);
        if (event->operation != REEL_OP_NAME && event->class == REEL_CLASS_SEMAPHORE)
            note_semaphore(holds, event);
        return;
    }
    struct reel_live_holder *holder = &holds->holder[slot];
    if (holder->thread != event->thread) {
        holder->thread = event->thread;
        holder->process = event->process;
        holder->count = 0;
        holder->lost = false;
    }
    if (event->class == REEL_CLASS_SEMAPHORE) {
        semaphore_event(holds, holder, event);
        return;
    }
    switch (event->operation) {
    case REEL_OP_ACQUIRE:
        if (!(event->flags & REEL_FLAG_RECURSIVE))
            push(holder, &(struct reel_live_hold){.object = event->object,
                                                  .process = event->process,
                                                  .class = event->class,
                                                  .flags = event->flags});
        break;
    case REEL_OP_RELEASE:
        if (event->flags & REEL_FLAG_RECURSIVE)
            break;
        holder->last_released.class = REEL_CLASS_NONE;
        if (!release(holder, event->class, event->object) && event->class == REEL_CLASS_SPINLOCK)
            holds->spins_distrusted = true;
        break;
    case REEL_OP_RELEASE_FAILED:
        if (holder->last_released.class == event->class &&
            holder->last_released.object == event->object)
            push(holder, &holder->last_released);
        holder->last_released.class = REEL_CLASS_NONE;
        break;
    case REEL_OP_END:
        if (event->class == REEL_CLASS_EVENTFD && !(event->flags & REEL_FLAG_READ) &&
            (int32_t)event->argument > 0)
            note_written(holds, event->object);
        break;
    case REEL_OP_GAP:
        holder->lost = true;
        g_hash_table_remove_all(holds->semaphores); /* who posted is no longer certain */
        break;
    default:
        break;
    }
}
