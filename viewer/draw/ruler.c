/* The scale of time above the lanes. */
#include "tracer/model/time_text.h"
#include "viewer/draw/scene.h"

#define LABEL_SPACE 96

uint64_t reel_ruler_step(uint64_t least_ns)
{
    uint64_t unit = 1;
    while (unit * 10 <= least_ns && unit < 1000000000000000000u)
        unit *= 10;
    if (unit >= least_ns)
        return unit;
    if (unit * 2 >= least_ns)
        return unit * 2;
    return unit * 5 >= least_ns ? unit * 5 : unit * 10;
}

void reel_scene_paint_ruler(const struct reel_scene *scene, struct reel_painter *painter)
{
    const struct reel_palette *palette = scene->palette;
    const int height = REEL_RULER_HEIGHT;
    char text[REEL_TIME_TEXT];
    reel_paint_rect(painter, 0, 0, scene->width, height, &palette->heading);
    if (!scene->document || scene->to_ns <= scene->from_ns)
        return;
    const uint64_t from = scene->from_ns, to = scene->to_ns;
    double strip = reel_scene_strip_width(scene);
    uint64_t step = reel_ruler_step((uint64_t)((double)(to - from) * LABEL_SPACE / strip) + 1);
    for (uint64_t at = (from + step - 1) / step * step; at < to; at += step) {
        double x = reel_scene_x(scene, at);
        reel_paint_rect(painter, x, height - 7, 1, 7, &palette->grid);
        /* A label that would be cut is none. */
        if (x + LABEL_SPACE * 0.8 < scene->width)
            reel_paint_text(painter, reel_moment_text(at, step, text), x + 3, 0, LABEL_SPACE, 20,
                            &palette->dim, 0);
    }
    if (scene->cursor_ns >= from && scene->cursor_ns <= to)
        reel_paint_rect(painter, reel_scene_x(scene, scene->cursor_ns) - 3, height - 5, 6, 5,
                        &palette->cursor);
    g_autofree char *shown =
        g_strdup_printf("%s in view", reel_duration_text(to - from, false, text));
    reel_paint_text(painter, shown, 8, 0, REEL_TIMELINE_NAMES - 12, height, &palette->text, 0);
}
