/* Painting onto a cairo surface. */
#include <pango/pangocairo.h>

#include "viewer/draw/painter.h"
#include "viewer/draw/painter_shared.h"

static cairo_t *cairo_of(struct reel_painter *painter)
{
    return ((struct reel_cairo_painter *)painter)->cairo;
}

static void fill(struct reel_painter *painter, const graphene_rect_t *area, const GdkRGBA *color)
{
    cairo_t *cairo = cairo_of(painter);
    gdk_cairo_set_source_rgba(cairo, color);
    cairo_rectangle(cairo, area->origin.x, area->origin.y, area->size.width, area->size.height);
    cairo_fill(cairo);
}

void reel_painter_pixels_cairo(cairo_t *cairo, double x, double y, int width, int height,
                               uint32_t *pixels)
{
    cairo_surface_t *image = cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_ARGB32, width, height, width * 4);
    /* A recording surface (SVG, PDF, a snapshot) keeps the image until it is drawn. */
    static const cairo_user_data_key_t key;
    cairo_surface_set_user_data(image, &key, pixels, g_free);
    cairo_save(cairo);
    cairo_set_source_surface(cairo, image, x, y);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_fill(cairo);
    cairo_restore(cairo);
    cairo_surface_destroy(image);
}

static void pixels(struct reel_painter *painter, double x, double y, int width, int height,
                   uint32_t *data)
{
    reel_painter_pixels_cairo(cairo_of(painter), x, y, width, height, data);
}

static void layout(struct reel_painter *painter, PangoLayout *text, double x, double y,
                   const GdkRGBA *color)
{
    cairo_t *cairo = cairo_of(painter);
    gdk_cairo_set_source_rgba(cairo, color);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, text);
}

void reel_painter_path_cairo(cairo_t *cairo, const double *points, size_t count, gboolean closed,
                             double width, double dash, const GdkRGBA *color)
{
    cairo_save(cairo);
    cairo_new_path(cairo); /* a text before left its place */
    gdk_cairo_set_source_rgba(cairo, color);
    for (size_t i = 0; i < count; i++)
        cairo_line_to(cairo, points[2 * i], points[2 * i + 1]);
    if (closed) {
        cairo_close_path(cairo);
        cairo_fill(cairo);
    } else {
        cairo_set_line_width(cairo, width);
        if (dash > 0)
            cairo_set_dash(cairo, &dash, 1, 0);
        cairo_stroke(cairo);
    }
    cairo_restore(cairo);
}

static void path(struct reel_painter *painter, const double *points, size_t count, gboolean closed,
                 double width, double dash, const GdkRGBA *color)
{
    reel_painter_path_cairo(cairo_of(painter), points, count, closed, width, dash, color);
}

static void clip(struct reel_painter *painter, const graphene_rect_t *area)
{
    cairo_t *cairo = cairo_of(painter);
    cairo_save(cairo);
    cairo_rectangle(cairo, area->origin.x, area->origin.y, area->size.width, area->size.height);
    cairo_clip(cairo);
}

static void unclip(struct reel_painter *painter)
{
    cairo_restore(cairo_of(painter));
}

static const struct reel_painter_class class = {fill, pixels, layout, path, clip, unclip};

void reel_cairo_painter_init(struct reel_cairo_painter *painter, cairo_t *cairo, const char *font)
{
    painter->cairo = cairo;
    painter->context = pango_cairo_create_context(cairo);
    PangoFontDescription *description = pango_font_description_from_string(font);
    pango_context_set_font_description(painter->context, description);
    pango_font_description_free(description);
    painter->base = (struct reel_painter){&class, painter->context};
}

void reel_cairo_painter_clear(struct reel_cairo_painter *painter)
{
    g_clear_object(&painter->context);
}
