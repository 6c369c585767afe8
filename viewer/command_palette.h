/* The command palette: type a few letters of an action, a lane, a finding, a bookmark or a time,
 * and go there. */
#ifndef REEL_VIEWER_COMMAND_PALETTE_H
#define REEL_VIEWER_COMMAND_PALETTE_H

#include "viewer/window.h"

/* The actions it offers: indexes are below the count; keys are freed with g_free. */
struct reel_command_list {
    guint (*count)(void);
    const char *(*title)(guint index);
    char *(*keys)(guint index);
    void (*run)(ReelWindow *window, guint index);
};

/* `commands` outlive the window. */
void reel_command_palette_open(ReelWindow *window, const struct reel_command_list *commands);

#endif
