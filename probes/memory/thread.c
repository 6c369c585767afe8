/* Threads: their indexes, clocks and epochs.
 *
 * The index of a thread that is over is given to a new one that has heard of its end: then no
 * access of the one can race with one of the other, and the epochs just go on. So clocks are as
 * long as there were threads at once that did not know of one another. */
#include <pthread.h>

#include "probes/memory/memory.h"

__thread struct reel_self reel_self;

/* From this epoch on, the index was that thread's. */
struct tenancy {
    uint64_t from;
    uint32_t thread;
};

struct tenant {
    struct tenancy *tenancy;
    uint32_t count, capacity;
    uint64_t last;                /* epoch of the last one's end */
    const struct reel_self *self; /* the present one; NULL: free */
    struct reel_trail *trail;     /* NULL unless hidden races are looked for */
};

static struct {
    atomic_flag locked;
    struct tenant *tenant; /* by index, from 1 */
    uint32_t count;        /* indexes ever used */
    uint32_t hand;         /* where the search for a free one goes on */
    void *spare;           /* room for the frames of a thread, from those that are over */
} threads = {.locked = ATOMIC_FLAG_INIT};

static void lock(void)
{
    reel_spin_lock(&threads.locked);
}

static void unlock(void)
{
    reel_spin_unlock(&threads.locked);
}

static bool move_in(struct tenant *tenant, struct tenancy tenancy)
{
    if (tenant->count == tenant->capacity) {
        uint32_t capacity = tenant->capacity ? tenant->capacity * 2 : 2;
        struct tenancy *larger = reel_room_take(capacity * sizeof *larger);
        if (!larger)
            return false;
        for (uint32_t i = 0; i < tenant->count; i++)
            larger[i] = tenant->tenancy[i];
        reel_room_give(tenant->tenancy, tenant->capacity * sizeof *tenant->tenancy);
        tenant->tenancy = larger;
        tenant->capacity = capacity;
    }
    tenant->tenancy[tenant->count++] = tenancy;
    return true;
}

/* An index whose last thread this one has heard the end of; or a new one. 0: none left. */
static uint32_t take_index(struct reel_self *self)
{
    if (!threads.tenant)
        threads.tenant = reel_room_map(REEL_THREADS * sizeof *threads.tenant);
    if (!threads.tenant)
        return 0;
    for (uint32_t tries = 0; tries < 64 && tries < threads.count; tries++) {
        uint32_t index = threads.hand++ % threads.count + 1;
        struct tenant *tenant = &threads.tenant[index];
        if (!tenant->self && reel_vector_at(&self->past.clock, index) >= tenant->last)
            return index;
    }
    if (threads.count + 1 >= REEL_THREADS)
        return 0;
    return ++threads.count;
}

#define ROOM                                                                                       \
    (REEL_FRAMES * sizeof(struct reel_call_frame) + sizeof(struct reel_site_memo) * REEL_SITE_MEMOS)

static void *take_room(void)
{
    lock();
    void *room = threads.spare;
    if (room)
        threads.spare = *(void **)room;
    unlock();
    return room ? room : reel_room_map(ROOM);
}

static void set_epoch(struct reel_self *self)
{
    uint64_t epoch = self->bias + self->tls->events;
    if (epoch > REEL_EPOCH_LIMIT)
        epoch = REEL_EPOCH_LIMIT;
    uint64_t tag = epoch << REEL_TAG_EPOCH | (uint64_t)self->index << REEL_TAG_THREAD;
    reel_vector_set(&self->past.clock, self->index, epoch);
    if (self->trail && atomic_load_explicit(&reel_memory.predicts, memory_order_relaxed)) {
        reel_vector_set(&self->past.must, self->index, epoch);
        reel_trail_add(self->trail, epoch, self->index, &self->past.must);
    } else {
        self->sure = &self->past.clock;
    }
    self->write_tag = tag | REEL_TAG_WRITE;
    self->read_tag = tag;
}

void reel_self_advance(struct reel_self *self)
{
    if (REEL_LIKELY(self->index))
        set_epoch(self);
}

/* A thread that nobody saw being made may know of all that happened so far. The tracer does not
 * know why: nothing is predicted from here on. */
void reel_self_hear_all(struct reel_self *self)
{
    if (threads.count)
        atomic_store_explicit(&reel_memory.predicts, false, memory_order_relaxed);
    lock();
    for (uint32_t index = 1; threads.tenant && index <= threads.count; index++) {
        const struct tenant *tenant = &threads.tenant[index];
        uint64_t epoch =
            tenant->self
                ? reel_tag_epoch(__atomic_load_n(&tenant->self->write_tag, __ATOMIC_RELAXED)) + 1
                : tenant->last;
        reel_vector_set(&self->past.clock, index, epoch);
    }
    unlock();
}

