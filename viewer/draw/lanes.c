/* One row of the picture: its name and what its lane shows. */
#include <math.h>

#include "tracer/model/time_text.h"
#include "viewer/draw/scene.h"

#define LABELS_MOST 400 /* intervals of a lane in view, above which none is wide enough anyway */
#define LABEL_WIDTH 36
#define INDENT      20

/* Where a lane's strip is within its row. */
struct box {
    double top;
    int height;
};

static GdkRGBA faded(const GdkRGBA *color, float alpha)
{
    GdkRGBA result = *color;
    result.alpha *= alpha;
    return result;
}

static uint32_t premultiplied(const GdkRGBA *color)
{
    uint32_t alpha = (uint32_t)(color->alpha * 255 + 0.5f);
    uint32_t red = (uint32_t)(color->red * color->alpha * 255 + 0.5f);
    uint32_t green = (uint32_t)(color->green * color->alpha * 255 + 0.5f);
    uint32_t blue = (uint32_t)(color->blue * color->alpha * 255 + 0.5f);
    return alpha << 24 | red << 16 | green << 8 | blue;
}

static void paint_strip(const struct reel_scene *scene, struct reel_painter *painter,
                        const struct reel_lane_data *data, struct box box)
{
    int width = (int)reel_scene_strip_width(scene);
    if (!reel_lane_data_is_empty(data))
        painter->class->pixels(painter, REEL_TIMELINE_NAMES, box.top, width, box.height,
                               reel_strip_pixels(scene->palette, data, scene->from_ns, scene->to_ns,
                                                 width, box.height));
}

/* Calls `paint` for each interval in view; those too narrow for the eye are in the strip. */
struct span {
    uint64_t start_ns, end_ns;
    double left, right; /* within the strip */
    uint32_t object;
    enum reel_state state;
};

static size_t first_in_view(const struct reel_scene *scene, const struct reel_lane_data *data)
{
    return data->count && scene->from_ns < data->start[0] ? 0
                                                          : reel_lane_data_at(data, scene->from_ns);
}

static gboolean next_span(const struct reel_scene *scene, const struct reel_lane_data *data,
                          size_t *index, struct span *span)
{
    while (*index < data->count && data->state[*index] == REEL_LANE_NOTHING)
        ++*index;
    if (*index >= data->count || data->start[*index] >= scene->to_ns)
        return FALSE;
    size_t i = (*index)++;
    *span = (struct span){
        data->start[i],
        data->start[i + 1],
        MAX(reel_scene_x(scene, data->start[i]), REEL_TIMELINE_NAMES),
        MIN(reel_scene_x(scene, data->start[i + 1]), scene->width),
        data->object[i],
        (enum reel_state)data->state[i],
    };
    return TRUE;
}

/* A text on a plain ground: patterns behind letters are hard to read. */
static void paint_label(const struct reel_scene *scene, struct reel_painter *painter,
                        const char *text, const struct span *span, struct box box,
                        const GdkRGBA *ground, gboolean patterned)
{
    (void)scene;
    GdkRGBA color = reel_palette_text_on(ground);
    double room = span->right - span->left - 10;
    if (patterned) {
        double width = MIN(reel_paint_text_width(painter, text, 0) + 6, room + 4);
        reel_paint_rect(painter, span->left + 3, box.top + 1, width, box.height - 2, ground);
    }
    reel_paint_text(painter, text, span->left + 6, box.top, room, box.height, &color, 0);
}

