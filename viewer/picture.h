/* The lanes as a file: PNG, SVG or PDF, drawn by the painter that draws the window, without a
 * display. */
#ifndef REEL_VIEWER_PICTURE_H
#define REEL_VIEWER_PICTURE_H

#include "viewer/draw/scene.h"

struct reel_picture {
    ReelDocument *document;
    const struct reel_lane_layout *layout;
    const struct reel_palette *palette;
    uint64_t from_ns, to_ns;
    uint64_t cursor_ns;                      /* UINT64_MAX: none */
    const struct reel_finding_mark *finding; /* drawn in full; NULL: none */
    int width;                               /* pixels; 0: 1400 */
};

/* `path` ends with .png, .svg or .pdf. FALSE and an error otherwise, and when it cannot be written.
 */
gboolean reel_picture_write(const struct reel_picture *picture, const char *path, GError **error);
/* Height in pixels of the whole picture. */
int reel_picture_height(const struct reel_picture *picture);
/* Onto a cairo context of that size: for tests. */
void reel_picture_draw(const struct reel_picture *picture, cairo_t *cairo);

#endif
