#include "viewer/core/flame.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

bool reel_flame_init(struct reel_flame *flame)
{
    memset(flame, 0, sizeof *flame);
    flame->box = calloc(64, sizeof *flame->box);
    if (!flame->box)
        return false;
    flame->capacity = 64;
    flame->count = 1; /* the root */
    /* (parent, name) → box */
    flame->index = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return true;
}

void reel_flame_clear(struct reel_flame *flame)
{
    free(flame->box);
    if (flame->index)
        g_hash_table_unref(flame->index);
    memset(flame, 0, sizeof *flame);
}

static uint32_t child_of(struct reel_flame *flame, uint32_t parent, uint32_t name)
{
    int64_t key = (int64_t)(((uint64_t)parent << 32) | name);
    uint32_t found = GPOINTER_TO_UINT(g_hash_table_lookup(flame->index, &key));
    if (found)
        return found;
    if (flame->count == flame->capacity) {
        size_t capacity = flame->capacity * 2;
        struct reel_flame_box *box = realloc(flame->box, capacity * sizeof *box);
        if (!box || capacity > UINT32_MAX)
            return 0;
        flame->box = box;
        flame->capacity = capacity;
    }
    uint32_t index = (uint32_t)flame->count++;
    flame->box[index] = (struct reel_flame_box){
        .name = name,
        .parent = parent,
        .next = flame->box[parent].first_child,
        .depth = flame->box[parent].depth + 1,
    };
    flame->box[parent].first_child = index;
    if (flame->box[index].depth > flame->deepest)
        flame->deepest = flame->box[index].depth;
    g_hash_table_insert(flame->index, g_memdup2(&key, sizeof key), GUINT_TO_POINTER(index));
    return index;
}

uint32_t reel_flame_add(struct reel_flame *flame, const uint32_t *name, size_t depth,
                        uint64_t weight, uint64_t count)
{
    uint32_t at = 0;
    /* First all boxes, then the weights: running out of memory leaves sums that agree. */
    for (size_t i = 0; i < depth; i++) {
        at = child_of(flame, at, name[i]);
        if (!at)
            return 0;
    }
    if (depth == 0)
        return 0;
    flame->box[at].self += weight;
    for (uint32_t up = at;; up = flame->box[up].parent) {
        flame->box[up].total += weight;
        flame->box[up].count += count;
        if (up == 0)
            break;
    }
    return at;
}

static int heavier_first(const void *left, const void *right, void *data)
{
    const struct reel_flame *flame = data;
    const struct reel_flame_box *a = &flame->box[*(const uint32_t *)left];
    const struct reel_flame_box *b = &flame->box[*(const uint32_t *)right];
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return a->name < b->name ? -1 : a->name > b->name;
}

bool reel_flame_finish(struct reel_flame *flame)
{
    uint32_t *children = malloc(flame->count * sizeof *children);
    if (!children)
        return false;
    for (size_t i = 0; i < flame->count; i++) {
        int count = 0;
        for (uint32_t child = flame->box[i].first_child; child; child = flame->box[child].next)
            children[count++] = child;
        g_qsort_with_data(children, count, sizeof *children, heavier_first, flame);
        for (int k = 0; k < count; k++)
            flame->box[children[k]].next = k + 1 < count ? children[k + 1] : 0;
        if (count)
            flame->box[i].first_child = children[0];
    }
    free(children);
    if (flame->index)
        g_hash_table_unref(flame->index);
    flame->index = NULL;
    return true;
}

/* Writes if there is room, and counts in any case. */
static void put(struct reel_flame_place *place, size_t limit, size_t *count, uint32_t box,
                uint32_t row, double left, double width)
{
    if (*count < limit)
        place[*count] = (struct reel_flame_place){box, row, left, width};
    ++*count;
}

size_t reel_flame_layout(const struct reel_flame *flame, uint32_t zoomed, double least,
                         struct reel_flame_place *place, size_t limit)
{
    size_t count = 0;
    if (zoomed >= flame->count)
        zoomed = 0;
    for (uint32_t row = 0; row <= flame->box[zoomed].depth; row++) {
        uint32_t box = zoomed;
        while (flame->box[box].depth > row)
            box = flame->box[box].parent;
        put(place, limit, &count, box, row, 0, 1);
    }
    /* The rows below, each from the one above: places are the queue. */
    for (size_t at = flame->box[zoomed].depth; at < count && at < limit; at++) {
        struct reel_flame_place above = place[at];
        const struct reel_flame_box *parent = &flame->box[above.box];
        double left = above.left;
        for (uint32_t child = parent->first_child; child && parent->total;
             child = flame->box[child].next) {
            double width = above.width * (double)flame->box[child].total / (double)parent->total;
            if (width >= least && width > 0)
                put(place, limit, &count, child, above.row + 1, left, width);
            left += width;
        }
    }
    return count;
}

uint32_t reel_flame_step(const struct reel_flame *flame, uint32_t box, enum reel_flame_step step)
{
    if (box >= flame->count)
        return 0;
    const struct reel_flame_box *at = &flame->box[box];
    uint32_t before;
    switch (step) {
    case REEL_FLAME_IN:
        return at->first_child ? at->first_child : box;
    case REEL_FLAME_OUT:
        return at->parent;
    case REEL_FLAME_RIGHT:
        return at->next ? at->next : box;
    case REEL_FLAME_LEFT:
        before = box ? flame->box[at->parent].first_child : 0;
        while (before && before != box && flame->box[before].next != box)
            before = flame->box[before].next;
        return before ? before : box;
    }
    return box;
}

bool reel_flame_is_below(const struct reel_flame *flame, uint32_t box, uint32_t ancestor)
{
    while (box != ancestor && box)
        box = flame->box[box].parent;
    return box == ancestor;
}
