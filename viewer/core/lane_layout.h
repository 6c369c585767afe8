/* Which lanes are shown, in what order and where: a list of rows out of a tree of one level
 * (headings and the lanes below them), with what the user collapsed, hid, pinned and moved, and
 * what the filter leaves. Nothing vanishes uncounted: a heading says how many of its lanes are not
 * shown. No GTK, not thread-safe. */
#ifndef REEL_VIEWER_LANE_LAYOUT_H
#define REEL_VIEWER_LANE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define REEL_NO_LANE UINT32_MAX

/* A lane as the layout sees it, in the document's order: a heading comes before its lanes. */
struct reel_layout_lane {
    uint32_t heading; /* index of its heading; REEL_NO_LANE for a heading itself */
    int height;       /* pixels */
    int32_t order;    /* among its siblings; ties keep the document's order */
    bool collapsed;   /* a heading: its lanes are not shown */
    bool hidden;      /* by the user */
    bool filtered;    /* by the filter */
    bool pinned;      /* shown on top, outside of its heading */
};

struct reel_layout_row {
    uint32_t lane;
    int top, height;
    uint32_t hidden, filtered; /* a heading: how many of its lanes are not shown for that reason */
    bool pinned;               /* one of the rows on top */
};

struct reel_lane_layout {
    struct reel_layout_row *row;
    uint32_t count, capacity;
    int height;        /* of all rows */
    int pinned_height; /* of those on top */
};

/* Lays the lanes out anew. A heading all of whose lanes are filtered away is left out with them.
 * False: no memory. */
bool reel_lane_layout_arrange(struct reel_lane_layout *layout, const struct reel_layout_lane *lane,
                              uint32_t count);
void reel_lane_layout_clear(struct reel_lane_layout *layout);

/* The row at `y`; `count` when there is none. O(log n). */
uint32_t reel_lane_layout_at(const struct reel_lane_layout *layout, double y);
/* The (first) row of a lane; `count` when it is not shown. */
uint32_t reel_lane_layout_row_of(const struct reel_lane_layout *layout, uint32_t lane);

#endif
