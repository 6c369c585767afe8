/* Paths and pixels on a cairo context: both painters draw them so. */
#ifndef REEL_VIEWER_PAINTER_SHARED_H
#define REEL_VIEWER_PAINTER_SHARED_H

#include <gtk/gtk.h>

void reel_painter_path_cairo(cairo_t *cairo, const double *points, size_t count, gboolean closed,
                             double width, double dash, const GdkRGBA *color);
/* Takes over `pixels`. */
void reel_painter_pixels_cairo(cairo_t *cairo, double x, double y, int width, int height,
                               uint32_t *pixels);

#endif
