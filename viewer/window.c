#include "viewer/window.h"

#include "tracer/model/state.h"
#include "tracer/model/time_text.h"
#include "viewer/filter_bar.h"
#include "viewer/legend.h"
#include "viewer/live.h"
#include "viewer/palette.h"
#include "viewer/panel/bottom_panel.h"
#include "viewer/recorder.h"
#include "viewer/ruler.h"
#include "viewer/snapshot.h"
#include "viewer/start_page.h"
#include "viewer/state_panel.h"
#include "viewer/timeline.h"
#include "viewer/window_state.h"

struct _ReelWindow {
    GtkApplicationWindow parent_instance;
    ReelSession *session;
    ReelDocument *loading; /* until it is loaded */
    ReelDocument *before; /* what its outline took the place of; NULL: nothing did, or of nothing */
    char *place;          /* where to begin in it */
    ReelLive *live;       /* an unfinished trace, read anew as it grows */
    ReelRecorder *recorder;
    GtkLabel *name, *summary, *message, *position, *speed;
    GtkInfoBar *message_bar;
    GtkStack *stack;
    GtkProgressBar *progress, *filling;
    GtkWidget *filling_box;
    GtkScrolledWindow *lanes;
    GtkFlowBox *legend;
    GtkWidget *playback;
    GtkButton *play;
    ReelOverview *overview;
    ReelRuler *ruler;
    ReelTimeline *timeline;
    ReelStatePanel *state_panel;
    ReelBottomPanel *bottom_panel;
    GtkPaned *across, *down;
    ReelFilterBar *filter_bar;
    ReelStartPage *start_page;
    GtkWidget *live_box;
    GtkLabel *live_text;
    GtkWidget *stop;
};

G_DEFINE_FINAL_TYPE(ReelWindow, reel_window, GTK_TYPE_APPLICATION_WINDOW)

ReelSession *reel_window_session(ReelWindow *self)
{
    return self->session;
}

void reel_window_say(ReelWindow *self, const char *text)
{
    gtk_label_set_text(self->message, text);
    gtk_info_bar_set_revealed(self->message_bar, TRUE);
}

void reel_window_describe(ReelWindow *self)
{
    g_autofree char *text = reel_timeline_describe(self->timeline);
    reel_window_say(self, text);
}

void reel_window_show_page(ReelWindow *self, const char *name)
{
    reel_bottom_panel_show_page(self->bottom_panel, name);
}

void reel_window_edit_source(ReelWindow *self)
{
    reel_bottom_panel_edit_source(self->bottom_panel);
}

static void close_message(GtkInfoBar *bar, int response, gpointer data)
{
    (void)response;
    (void)data;
    gtk_info_bar_set_revealed(bar, FALSE);
}

gboolean reel_window_go_to(ReelWindow *self, const char *place)
{
    ReelDocument *document = reel_session_document(self->session);
    struct reel_error error = {0};
    uint64_t ns;
    if (!document || !place || !*place)
        return FALSE;
    for (guint i = 0; i < reel_document_finding_count(document); i++)
        if (g_strcmp0(reel_document_finding(document, i)->id, place) == 0) {
            reel_session_go_to_finding(self->session, i);
            return TRUE;
        }
    if (!reel_moment_parse(place, reel_session_cursor(self->session),
                           reel_document_end_ns(document), &ns, &error)) {
        reel_window_say(self, error.message);
        return FALSE;
    }
    reel_session_set_cursor(self->session, ns, TRUE);
    return TRUE;
}

ReelTimeline *reel_window_timeline(ReelWindow *self)
{
    return self->timeline;
}

void reel_window_focus_filter(ReelWindow *self)
{
    reel_filter_bar_focus(self->filter_bar);
}

void reel_window_focus_graph(ReelWindow *self)
{
    gtk_widget_set_visible(GTK_WIDGET(self->state_panel), TRUE);
    gtk_widget_child_focus(GTK_WIDGET(self->state_panel), GTK_DIR_TAB_FORWARD);
}

