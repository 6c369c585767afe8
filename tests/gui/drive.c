#include "tests/gui/drive.h"

#include "viewer/application.h"

GtkApplication *drive_application(void)
{
    static GtkApplication *application;
    g_autoptr(GError) error = NULL;
    if (application)
        return application;
    application = reel_application_new();
    if (!g_application_register(G_APPLICATION(application), NULL, &error))
        g_error("%s", error->message);
    return application;
}

gboolean drive_until(gboolean (*done)(gpointer data), gpointer data)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (!done(data) && g_get_monotonic_time() < end)
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(1000);
    return done(data);
}

void drive_settle(void)
{
    for (int i = 0; i < 12; i++) {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        g_usleep(1500);
    }
}

static gboolean has_document(gpointer window)
{
    return reel_session_document(reel_window_session(window)) != NULL;
}

ReelWindow *drive_open(const char *trace)
{
    ReelWindow *window = reel_window_new(drive_application());
    gtk_window_present(GTK_WINDOW(window));
    reel_window_open(window, trace, NULL);
    if (!drive_until(has_document, window))
        g_error("%s was not loaded", trace);
    drive_settle();
    return window;
}

void drive_close(ReelWindow *window)
{
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static GtkWidget *find_nth(GtkWidget *widget, GType type, guint *skip)
{
    if (G_TYPE_CHECK_INSTANCE_TYPE(widget, type) && (*skip)-- == 0)
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_nth(child, type, skip);
        if (found)
            return found;
    }
    return NULL;
}

GtkWidget *drive_find(GtkWidget *widget, GType type, guint skip)
{
    return find_nth(widget, type, &skip);
}
