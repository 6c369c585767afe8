#include "viewer/panel/source_page.h"

#include "viewer/panel/editor.h"
#include "viewer/panel/line_numbers.h"
#include "viewer/panel/source_query.h"

enum { SLOT_FRAMES = 1, SLOT_FILE };

struct _ReelSourcePage {
    ReelPanelPage parent_instance;
    GtkListBox *list;
    GtkStack *stack;
    GtkLabel *path, *message;
    GtkButton *open;
    GtkTextView *view;
    GtkTextBuffer *buffer;
    GtkTextTag *here;
    struct reel_source_frames *frames;
    char *shown;              /* the file that is in the view; NULL: none */
    char *found;              /* where it is on this machine */
    int line;                 /* from 1; 0: none */
    gboolean by_stack;        /* the session's stack was chosen last, not its cursor */
    gboolean is_to_be_edited; /* as soon as it is known where it is */
};

G_DEFINE_FINAL_TYPE(ReelSourcePage, reel_source_page, REEL_TYPE_PANEL_PAGE)

static void say(ReelSourcePage *self, const char *text)
{
    gtk_label_set_text(self->message, text);
    gtk_stack_set_visible_child_name(self->stack, "message");
    gtk_widget_set_sensitive(GTK_WIDGET(self->open), FALSE);
}

static void show_line(ReelSourcePage *self)
{
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(self->buffer, &start, &end);
    gtk_text_buffer_remove_tag(self->buffer, self->here, &start, &end);
    if (self->line < 1 || self->line > gtk_text_buffer_get_line_count(self->buffer))
        return;
    gtk_text_buffer_get_iter_at_line(self->buffer, &start, self->line - 1);
    end = start;
    if (!gtk_text_iter_forward_line(&end))
        gtk_text_buffer_get_end_iter(self->buffer, &end);
    gtk_text_buffer_apply_tag(self->buffer, self->here, &start, &end);
    gtk_text_buffer_place_cursor(self->buffer, &start);
    gtk_text_view_scroll_to_mark(self->view, gtk_text_buffer_get_insert(self->buffer), 0.1, TRUE, 0,
                                 0.35);
}

/* A view that was just filled or shown has no size to scroll by yet. */
static gboolean show_line_soon(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)widget;
    (void)clock;
    show_line(data);
    return G_SOURCE_REMOVE;
}

static void show_path(ReelSourcePage *self)
{
    g_autofree char *text =
        self->line > 0 ? g_strdup_printf("%s:%d", self->shown, self->line) : g_strdup(self->shown);
    gtk_label_set_text(self->path, text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->path), text);
}

static void open_editor(ReelSourcePage *self)
{
    g_autoptr(GError) error = NULL;
    if (self->found && !reel_editor_open(self->found, (unsigned)MAX(self->line, 1), &error)) {
        g_autofree char *text = g_strdup_printf(
            "The editor did not start: %s\nSet $VISUAL or $EDITOR to an editor.", error->message);
        say(self, text);
        gtk_widget_set_sensitive(GTK_WIDGET(self->open), TRUE);
    }
}

static void edit_if_wanted(ReelSourcePage *self)
{
    if (self->is_to_be_edited)
        open_editor(self);
    self->is_to_be_edited = FALSE;
}

static void file_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelSourcePage *self = owner;
    const struct reel_source_file *file = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        say(self, text);
        return;
    }
    g_free(self->found);
    self->found = g_strdup(file->found);
    if (!file->text) {
        say(self, file->problem);
        gtk_widget_set_sensitive(GTK_WIDGET(self->open), file->found != NULL);
        edit_if_wanted(self);
        return;
    }
    gtk_text_buffer_set_text(self->buffer, file->text, -1);
    gtk_stack_set_visible_child_name(self->stack, "source");
    gtk_widget_set_sensitive(GTK_WIDGET(self->open), TRUE);
    gtk_widget_add_tick_callback(GTK_WIDGET(self->view), show_line_soon, self, NULL);
    edit_if_wanted(self);
}