/* What the creator left for this thread is in `clock` already. */
bool reel_self_begin(struct reel_self *self, struct reel_tls *tls)
{
    if (self->ended || !tls || !tls->slot)
        return false;
    self->tls = tls;
    self->number = tls->slot->number;
    lock();
    uint32_t index = take_index(self);
    struct tenant *tenant = &threads.tenant[index];
    if (index) {
        self->bias = tenant->count ? tenant->last + 1 : 0;
        if (!move_in(tenant, (struct tenancy){self->bias, self->number}))
            index = 0;
        tenant->self = self;
        if (!tenant->trail && atomic_load_explicit(&reel_memory.predicts, memory_order_relaxed))
            tenant->trail = reel_room_take(REEL_TRAIL_BYTES);
        self->trail = tenant->trail;
    }
    unlock();
    if (!index) {
        self->ended = true; /* nothing of it is looked at */
        return false;
    }
    self->sure = self->trail ? &self->past.must : &self->past.clock;
    /* Whose index it was: what that thread did counts as this one's from now on. */
    if (self->trail && self->bias > 1)
        reel_self_see(self, index, self->bias - 2);
    self->index = index;
    set_epoch(self);
    char *room = take_room();
    if (room) {
        self->memo = (struct reel_site_memo *)room;
        self->base = (struct reel_call_frame *)(self->memo + REEL_SITE_MEMOS);
        self->limit = self->base + REEL_FRAMES - 1;
        atomic_signal_fence(memory_order_seq_cst);
        self->top = self->base;
    }
    return true;
}

void reel_self_end(struct reel_self *self)
{
    if (!self->index)
        return;
    self->ended = true;
    self->write_tag = self->read_tag = 0;
    self->top = self->limit = NULL;
    void *room = self->memo;
    self->memo = NULL;
    self->base = NULL;
    self->trail = NULL;
    reel_past_free(&self->loaded);
    reel_past_free(&self->fenced);
    reel_vector_free(&self->glimpsed);
    lock();
    struct tenant *tenant = &threads.tenant[self->index];
    tenant->last = reel_vector_at(&self->past.clock, self->index);
    tenant->self = NULL;
    if (room) {
        /* Its memo stays right: sites are of the process. */
        ((struct reel_site_memo *)room)->site = 0;
        *(void **)room = threads.spare;
        threads.spare = room;
    }
    unlock();
    reel_past_free(&self->past);
    self->index = 0;
}

/* Which of its tenants had the index at that epoch? `count`: none. */
static uint32_t tenancy_at(const struct tenant *tenant, uint64_t epoch)
{
    for (uint32_t i = tenant->count; i-- > 0;)
        if (tenant->tenancy[i].from <= epoch)
            return i;
    return tenant->count;
}

static struct tenant *tenant_of(uint32_t index)
{
    return threads.tenant && index && index <= threads.count ? &threads.tenant[index] : NULL;
}

uint64_t reel_self_epoch(uint32_t index)
{
    lock();
    const struct tenant *tenant = tenant_of(index);
    uint64_t epoch = 0;
    if (tenant)
        epoch = tenant->self
                    ? reel_tag_epoch(__atomic_load_n(&tenant->self->write_tag, __ATOMIC_RELAXED))
                    : tenant->last;
    unlock();
    return epoch;
}

uint32_t reel_self_count(void)
{
    lock();
    uint32_t count = threads.count;
    unlock();
    return count;
}

bool reel_self_identify(uint32_t index, uint64_t epoch, uint32_t *thread, uint64_t *position)
{
    lock();
    const struct tenant *tenant = tenant_of(index);
    uint32_t at = tenant ? tenancy_at(tenant, epoch) : 0;
    bool found = tenant && at < tenant->count;
    if (found) {
        *thread = tenant->tenancy[at].thread;
        *position = epoch - tenant->tenancy[at].from;
    }
    unlock();
    return found;
}

uint64_t reel_self_follow_trail(uint32_t index, uint64_t epoch, struct reel_past *past,
                                uint32_t *thread, uint64_t *position)
{
    uint64_t until = 0;
    lock();
    const struct tenant *tenant = tenant_of(index);
    uint32_t at = tenant ? tenancy_at(tenant, epoch) : 0;
    if (tenant && at < tenant->count) {
        /* The thread may still be in the midst of it: then up to its next event. */
        uint64_t now = tenant->last;
        if (tenant->self)
            now = tenant->self->bias +
                  __atomic_load_n(&tenant->self->tls->events, __ATOMIC_RELAXED) + 1;
        until = reel_trail_join(tenant->trail, epoch, now, index, past);
        uint64_t end = at + 1 < tenant->count ? tenant->tenancy[at + 1].from - 1 : until;
        *thread = tenant->tenancy[at].thread;
        *position = (until < end ? until : end) - tenant->tenancy[at].from;
    }
    unlock();
    return until;
}

/* In a forked child: alone, and a new thread of the recording. */
void reel_self_reset(void)
{
    threads.tenant = NULL;
    threads.count = threads.hand = 0;
    threads.spare = NULL;
    unlock();
}

void reel_stack_forget(void)
{
    pthread_attr_t attributes;
    void *stack = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &stack, &size) == 0)
        reel_shadow_clear((uintptr_t)stack, size);
    pthread_attr_destroy(&attributes);
}
