#include "viewer/panel/flame_page.h"

#include "viewer/panel/flame_view.h"

struct _ReelFlamePage {
    ReelPanelPage parent_instance;
    GtkDropDown *waits, *group;
    GtkToggleButton *only_range;
    GtkSearchEntry *search;
    GtkLabel *status;
    GtkStack *stack;
    GtkLabel *message;
    ReelFlameView *view;
    struct reel_flame_graph *graph;
};

G_DEFINE_FINAL_TYPE(ReelFlamePage, reel_flame_page, REEL_TYPE_PANEL_PAGE)

#define ROLE(NAME) (1u << REEL_STATE_ROLE_##NAME)
#define BAD        (ROLE(LOCK) | ROLE(GIL) | ROLE(ORDER) | ROLE(IO))
static const guint waits_roles[] = {BAD, ROLE(LOCK) | ROLE(GIL), ROLE(ORDER), ROLE(IO),
                                    BAD | ROLE(IDLE)};
static const char *const waits_texts[] = {"All but idle", "Held locks",    "Others' work",
                                          "I/O",          "All, idle too", NULL};
static const char *const group_texts[] = {"By stack", "By state", "By lock or object", "By thread",
                                          NULL};

static void say(ReelFlamePage *self, const char *text)
{
    gtk_label_set_text(self->message, text);
    gtk_stack_set_visible_child_name(self->stack, "message");
}

static void look_for(ReelFlamePage *self)
{
    const char *text = gtk_editable_get_text(GTK_EDITABLE(self->search));
    double share = reel_flame_view_search(self->view, text);
    g_autofree char *status =
        *text ? g_strdup_printf("%.1f %% of the waiting matches", share * 100) : g_strdup("");
    gtk_label_set_text(self->status, status);
}

static void answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelFlamePage *self = owner;
    struct reel_flame_graph *graph = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        say(self, text);
        return;
    }
    g_clear_pointer(&self->graph, reel_flame_graph_unref);
    self->graph = reel_flame_graph_ref(graph);
    reel_flame_view_show(self->view, graph);
    if (graph->flame.box[0].total == 0) {
        say(self, "Nobody waited here.");
        return;
    }
    gtk_stack_set_visible_child_name(self->stack, "graph");
    look_for(self);
    if (graph->is_without_stacks)
        gtk_label_set_text(self->status, "The trace has no stacks: record without --no-stacks");
}

static void reel_flame_page_refresh(ReelPanelPage *page)
{
    ReelFlamePage *self = REEL_FLAME_PAGE(page);
    ReelDocument *document = reel_panel_page_document(page);
    struct reel_flame_request *request = g_new0(struct reel_flame_request, 1);
    guint waits = gtk_drop_down_get_selected(self->waits);
    guint group = gtk_drop_down_get_selected(self->group);
    reel_panel_page_range(page, &request->from_ns, &request->to_ns);
    if (!gtk_toggle_button_get_active(self->only_range)) {
        request->from_ns = reel_document_start_ns(document);
        request->to_ns = reel_document_end_ns(document);
    }
    request->roles = waits < G_N_ELEMENTS(waits_roles) ? waits_roles[waits] : BAD;
    request->group =
        group <= REEL_FLAME_BY_THREAD ? (enum reel_flame_group)group : REEL_FLAME_BY_STACK;
    const struct reel_query_job job = {
        .run = reel_flame_graph_read,
        .answered = answered,
        .request = request,
        .free_request = g_free,
        .free_answer = (GDestroyNotify)reel_flame_graph_unref,
    };
    reel_panel_page_ask(page, 1, &job);
}

static void reel_flame_page_clear(ReelPanelPage *page)
{
    ReelFlamePage *self = REEL_FLAME_PAGE(page);
    reel_flame_view_show(self->view, NULL);
    g_clear_pointer(&self->graph, reel_flame_graph_unref);
    say(self, "Adding up…");
}

