/* Atomic operations of instrumented code, by the C11 memory model.
 *
 * An operation is performed while its word's cell is locked, so what a thread reads and whose clock
 * it hears are one and the same store. A release leaves the thread's clock at the word and ends its
 * epoch; it is recorded (BEFORE), and so is an acquire that brings something new (AFTER): the
 * tracer knows these orders too. A read-modify-write continues the release sequence of the store it
 * read; a plain atomic store of another thread ends it. Fences: a release fence lends its clock to
 * the relaxed stores that follow, an acquire fence hears what the relaxed loads before it read. */
#include "probes/memory/atomic.h"

#include "probes/memory/memory.h"

#define CALLER ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define BEFORE REEL_KIND(REEL_OP_BEFORE, REEL_CLASS_MEMORY, 0)
#define AFTER  REEL_KIND(REEL_OP_AFTER, REEL_CLASS_MEMORY, 0)

struct turn {
    struct reel_self *self;
    struct reel_cell *cell;
    uintptr_t address;
    unsigned size;
    uint64_t pc;
    bool shared; /* other processes may see the word: what they left there is not known here */
};

static bool acquires(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static void tell(struct reel_self *self, uint32_t kind, uint64_t object, uint32_t argument,
                 const uint64_t *extra, unsigned count)
{
    self->telling = true;
    if (reel_is_shared(object))
        reel_memory.services->emit_shared(self->tls, kind, object, argument, 0, extra, count);
    else
        reel_memory.services->emit_ordered(self->tls, kind, object, argument, extra, count);
    self->telling = false;
}

/* True: the cell is locked, and `end` must follow. False: just perform it. A release makes room for
 * its clock first: a load that sees the value without the lock must see that there is one. */
static bool begin(struct turn *turn, volatile const void *address, unsigned size, bool release,
                  uint64_t pc)
{
    struct reel_self *self = &reel_self;
    if (!reel_work_begin(self)) {
        reel_defer(self, &(struct reel_deferred){.object = (uintptr_t)address,
                                                 .pc = pc,
                                                 .argument = size,
                                                 .flags = REEL_TAG_ATOMIC});
        return false;
    }
    if (!reel_shadow_covers((uintptr_t)address) || !reel_access_ready(self)) {
        reel_work_end(self);
        return false;
    }
    *turn = (struct turn){self, reel_cell_of((uintptr_t)address),  (uintptr_t)address, size,
                          pc,   reel_is_shared((uintptr_t)address)};
    reel_cell_lock(turn->cell);
    if (release)
        reel_sync_at(turn->cell, true);
    return true;
}

/* Of a word that processes share: is it another value than the last one this process heard at? Who
 * polls for a change hears nothing until it comes. */
static bool is_changed(const struct turn *turn, struct reel_sync *sync)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < turn->size && i < 8; i++)
        value |= (uint64_t)((const volatile uint8_t *)turn->address)[i] << 8 * i;
    uint32_t folded = (uint32_t)(value ^ value >> 32), before = sync->capacity;
    sync->capacity = folded;
    return folded != before || !sync->arrived++;
}

static void hear(struct turn *turn, int order)
{
    struct reel_self *self = turn->self;
    struct reel_sync *sync = reel_sync_at(turn->cell, turn->shared && acquires(order));
    if (sync && turn->shared && acquires(order) && is_changed(turn, sync)) {
        tell(self, AFTER, turn->address, 0, NULL, 0);
        reel_past_join(&self->past, &sync->heard);
        return;
    }
    if (!sync || reel_past_covers(&self->past, &sync->heard))
        return;
    if (acquires(order)) {
        tell(self, AFTER, turn->address, 0, NULL, 0);
        reel_past_join(&self->past, &sync->heard);
    } else if (reel_past_join(&self->loaded, &sync->heard) &&
               self->loaded_count < sizeof self->loaded_from / sizeof *self->loaded_from) {
        self->loaded_from[self->loaded_count++] = turn->address;
    }
}

