/* What keys and menus do to the session: moving about in the trace. Each is an action of the table
 * in actions.c. Main thread only. */
#ifndef REEL_VIEWER_MOVES_H
#define REEL_VIEWER_MOVES_H

#include "viewer/window.h"

void reel_move_zoom_in(ReelWindow *window);
void reel_move_zoom_out(ReelWindow *window);
void reel_move_zoom_to_selection(ReelWindow *window);
void reel_move_pan_left(ReelWindow *window);
void reel_move_pan_right(ReelWindow *window);
void reel_move_show_all(ReelWindow *window);
void reel_move_back(ReelWindow *window);
void reel_move_forward(ReelWindow *window);
void reel_move_lane_up(ReelWindow *window);
void reel_move_lane_down(ReelWindow *window);
void reel_move_next(ReelWindow *window);
void reel_move_previous(ReelWindow *window);
void reel_move_next_in_lane(ReelWindow *window);
void reel_move_previous_in_lane(ReelWindow *window);
void reel_move_next_of_lock(ReelWindow *window);
void reel_move_previous_of_lock(ReelWindow *window);
void reel_move_next_finding(ReelWindow *window);
void reel_move_previous_finding(ReelWindow *window);
void reel_move_next_bookmark(ReelWindow *window);
void reel_move_previous_bookmark(ReelWindow *window);
void reel_move_first(ReelWindow *window);
void reel_move_last(ReelWindow *window);
void reel_move_play(ReelWindow *window);
void reel_move_slower(ReelWindow *window);
void reel_move_faster(ReelWindow *window);
/* To who ended the wait at the cursor; to who holds what it wants; to the lane of that. */
void reel_move_to_waker(ReelWindow *window);
void reel_move_to_owner(ReelWindow *window);
void reel_move_to_lock(ReelWindow *window);

void reel_move_pin(ReelWindow *window);
void reel_move_hide(ReelWindow *window);
void reel_move_hide_idle(ReelWindow *window);
void reel_move_show_hidden(ReelWindow *window);
void reel_move_lane_earlier(ReelWindow *window);
void reel_move_lane_later(ReelWindow *window);
void reel_move_collapse(ReelWindow *window);
void reel_move_filter_this(ReelWindow *window);
void reel_move_no_filter(ReelWindow *window);

#endif
