#include "viewer/filter_bar.h"

#include <string.h>

#include "tracer/model/filter.h"
#include "tracer/model/time_text.h"
#include "viewer/query_service.h"

struct _ReelFilterBar {
    GtkWidget parent_instance;
    ReelSession *session;
    struct reel_query_service *service;
    GtkWidget *box, *entry, *chips, *note, *range;
};

G_DEFINE_FINAL_TYPE(ReelFilterBar, reel_filter_bar, GTK_TYPE_WIDGET)

/* Threads and objects of the intervals that pass. */
struct passed {
    GHashTable *threads, *objects;
    guint64 intervals;
};

struct question {
    char *filter;
    uint64_t end_ns;
};

static void passed_free(gpointer data)
{
    struct passed *passed = data;
    g_hash_table_unref(passed->threads);
    g_hash_table_unref(passed->objects);
    g_free(passed);
}

static void question_free(gpointer data)
{
    g_free(((struct question *)data)->filter);
    g_free(data);
}

/* In the worker. */
static gpointer evaluate(struct reel_query *query, gpointer request)
{
    const struct question *question = request;
    struct reel_filter *filter =
        reel_filter_parse(question->filter, question->end_ns, &query->error);
    g_autoptr(GString) sql = g_string_new(
        "SELECT i.thread, i.object, count(*) FROM interval i JOIN thread t ON t.id = i.thread "
        "JOIN process p ON p.id = t.process LEFT JOIN object o ON o.id = i.object "
        "LEFT JOIN stack s ON s.id = i.stack LEFT JOIN frame f ON f.id = coalesce(s.site, s.frame) "
        "WHERE ");
    if (!filter || !reel_filter_sql(filter, REEL_FILTER_INTERVALS, sql, &query->error)) {
        reel_filter_free(filter);
        return NULL;
    }
    g_string_append(sql, " GROUP BY i.thread, i.object");
    sqlite3_stmt *row = reel_query_prepare(query, sql->str);
    struct passed *passed = g_new0(struct passed, 1);
    passed->threads = g_hash_table_new(NULL, NULL);
    passed->objects = g_hash_table_new(NULL, NULL);
    if (row)
        reel_filter_bind(filter, row);
    while (row && reel_query_step(query, row)) {
        g_hash_table_add(passed->threads, GUINT_TO_POINTER((guint)sqlite3_column_int64(row, 0)));
        g_hash_table_add(passed->objects, GUINT_TO_POINTER((guint)sqlite3_column_int64(row, 1)));
        passed->intervals += (guint64)sqlite3_column_int64(row, 2);
    }
    sqlite3_finalize(row);
    reel_filter_free(filter);
    if (query->error.code != REEL_ERROR_NONE) {
        passed_free(passed);
        return NULL;
    }
    return passed;
}

static void evaluated(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelFilterBar *self = owner;
    ReelLaneList *lanes = reel_session_lanes(self->session);
    if (error) {
        gtk_widget_add_css_class(self->note, "reel-error");
        gtk_label_set_text(GTK_LABEL(self->note), error->message);
        return;
    }
    const struct passed *passed = answer;
    gtk_widget_remove_css_class(self->note, "reel-error");
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT " states of %u threads",
                                            passed->intervals, g_hash_table_size(passed->threads));
    gtk_label_set_text(GTK_LABEL(self->note), passed->intervals ? text : "nothing passes");
    if (lanes)
        reel_lane_list_set_filter(lanes, passed->threads, passed->objects);
}

/* Terms of a filter, quotes respected. */
static GPtrArray *terms_of(const char *filter)
{
    GPtrArray *terms = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) term = g_string_new(NULL);
    gboolean quoted = FALSE;
    for (const char *at = filter;; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (*at && (quoted || !g_ascii_isspace(*at))) {
            g_string_append_c(term, *at);
            continue;
        }
        if (term->len)
            g_ptr_array_add(terms, g_strdup(term->str));
        g_string_truncate(term, 0);
        if (!*at)
            return terms;
    }
}

static void remove_term(GtkButton *button, gpointer data)
{
    ReelFilterBar *self = data;
    guint gone = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "term"));
    g_autoptr(GPtrArray) terms = terms_of(reel_session_filter(self->session));
    g_autoptr(GString) rest = g_string_new(NULL);
    for (guint i = 0; i < terms->len; i++)
        if (i != gone)
            g_string_append_printf(rest, "%s%s", rest->len ? " " : "",
                                   (const char *)terms->pdata[i]);
    reel_session_set_filter(self->session, rest->str);
}

static void show_chips(ReelFilterBar *self)
{
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(self->chips)))
        gtk_box_remove(GTK_BOX(self->chips), child);
    g_autoptr(GPtrArray) terms = terms_of(reel_session_filter(self->session));
    for (guint i = 0; i < terms->len; i++) {
        g_autofree char *label = g_strdup_printf("%s  ×", (const char *)terms->pdata[i]);
        g_autofree char *hint = g_strdup_printf("Drop %s", (const char *)terms->pdata[i]);
        GtkWidget *chip = gtk_button_new_with_label(label);
        gtk_widget_add_css_class(chip, "reel-chip");
        gtk_widget_set_tooltip_text(chip, hint);
        gtk_widget_set_valign(chip, GTK_ALIGN_CENTER);
        gtk_accessible_update_property(GTK_ACCESSIBLE(chip), GTK_ACCESSIBLE_PROPERTY_LABEL, hint,
                                       -1);
        g_object_set_data(G_OBJECT(chip), "term", GUINT_TO_POINTER(i));
        g_signal_connect(chip, "clicked", G_CALLBACK(remove_term), self);
        gtk_box_append(GTK_BOX(self->chips), chip);
    }
}