static void paint_state_labels(const struct reel_scene *scene, struct reel_painter *painter,
                               const struct reel_lane *lane, struct box box)
{
    size_t index = first_in_view(scene, &lane->data);
    struct span span;
    for (unsigned seen = 0; seen < LABELS_MOST && next_span(scene, &lane->data, &index, &span);
         seen++) {
        if (span.right - span.left < LABEL_WIDTH)
            continue;
        enum reel_state_role role = reel_state_role(span.state);
        const char *object = reel_document_object_name(scene->document, span.object);
        const char *text =
            *object && role != REEL_STATE_ROLE_RUNNING ? object : reel_state_name(span.state);
        g_autofree char *long_text = NULL;
        if (*object && role != REEL_STATE_ROLE_RUNNING && span.right - span.left > 150) {
            char duration[REEL_TIME_TEXT];
            text = long_text =
                g_strdup_printf("%s %s  %s", reel_state_name(span.state), object,
                                reel_duration_text(span.end_ns - span.start_ns, false, duration));
        }
        paint_label(scene, painter, text, &span, box, &scene->palette->role[role],
                    role != REEL_STATE_ROLE_RUNNING && role != REEL_STATE_ROLE_IDLE);
    }
}

/* Thin lines below a thread's strip: how many locks it holds, three at most told apart. */
static void paint_held(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_lane *lane, double top)
{
    enum { LINES = 3, PITCH = 2 };
    int width = (int)reel_scene_strip_width(scene);
    if (!lane->depth.count)
        return;
    g_autofree struct reel_depth_column *columns = g_new(struct reel_depth_column, width);
    reel_depth_data_columns(&lane->depth, scene->from_ns, scene->to_ns, columns, (size_t)width);
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * LINES * PITCH);
    for (int x = 0; x < width; x++)
        for (int line = 0; line < MIN(columns[x].highest, LINES); line++) {
            /* A hold far shorter than a pixel is faint, but there. */
            double share = CLAMP(columns[x].mean - line, 0.25, 1);
            GdkRGBA color = faded(&scene->palette->held, (float)share);
            pixels[(gsize)line * PITCH * (gsize)width + (gsize)x] = premultiplied(&color);
        }
    painter->class->pixels(painter, REEL_TIMELINE_NAMES, top, width, LINES * PITCH, pixels);
}

static void paint_thread(const struct reel_scene *scene, struct reel_painter *painter,
                         const struct reel_lane *lane, const struct reel_layout_row *row)
{
    struct box box = {row->top + 3, 20};
    paint_strip(scene, painter, &lane->data, box);
    paint_state_labels(scene, painter, lane, box);
    paint_held(scene, painter, lane, row->top + 24);
}

/* A number over time as a filled area: its mean solid, its highest as an edge. */
static void paint_area(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_depth_data *data, struct box box, double scale,
                       const GdkRGBA *color, int64_t full)
{
    int width = (int)reel_scene_strip_width(scene);
    if (!data->count || scale <= 0)
        return;
    g_autofree struct reel_depth_column *columns = g_new(struct reel_depth_column, width);
    reel_depth_data_columns(data, scene->from_ns, scene->to_ns, columns, (size_t)width);
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * (gsize)box.height);
    GdkRGBA soft = faded(color, 0.55f), softer = faded(color, 0.22f);
    GdkRGBA hot = faded(&scene->palette->role[REEL_STATE_ROLE_LOCK], 0.55f);
    const uint32_t edge = premultiplied(color), body = premultiplied(&soft),
                   upper = premultiplied(&softer), tinted = premultiplied(&hot);
    for (int x = 0; x < width; x++) {
        const struct reel_depth_column *column = &columns[x];
        if (column->highest <= 0)
            continue;
        int mean = (int)lround(CLAMP(column->mean / scale, 0, 1) * (box.height - 2));
        int high = (int)lround(CLAMP(column->highest / scale, 0, 1) * (box.height - 2));
        high = MAX(high, 1);
        gboolean is_full = full > 0 && column->highest >= full;
        for (int y = 0; y <= high; y++) {
            gsize at = (gsize)(box.height - 1 - y) * (gsize)width + (gsize)x;
            pixels[at] = y == high ? edge : y > mean ? upper : is_full ? tinted : body;
        }
    }
    painter->class->pixels(painter, REEL_TIMELINE_NAMES, box.top, width, box.height, pixels);
}

/* A lock's holders, each in its colour; where they are too many for that, how much it was held.
 * Readers are stacked. Above: how many wait. */
