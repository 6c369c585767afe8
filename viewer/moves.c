#include "viewer/moves.h"

#include "viewer/timeline.h"
#include "viewer/wakes.h"

static ReelSession *session_of(ReelWindow *window)
{
    return reel_window_session(window);
}

static uint64_t middle(ReelSession *session)
{
    uint64_t cursor = reel_session_cursor(session);
    uint64_t from = reel_session_from(session), to = reel_session_to(session);
    return cursor >= from && cursor <= to ? cursor : from + (to - from) / 2;
}

void reel_move_zoom_in(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    reel_session_zoom(session, 0.6, middle(session));
}

void reel_move_zoom_out(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    reel_session_zoom(session, 1 / 0.6, middle(session));
}

void reel_move_zoom_to_selection(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    uint64_t from, to;
    reel_session_selection(session, &from, &to);
    if (from != to)
        reel_session_show_range(session, from, to);
    else
        reel_timeline_zoom_to_state(reel_window_timeline(window));
}

void reel_move_pan_left(ReelWindow *window)
{
    reel_session_pan(session_of(window), -0.2);
}

void reel_move_pan_right(ReelWindow *window)
{
    reel_session_pan(session_of(window), 0.2);
}

void reel_move_show_all(ReelWindow *window)
{
    reel_session_show_all(session_of(window));
}

void reel_move_back(ReelWindow *window)
{
    reel_session_back(session_of(window));
}

void reel_move_forward(ReelWindow *window)
{
    reel_session_forward(session_of(window));
}

static void move_lane(ReelWindow *window, int by)
{
    ReelSession *session = session_of(window);
    ReelLaneList *lanes = reel_session_lanes(session);
    if (lanes)
        reel_session_set_lane(session,
                              reel_lane_list_neighbour(lanes, reel_session_lane(session), by));
}

void reel_move_lane_up(ReelWindow *window)
{
    move_lane(window, -1);
}

void reel_move_lane_down(ReelWindow *window)
{
    move_lane(window, 1);
}

void reel_move_next(ReelWindow *window)
{
    reel_session_step(session_of(window), 1, G_MAXUINT);
}

void reel_move_previous(ReelWindow *window)
{
    reel_session_step(session_of(window), -1, G_MAXUINT);
}

static void step_lane(ReelWindow *window, int direction, guint lane)
{
    if (lane != G_MAXUINT)
        reel_session_step(session_of(window), direction, lane);
}

void reel_move_next_in_lane(ReelWindow *window)
{
    step_lane(window, 1, reel_session_lane(session_of(window)));
}

void reel_move_previous_in_lane(ReelWindow *window)
{
    step_lane(window, -1, reel_session_lane(session_of(window)));
}

/* What the selected lane's thread waits for at the cursor; 0: nothing. */
static uint32_t wanted(ReelSession *session)
{
    ReelDocument *document = reel_session_document(session);
    guint index = reel_session_lane(session);
    if (!document || index >= reel_document_lane_count(document))
        return 0;
    const struct reel_lane *lane = reel_document_lane(document, index);
    if (lane->kind == REEL_LANE_LOCK || lane->kind == REEL_LANE_QUEUE)
        return lane->id;
    size_t at = reel_lane_data_at(&lane->data, reel_session_cursor(session));
    return lane->kind == REEL_LANE_THREAD && at < lane->data.count ? lane->data.object[at] : 0;
}

static guint lock_lane(ReelSession *session)
{
    ReelDocument *document = reel_session_document(session);
    return document ? reel_document_lane_index(document,
                                               reel_document_object_lane(document, wanted(session)))
                    : G_MAXUINT;
}

void reel_move_next_of_lock(ReelWindow *window)
{
    step_lane(window, 1, lock_lane(session_of(window)));
}

void reel_move_previous_of_lock(ReelWindow *window)
{
    step_lane(window, -1, lock_lane(session_of(window)));
}

void reel_move_next_finding(ReelWindow *window)
{
    reel_session_step_finding(session_of(window), 1);
}

void reel_move_previous_finding(ReelWindow *window)
{
    reel_session_step_finding(session_of(window), -1);
}

static void step_bookmark(ReelWindow *window, int direction)
{
    ReelSession *session = session_of(window);
    ReelViewFile *file = reel_session_view_file(session);
    uint64_t cursor = reel_session_cursor(session);
    const struct reel_bookmark *best = NULL;
    for (guint i = 0; file && i < reel_view_file_bookmark_count(file); i++) {
        const struct reel_bookmark *bookmark = reel_view_file_bookmark(file, i);
        if (direction > 0 ? bookmark->time_ns > cursor && !best : bookmark->time_ns < cursor)
            best = bookmark;
    }
    if (best)
        reel_session_set_cursor(session, best->time_ns, TRUE);
    else
        reel_window_say(window, direction > 0 ? "no bookmark after this (m makes one)"
                                              : "no bookmark before this (m makes one)");
}

