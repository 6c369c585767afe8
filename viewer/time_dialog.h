/* Asks for a moment, in any of the ways one can be said, and goes there. */
#ifndef REEL_VIEWER_TIME_DIALOG_H
#define REEL_VIEWER_TIME_DIALOG_H

#include "viewer/window.h"

void reel_time_dialog_open(ReelWindow *window);

#endif
