/* Saving what the window shows as a picture. */
#ifndef REEL_VIEWER_PICTURE_DIALOG_H
#define REEL_VIEWER_PICTURE_DIALOG_H

#include "viewer/window.h"

void reel_picture_ask(ReelWindow *window);

#endif
