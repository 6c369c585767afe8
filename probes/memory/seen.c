/* What threads see of one another's writes: the order that a reordering of this run must keep.
 *
 * A lock orders its critical sections by chance; that a thread *read* what another one had written
 * is no chance: it may have decided by it what to do. So who reads a value hears the past of its
 * writer, as far as orders go that every run has (`must`), and it is told to the tracer (SEEN),
 * which judges by the same rule. Two accesses that `must` does not order, under no common lock, are
 * a race that this run may have hidden: Mathur, Pavlogiannis and Viswanathan, "Optimal prediction
 * of synchronization-preserving races", POPL 2021.
 *
 * A write has only its epoch. What its thread knew is found on the *trail* of that thread: when it
 * let go last, and what it had heard by then. The trail is short; of an older write, what its
 * thread knew a little later counts, which orders more, never less, here and in the tracer alike.
 */
#include "probes/memory/memory.h"

#define EPOCHS    64u
#define SNAPSHOTS 8u

/* What `must` was from that epoch on. */
struct snapshot {
    uint64_t epoch;
    struct reel_vector must;
};

struct reel_trail {
    atomic_flag locked;
    uint32_t epochs, snapshots; /* ever added */
    uint64_t epoch[EPOCHS];
    struct snapshot snapshot[SNAPSHOTS];
};
_Static_assert(sizeof(struct reel_trail) <= REEL_TRAIL_BYTES, "as thread.c takes room");

static bool is_news(const struct snapshot *last, uint32_t index, const struct reel_vector *must)
{
    for (uint32_t i = 0; i < must->count; i++)
        if (i != index && must->at[i] > reel_vector_at(&last->must, i))
            return true;
    return false;
}

void reel_trail_add(struct reel_trail *trail, uint64_t epoch, uint32_t index,
                    const struct reel_vector *must)
{
    reel_spin_lock(&trail->locked);
    trail->epoch[trail->epochs++ % EPOCHS] = epoch;
    if (!trail->snapshots ||
        is_news(&trail->snapshot[(trail->snapshots - 1) % SNAPSHOTS], index, must)) {
        struct snapshot *snapshot = &trail->snapshot[trail->snapshots++ % SNAPSHOTS];
        snapshot->epoch = epoch;
        reel_vector_copy(&snapshot->must, must);
    }
    reel_spin_unlock(&trail->locked);
}

/* The first time it let go after `epoch`. */
static uint64_t let_go_after(const struct reel_trail *trail, uint64_t epoch, uint64_t now)
{
    uint32_t kept = trail->epochs < EPOCHS ? trail->epochs : EPOCHS;
    uint64_t found = now;
    for (uint32_t i = 1; i <= kept; i++) {
        uint64_t at = trail->epoch[(trail->epochs - i) % EPOCHS];
        if (at <= epoch)
            break;
        found = at;
    }
    return found;
}

uint64_t reel_trail_join(struct reel_trail *trail, uint64_t epoch, uint64_t now, uint32_t index,
                         struct reel_past *past)
{
    if (!trail)
        return now;
    reel_spin_lock(&trail->locked);
    uint64_t until = let_go_after(trail, epoch, now);
    uint32_t kept = trail->snapshots < SNAPSHOTS ? trail->snapshots : SNAPSHOTS;
    const struct snapshot *known = NULL;
    for (uint32_t i = 1; i <= kept; i++) {
        known = &trail->snapshot[(trail->snapshots - i) % SNAPSHOTS];
        if (known->epoch <= until)
            break;
    }
    if (known && known->epoch > until)
        until = known->epoch;
    if (past) {
        const uint64_t heard = reel_vector_at(&past->clock, index);
        if (known && until <= heard)
            reel_vector_join(&past->must, &known->must);
        uint64_t sure = until < heard ? until : heard;
        if (sure > reel_vector_at(&past->must, index))
            reel_vector_set(&past->must, index, sure);
    }
    reel_spin_unlock(&trail->locked);
    return until;
}

static void tell(struct reel_self *self, uint32_t thread, uint64_t position)
{
    self->telling = true;
    reel_memory.services->emit(self->tls, REEL_KIND(REEL_OP_SEEN, REEL_CLASS_NONE, 0), 0, thread, 0,
                               &position, 1);
    self->telling = false;
}

/* What nothing orders is seen all the same, but makes no order: `must` stays within `clock`. */
void reel_self_see(struct reel_self *self, uint32_t index, uint64_t epoch)
{
    uint32_t thread;
    uint64_t position;
    const bool ordered = epoch < reel_vector_at(&self->past.clock, index);
    if (reel_vector_at(ordered ? &self->past.must : &self->glimpsed, index) > epoch)
        return;
    uint64_t until =
        reel_self_follow_trail(index, epoch, ordered ? &self->past : NULL, &thread, &position);
    if (!until)
        return;
    if (!ordered)
        reel_vector_set(&self->glimpsed, index, until);
    tell(self, thread, position);
}

/* What it has heard of is ordered from here on. What it has not yet heard of may reach it by a lock
 * later, and no chance then: told now. */
void reel_self_see_all(struct reel_self *self)
{
    if (!self->trail || !reel_is_predicting())
        return;
    for (uint32_t index = 1, count = reel_self_count(); index <= count; index++) {
        const uint64_t heard = reel_vector_at(&self->past.clock, index);
        uint32_t thread;
        uint64_t position;
        if (index == self->index)
            continue;
        if (heard > reel_vector_at(&self->past.must, index) &&
            reel_self_identify(index, heard, &thread, &position)) {
            reel_vector_set(&self->past.must, index, heard);
            tell(self, thread, position);
        }
        const uint64_t now = reel_self_epoch(index);
        if (now >= heard)
            reel_self_see(self, index, now);
    }
}

void reel_seen_no_more(const char *why)
{
    if (atomic_exchange(&reel_memory.predicts, false))
        reel_tell_followed(why);
}
