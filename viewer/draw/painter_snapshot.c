/* Painting into a GtkSnapshot. */
#include <math.h>

#include "viewer/draw/painter.h"
#include "viewer/draw/painter_shared.h"

static GtkSnapshot *snapshot_of(struct reel_painter *painter)
{
    return ((struct reel_snapshot_painter *)painter)->snapshot;
}

static void fill(struct reel_painter *painter, const graphene_rect_t *area, const GdkRGBA *color)
{
    gtk_snapshot_append_color(snapshot_of(painter), color, area);
}

/* As a cairo node rather than a texture: the cairo renderer of GTK 4.8 takes every pixel of a
 * texture through floating point, which costs more than all the rest of a frame. */
static void pixels(struct reel_painter *painter, double x, double y, int width, int height,
                   uint32_t *data)
{
    cairo_t *cairo = gtk_snapshot_append_cairo(
        snapshot_of(painter), &GRAPHENE_RECT_INIT((float)x, (float)y, (float)width, (float)height));
    reel_painter_pixels_cairo(cairo, x, y, width, height, data);
    cairo_destroy(cairo);
}

static void layout(struct reel_painter *painter, PangoLayout *text, double x, double y,
                   const GdkRGBA *color)
{
    GtkSnapshot *snapshot = snapshot_of(painter);
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT((float)x, (float)y));
    gtk_snapshot_append_layout(snapshot, text, color);
    gtk_snapshot_restore(snapshot);
}

static void path(struct reel_painter *painter, const double *points, size_t count, gboolean closed,
                 double width, double dash, const GdkRGBA *color)
{
    double left = points[0], right = points[0], top = points[1], bottom = points[1];
    for (size_t i = 1; i < count; i++) {
        left = MIN(left, points[2 * i]);
        right = MAX(right, points[2 * i]);
        top = MIN(top, points[2 * i + 1]);
        bottom = MAX(bottom, points[2 * i + 1]);
    }
    double margin = width + 1;
    cairo_t *cairo = gtk_snapshot_append_cairo(
        snapshot_of(painter), &GRAPHENE_RECT_INIT((float)(left - margin), (float)(top - margin),
                                                  (float)(right - left + 2 * margin),
                                                  (float)(bottom - top + 2 * margin)));
    reel_painter_path_cairo(cairo, points, count, closed, width, dash, color);
    cairo_destroy(cairo);
}

static void clip(struct reel_painter *painter, const graphene_rect_t *area)
{
    gtk_snapshot_push_clip(snapshot_of(painter), area);
}

static void unclip(struct reel_painter *painter)
{
    gtk_snapshot_pop(snapshot_of(painter));
}

static const struct reel_painter_class class = {fill, pixels, layout, path, clip, unclip};

void reel_snapshot_painter_init(struct reel_snapshot_painter *painter, GtkWidget *widget,
                                GtkSnapshot *snapshot)
{
    painter->base = (struct reel_painter){&class, gtk_widget_get_pango_context(widget)};
    painter->snapshot = snapshot;
}
