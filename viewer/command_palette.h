/* The command palette: type a few letters of an action, a lane, a finding, a bookmark or a time,
 * and go there. */
#ifndef REEL_VIEWER_COMMAND_PALETTE_H
#define REEL_VIEWER_COMMAND_PALETTE_H

#include "viewer/window.h"

void reel_command_palette_open(ReelWindow *window);

#endif