void reel_window_show_start(ReelWindow *self)
{
    reel_start_page_refresh(self->start_page);
    gtk_stack_set_visible_child_name(self->stack, "start");
    gtk_widget_child_focus(GTK_WIDGET(self->start_page), GTK_DIR_TAB_FORWARD);
}

static void show_progress(ReelWindow *self)
{
    double share = 0;
    if (!self->loading)
        return;
    g_object_get(self->loading, "progress", &share, NULL);
    gtk_progress_bar_set_fraction(self->progress, share);
    gtk_progress_bar_set_fraction(self->filling, share);
}

static void show_summary(ReelWindow *self, ReelDocument *document)
{
    g_autofree char *base = g_path_get_basename(reel_document_origin(document));
    g_autofree char *title = g_strdup_printf("%s — Reel", base);
    gtk_window_set_title(GTK_WINDOW(self), title);
    gtk_label_set_text(self->name, base);
    gtk_label_set_text(self->summary, reel_document_summary(document));
}

static void show_live(ReelWindow *self)
{
    gboolean live = self->live && reel_live_is_growing(self->live);
    gboolean recording = self->recorder && reel_recorder_is_running(self->recorder);
    gtk_widget_set_visible(self->live_box, live || recording);
    gtk_widget_set_visible(self->stop, recording);
    gtk_label_set_text(self->live_text, recording ? "recording" : "growing");
}

void reel_window_toggle_follow(ReelWindow *self)
{
    if (self->live)
        reel_live_set_follows(self->live, !reel_live_follows(self->live));
}

/* A reading of the trace that is on view, newer than the one shown. */
static void refreshed(ReelWindow *self, ReelDocument *document)
{
    show_summary(self, document);
    reel_session_update_document(self->session, document, reel_live_follows(self->live));
    show_live(self);
}

static void watch_growth(ReelWindow *self, ReelDocument *document)
{
    g_clear_object(&self->live);
    self->live = reel_live_new(document);
    g_signal_connect_object(self->live, "refreshed", G_CALLBACK(refreshed), self,
                            G_CONNECT_SWAPPED);
    show_live(self);
}

/* An error or a hang is the first thing to see. */
static void select_first_error(ReelWindow *self, ReelDocument *document)
{
    for (guint i = 0; i < reel_document_finding_count(document); i++)
        if (g_strcmp0(reel_document_finding(document, i)->severity, "error") == 0) {
            reel_session_set_finding(self->session, i);
            return;
        }
}

static void stop_loading(ReelWindow *self)
{
    if (self->loading)
        reel_document_cancel(self->loading);
    g_clear_object(&self->loading);
}

/* Its outline is on view. */
static gboolean is_filling(ReelWindow *self)
{
    ReelDocument *shown = reel_session_document(self->session);
    return shown && reel_document_is_outline(shown);
}

/* Names and findings are there, the lanes fill in: it can be walked about in already. */
static void outlined(ReelDocument *document, ReelDocument *outline, gpointer data)
{
    ReelWindow *self = data;
    if (document != self->loading)
        return;
    if (!is_filling(self))
        g_set_object(&self->before, reel_session_document(self->session));
    show_summary(self, outline);
    reel_session_set_document(self->session, outline);
    select_first_error(self, outline);
    gtk_stack_set_visible_child_name(self->stack, "trace");
    gtk_widget_set_visible(self->playback, TRUE);
    gtk_widget_set_visible(self->filling_box, TRUE);
    gtk_widget_grab_focus(GTK_WIDGET(self->timeline));
}

/* Nothing more comes: back to what was there before. */
static void give_up_loading(ReelWindow *self)
{
    gtk_widget_set_visible(self->filling_box, FALSE);
    stop_loading(self);
    if (is_filling(self)) {
        g_autoptr(ReelDocument) before = g_steal_pointer(&self->before);
        reel_session_set_document(self->session, before);
        if (before)
            show_summary(self, before);
    }
    ReelDocument *shown = reel_session_document(self->session);
    gboolean has_trace = shown != NULL;
    if (has_trace && !self->live)
        watch_growth(self, shown);
    gtk_widget_set_visible(self->playback, has_trace);
    gtk_stack_set_visible_child_name(self->stack, has_trace ? "trace" : "start");
}

