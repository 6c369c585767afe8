/* A forked child: one thread, with a copy of all memory. What was accessed before the fork is over
 * for it, so it begins with an empty shadow; locks that other threads held at that moment are open.
 * Only the calls under way stay. */
#include "probes/memory/memory.h"

void reel_self_forked(struct reel_self *self, struct reel_tls *tls)
{
    *reel_memory.lives = true;
    struct reel_call_frame *top = self->top, *base = self->base, *limit = self->limit;
    struct reel_site_memo *memo = self->memo;
    reel_shadow_drop();
    reel_room_reset();
    reel_channel_reset();
    reel_self_reset();
    *self = (struct reel_self){.inside = 1, .telling = true};
    if (!tls)
        tls = reel_memory.services->enter();
    self->telling = false;
    if (!tls || !tls->slot || !reel_self_begin(self, tls)) {
        self->ended = true;
        return;
    }
    if (memo) {
        self->top = top;
        self->base = base;
        self->limit = limit;
        self->memo = memo;
    }
}