void reel_move_next_bookmark(ReelWindow *window)
{
    step_bookmark(window, 1);
}

void reel_move_previous_bookmark(ReelWindow *window)
{
    step_bookmark(window, -1);
}

void reel_move_first(ReelWindow *window)
{
    reel_session_set_cursor(session_of(window), 0, TRUE);
}

void reel_move_last(ReelWindow *window)
{
    reel_session_set_cursor(session_of(window), UINT64_MAX, TRUE);
}

void reel_move_play(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    reel_session_set_playing(session, !reel_session_is_playing(session));
}

void reel_move_slower(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    reel_session_set_speed(session, reel_session_speed(session) / 2);
}

void reel_move_faster(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    reel_session_set_speed(session, reel_session_speed(session) * 2);
}

void reel_move_to_waker(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    uint64_t time_ns;
    uint32_t thread = reel_wakes_waker(reel_timeline_wakes(reel_window_timeline(window)), &time_ns);
    if (!thread || !time_ns) {
        reel_window_say(window, "nobody is known to have ended a wait here: select the lane of a "
                                "thread, and stand in one of its waits");
        return;
    }
    reel_session_select_thread(session, thread);
    reel_session_set_cursor(session, time_ns, TRUE);
}

void reel_move_to_owner(ReelWindow *window)
{
    uint32_t thread = reel_wakes_owner(reel_timeline_wakes(reel_window_timeline(window)));
    if (!thread || !reel_session_select_thread(session_of(window), thread))
        reel_window_say(window, "nobody holds what is waited for here: select the lane of a "
                                "thread, and stand in one of its waits for a lock");
}

void reel_move_to_lock(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    uint32_t object = wanted(session);
    if (object)
        reel_session_select_object(session, object);
    else
        reel_window_say(window, "nothing is waited for here");
}

static void with_lane(ReelWindow *window, void (*act)(ReelLaneList *lanes, guint lane))
{
    ReelSession *session = session_of(window);
    ReelLaneList *lanes = reel_session_lanes(session);
    if (!lanes)
        return;
    if (reel_session_lane(session) == G_MAXUINT)
        reel_window_say(window, "no lane is selected: choose one with the arrow keys");
    else
        act(lanes, reel_session_lane(session));
}

void reel_move_pin(ReelWindow *window)
{
    with_lane(window, reel_lane_list_toggle_pinned);
}

void reel_move_hide(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    guint lane = reel_session_lane(session);
    move_lane(window, 1);
    if (reel_session_lanes(session))
        reel_lane_list_hide(reel_session_lanes(session), lane);
}

void reel_move_hide_idle(ReelWindow *window)
{
    if (reel_session_lanes(session_of(window)))
        reel_lane_list_hide_idle(reel_session_lanes(session_of(window)));
}

void reel_move_show_hidden(ReelWindow *window)
{
    if (reel_session_lanes(session_of(window)))
        reel_lane_list_show_hidden(reel_session_lanes(session_of(window)));
}

static void lane_earlier(ReelLaneList *lanes, guint lane)
{
    reel_lane_list_move(lanes, lane, -1);
}

static void lane_later(ReelLaneList *lanes, guint lane)
{
    reel_lane_list_move(lanes, lane, 1);
}

void reel_move_lane_earlier(ReelWindow *window)
{
    with_lane(window, lane_earlier);
}

void reel_move_lane_later(ReelWindow *window)
{
    with_lane(window, lane_later);
}

void reel_move_collapse(ReelWindow *window)
{
    with_lane(window, reel_lane_list_toggle_collapsed);
}

void reel_move_filter_this(ReelWindow *window)
{
    ReelSession *session = session_of(window);
    ReelDocument *document = reel_session_document(session);
    guint index = reel_session_lane(session);
    if (!document || index >= reel_document_lane_count(document))
        return;
    const struct reel_lane *lane = reel_document_lane(document, index);
    const char *key = lane->kind == REEL_LANE_THREAD  ? "thread"
                      : lane->kind == REEL_LANE_LOCK  ? "lock"
                      : lane->kind == REEL_LANE_QUEUE ? "queue"
                                                      : NULL;
    if (!key)
        return;
    g_autofree char *filter =
        g_strdup_printf("%s%s%s:\"%s\"", reel_session_filter(session),
                        *reel_session_filter(session) ? " " : "", key, lane->name);
    reel_session_set_filter(session, filter);
}

void reel_move_no_filter(ReelWindow *window)
{
    reel_session_set_filter(session_of(window), "");
    reel_session_select_range(session_of(window), 0, 0);
}
