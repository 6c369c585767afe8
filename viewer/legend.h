/* What the colours and patterns of the lanes mean, as a row of swatches. */
#ifndef REEL_VIEWER_LEGEND_H
#define REEL_VIEWER_LEGEND_H

#include <gtk/gtk.h>

void reel_legend_fill(GtkFlowBox *legend);

#endif
