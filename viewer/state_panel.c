#include "viewer/state_panel.h"

#include "tracer/model/state.h"
#include "tracer/model/time_text.h"
#include "viewer/palette.h"
#include "viewer/state_query.h"
#include "viewer/wait_graph.h"

#define QUEUES_SHOWN 20u

struct _ReelStatePanel {
    GtkWidget parent_instance;
    ReelSession *session;
    struct reel_query_service *service;
    GtkWidget *box, *title, *cycle, *view;
    ReelWaitGraph *graph;
    GtkTextBuffer *buffer;
    GtkTextTag *bold, *dim, *roles[REEL_STATE_ROLE_COUNT];
    GtkTextMark *top; /* to scroll to */
    char *origin;     /* of the document that is told of; NULL: none */
};

G_DEFINE_FINAL_TYPE(ReelStatePanel, reel_state_panel, GTK_TYPE_WIDGET)

static void append(ReelStatePanel *self, const char *text, GtkTextTag *tag)
{
    GtkTextIter end;
    gtk_text_buffer_get_end_iter(self->buffer, &end);
    gtk_text_buffer_insert_with_tags(self->buffer, &end, text, -1, tag, NULL);
}

static void append_threads(ReelStatePanel *self, ReelDocument *document,
                           const struct reel_state_answer *answer)
{
    char duration[REEL_TIME_TEXT];
    g_autofree char *title = g_strdup_printf("Threads (%u)\n", answer->threads->len);
    append(self, title, self->bold);
    for (guint i = 0; i < answer->threads->len; i++) {
        const struct reel_state_thread *thread =
            &g_array_index(answer->threads, struct reel_state_thread, i);
        const struct reel_lane *lane = reel_document_thread_lane(document, thread->thread);
        g_autofree char *name = g_strdup_printf("%s  ", lane ? lane->name : "?");
        enum reel_state_role role = reel_state_role(thread->state);
        append(self, "█ ", self->roles[role]);
        append(self, name, self->bold);
        append(self, reel_state_name(thread->state), NULL);
        if (thread->object) {
            append(self, " ", NULL);
            append(self, thread->object, self->bold);
        }
        if (thread->holder && thread->state != REEL_STATE_JOIN_WAIT) {
            append(self, " held by ", NULL);
            append(self, thread->holder, self->bold);
        }
        g_autofree char *since = g_strdup_printf(
            "  %s%s\n", reel_duration_text(answer->time_ns - thread->since_ns, false, duration),
            thread->forever ? ", to the end of the trace" : "");
        append(self, since, self->dim);
        if (thread->place) {
            g_autofree char *place = g_strdup_printf("      at %s\n", thread->place);
            append(self, place, self->dim);
        }
    }
}

static void append_holds(ReelStatePanel *self, const struct reel_state_answer *answer)
{
    char duration[REEL_TIME_TEXT];
    if (answer->holds->len == 0)
        return;
    append(self, "\nHeld locks\n", self->bold);
    for (guint i = 0; i < answer->holds->len; i++) {
        const struct reel_state_hold *hold =
            &g_array_index(answer->holds, struct reel_state_hold, i);
        g_autofree char *text =
            g_strdup_printf("  %s by %s%s, %s", hold->lock ? hold->lock : "?",
                            hold->thread ? hold->thread : "?", hold->shared ? " (shared)" : "",
                            reel_duration_text(answer->time_ns - hold->since_ns, false, duration));
        append(self, text, NULL);
        if (hold->waiters) {
            g_autofree char *waiters = g_strdup_printf(", %u waiting", hold->waiters);
            append(self, waiters, self->roles[REEL_STATE_ROLE_LOCK]);
        }
        append(self, "\n", NULL);
        if (hold->place) {
            g_autofree char *place = g_strdup_printf("      taken at %s\n", hold->place);
            append(self, place, self->dim);
        }
    }
}