static gboolean reel_flame_page_is_ranged(ReelPanelPage *page)
{
    return gtk_toggle_button_get_active(REEL_FLAME_PAGE(page)->only_range);
}

/* The source page shows a box's frame; a lock's or a thread's box selects its lane. */
static void selected(ReelFlameView *view, guint box, ReelPanelPage *page)
{
    ReelFlamePage *self = REEL_FLAME_PAGE(page);
    if (self->graph && box < self->graph->links->len) {
        const struct reel_flame_link *link =
            &g_array_index(self->graph->links, struct reel_flame_link, box);
        reel_panel_page_go_to(page, REEL_ROW_NO_TIME, link->thread, link->object, link->stack);
    }
    g_autofree char *text = reel_flame_view_describe(view, box);
    gtk_label_set_text(self->status, text);
}

static void zoom_out(ReelFlamePage *self)
{
    reel_flame_view_zoom(self->view, 0);
}

static void reel_flame_page_finalize(GObject *object)
{
    g_clear_pointer(&REEL_FLAME_PAGE(object)->graph, reel_flame_graph_unref);
    G_OBJECT_CLASS(reel_flame_page_parent_class)->finalize(object);
}

static void reel_flame_page_class_init(ReelFlamePageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_flame_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_flame_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->is_ranged = reel_flame_page_is_ranged;
    REEL_PANEL_PAGE_CLASS(class)->follows = REEL_FOLLOWS_RANGE;
    G_OBJECT_CLASS(class)->finalize = reel_flame_page_finalize;
}

static GtkDropDown *add_choice(GtkWidget *box, ReelFlamePage *self, const char *const *texts,
                               const char *name)
{
    GtkWidget *choice = gtk_drop_down_new_from_strings(texts);
    gtk_widget_set_tooltip_text(choice, name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(choice), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_signal_connect_object(choice, "notify::selected", G_CALLBACK(reel_panel_page_outdate), self,
                            G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(box), choice);
    return GTK_DROP_DOWN(choice);
}

static void reel_flame_page_init(ReelFlamePage *self)
{
    GtkWidget *tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_widget_add_css_class(tools, "reel-tools");
    self->waits = add_choice(tools, self, waits_texts, "Which waits");
    self->group = add_choice(tools, self, group_texts, "What stands at the root");
    self->only_range = GTK_TOGGLE_BUTTON(gtk_toggle_button_new_with_label("Only This Range"));
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->only_range),
                                "Count only what lies in the selected range, or in what is seen");
    g_signal_connect_object(self->only_range, "toggled", G_CALLBACK(reel_panel_page_outdate), self,
                            G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->only_range));
    GtkWidget *out = gtk_button_new_with_label("Zoom Out");
    gtk_widget_set_tooltip_text(out, "The whole graph again (Backspace: one step)");
    g_signal_connect_object(out, "clicked", G_CALLBACK(zoom_out), self, G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(tools), out);
    self->search = GTK_SEARCH_ENTRY(gtk_search_entry_new());
    g_object_set(self->search, "placeholder-text", "Highlight…", NULL);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Highlight functions", -1);
    g_signal_connect_object(self->search, "search-changed", G_CALLBACK(look_for), self,
                            G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->search));
    self->status = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->status, 0);
    gtk_label_set_ellipsize(self->status, PANGO_ELLIPSIZE_END);
    gtk_widget_set_hexpand(GTK_WIDGET(self->status), TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->status), "reel-summary");
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->status));
    GtkWidget *view = reel_flame_view_new();
    self->view = REEL_FLAME_VIEW(view);
    g_signal_connect(view, "selected", G_CALLBACK(selected), self);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    self->message = GTK_LABEL(gtk_label_new(NULL));
    gtk_widget_add_css_class(GTK_WIDGET(self->message), "reel-empty");
    self->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->message), "message");
    gtk_stack_add_named(self->stack, scrolled, "graph");
    gtk_widget_set_vexpand(GTK_WIDGET(self->stack), TRUE);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(box), tools);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->stack));
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), box);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), view);
}