static void show_frame(ReelSourcePage *self, const struct reel_source_frame *frame)
{
    self->line = frame->line;
    if (!frame->file) {
        g_autofree char *module =
            frame->module ? g_path_get_basename(frame->module) : g_strdup("this code");
        g_autofree char *text = g_strdup_printf(
            "No line is known for %s in %s.\nBuild it with -g, or install its debug symbols, and "
            "record again.",
            frame->function ? frame->function : "this address", module);
        g_clear_pointer(&self->shown, g_free);
        g_clear_pointer(&self->found, g_free);
        gtk_label_set_text(self->path, frame->module ? frame->module : "");
        say(self, text);
        return;
    }
    if (self->found && g_strcmp0(self->shown, frame->file) == 0 &&
        g_strcmp0(gtk_stack_get_visible_child_name(self->stack), "source") == 0) {
        show_path(self);
        show_line(self);
        edit_if_wanted(self);
        return;
    }
    g_free(self->shown);
    self->shown = g_strdup(frame->file);
    show_path(self);
    const struct reel_query_job job = {
        .run = reel_source_file_read,
        .answered = file_answered,
        .request = g_strdup(frame->file),
        .free_request = g_free,
        .free_answer = reel_source_file_free,
    };
    reel_panel_page_ask(REEL_PANEL_PAGE(self), SLOT_FILE, &job);
}

static void frame_selected(GtkListBox *list, GtkListBoxRow *row, ReelSourcePage *self)
{
    (void)list;
    guint index = row ? (guint)gtk_list_box_row_get_index(row) : G_MAXUINT;
    if (self->frames && index < self->frames->frame->len)
        show_frame(self, &g_array_index(self->frames->frame, struct reel_source_frame, index));
}

static GtkWidget *frame_row(guint depth, const struct reel_source_frame *frame)
{
    g_autofree char *base = frame->file ? g_path_get_basename(frame->file) : NULL;
    g_autofree char *module = frame->module ? g_path_get_basename(frame->module) : NULL;
    g_autofree char *place =
        base     ? g_strdup_printf("%s:%d", base, frame->line)
        : module ? g_strdup(module)
                 : g_strdup_printf("0x%" G_GINT64_MODIFIER "x", (guint64)frame->address);
    g_autofree char *text =
        g_strdup_printf("#%u  %s  %s", depth, frame->function ? frame->function : "??", place);
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_MIDDLE);
    if (!frame->file)
        gtk_widget_add_css_class(label, "dim-label");
    gtk_widget_set_tooltip_text(label, frame->file ? frame->file : frame->module);
    return label;
}

static void remove_rows(ReelSourcePage *self)
{
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->list))))
        gtk_list_box_remove(self->list, row);
}

static void frames_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelSourcePage *self = owner;
    struct reel_source_frames *frames = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        say(self, text);
        return;
    }
    if (self->frames && self->frames->stack == frames->stack && frames->stack) {
        edit_if_wanted(self);
        return;
    }
    remove_rows(self);
    g_clear_pointer(&self->frames, reel_source_frames_free);
    if (frames->frame->len == 0) {
        self->is_to_be_edited = FALSE;
        gtk_label_set_text(self->path, "");
        say(self, "No stack here.\nSelect an event, a wait or a piece of evidence, or a thread's "
                  "lane: its source is shown at the cursor.");
        return;
    }
    /* Kept: its array is taken over. */
    self->frames = g_new0(struct reel_source_frames, 1);
    *self->frames = *frames;
    self->frames->frame = g_array_ref(frames->frame);
    for (guint i = 0; i < frames->frame->len; i++)
        gtk_list_box_append(
            self->list, frame_row(i, &g_array_index(frames->frame, struct reel_source_frame, i)));
    gtk_list_box_select_row(self->list,
                            gtk_list_box_get_row_at_index(self->list, (int)frames->own));
}

static void reel_source_page_refresh(ReelPanelPage *page)
{
    ReelSourcePage *self = REEL_SOURCE_PAGE(page);
    ReelSession *session = reel_panel_page_session(page);
    ReelDocument *document = reel_panel_page_document(page);
    struct reel_source_request *request = g_new0(struct reel_source_request, 1);
    guint lane = reel_session_lane(session);
    if (self->by_stack)
        request->stack = reel_session_stack(session);
    else if (lane < reel_document_lane_count(document) &&
             reel_document_lane(document, lane)->kind == REEL_LANE_THREAD)
        request->thread = reel_document_lane(document, lane)->id;
    request->time_ns = reel_session_cursor(session);
    const struct reel_query_job job = {
        .run = reel_source_frames_read,
        .answered = frames_answered,
        .request = request,
        .free_request = g_free,
        .free_answer = reel_source_frames_free,
    };
    reel_panel_page_ask(page, SLOT_FRAMES, &job);
}

static void reel_source_page_clear(ReelPanelPage *page)
{
    ReelSourcePage *self = REEL_SOURCE_PAGE(page);
    remove_rows(self);
    g_clear_pointer(&self->frames, reel_source_frames_free);
    g_clear_pointer(&self->shown, g_free);
    g_clear_pointer(&self->found, g_free);
    gtk_text_buffer_set_text(self->buffer, "", 0);
    say(self, "");
    self->by_stack = FALSE;
}