static void append_queues(ReelStatePanel *self, const struct reel_state_answer *answer)
{
    if (answer->queues->len == 0)
        return;
    append(self, "\nQueues\n", self->bold);
    for (guint i = 0; i < answer->queues->len; i++) {
        if (i == QUEUES_SHOWN) {
            g_autofree char *rest =
                g_strdup_printf("  and %u more\n", answer->queues->len - QUEUES_SHOWN);
            append(self, rest, self->dim);
            break;
        }
        const struct reel_state_queue *queue =
            &g_array_index(answer->queues, struct reel_state_queue, i);
        g_autofree char *text = g_strdup_printf("  %s: %" G_GINT64_FORMAT "\n",
                                                queue->name ? queue->name : "?", queue->depth);
        append(self, text, NULL);
    }
}

static void append_stack(ReelStatePanel *self, const struct reel_state_answer *answer)
{
    if (answer->frames->len == 0)
        return;
    g_autofree char *title =
        g_strdup_printf("\nStack of %s\n", answer->stack_of ? answer->stack_of : "?");
    append(self, title, self->bold);
    for (guint i = 0; i < answer->frames->len; i++) {
        g_autofree char *line = g_strdup_printf("  %s\n", (const char *)answer->frames->pdata[i]);
        append(self, line, i ? self->dim : NULL);
    }
}

/* The line that is on top stays there, whatever the lines say next. */
static int line_on_top(ReelStatePanel *self)
{
    GdkRectangle seen;
    GtkTextIter line;
    gtk_text_view_get_visible_rect(GTK_TEXT_VIEW(self->view), &seen);
    gtk_text_view_get_line_at_y(GTK_TEXT_VIEW(self->view), &line, seen.y, NULL);
    return gtk_text_iter_get_line(&line);
}

static void scroll_to_line(ReelStatePanel *self, int number)
{
    GtkTextIter line;
    gtk_text_buffer_get_iter_at_line(self->buffer, &line, number);
    gtk_text_buffer_move_mark(self->buffer, self->top, &line);
    gtk_text_view_scroll_to_mark(GTK_TEXT_VIEW(self->view), self->top, 0, TRUE, 0, 0);
}

static void answered(gpointer owner, gpointer found, const struct reel_error *error)
{
    ReelStatePanel *self = owner;
    const struct reel_state_answer *answer = found;
    ReelDocument *document = reel_session_document(self->session);
    if (!document || !reel_document_is_loaded(document))
        return;
    if (!answer) {
        gtk_text_buffer_set_text(self->buffer, error->message, -1);
        return;
    }
    char moment[REEL_TIME_TEXT];
    g_autofree char *title =
        g_strdup_printf("State at %s", reel_moment_text(answer->time_ns, 1, moment));
    gtk_label_set_text(GTK_LABEL(self->title), title);
    reel_wait_graph_show(self->graph, document, answer);
    gtk_widget_set_visible(self->cycle, reel_wait_graph_has_cycle(self->graph));
    int top = line_on_top(self);
    gtk_text_buffer_set_text(self->buffer, "", 0);
    append_threads(self, document, answer);
    append_holds(self, answer);
    append_queues(self, answer);
    append_stack(self, answer);
    if (top > 0)
        scroll_to_line(self, top);
}

static void ask(ReelStatePanel *self)
{
    ReelDocument *document = reel_session_document(self->session);
    guint index = reel_session_lane(self->session);
    uint32_t thread = 0;
    if (!self->service)
        return;
    if (index < reel_document_lane_count(document) &&
        reel_document_lane(document, index)->kind == REEL_LANE_THREAD)
        thread = reel_document_lane(document, index)->id;
    struct reel_query_job job = reel_state_question(reel_session_cursor(self->session), thread);
    job.owner = self;
    job.answered = answered;
    reel_query_service_ask(self->service, 1, &job);
}

static void document_changed(ReelStatePanel *self)
{
    ReelDocument *document = reel_session_document(self->session);
    const char *origin = document ? reel_document_origin(document) : NULL;
    g_clear_pointer(&self->service, reel_query_service_free);
    /* The same trace read anew, as it grows, is told when the answer is there. */
    if (!origin || g_strcmp0(origin, self->origin) != 0) {
        gtk_text_buffer_set_text(self->buffer, "", 0);
        gtk_widget_set_visible(self->cycle, FALSE);
        gtk_widget_set_visible(GTK_WIDGET(self->graph), FALSE);
    }
    g_free(self->origin);
    self->origin = g_strdup(origin);
    if (!document)
        return;
    self->service = reel_query_service_new(reel_document_path(document));
    ask(self);
}

