/* The viewer's colours, as the style sheet defines them (viewer/style), in the form that
 * painting needs: one 32-bit pixel a state role, with its pattern as second channel, so that no
 * state is told by colour alone. Main thread only. */
#ifndef REEL_VIEWER_PALETTE_H
#define REEL_VIEWER_PALETTE_H

#include <gtk/gtk.h>

#include "tracer/model/state.h"

struct reel_palette {
    GdkRGBA role[REEL_STATE_ROLE_COUNT];
    uint32_t pixel[REEL_STATE_ROLE_COUNT][2]; /* base and pattern colour, GDK_MEMORY_DEFAULT */
    GdkRGBA background, heading, grid, text, dim, cursor, selection, finding, held, queue;
    GdkRGBA owner[8]; /* holders of locks, in turn */
};

void reel_palette_read(struct reel_palette *palette, GtkWidget *widget);
/* The same from a style sheet's text ("@define-color …"), without a display. Later sheets override.
 * What it does not define stays as it is. */
void reel_palette_parse(struct reel_palette *palette, const char *css);
/* The colours of "light", "dark" or "contrast" as the viewer ships them; FALSE: no such theme. */
gboolean reel_palette_load(struct reel_palette *palette, const char *theme);

/* The pixel of a role at a place: stripes, dots, lines. */
uint32_t reel_palette_pixel(const struct reel_palette *palette, enum reel_state_role role, int x,
                            int y);
/* What a legend says of a role, in the order of legends: "waits for a held lock". */
const char *reel_palette_role_title(enum reel_state_role role);

/* Black or white, whichever reads better on `color`. */
GdkRGBA reel_palette_text_on(const GdkRGBA *color);

#endif
