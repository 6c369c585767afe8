/* A flame graph: stacks with weights, merged by what they share from the root on, each box as wide
 * as the weight of all stacks through it. After Gregg, "The Flame Graph" (CACM 59:6, 2016).
 *
 * Built once by one thread, then read by any. Names are numbers of the caller's own. */
#ifndef REEL_VIEWER_CORE_FLAME_H
#define REEL_VIEWER_CORE_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_flame_box {
    uint32_t name;
    uint32_t parent;             /* 0 for the root's boxes; the root is box 0 */
    uint32_t first_child, next;  /* 0: none; the heaviest child first after reel_flame_finish */
    uint32_t depth;              /* of the root: 0 */
    uint64_t total, self, count; /* of all stacks through it; of those that end in it; how many */
};

struct reel_flame {
    struct reel_flame_box *box;
    size_t count, capacity;
    uint32_t deepest;
    void *index; /* while it is built */
};

bool reel_flame_init(struct reel_flame *flame);
void reel_flame_clear(struct reel_flame *flame);
/* Adds `weight` for the stack whose names are name[0] (the root's side) … name[depth - 1], seen
 * `count` times. Returns the innermost box, 0 when memory ran out or the stack is empty. */
uint32_t reel_flame_add(struct reel_flame *flame, const uint32_t *name, size_t depth,
                        uint64_t weight, uint64_t count);
/* Sorts children by weight, equal ones by name. */
bool reel_flame_finish(struct reel_flame *flame);

/* Where a box is drawn: left and width as shares of the whole picture, row 0 on top. */
struct reel_flame_place {
    uint32_t box;
    uint32_t row;
    double left, width;
};

/* Lays out what is seen when `zoomed` fills the width: its ancestors in full width above it, below
 * it everything at least `least` wide. Places are in the order of rows, each row from left to
 * right. Returns how many there are, of which at most `limit` are written. */
size_t reel_flame_layout(const struct reel_flame *flame, uint32_t zoomed, double least,
                         struct reel_flame_place *place, size_t limit);

/* Next box for the keyboard: into the heaviest child, out to the parent, to the neighbour. Returns
 * `box` where there is none. */
enum reel_flame_step { REEL_FLAME_IN, REEL_FLAME_OUT, REEL_FLAME_LEFT, REEL_FLAME_RIGHT };
uint32_t reel_flame_step(const struct reel_flame *flame, uint32_t box, enum reel_flame_step step);
/* Whether `box` is `ancestor` or below it. */
bool reel_flame_is_below(const struct reel_flame *flame, uint32_t box, uint32_t ancestor);

#endif
