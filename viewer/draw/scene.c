#include "viewer/draw/scene.h"

#include <math.h>

int reel_scene_lane_height(const struct reel_lane *lane)
{
    switch (lane->kind) {
    case REEL_LANE_PROCESS:
    case REEL_LANE_GROUP:
        return 24;
    case REEL_LANE_THREAD:
        return lane->depth.count ? 30 : 26;
    case REEL_LANE_SPANS:
        return 20;
    case REEL_LANE_LOCK:
        return lane->depth.count ? 34 : 26;
    case REEL_LANE_QUEUE:
        return 38;
    case REEL_LANE_LOOP:
        return 26;
    case REEL_LANE_TASK:
        return 22;
    }
    return 26;
}

double reel_scene_strip_width(const struct reel_scene *scene)
{
    return MAX(scene->width - REEL_TIMELINE_NAMES, 1);
}

double reel_scene_x(const struct reel_scene *scene, uint64_t ns)
{
    double from = (double)scene->from_ns, to = (double)scene->to_ns;
    return REEL_TIMELINE_NAMES + ((double)ns - from) / (to - from) * reel_scene_strip_width(scene);
}

uint64_t reel_scene_ns(const struct reel_scene *scene, double x)
{
    double from = (double)scene->from_ns, to = (double)scene->to_ns;
    double ns = from + (x - REEL_TIMELINE_NAMES) / reel_scene_strip_width(scene) * (to - from);
    return ns > 0 ? (uint64_t)ns : 0;
}

double reel_scene_lane_y(const struct reel_scene *scene, guint lane)
{
    if (lane == G_MAXUINT)
        return -1;
    uint32_t row = reel_lane_layout_row_of(scene->layout, lane);
    if (row == scene->layout->count) {
        guint heading = reel_document_lane(scene->document, lane)->heading;
        if (heading == G_MAXUINT)
            return -1;
        row = reel_lane_layout_row_of(scene->layout, heading);
    }
    return row == scene->layout->count
               ? -1
               : scene->layout->row[row].top + scene->layout->row[row].height / 2.0;
}

static void paint_arrows(const struct reel_scene *scene, struct reel_painter *painter)
{
    for (guint i = 0; i < scene->arrow_count; i++) {
        const struct reel_scene_arrow *arrow = &scene->arrow[i];
        double y1 = reel_scene_lane_y(scene, arrow->from_lane),
               y2 = reel_scene_lane_y(scene, arrow->to_lane);
        double x1 = reel_scene_x(scene, arrow->from_ns), x2 = reel_scene_x(scene, arrow->to_ns);
        if (y1 < 0 || y2 < 0 || MAX(x1, x2) < REEL_TIMELINE_NAMES || MIN(x1, x2) > scene->width)
            continue;
        x1 = CLAMP(x1, REEL_TIMELINE_NAMES, scene->width);
        x2 = CLAMP(x2, REEL_TIMELINE_NAMES, scene->width);
        /* A bright edge keeps the arrow apart from what it crosses. */
        reel_paint_arrow(painter, x1, y1, x2, y2, 4, &scene->palette->background);
        reel_paint_arrow(painter, x1, y1, x2, y2, 1.6,
                         arrow->hand_off ? &scene->palette->finding : &scene->palette->text);
    }
}

void reel_scene_paint(const struct reel_scene *scene, struct reel_painter *painter)
{
    const struct reel_palette *palette = scene->palette;
    const double bottom = scene->top + scene->height;
    reel_paint_rect(painter, 0, scene->top, scene->width, scene->height, &palette->background);
    if (!scene->document || scene->to_ns <= scene->from_ns)
        return;
    for (uint32_t i = 0; i < scene->layout->count; i++) {
        const struct reel_layout_row *row = &scene->layout->row[i];
        if (row->top + row->height > scene->top && row->top < bottom)
            reel_scene_paint_lane(scene, painter, row);
    }
    if (scene->layout->pinned_height)
        reel_paint_rect(painter, 0, scene->layout->pinned_height - 2, scene->width, 2,
                        &palette->grid);
    reel_paint_rect(painter, REEL_TIMELINE_NAMES - 1, scene->top, 1, scene->height, &palette->grid);
    painter->class->clip(painter, &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES, (float)scene->top,
                                                      (float)reel_scene_strip_width(scene),
                                                      (float)scene->height));
    reel_scene_paint_findings(scene, painter);
    paint_arrows(scene, painter);
    if (scene->select_from_ns != scene->select_to_ns) {
        double left = reel_scene_x(scene, MIN(scene->select_from_ns, scene->select_to_ns));
        double right = reel_scene_x(scene, MAX(scene->select_from_ns, scene->select_to_ns));
        GdkRGBA tint = palette->cursor;
        tint.alpha = 0.16f;
        reel_paint_rect(painter, left, scene->top, right - left, scene->height, &tint);
        reel_paint_rect(painter, left, scene->top, 1, scene->height, &palette->cursor);
        reel_paint_rect(painter, right, scene->top, 1, scene->height, &palette->cursor);
    }
    if (scene->cursor_ns != UINT64_MAX)
        reel_paint_rect(painter, reel_scene_x(scene, scene->cursor_ns) - 0.5, scene->top, 1.5,
                        scene->height, &palette->cursor);
    painter->class->unclip(painter);
}