static void paint_lock(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_lane *lane, const struct reel_layout_row *row)
{
    const struct reel_palette *palette = scene->palette;
    struct box waiters = {row->top + 2, 11};
    struct box box = {row->top + (lane->depth.count ? 14 : 4), 18};
    if (lane->readers.count)
        paint_area(scene, painter, &lane->readers, box, lane->readers.highest, &palette->owner[2],
                   0);
    size_t first = first_in_view(scene, &lane->data),
           last = reel_lane_data_at(&lane->data, scene->to_ns);
    gboolean is_outline = lane->data.count == 0;
    if (is_outline || last - first > (size_t)reel_scene_strip_width(scene) / 2) {
        paint_strip(scene, painter, &lane->data, box);
    } else {
        size_t index = first;
        struct span span;
        while (next_span(scene, &lane->data, &index, &span)) {
            const GdkRGBA *color = &palette->owner[span.object % G_N_ELEMENTS(palette->owner)];
            span.right = MAX(span.right, span.left + 1);
            reel_paint_rect(painter, span.left, box.top, span.right - span.left, box.height, color);
            const struct reel_lane *owner = reel_document_thread_lane(scene->document, span.object);
            if (span.right - span.left > LABEL_WIDTH && owner)
                paint_label(scene, painter, owner->name, &span, box, color, FALSE);
        }
    }
    if (lane->depth.count)
        paint_area(scene, painter, &lane->depth, waiters, lane->depth.highest,
                   &palette->role[REEL_STATE_ROLE_LOCK], 0);
}

static void paint_queue(const struct reel_scene *scene, struct reel_painter *painter,
                        const struct reel_lane *lane, const struct reel_layout_row *row)
{
    const struct reel_palette *palette = scene->palette;
    struct box box = {row->top + 4, row->height - 7};
    /* A bound that was nearly reached belongs into the picture; one far away would flatten it. */
    gboolean bounded = lane->capacity > 0 && lane->capacity <= 4 * (int64_t)lane->depth.highest;
    double scale = bounded ? MAX((double)lane->capacity, lane->depth.highest) : lane->depth.highest;
    paint_area(scene, painter, &lane->depth, box, scale, &palette->queue,
               lane->capacity > 0 ? lane->capacity : 0);
    if (bounded) {
        double y = box.top + box.height - 1 - (double)lane->capacity / scale * (box.height - 2);
        reel_paint_line(painter, REEL_TIMELINE_NAMES, y + 0.5, scene->width, y + 0.5, 1, 4,
                        &palette->dim);
    }
    char *text = bounded
                     ? g_strdup_printf("%d of %lld", lane->depth.highest, (long long)lane->capacity)
                     : g_strdup_printf("max %d", lane->depth.highest);
    reel_paint_text(painter, text, REEL_TIMELINE_NAMES + 5, row->top + 1, 90, 15, &palette->dim,
                    REEL_TEXT_SMALL);
    g_free(text);
}

/* Callbacks, those over the budget framed and marked. */
static void paint_loop(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_lane *lane, const struct reel_layout_row *row)
{
    struct box box = {row->top + 3, 20};
    paint_strip(scene, painter, &lane->data, box);
    size_t index = first_in_view(scene, &lane->data);
    struct span span;
    for (unsigned seen = 0; seen < 20 * LABELS_MOST && next_span(scene, &lane->data, &index, &span);
         seen++) {
        uint64_t length = span.end_ns - span.start_ns;
        gboolean late = span.state == REEL_STATE_CALLBACK && length > REEL_LOOP_BUDGET_NS;
        if (late)
            reel_paint_frame(painter, span.left, box.top, MAX(span.right - span.left, 3),
                             box.height, 2, &scene->palette->finding);
        if (span.right - span.left < LABEL_WIDTH)
            continue;
        char duration[REEL_TIME_TEXT];
        g_autofree char *text =
            g_strdup_printf("%s%s %s", late ? "! " : "",
                            span.state == REEL_STATE_CALLBACK ? "callback" : "waits for events",
                            reel_duration_text(length, false, duration));
        paint_label(scene, painter, text, &span, box,
                    &scene->palette->role[reel_state_role(span.state)], FALSE);
    }
}

