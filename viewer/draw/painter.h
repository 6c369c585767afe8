/* What pictures are drawn with: rectangles, pixels, text and lines. One backend puts them into a
 * GtkSnapshot, for the window; the other onto a cairo surface, for files and for tests without a
 * display. Coordinates are pixels; y grows downwards. Not thread-safe. */
#ifndef REEL_VIEWER_PAINTER_H
#define REEL_VIEWER_PAINTER_H

#include <gtk/gtk.h>

struct reel_painter;

enum reel_text_style {
    REEL_TEXT_PLAIN = 0,
    REEL_TEXT_BOLD = 1,
    REEL_TEXT_SMALL = 2,
    REEL_TEXT_CENTERED = 4,
};

struct reel_painter_class {
    void (*fill)(struct reel_painter *painter, const graphene_rect_t *area, const GdkRGBA *color);
    /* `pixels`: GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, taken over (g_free). */
    void (*pixels)(struct reel_painter *painter, double x, double y, int width, int height,
                   uint32_t *pixels);
    void (*layout)(struct reel_painter *painter, PangoLayout *layout, double x, double y,
                   const GdkRGBA *color);
    /* An open or (`closed`) filled path through `count` points, x and y in turn. `dash`: 0 solid.
     */
    void (*path)(struct reel_painter *painter, const double *points, size_t count, gboolean closed,
                 double width, double dash, const GdkRGBA *color);
    void (*clip)(struct reel_painter *painter, const graphene_rect_t *area);
    void (*unclip)(struct reel_painter *painter);
};

struct reel_painter {
    const struct reel_painter_class *class;
    PangoContext *text; /* not owned */
};

/* A painter into a snapshot of `widget`. Lives on the caller's stack. */
struct reel_snapshot_painter {
    struct reel_painter base;
    GtkSnapshot *snapshot;
};
void reel_snapshot_painter_init(struct reel_snapshot_painter *painter, GtkWidget *widget,
                                GtkSnapshot *snapshot);

/* A painter onto a cairo context, with the font described ("Sans 10"). */
struct reel_cairo_painter {
    struct reel_painter base;
    cairo_t *cairo;
    PangoContext *context;
};
void reel_cairo_painter_init(struct reel_cairo_painter *painter, cairo_t *cairo, const char *font);
void reel_cairo_painter_clear(struct reel_cairo_painter *painter);

void reel_paint_rect(struct reel_painter *painter, double x, double y, double width, double height,
                     const GdkRGBA *color);
/* The outline only. */
void reel_paint_frame(struct reel_painter *painter, double x, double y, double width, double height,
                      double thickness, const GdkRGBA *color);
/* One line, cut with an ellipsis where it does not fit, centred from top to bottom. */
void reel_paint_text(struct reel_painter *painter, const char *text, double x, double y,
                     double width, double height, const GdkRGBA *color, unsigned style);
double reel_paint_text_width(struct reel_painter *painter, const char *text, unsigned style);
void reel_paint_line(struct reel_painter *painter, double x1, double y1, double x2, double y2,
                     double width, double dash, const GdkRGBA *color);
/* A line with a head at its second end. */
void reel_paint_arrow(struct reel_painter *painter, double x1, double y1, double x2, double y2,
                      double width, const GdkRGBA *color);
void reel_paint_diamond(struct reel_painter *painter, double x, double y, double radius,
                        const GdkRGBA *color);

#endif
