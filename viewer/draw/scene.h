/* The lanes as a picture: what the window's timeline, the export and the golden pictures all draw,
 * through a painter. Knows nothing of widgets. */
#ifndef REEL_VIEWER_SCENE_H
#define REEL_VIEWER_SCENE_H

#include "viewer/core/lane_layout.h"
#include "viewer/document.h"
#include "viewer/draw/painter.h"
#include "viewer/palette.h"

#define REEL_TIMELINE_NAMES 180 /* pixels on the left for the lanes' names */
#define REEL_RULER_HEIGHT   24
#define REEL_LOOP_BUDGET_NS 50000000u

/* From a moment on one lane to a moment on another: who woke or handed over to whom. */
struct reel_scene_arrow {
    guint from_lane, to_lane; /* of the document */
    uint64_t from_ns, to_ns;
    gboolean hand_off; /* of a lock, else a wake-up */
};

struct reel_scene {
    ReelDocument *document;
    const struct reel_lane_layout *layout;
    const struct reel_palette *palette;
    uint64_t from_ns, to_ns;               /* in view */
    uint64_t cursor_ns;                    /* UINT64_MAX: none */
    uint64_t select_from_ns, select_to_ns; /* equal: none */
    guint lane;                            /* selected; G_MAXUINT: none */
    double width;
    double top, height; /* of the rows that are in view, in the layout's pixels */
    const struct reel_scene_arrow *arrow;
    guint arrow_count;
    const struct reel_finding_mark *finding; /* drawn in full; NULL: none */
    gboolean heading_only_names;             /* no areas behind headings */
};

/* Pixels a lane takes. */
int reel_scene_lane_height(const struct reel_lane *lane);

double reel_scene_x(const struct reel_scene *scene, uint64_t ns);
uint64_t reel_scene_ns(const struct reel_scene *scene, double x);
double reel_scene_strip_width(const struct reel_scene *scene);
/* The middle of a lane's row, or of its heading's when it is not shown; negative: neither is. */
double reel_scene_lane_y(const struct reel_scene *scene, guint lane);

/* Rows in view, findings, arrows, selection, cursor. The origin is the top of the first row. */
void reel_scene_paint(const struct reel_scene *scene, struct reel_painter *painter);

/* The scale of time, REEL_RULER_HEIGHT high, at the origin. */
void reel_scene_paint_ruler(const struct reel_scene *scene, struct reel_painter *painter);
/* The round distance between two marks: 1, 2 or 5 times a power of ten, at least `least_ns`. */
uint64_t reel_ruler_step(uint64_t least_ns);

/* Its parts, in files of their own. */
void reel_scene_paint_lane(const struct reel_scene *scene, struct reel_painter *painter,
                           const struct reel_layout_row *row);
void reel_scene_paint_findings(const struct reel_scene *scene, struct reel_painter *painter);

/* A lane's states as pixels: a column is a stacked bar of shares. What must not vanish gets at
 * least two of them. g_free. */
uint32_t *reel_strip_pixels(const struct reel_palette *palette, const struct reel_lane_data *data,
                            uint64_t from_ns, uint64_t to_ns, int width, int height);
/* Whether a column of such a strip covers several intervals. */
gboolean reel_strip_is_shares(const struct reel_lane_data *data, uint64_t from_ns, uint64_t to_ns,
                              int width);

#endif