/* The lanes are whole: what was chosen in the outline stays chosen. */
static void show_whole(ReelWindow *self, ReelDocument *document)
{
    ReelDocument *outline = reel_session_document(self->session);
    gboolean stands_still =
        reel_session_cursor(self->session) == reel_document_first_look_ns(outline);
    reel_session_update_document(self->session, document, FALSE);
    if (stands_still)
        reel_session_set_cursor(self->session, reel_document_first_look_ns(document), FALSE);
    if (reel_session_finding(self->session) == G_MAXUINT)
        select_first_error(self, document);
}

static void loaded(ReelDocument *document, const char *error, gpointer data)
{
    ReelWindow *self = data;
    if (document != self->loading)
        return;
    if (error) {
        reel_window_say(self, error);
        give_up_loading(self);
        return;
    }
    g_autoptr(GFile) file = g_file_new_for_path(reel_document_origin(document));
    g_autofree char *uri = g_file_get_uri(file);
    gtk_recent_manager_add_item(gtk_recent_manager_get_default(), uri);
    show_summary(self, document);
    if (is_filling(self)) {
        show_whole(self, document);
    } else {
        reel_session_set_document(self->session, document);
        select_first_error(self, document);
        gtk_widget_grab_focus(GTK_WIDGET(self->timeline));
    }
    gtk_widget_set_visible(self->filling_box, FALSE);
    g_clear_object(&self->before);
    gtk_stack_set_visible_child_name(self->stack, "trace");
    gtk_widget_set_visible(self->playback, TRUE);
    reel_window_go_to(self, self->place);
    watch_growth(self, document);
    if (reel_document_is_unfinished(document) && !reel_document_is_recorded(document))
        reel_window_say(
            self, "This trace was never finished: its recorder died. It is shown as far as it "
                  "goes; reel recover finishes it.");
    g_clear_object(&self->loading);
}

void reel_window_open(ReelWindow *self, const char *path, const char *place)
{
    if (is_filling(self))
        give_up_loading(self);
    gtk_info_bar_set_revealed(self->message_bar, FALSE);
    g_free(self->place);
    self->place = g_strdup(place);
    stop_loading(self);
    g_clear_object(&self->live);
    self->loading = reel_document_new(path);
    gtk_progress_bar_set_fraction(self->progress, 0);
    gtk_progress_bar_set_fraction(self->filling, 0);
    gtk_stack_set_visible_child_name(self->stack, "loading");
    g_signal_connect_object(self->loading, "notify::progress", G_CALLBACK(show_progress), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->loading, "outlined", G_CALLBACK(outlined), self, 0);
    g_signal_connect_object(self->loading, "loaded", G_CALLBACK(loaded), self, 0);
    reel_document_load(self->loading, TRUE);
}

static void open_recent(ReelWindow *self, const char *path)
{
    reel_window_open(self, path, NULL);
}

static void recording_ended(ReelWindow *self, const char *said)
{
    show_live(self);
    if (self->live)
        reel_live_look(self->live);
    else if (g_file_test(reel_recorder_trace(self->recorder), G_FILE_TEST_EXISTS))
        reel_window_open(self, reel_recorder_trace(self->recorder), NULL);
    else
        reel_window_say(self, *said ? said : "nothing was recorded");
}

