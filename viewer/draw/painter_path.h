/* Paths on a cairo context: both painters draw them so. */
#ifndef REEL_VIEWER_PAINTER_PATH_H
#define REEL_VIEWER_PAINTER_PATH_H

#include <gtk/gtk.h>

void reel_painter_path_cairo(cairo_t *cairo, const double *points, size_t count, gboolean closed,
                             double width, double dash, const GdkRGBA *color);

#endif
