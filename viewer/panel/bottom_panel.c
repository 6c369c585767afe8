#include "viewer/panel/bottom_panel.h"

#include "viewer/panel/events_page.h"
#include "viewer/panel/findings_page.h"
#include "viewer/panel/flame_page.h"
#include "viewer/panel/locks_page.h"
#include "viewer/panel/order_page.h"
#include "viewer/panel/range_page.h"
#include "viewer/panel/source_page.h"
#include "viewer/panel/sql_page.h"
#include "viewer/panel/threads_page.h"

/* The pages, in the order of their tabs. */
struct page {
    const char *name, *title, *help;
    GType (*type)(void);
};

static const struct page pages[] = {
    {"findings", "Findings", "Faults and costly patterns, with their evidence",
     reel_findings_page_get_type},
    {"events", "Events", "Every event, in exact order", reel_events_page_get_type},
    {"locks", "Locks", "What each lock cost", reel_locks_page_get_type},
    {"order", "Lock order", "Which lock is taken while which is held; circles can deadlock",
     reel_order_page_get_type},
    {"threads", "Threads", "What each thread did with its time", reel_threads_page_get_type},
    {"flame", "Waiting flame graph", "Where threads wait: stacks as wide as the time waited",
     reel_flame_page_get_type},
    {"range", "Range", "Statistics of the selected range", reel_range_page_get_type},
    {"source", "Source", "The source at the selected stack, or at the cursor",
     reel_source_page_get_type},
    {"sql", "SQL", "Ask the trace in SQL", reel_sql_page_get_type},
};

struct _ReelBottomPanel {
    GtkWidget parent_instance;
    GtkNotebook *notebook;
    ReelFindingsPage *findings;
    ReelSourcePage *source;
};

enum { PROPERTY_PAGE = 1, PROPERTY_COUNT };
static GParamSpec *properties[PROPERTY_COUNT];

G_DEFINE_FINAL_TYPE(ReelBottomPanel, reel_bottom_panel, GTK_TYPE_WIDGET)

const char *reel_bottom_panel_page(ReelBottomPanel *self)
{
    int index = gtk_notebook_get_current_page(self->notebook);
    return index >= 0 && index < (int)G_N_ELEMENTS(pages) ? pages[index].name : "";
}

void reel_bottom_panel_show_page(ReelBottomPanel *self, const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++)
        if (g_strcmp0(pages[i].name, name) == 0) {
            gtk_widget_set_visible(GTK_WIDGET(self), TRUE);
            gtk_notebook_set_current_page(self->notebook, (int)i);
            reel_panel_page_focus(
                REEL_PANEL_PAGE(gtk_notebook_get_nth_page(self->notebook, (int)i)));
        }
}

void reel_bottom_panel_edit_source(ReelBottomPanel *self)
{
    reel_bottom_panel_show_page(self, "source");
    reel_source_page_edit(self->source);
}

static void page_changed(ReelBottomPanel *self)
{
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROPERTY_PAGE]);
}

static void count_changed(ReelBottomPanel *self)
{
    guint count = reel_findings_page_count(self->findings);
    g_autofree char *title =
        count ? g_strdup_printf("%s %u", pages[0].title, count) : g_strdup(pages[0].title);
    gtk_notebook_set_tab_label_text(self->notebook, GTK_WIDGET(self->findings), title);
}

void reel_bottom_panel_set_session(ReelBottomPanel *self, ReelSession *session)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++)
        reel_panel_page_set_session(
            REEL_PANEL_PAGE(gtk_notebook_get_nth_page(self->notebook, (int)i)), session);
}

static void reel_bottom_panel_get_property(GObject *object, guint id, GValue *value,
                                           GParamSpec *spec)
{
    if (id == PROPERTY_PAGE)
        g_value_set_string(value, reel_bottom_panel_page(REEL_BOTTOM_PANEL(object)));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_bottom_panel_set_property(GObject *object, guint id, const GValue *value,
                                           GParamSpec *spec)
{
    if (id == PROPERTY_PAGE)
        reel_bottom_panel_show_page(REEL_BOTTOM_PANEL(object), g_value_get_string(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_bottom_panel_dispose(GObject *object)
{
    ReelBottomPanel *self = REEL_BOTTOM_PANEL(object);
    /* A notebook that loses its pages passes the focus on from one to the next, also when there is
     * no window left to have it. */
    if (self->notebook)
        gtk_widget_set_focus_child(GTK_WIDGET(self->notebook), NULL);
    gtk_widget_dispose_template(GTK_WIDGET(object), REEL_TYPE_BOTTOM_PANEL);
    G_OBJECT_CLASS(reel_bottom_panel_parent_class)->dispose(object);
}

static void reel_bottom_panel_class_init(ReelBottomPanelClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    object_class->get_property = reel_bottom_panel_get_property;
    object_class->set_property = reel_bottom_panel_set_property;
    object_class->dispose = reel_bottom_panel_dispose;
    properties[PROPERTY_PAGE] =
        g_param_spec_string("page", NULL, NULL, "", G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, PROPERTY_COUNT, properties);
    gtk_widget_class_set_template_from_resource(widget_class, "/reel/viewer/bottom_panel.ui");
    gtk_widget_class_bind_template_child(widget_class, ReelBottomPanel, notebook);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void reel_bottom_panel_init(ReelBottomPanel *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        GtkWidget *page = g_object_new(pages[i].type(), NULL);
        GtkWidget *tab = gtk_label_new(pages[i].title);
        gtk_notebook_append_page(self->notebook, page, tab);
        g_autofree char *tip = g_strdup_printf("%s (Alt+%u)", pages[i].help, i + 1);
        gtk_widget_set_tooltip_text(tab, tip);
        gtk_accessible_update_property(GTK_ACCESSIBLE(page), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       pages[i].title, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       pages[i].help, -1);
        if (pages[i].type == reel_findings_page_get_type)
            self->findings = REEL_FINDINGS_PAGE(page);
        if (pages[i].type == reel_source_page_get_type)
            self->source = REEL_SOURCE_PAGE(page);
    }
    g_signal_connect_object(self->findings, "notify::count", G_CALLBACK(count_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->notebook, "notify::page", G_CALLBACK(page_changed), self,
                            G_CONNECT_SWAPPED);
}
