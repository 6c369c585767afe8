#include "viewer/draw/painter.h"

#include <math.h>

void reel_paint_rect(struct reel_painter *painter, double x, double y, double width, double height,
                     const GdkRGBA *color)
{
    if (width > 0 && height > 0)
        painter->class->fill(
            painter, &GRAPHENE_RECT_INIT((float)x, (float)y, (float)width, (float)height), color);
}

void reel_paint_frame(struct reel_painter *painter, double x, double y, double width, double height,
                      double thickness, const GdkRGBA *color)
{
    reel_paint_rect(painter, x, y, width, thickness, color);
    reel_paint_rect(painter, x, y + height - thickness, width, thickness, color);
    reel_paint_rect(painter, x, y, thickness, height, color);
    reel_paint_rect(painter, x + width - thickness, y, thickness, height, color);
}

static PangoLayout *layout_of(struct reel_painter *painter, const char *text, unsigned style)
{
    PangoLayout *layout = pango_layout_new(painter->text);
    pango_layout_set_text(layout, text, -1);
    if (style & (REEL_TEXT_BOLD | REEL_TEXT_SMALL)) {
        PangoAttrList *attributes = pango_attr_list_new();
        if (style & REEL_TEXT_BOLD)
            pango_attr_list_insert(attributes, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
        if (style & REEL_TEXT_SMALL)
            pango_attr_list_insert(attributes, pango_attr_scale_new(PANGO_SCALE_SMALL));
        pango_layout_set_attributes(layout, attributes);
        pango_attr_list_unref(attributes);
    }
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    return layout;
}

void reel_paint_text(struct reel_painter *painter, const char *text, double x, double y,
                     double width, double height, const GdkRGBA *color, unsigned style)
{
    if (width < 8 || !text || !*text)
        return;
    g_autoptr(PangoLayout) layout = layout_of(painter, text, style);
    int text_width, text_height;
    pango_layout_get_pixel_size(layout, &text_width, &text_height);
    if (text_width > width) {
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    } else if (style & REEL_TEXT_CENTERED) {
        x += (width - text_width) / 2;
    }
    painter->class->layout(painter, layout, x, floor(y + (height - text_height) / 2), color);
}

double reel_paint_text_width(struct reel_painter *painter, const char *text, unsigned style)
{
    g_autoptr(PangoLayout) layout = layout_of(painter, text, style);
    int width;
    pango_layout_get_pixel_size(layout, &width, NULL);
    return width;
}

void reel_paint_line(struct reel_painter *painter, double x1, double y1, double x2, double y2,
                     double width, double dash, const GdkRGBA *color)
{
    const double points[] = {x1, y1, x2, y2};
    painter->class->path(painter, points, 2, FALSE, width, dash, color);
}

void reel_paint_arrow(struct reel_painter *painter, double x1, double y1, double x2, double y2,
                      double width, const GdkRGBA *color)
{
    const double angle = atan2(y2 - y1, x2 - x1), head = 4 + 2 * width;
    reel_paint_line(painter, x1, y1, x2, y2, width, 0, color);
    const double points[] = {x2,
                             y2,
                             x2 - head * cos(angle - 0.4),
                             y2 - head * sin(angle - 0.4),
                             x2 - head * cos(angle + 0.4),
                             y2 - head * sin(angle + 0.4)};
    painter->class->path(painter, points, 3, TRUE, 0, 0, color);
}

void reel_paint_diamond(struct reel_painter *painter, double x, double y, double radius,
                        const GdkRGBA *color)
{
    const double points[] = {x, y - radius, x + radius, y, x, y + radius, x - radius, y};
    painter->class->path(painter, points, 4, TRUE, 0, 0, color);
}