static void leave(struct turn *turn, int order, bool replaces)
{
    struct reel_self *self = turn->self;
    struct reel_sync *sync = reel_sync_at(turn->cell, releases(order) || self->fenced.clock.count);
    if (!sync)
        return;
    if (releases(order)) {
        tell(self, BEFORE, turn->address, replaces ? REEL_EDGE_REPLACES : 0, NULL, 0);
        reel_self_advance(self);
        if (replaces)
            reel_past_copy(&sync->heard, &self->past);
        else
            reel_past_join(&sync->heard, &self->past);
        sync->last = self->index;
    } else if (self->fenced.clock.count) {
        tell(self, BEFORE, turn->address, replaces ? REEL_EDGE_REPLACES : 0, &self->fence_position,
             1);
        if (replaces)
            reel_past_copy(&sync->heard, &self->fenced);
        else
            reel_past_join(&sync->heard, &self->fenced);
        sync->last = self->index;
    } else if (replaces && sync->last != self->index) {
        reel_past_clear(&sync->heard);
    }
}

/* `flags`: did it write? A read-modify-write hears and leaves; `stores`: it read nothing. */
static void end(struct turn *turn, uint64_t flags, int order, bool stores)
{
    struct reel_self *self = turn->self;
    struct reel_found found;
    unsigned offset = turn->address & 7, size = turn->size < 8 - offset ? turn->size : 8 - offset;
    uint64_t bytes = (REEL_TAG_BYTES >> (8 - size)) << offset;
    uintptr_t word = turn->address - offset;
    uint32_t site = reel_site_of(self, turn->pc);
    flags |= REEL_TAG_ATOMIC | (stores ? 0 : REEL_TAG_READS);
    reel_cell_access(turn->cell, self, flags, bytes, site, &found);
    if (!stores)
        hear(turn, order);
    if (flags & REEL_TAG_WRITE)
        leave(turn, order, stores);
    reel_cell_unlock(turn->cell);
    if (turn->shared)
        reel_shared_access(self, word, bytes, flags, site);
    else
        reel_access_tell(self, word, bytes, flags, site, &found);
    if (turn->size > size)
        reel_access_word(self, word + 8, REEL_TAG_BYTES >> (8 - (turn->size - size)), flags, site);
    reel_work_end(self);
}

/* A load that is neither new nor can hear anything: nobody ever left a clock there. */
static bool is_known(const volatile void *address, unsigned size)
{
    const struct reel_self *self = &reel_self;
    const struct reel_cell *cell = reel_cell_of((uintptr_t)address);
    uint64_t tag = atomic_load_explicit(&cell->tag[1], memory_order_relaxed);
    uint64_t bytes = (REEL_TAG_BYTES >> (8 - size)) << ((uintptr_t)address & 7);
    return self->index && __atomic_load_n(&cell->more, __ATOMIC_ACQUIRE) == 0 &&
           ((tag ^ (self->read_tag | REEL_TAG_ATOMIC)) & ~REEL_TAG_BYTES) == 0 &&
           (tag & bytes) == bytes;
}

#define LOAD(width)                                                                                \
    reel_word##width reel_atomic_load##width(const volatile reel_word##width *address, int order)  \
    {                                                                                              \
        struct turn turn;                                                                          \
        reel_word##width value;                                                                    \
        if (width <= 64) {                                                                         \
            value = reel_stub_load##width(address, order);                                         \
            if (is_known(address, width / 8))                                                      \
                return value;                                                                      \
        }                                                                                          \
        if (!begin(&turn, address, width / 8, false, CALLER))                                      \
            return reel_stub_load##width(address, order);                                          \
        value = reel_stub_load##width(address, order);                                             \
        end(&turn, 0, order, false);                                                               \
        return value;                                                                              \
    }

