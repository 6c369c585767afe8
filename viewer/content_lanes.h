/* Lanes out of what was gathered: which there are, in what order, with what names. */
#ifndef REEL_VIEWER_CONTENT_LANES_H
#define REEL_VIEWER_CONTENT_LANES_H

#include <sqlite3.h>

#include "tracer/error.h"
#include "viewer/content.h"
#include "viewer/core/gathering.h"

/* Fills the content's lanes, names and counts; takes the data out of `gathering`. */
gboolean reel_content_make_lanes(struct reel_content *content, struct reel_gathering *gathering,
                                 sqlite3 *database, struct reel_error *error);
void reel_lane_free(gpointer lane);

#endif