static void on_filter(ReelFilterBar *self)
{
    const char *filter = reel_session_filter(self->session);
    ReelDocument *document = reel_session_document(self->session);
    show_chips(self);
    if (!g_str_equal(gtk_editable_get_text(GTK_EDITABLE(self->entry)), filter))
        gtk_editable_set_text(GTK_EDITABLE(self->entry), filter);
    gtk_widget_remove_css_class(self->note, "reel-error");
    gtk_label_set_text(GTK_LABEL(self->note), "");
    if (!document || !self->service)
        return;
    reel_query_service_drop(self->service, 1);
    if (!*filter) {
        reel_lane_list_set_filter(reel_session_lanes(self->session), NULL, NULL);
        return;
    }
    struct question *question = g_new(struct question, 1);
    *question = (struct question){g_strdup(filter), reel_document_end_ns(document)};
    const struct reel_query_job job = {.run = evaluate,
                                       .answered = evaluated,
                                       .owner = self,
                                       .request = question,
                                       .free_request = question_free,
                                       .free_answer = passed_free};
    reel_query_service_ask(self->service, 1, &job);
}

static void on_document(ReelFilterBar *self)
{
    ReelDocument *document = reel_session_document(self->session);
    g_clear_pointer(&self->service, reel_query_service_free);
    if (document)
        self->service = reel_query_service_new(reel_document_path(document));
    on_filter(self);
}

static void on_selection(ReelFilterBar *self)
{
    uint64_t from, to;
    char start[REEL_TIME_TEXT], end[REEL_TIME_TEXT], length[REEL_TIME_TEXT];
    reel_session_selection(self->session, &from, &to);
    gtk_widget_set_visible(self->range, from != to);
    if (from == to)
        return;
    uint64_t resolution = MAX((to - from) / 1000, 1);
    g_autofree char *text = g_strdup_printf(
        "selected %s – %s (%s)", reel_moment_text(from, resolution, start),
        reel_moment_text(to, resolution, end), reel_duration_text(to - from, false, length));
    gtk_label_set_text(GTK_LABEL(self->range), text);
}

static void entered(GtkEntry *entry, gpointer data)
{
    ReelFilterBar *self = data;
    reel_session_set_filter(self->session, gtk_editable_get_text(GTK_EDITABLE(entry)));
}

static void stopped(ReelFilterBar *self)
{
    if (*gtk_editable_get_text(GTK_EDITABLE(self->entry)))
        reel_session_set_filter(self->session, "");
    else
        gtk_widget_child_focus(GTK_WIDGET(gtk_widget_get_root(GTK_WIDGET(self))),
                               GTK_DIR_TAB_FORWARD);
}

void reel_filter_bar_set_session(ReelFilterBar *self, ReelSession *session)
{
    self->session = g_object_ref(session);
    g_signal_connect_object(session, "notify::filter", G_CALLBACK(on_filter), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(on_document), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::selection-from", G_CALLBACK(on_selection), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::selection-to", G_CALLBACK(on_selection), self,
                            G_CONNECT_SWAPPED);
}

void reel_filter_bar_focus(ReelFilterBar *self)
{
    gtk_widget_grab_focus(self->entry);
}

static void reel_filter_bar_dispose(GObject *object)
{
    ReelFilterBar *self = REEL_FILTER_BAR(object);
    g_clear_pointer(&self->service, reel_query_service_free);
    g_clear_object(&self->session);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_filter_bar_parent_class)->dispose(object);
}

static void reel_filter_bar_class_init(ReelFilterBarClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_filter_bar_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void reel_filter_bar_init(ReelFilterBar *self)
{
    self->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_widget_add_css_class(self->box, "reel-filter");
    gtk_widget_set_parent(self->box, GTK_WIDGET(self));
    self->entry = gtk_search_entry_new();
    gtk_widget_set_size_request(self->entry, 240, -1);
    g_object_set(self->entry, "placeholder-text", "Filter: worker*  state:lock-wait  dur>1ms",
                 NULL);
    gtk_widget_set_tooltip_text(
        self->entry,
        "Terms that must all hold; \"-\" turns one round:\n"
        "thread:worker*   process:server   lock:queue.lock   state:lock-wait   dur>1ms\n"
        "at:2.0s..2.1s   call:read   func:pay   file:bank.c   or any word of a name.\n"
        "Enter applies it, Escape drops it.");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Filter", -1);
    self->chips = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    self->note = gtk_label_new(NULL);
    gtk_label_set_ellipsize(GTK_LABEL(self->note), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(self->note, "reel-summary");
    self->range = gtk_label_new(NULL);
    gtk_widget_add_css_class(self->range, "reel-summary");
    gtk_widget_set_visible(self->range, FALSE);
    gtk_widget_set_hexpand(self->range, TRUE);
    gtk_label_set_xalign(GTK_LABEL(self->range), 1);
    gtk_label_set_ellipsize(GTK_LABEL(self->range), PANGO_ELLIPSIZE_END);
    gtk_box_append(GTK_BOX(self->box), self->entry);
    gtk_box_append(GTK_BOX(self->box), self->chips);
    gtk_box_append(GTK_BOX(self->box), self->note);
    gtk_box_append(GTK_BOX(self->box), self->range);
    g_signal_connect(self->entry, "activate", G_CALLBACK(entered), self);
    g_signal_connect_swapped(self->entry, "stop-search", G_CALLBACK(stopped), self);
}