#define STORE(width)                                                                               \
    void reel_atomic_store##width(volatile reel_word##width *address, reel_word##width value,      \
                                  int order)                                                       \
    {                                                                                              \
        struct turn turn;                                                                          \
        bool followed = begin(&turn, address, width / 8, releases(order), CALLER);                 \
        reel_stub_store##width(address, value, order);                                             \
        if (followed)                                                                              \
            end(&turn, REEL_TAG_WRITE, order, true);                                               \
    }

#define UPDATE(operation, width)                                                                   \
    reel_word##width reel_atomic_##operation##width(volatile reel_word##width *address,            \
                                                    reel_word##width operand, int order)           \
    {                                                                                              \
        struct turn turn;                                                                          \
        bool followed = begin(&turn, address, width / 8, releases(order), CALLER);                 \
        reel_word##width old = reel_stub_##operation##width(address, operand, order);              \
        if (followed)                                                                              \
            end(&turn, REEL_TAG_WRITE, order, false);                                              \
        return old;                                                                                \
    }

#define COMPARE(width)                                                                             \
    static int compare##width(volatile reel_word##width *address, reel_word##width *expected,      \
                              reel_word##width wanted, int order, int failed, uint64_t pc)         \
    {                                                                                              \
        struct turn turn;                                                                          \
        bool followed = begin(&turn, address, width / 8, releases(order), pc);                     \
        int same = reel_stub_compare##width(address, expected, wanted, order, failed);             \
        if (followed)                                                                              \
            end(&turn, same ? REEL_TAG_WRITE : 0, same ? order : failed, false);                   \
        return same;                                                                               \
    }                                                                                              \
    int reel_atomic_compare##width(volatile reel_word##width *address, reel_word##width *expected, \
                                   reel_word##width wanted, int order, int failed)                 \
    {                                                                                              \
        return compare##width(address, expected, wanted, order, failed, CALLER);                   \
    }                                                                                              \
    reel_word##width reel_atomic_compare_value##width(                                             \
        volatile reel_word##width *address, reel_word##width expected, reel_word##width wanted,    \
        int order, int failed)                                                                     \
    {                                                                                              \
        compare##width(address, &expected, wanted, order, failed, CALLER);                         \
        return expected;                                                                           \
    }

#define ATOMIC(width)                                                                              \
    LOAD(width)                                                                                    \
    STORE(width)                                                                                   \
    REEL_MEMORY_UPDATES(UPDATE, width)                                                             \
    COMPARE(width)
REEL_MEMORY_WIDTHS(ATOMIC)

void reel_atomic_fence(int order)
{
    struct reel_self *self = &reel_self;
    reel_stub_thread_fence(order);
    if (!reel_work_begin(self))
        return;
    if (reel_access_ready(self)) {
        if (acquires(order) && !reel_past_covers(&self->past, &self->loaded)) {
            for (uint32_t i = 0; i < self->loaded_count; i++)
                tell(self, AFTER, self->loaded_from[i], 0, NULL, 0);
            reel_past_join(&self->past, &self->loaded);
        }
        if (acquires(order)) {
            reel_past_clear(&self->loaded);
            self->loaded_count = 0;
        }
        if (releases(order)) {
            tell(self, BEFORE, (uintptr_t)self, REEL_EDGE_REPLACES, NULL, 0);
            reel_self_advance(self);
            reel_past_copy(&self->fenced, &self->past);
            self->fence_position = self->tls->events;
        }
    }
    reel_work_end(self);
}

void reel_atomic_acquire(void *address)
{
    struct turn turn;
    if (!begin(&turn, address, 1, false, CALLER))
        return;
    hear(&turn, __ATOMIC_ACQUIRE);
    reel_cell_unlock(turn.cell);
    reel_work_end(turn.self);
}

void reel_atomic_release(void *address)
{
    struct turn turn;
    if (!begin(&turn, address, 1, true, CALLER))
        return;
    leave(&turn, __ATOMIC_RELEASE, false);
    reel_cell_unlock(turn.cell);
    reel_work_end(turn.self);
}
