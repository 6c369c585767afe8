#include "viewer/content_outline.h"

/* Of one lane: finer than a window has columns; and of all lanes together: 13 MiB. */
#define CELLS_MOST  2048u
#define CELLS_LEAST 64u
#define CELLS_ALL   (1u << 20)

struct reel_outliner {
    struct reel_outline_shape shape;
    GArray *threads, *objects; /* gsize, by number: intervals that were told of */
};

struct part {
    uint32_t id;
    gboolean is_thread; /* else a lock */
    struct reel_lane_piece *piece;
};

struct reel_outline_step {
    GArray *part;
};

static gboolean has_outline(const struct reel_lane *lane)
{
    return lane->kind == REEL_LANE_THREAD || lane->kind == REEL_LANE_LOCK;
}

struct reel_outline_shape reel_content_make_outline(struct reel_content *content)
{
    struct reel_outline_shape shape = {content->start_ns, content->end_ns, CELLS_MOST};
    guint count = 0;
    for (guint i = 0; i < content->lanes->len; i++)
        count += has_outline(content->lanes->pdata[i]);
    while (shape.cells > CELLS_LEAST && shape.cells * count > CELLS_ALL)
        shape.cells /= 2;
    for (guint i = 0; i < content->lanes->len; i++) {
        struct reel_lane *lane = content->lanes->pdata[i];
        /* Without memory for it a lane stays empty until all is read. */
        if (has_outline(lane))
            reel_lane_data_outline(&lane->data, shape.from_ns, shape.to_ns, shape.cells);
    }
    return shape;
}

struct reel_outliner *reel_outliner_new(const struct reel_outline_shape *shape)
{
    struct reel_outliner *outliner = g_new0(struct reel_outliner, 1);
    outliner->shape = *shape;
    outliner->threads = g_array_new(FALSE, TRUE, sizeof(gsize));
    outliner->objects = g_array_new(FALSE, TRUE, sizeof(gsize));
    return outliner;
}

void reel_outliner_free(struct reel_outliner *outliner)
{
    if (!outliner)
        return;
    g_array_unref(outliner->threads);
    g_array_unref(outliner->objects);
    g_free(outliner);
}

/* What a lane has more than when it was last told of. */
static void cut(const struct reel_outliner *outliner, GArray *told, uint32_t id, gboolean is_thread,
                const struct reel_lane_data *lane, GArray *parts)
{
    if (id >= told->len)
        g_array_set_size(told, id + 1);
    gsize *begin = &g_array_index(told, gsize, id);
    struct part part = {id, is_thread,
                        reel_lane_piece_cut(lane, *begin, outliner->shape.from_ns,
                                            outliner->shape.to_ns, outliner->shape.cells)};
    *begin = lane->count;
    if (part.piece)
        g_array_append_val(parts, part);
}

static void clear_part(gpointer data)
{
    reel_lane_piece_free(((struct part *)data)->piece);
}

struct reel_outline_step *reel_outliner_step(struct reel_outliner *outliner,
                                             const struct reel_gathering *gathering)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(struct part));
    g_array_set_clear_func(parts, clear_part);
    for (guint i = 0; i < gathering->threads->len; i++) {
        const struct reel_gathered_thread *thread = gathering->threads->pdata[i];
        if (thread)
            cut(outliner, outliner->threads, i, TRUE, &thread->states, parts);
    }
    for (guint i = 0; i < gathering->objects->len; i++) {
        const struct reel_gathered_object *object = gathering->objects->pdata[i];
        if (object)
            cut(outliner, outliner->objects, i, FALSE, &object->owners, parts);
    }
    if (parts->len == 0) {
        g_array_unref(parts);
        return NULL;
    }
    struct reel_outline_step *step = g_new(struct reel_outline_step, 1);
    step->part = parts;
    return step;
}

void reel_outline_step_free(struct reel_outline_step *step)
{
    if (!step)
        return;
    g_array_unref(step->part);
    g_free(step);
}

void reel_content_add_step(struct reel_content *content, const struct reel_outline_step *step)
{
    for (guint i = 0; i < step->part->len; i++) {
        const struct part *part = &g_array_index(step->part, struct part, i);
        struct reel_lane *lane = g_hash_table_lookup(
            part->is_thread ? content->by_thread : content->by_object, GUINT_TO_POINTER(part->id));
        if (lane && has_outline(lane))
            reel_lane_data_add_piece(&lane->data, part->piece);
    }
}
