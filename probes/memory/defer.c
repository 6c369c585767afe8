/* Signal handlers that interrupt their own thread at work here. The thread may hold the lock of a
 * cell, or be halfway through its clock: what the handler does is kept, and done when the thread
 * leaves, some instructions later. Room is limited: accesses beyond it are not seen, events are
 * (they are recorded, so the tracer knows their order; here they only end the epoch). */
#include "probes/memory/memory.h"

bool reel_defer(struct reel_self *self, const struct reel_deferred *what)
{
    uint32_t at = __atomic_fetch_add(&self->deferred_count, 1, __ATOMIC_RELAXED);
    if (at >= REEL_DEFERRED)
        return false;
    self->deferred[at] = *what;
    return true;
}

void reel_leave_slow(struct reel_self *self)
{
    while (self->deferred_count) {
        struct reel_deferred kept[REEL_DEFERRED];
        uint32_t count =
            self->deferred_count < REEL_DEFERRED ? self->deferred_count : REEL_DEFERRED;
        for (uint32_t i = 0; i < count; i++)
            kept[i] = self->deferred[i];
        self->deferred_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (!kept[i].what) {
                reel_access_slow(kept[i].object, kept[i].argument, kept[i].flags, kept[i].pc);
            } else if (reel_work_begin(self)) {
                reel_follow_event(self, kept[i].what, kept[i].object, kept[i].argument);
                reel_work_end(self);
            }
        }
    }
}