/* The trace is there a moment after the program began. */
static gboolean open_when_there(gpointer data)
{
    ReelWindow *self = data;
    if (!self->recorder || self->live || self->loading)
        return G_SOURCE_REMOVE;
    enum reel_trace_state state;
    if (reel_snapshot_state(reel_recorder_trace(self->recorder), &state, NULL)) {
        reel_window_open(self, reel_recorder_trace(self->recorder), NULL);
        return G_SOURCE_REMOVE;
    }
    return reel_recorder_is_running(self->recorder) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void reel_window_record(ReelWindow *self, const char *command)
{
    g_autoptr(GError) error = NULL;
    g_clear_object(&self->recorder);
    g_clear_object(&self->live);
    self->recorder = reel_recorder_new(command, &error);
    if (!self->recorder) {
        reel_window_say(self, error->message);
        return;
    }
    gtk_stack_set_visible_child_name(self->stack, "loading");
    g_signal_connect_object(self->recorder, "ended", G_CALLBACK(recording_ended), self,
                            G_CONNECT_SWAPPED);
    g_timeout_add_full(G_PRIORITY_DEFAULT, 150, open_when_there, g_object_ref(self),
                       g_object_unref);
    show_live(self);
}

static void stop_recording(ReelWindow *self)
{
    if (self->recorder)
        reel_recorder_stop(self->recorder);
}

static void show_position(ReelWindow *self)
{
    char cursor[REEL_TIME_TEXT], from[REEL_TIME_TEXT], to[REEL_TIME_TEXT];
    uint64_t width = reel_session_to(self->session) - reel_session_from(self->session);
    g_autofree char *text =
        g_strdup_printf("in view %s – %s    cursor %s",
                        reel_moment_text(reel_session_from(self->session), width / 1000, from),
                        reel_moment_text(reel_session_to(self->session), width / 1000, to),
                        reel_moment_text(reel_session_cursor(self->session), 1, cursor));
    gtk_label_set_text(self->position, text);
}

static void show_speed(ReelWindow *self)
{
    double speed = reel_session_speed(self->session);
    g_autofree char *text = speed >= 1 ? g_strdup_printf("speed ×%.3g", speed)
                                       : g_strdup_printf("speed 1/%.4g", 1 / speed);
    gtk_label_set_text(self->speed, text);
}

static void show_playing(ReelWindow *self)
{
    gboolean playing = reel_session_is_playing(self->session);
    gtk_button_set_icon_name(self->play, playing ? "media-playback-pause-symbolic"
                                                 : "media-playback-start-symbolic");
}

static struct reel_window_state state_of(ReelWindow *self)
{
    return (struct reel_window_state){GTK_WINDOW(self), self->across, self->down,
                                      GTK_WIDGET(self->state_panel),
                                      GTK_WIDGET(self->bottom_panel)};
}

static gboolean reel_window_close_request(GtkWindow *window)
{
    struct reel_window_state state = state_of(REEL_WINDOW(window));
    reel_window_state_keep(&state);
    return GTK_WINDOW_CLASS(reel_window_parent_class)->close_request(window);
}

static void reel_window_dispose(GObject *object)
{
    ReelWindow *self = REEL_WINDOW(object);
    if (self->session)
        reel_session_set_playing(self->session, FALSE);
    if (self->recorder)
        reel_recorder_stop(self->recorder);
    g_clear_object(&self->recorder);
    g_clear_object(&self->live);
    stop_loading(self);
    g_clear_object(&self->before);
    g_clear_object(&self->session);
    g_clear_pointer(&self->place, g_free);
    gtk_widget_dispose_template(GTK_WIDGET(self), REEL_TYPE_WINDOW);
    G_OBJECT_CLASS(reel_window_parent_class)->dispose(object);
}

static void reel_window_class_init(ReelWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = reel_window_dispose;
    GTK_WINDOW_CLASS(class)->close_request = reel_window_close_request;
    g_type_ensure(REEL_TYPE_OVERVIEW);
    g_type_ensure(REEL_TYPE_RULER);
    g_type_ensure(REEL_TYPE_TIMELINE);
    g_type_ensure(REEL_TYPE_STATE_PANEL);
    g_type_ensure(REEL_TYPE_BOTTOM_PANEL);
    g_type_ensure(REEL_TYPE_FILTER_BAR);
    g_type_ensure(REEL_TYPE_START_PAGE);
    gtk_widget_class_set_template_from_resource(widget_class, "/reel/viewer/window.ui");
#define REEL_BIND(child) gtk_widget_class_bind_template_child(widget_class, ReelWindow, child)
    REEL_BIND(name);
    REEL_BIND(summary);
    REEL_BIND(message);
    REEL_BIND(message_bar);
    REEL_BIND(position);
    REEL_BIND(speed);
    REEL_BIND(stack);
    REEL_BIND(progress);
    REEL_BIND(filling);
    REEL_BIND(filling_box);
    REEL_BIND(lanes);
    REEL_BIND(legend);
    REEL_BIND(bottom_panel);
    REEL_BIND(playback);
    REEL_BIND(play);
    REEL_BIND(overview);
    REEL_BIND(ruler);
    REEL_BIND(timeline);
    REEL_BIND(state_panel);
    REEL_BIND(across);
    REEL_BIND(down);
    REEL_BIND(filter_bar);
    REEL_BIND(start_page);
    REEL_BIND(live_box);
    REEL_BIND(live_text);
    REEL_BIND(stop);
    gtk_widget_class_bind_template_callback(widget_class, give_up_loading);
    gtk_widget_class_bind_template_callback(widget_class, stop_recording);
#undef REEL_BIND
}

static void say_laneless(ReelWindow *self, guint object)
{
    const char *name = reel_document_object_name(reel_session_document(self->session), object);
    g_autofree char *text = g_strdup_printf(
        "%s has no lane. Locks, queues, event loops and tasks have one, as far as the trace says "
        "what they did.",
        *name ? name : "That object");
    reel_window_say(self, text);
}

static void reel_window_init(ReelWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->session = reel_session_new();
    reel_filter_bar_set_session(self->filter_bar, self->session);
    g_signal_connect_object(self->start_page, "record", G_CALLBACK(reel_window_record), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->start_page, "open", G_CALLBACK(open_recent), self,
                            G_CONNECT_SWAPPED);
    reel_start_page_refresh(self->start_page);
    reel_overview_set_session(self->overview, self->session);
    reel_ruler_set_session(self->ruler, self->session);
    reel_timeline_set_session(self->timeline, self->session);
    reel_timeline_set_adjustment(self->timeline, gtk_scrolled_window_get_vadjustment(self->lanes));
    reel_state_panel_set_session(self->state_panel, self->session);
    reel_bottom_panel_set_session(self->bottom_panel, self->session);
    reel_legend_fill(self->legend);
    gtk_widget_set_visible(self->playback, FALSE);
    g_signal_connect(self->message_bar, "response", G_CALLBACK(close_message), NULL);
    const char *const moves[] = {"notify::from", "notify::to", "notify::cursor"};
    for (unsigned i = 0; i < G_N_ELEMENTS(moves); i++)
        g_signal_connect_object(self->session, moves[i], G_CALLBACK(show_position), self,
                                G_CONNECT_SWAPPED);
    g_signal_connect_object(self->session, "notify::speed", G_CALLBACK(show_speed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->session, "notify::playing", G_CALLBACK(show_playing), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->session, "laneless", G_CALLBACK(say_laneless), self,
                            G_CONNECT_SWAPPED);
    show_speed(self);
    g_autoptr(GPropertyAction) state_panel =
        g_property_action_new("state-panel", self->state_panel, "visible");
    g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(state_panel));
    g_autoptr(GPropertyAction) findings_panel =
        g_property_action_new("findings-panel", self->bottom_panel, "visible");
    g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(findings_panel));
    g_autoptr(GPropertyAction) show_page =
        g_property_action_new("show-page", self->bottom_panel, "page");
    g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(show_page));
}

ReelWindow *reel_window_new(GtkApplication *application)
{
    ReelWindow *self = g_object_new(REEL_TYPE_WINDOW, "application", application, NULL);
    struct reel_window_state state = state_of(self);
    reel_window_state_restore(&state);
    return self;
}