static const char *task_state_text(enum reel_state state)
{
    return state == REEL_STATE_RUNNING ? "runs" : state == REEL_STATE_RUNNABLE ? "ready" : "awaits";
}

static void paint_task(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_lane *lane, const struct reel_layout_row *row)
{
    struct box box = {row->top + 2, 18};
    paint_strip(scene, painter, &lane->data, box);
    size_t index = first_in_view(scene, &lane->data);
    struct span span;
    for (unsigned seen = 0; seen < LABELS_MOST && next_span(scene, &lane->data, &index, &span);
         seen++)
        if (span.right - span.left >= LABEL_WIDTH)
            paint_label(scene, painter, task_state_text(span.state), &span, box,
                        &scene->palette->role[reel_state_role(span.state)],
                        span.state != REEL_STATE_RUNNING);
}

static void paint_spans(const struct reel_scene *scene, struct reel_painter *painter,
                        const struct reel_lane *lane, const struct reel_layout_row *row)
{
    const struct reel_palette *palette = scene->palette;
    struct box box = {row->top + 2, 16};
    if (reel_strip_is_shares(&lane->data, scene->from_ns, scene->to_ns,
                             (int)reel_scene_strip_width(scene))) {
        paint_strip(scene, painter, &lane->data, box);
        return;
    }
    size_t index = first_in_view(scene, &lane->data);
    struct span span;
    while (next_span(scene, &lane->data, &index, &span)) {
        const GdkRGBA *color = &palette->owner[span.object % G_N_ELEMENTS(palette->owner)];
        reel_paint_rect(painter, span.left, box.top, MAX(span.right - span.left - 0.5, 1),
                        box.height, color);
        if (span.right - span.left >= LABEL_WIDTH)
            paint_label(scene, painter, reel_document_object_name(scene->document, span.object),
                        &span, box, color, FALSE);
    }
}

/* How many of a process's threads run, behind its name. */
static void paint_running(const struct reel_scene *scene, struct reel_painter *painter, guint index,
                          const struct reel_layout_row *row)
{
    int width = (int)reel_scene_strip_width(scene), height = row->height - 4;
    g_autofree double *running = g_new0(double, width);
    g_autofree struct reel_lane_column *columns = g_new(struct reel_lane_column, width);
    guint count = reel_document_lane_count(scene->document), threads = 0;
    for (guint i = index + 1; i < count; i++) {
        const struct reel_lane *lane = reel_document_lane(scene->document, i);
        if (lane->heading != index)
            break;
        if (lane->kind != REEL_LANE_THREAD || reel_lane_data_is_empty(&lane->data))
            continue;
        threads++;
        reel_lane_data_columns(&lane->data, scene->from_ns, scene->to_ns, columns, (size_t)width);
        for (int x = 0; x < width; x++)
            running[x] += (columns[x].share[REEL_STATE_ROLE_RUNNING] +
                           columns[x].share[REEL_STATE_ROLE_CALLBACK]) /
                          255.0;
    }
    if (!threads)
        return;
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * (gsize)height);
    GdkRGBA soft = faded(&scene->palette->role[REEL_STATE_ROLE_RUNNING], 0.45f);
    const uint32_t body = premultiplied(&soft);
    for (int x = 0; x < width; x++)
        for (int y = 0; y < (int)lround(running[x] / threads * height); y++)
            pixels[(gsize)(height - 1 - y) * (gsize)width + (gsize)x] = body;
    painter->class->pixels(painter, REEL_TIMELINE_NAMES, row->top + 2, width, height, pixels);
}