static void stack_chosen(ReelSourcePage *self)
{
    self->by_stack = TRUE;
}

static void cursor_moved(ReelSourcePage *self)
{
    self->by_stack = FALSE;
}

void reel_source_page_edit(ReelSourcePage *self)
{
    self->is_to_be_edited = TRUE;
    reel_panel_page_outdate(REEL_PANEL_PAGE(self));
}

static void read_colors(GtkWidget *widget)
{
    ReelSourcePage *self = REEL_SOURCE_PAGE(widget);
    GdkRGBA color;
    if (gtk_style_context_lookup_color(gtk_widget_get_style_context(widget), "reel_selection",
                                       &color))
        g_object_set(self->here, "paragraph-background-rgba", &color, NULL);
}

static void reel_source_page_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
    GTK_WIDGET_CLASS(reel_source_page_parent_class)->css_changed(widget, change);
    read_colors(widget);
}

static void reel_source_page_finalize(GObject *object)
{
    ReelSourcePage *self = REEL_SOURCE_PAGE(object);
    g_clear_pointer(&self->frames, reel_source_frames_free);
    g_free(self->shown);
    g_free(self->found);
    G_OBJECT_CLASS(reel_source_page_parent_class)->finalize(object);
}

static void reel_source_page_bound(ReelPanelPage *page, ReelSession *session)
{
    g_signal_connect_object(session, "notify::stack", G_CALLBACK(stack_chosen), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::cursor", G_CALLBACK(cursor_moved), page,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::lane", G_CALLBACK(cursor_moved), page,
                            G_CONNECT_SWAPPED);
}

static void reel_source_page_class_init(ReelSourcePageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_source_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_source_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->bound = reel_source_page_bound;
    REEL_PANEL_PAGE_CLASS(class)->follows = REEL_FOLLOWS_CURSOR | REEL_FOLLOWS_STACK;
    GTK_WIDGET_CLASS(class)->css_changed = reel_source_page_css_changed;
    G_OBJECT_CLASS(class)->finalize = reel_source_page_finalize;
}

static GtkWidget *make_view(ReelSourcePage *self)
{
    self->view = GTK_TEXT_VIEW(gtk_text_view_new());
    gtk_text_view_set_editable(self->view, FALSE);
    gtk_text_view_set_monospace(self->view, TRUE);
    gtk_text_view_set_left_margin(self->view, 6);
    gtk_widget_add_css_class(GTK_WIDGET(self->view), "reel-source");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Source", -1);
    self->buffer = gtk_text_view_get_buffer(self->view);
    self->here = gtk_text_buffer_create_tag(self->buffer, NULL, "weight", PANGO_WEIGHT_BOLD, NULL);
    reel_line_numbers_add(self->view);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(self->view));
    return scrolled;
}

static void reel_source_page_init(ReelSourcePage *self)
{
    GtkWidget *tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_widget_add_css_class(tools, "reel-tools");
    self->path = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->path, 0);
    gtk_label_set_ellipsize(self->path, PANGO_ELLIPSIZE_START);
    gtk_widget_set_hexpand(GTK_WIDGET(self->path), TRUE);
    self->open = GTK_BUTTON(gtk_button_new_with_mnemonic("Open in _Editor"));
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->open), "In $VISUAL, else $EDITOR, at this line");
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->path));
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->open));
    self->message = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_wrap(self->message, TRUE);
    gtk_label_set_justify(self->message, GTK_JUSTIFY_CENTER);
    gtk_widget_add_css_class(GTK_WIDGET(self->message), "reel-empty");
    self->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->message), "message");
    gtk_stack_add_named(self->stack, make_view(self), "source");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
    GtkWidget *right = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(right), tools);
    gtk_box_append(GTK_BOX(right), GTK_WIDGET(self->stack));
    self->list = GTK_LIST_BOX(gtk_list_box_new());
    gtk_list_box_set_selection_mode(self->list, GTK_SELECTION_BROWSE);
    gtk_widget_add_css_class(GTK_WIDGET(self->list), "reel-frames");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Frames of the stack, innermost first", -1);
    GtkWidget *frames = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(frames), GTK_WIDGET(self->list));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(frames), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_size_request(frames, 200, -1);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(paned), frames);
    gtk_paned_set_end_child(GTK_PANED(paned), right);
    gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_resize_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_position(GTK_PANED(paned), 300);
    g_signal_connect_object(self->open, "clicked", G_CALLBACK(open_editor), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->list, "row-selected", G_CALLBACK(frame_selected), self, 0);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), paned);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), GTK_WIDGET(self->list));
}