static void read_colors(ReelStatePanel *self)
{
    struct reel_palette palette;
    reel_palette_read(&palette, GTK_WIDGET(self));
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        g_object_set(self->roles[role], "foreground-rgba", &palette.role[role], NULL);
    g_object_set(self->dim, "foreground-rgba", &palette.dim, NULL);
}

static void reel_state_panel_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
    GTK_WIDGET_CLASS(reel_state_panel_parent_class)->css_changed(widget, change);
    read_colors(REEL_STATE_PANEL(widget));
}

char *reel_state_panel_text(ReelStatePanel *self)
{
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(self->buffer, &start, &end);
    g_autofree char *text = gtk_text_buffer_get_text(self->buffer, &start, &end, FALSE);
    return g_strdup_printf("%s\n%s%s", gtk_label_get_text(GTK_LABEL(self->title)),
                           gtk_widget_get_visible(self->cycle) ? "deadlock\n" : "", text);
}

void reel_state_panel_set_session(ReelStatePanel *self, ReelSession *session)
{
    g_return_if_fail(!self->session);
    self->session = g_object_ref(session);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(document_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::cursor", G_CALLBACK(ask), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::lane", G_CALLBACK(ask), self, G_CONNECT_SWAPPED);
    reel_wait_graph_set_session(self->graph, session);
}

static void reel_state_panel_dispose(GObject *object)
{
    ReelStatePanel *self = REEL_STATE_PANEL(object);
    g_clear_pointer(&self->service, reel_query_service_free);
    g_clear_object(&self->session);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_state_panel_parent_class)->dispose(object);
}

static void reel_state_panel_finalize(GObject *object)
{
    g_free(REEL_STATE_PANEL(object)->origin);
    G_OBJECT_CLASS(reel_state_panel_parent_class)->finalize(object);
}

static void reel_state_panel_class_init(ReelStatePanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_state_panel_dispose;
    G_OBJECT_CLASS(class)->finalize = reel_state_panel_finalize;
    GTK_WIDGET_CLASS(class)->css_changed = reel_state_panel_css_changed;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void reel_state_panel_init(ReelStatePanel *self)
{
    self->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    gtk_widget_set_parent(self->box, GTK_WIDGET(self));
    self->title = gtk_label_new("State");
    gtk_label_set_xalign(GTK_LABEL(self->title), 0);
    gtk_widget_add_css_class(self->title, "reel-panel-title");
    self->cycle = gtk_label_new("They wait for each other: a deadlock");
    gtk_label_set_xalign(GTK_LABEL(self->cycle), 0);
    gtk_widget_set_margin_start(self->cycle, 10);
    gtk_widget_add_css_class(self->cycle, "reel-error");
    gtk_widget_set_visible(self->cycle, FALSE);
    self->graph = g_object_new(REEL_TYPE_WAIT_GRAPH, "visible", FALSE, NULL);
    self->view = gtk_text_view_new();
    gtk_text_view_set_editable(GTK_TEXT_VIEW(self->view), FALSE);
    gtk_text_view_set_cursor_visible(GTK_TEXT_VIEW(self->view), FALSE);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(self->view), GTK_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(self->view, "reel-state-view");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "State at the cursor", -1);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), self->view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(self->box), self->title);
    gtk_box_append(GTK_BOX(self->box), self->cycle);
    gtk_box_append(GTK_BOX(self->box), GTK_WIDGET(self->graph));
    gtk_box_append(GTK_BOX(self->box), scrolled);
    self->buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->view));
    GtkTextIter start;
    gtk_text_buffer_get_start_iter(self->buffer, &start);
    self->top = gtk_text_buffer_create_mark(self->buffer, NULL, &start, TRUE);
    self->bold = gtk_text_buffer_create_tag(self->buffer, NULL, "weight", PANGO_WEIGHT_BOLD, NULL);
    self->dim = gtk_text_buffer_create_tag(self->buffer, NULL, "scale", 0.92, NULL);
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        self->roles[role] = gtk_text_buffer_create_tag(self->buffer, NULL, NULL);
}