static void paint_heading(const struct reel_scene *scene, struct reel_painter *painter,
                          const struct reel_lane *lane, const struct reel_layout_row *row)
{
    const struct reel_palette *palette = scene->palette;
    gboolean collapsed = row + 1 >= scene->layout->row + scene->layout->count ||
                         reel_document_lane(scene->document, row[1].lane)->heading != row->lane;
    reel_paint_rect(painter, 0, row->top, scene->width, row->height, &palette->heading);
    if (lane->kind == REEL_LANE_PROCESS)
        paint_running(scene, painter, row->lane, row);
    GString *name = g_string_new(collapsed ? "▸ " : "▾ ");
    g_string_append(name, lane->name);
    reel_paint_text(painter, name->str, 6, row->top, REEL_TIMELINE_NAMES - 12, row->height,
                    &palette->text, REEL_TEXT_BOLD);
    g_string_free(name, TRUE);
    if (row->hidden || row->filtered) {
        GString *note = g_string_new(NULL);
        if (row->hidden)
            g_string_append_printf(note, "%u hidden", row->hidden);
        if (row->filtered)
            g_string_append_printf(note, "%s%u filtered out", row->hidden ? ", " : "",
                                   row->filtered);
        double width = reel_paint_text_width(painter, note->str, REEL_TEXT_SMALL) + 10;
        reel_paint_rect(painter, REEL_TIMELINE_NAMES + 4, row->top + 3, width, row->height - 6,
                        &palette->heading);
        reel_paint_text(painter, note->str, REEL_TIMELINE_NAMES + 9, row->top, width, row->height,
                        &palette->dim, REEL_TEXT_SMALL);
        g_string_free(note, TRUE);
    }
}

static void paint_name(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_lane *lane, const struct reel_layout_row *row)
{
    const struct reel_palette *palette = scene->palette;
    double room = REEL_TIMELINE_NAMES - INDENT - 8, indent = INDENT;
    if (lane->kind == REEL_LANE_SPANS)
        indent += 10, room -= 10;
    if (row->pinned)
        reel_paint_text(painter, "⚲", 5, row->top, 14, row->height, &palette->dim, 0);
    gboolean strip = lane->kind == REEL_LANE_THREAD || lane->kind == REEL_LANE_LOOP ||
                     lane->kind == REEL_LANE_TASK || lane->kind == REEL_LANE_LOCK;
    if (strip && reel_strip_is_shares(&lane->data, scene->from_ns, scene->to_ns,
                                      (int)reel_scene_strip_width(scene))) {
        const char *note = "shares";
        double width = reel_paint_text_width(painter, note, REEL_TEXT_SMALL);
        reel_paint_text(painter, note, REEL_TIMELINE_NAMES - 6 - width, row->top, width + 2,
                        row->height, &palette->dim, REEL_TEXT_SMALL);
        room -= width + 6;
    }
    reel_paint_text(painter, lane->name, indent, row->top, room, row->height,
                    lane->kind == REEL_LANE_SPANS ? &palette->dim : &palette->text, 0);
}

void reel_scene_paint_lane(const struct reel_scene *scene, struct reel_painter *painter,
                           const struct reel_layout_row *row)
{
    const struct reel_lane *lane = reel_document_lane(scene->document, row->lane);
    if (lane->kind == REEL_LANE_PROCESS || lane->kind == REEL_LANE_GROUP) {
        paint_heading(scene, painter, lane, row);
        return;
    }
    if (row->lane == scene->lane)
        reel_paint_rect(painter, 0, row->top, scene->width, row->height,
                        &scene->palette->selection);
    paint_name(scene, painter, lane, row);
    switch (lane->kind) {
    case REEL_LANE_LOCK:
        paint_lock(scene, painter, lane, row);
        break;
    case REEL_LANE_QUEUE:
        paint_queue(scene, painter, lane, row);
        break;
    case REEL_LANE_LOOP:
        paint_loop(scene, painter, lane, row);
        break;
    case REEL_LANE_TASK:
        paint_task(scene, painter, lane, row);
        break;
    case REEL_LANE_SPANS:
        paint_spans(scene, painter, lane, row);
        break;
    default:
        paint_thread(scene, painter, lane, row);
        break;
    }
}
