/* A race that is proved, though it did not happen in this run: the picture, the list and the card
 * say so, and an observed one is drawn as ever. A hand-made trace. Needs a display. */
#include <gtk/gtk.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/gui/drive.h"
#include "tracer/model/seal.h"
#include "tracer/model/text_form.h"
#include "viewer/draw/scene.h"
#include "viewer/lane_list.h"
#include "viewer/panel/finding_card.h"
#include "viewer/panel/findings_page.h"
#include "viewer/panel/row_table.h"
#include "viewer/snapshot.h"

/* Two threads that write without a lock, found by the detectors, and called as sure as that. */
static char *race_of(const char *confidence)
{
    struct reel_error error = {0};
    g_autoptr(GError) failed = NULL;
    const struct reel_seal_options options = {.writer = REEL_ROWS_API};
    struct reel_seal_result result;
    g_autofree char *name = g_strdup_printf("%s.reel", confidence);
    char *path = g_build_filename(g_get_user_runtime_dir(), name, NULL);
    struct reel_text_form *form = reel_text_form_parse(
        "@1ms T1 start; @1.1ms T1 create T2; @1.2ms T2 start; @1.3ms T1 create T3; @1.4ms T3 start;"
        "@3ms T2 write counter 4; @3.5ms T3 write counter 4; @5ms T2 exit; @5.1ms T3 exit;"
        "@5.2ms T1 join T2; @5.3ms T1 join T3; @6ms T1 exit",
        &error);
    struct reel_trace *trace = form ? reel_trace_create(path, &error) : NULL;
    if (!trace || !reel_text_form_write(form, trace, &error) ||
        !reel_seal(trace, &options, &result, &error) || !reel_trace_close(trace, &error))
        g_error("%s", error.message);
    reel_text_form_free(form);
    if (!reel_snapshot_check(path, &failed))
        g_error("%s", failed->message);
    sqlite3 *database;
    g_autofree char *sql = g_strdup_printf("UPDATE finding SET confidence = '%s'", confidence);
    g_assert_cmpint(sqlite3_open(path, &database), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_changes(database), ==, 1);
    sqlite3_close(database);
    return path;
}

/* A painter that notes what it is told. */
struct noting {
    struct reel_cairo_painter painter;
    struct reel_painter_class class;
    GString *texts;
    GArray *dashes; /* double: of lines from lane to lane */
};

static void note_text(struct reel_painter *painter, PangoLayout *layout, double x, double y,
                      const GdkRGBA *color)
{
    (void)x;
    (void)y;
    (void)color;
    g_string_append_printf(((struct noting *)painter)->texts, "[%s]",
                           pango_layout_get_text(layout));
}

static void note_path(struct reel_painter *painter, const double *points, size_t count,
                      gboolean closed, double width, double dash, const GdkRGBA *color)
{
    (void)closed;
    (void)width;
    (void)color;
    if (count == 2 && points[0] != points[2])
        g_array_append_val(((struct noting *)painter)->dashes, dash);
}

/* What is drawn of the selected finding: its texts, and how its link is broken. */
static char *drawn(const char *path, double *dash)
{
    g_autoptr(ReelDocument) document = reel_document_new(path);
    g_assert_true(reel_document_load_now(document, NULL));
    g_autoptr(ReelLaneList) lanes = reel_lane_list_new(document, NULL);
    struct reel_palette palette;
    g_assert_true(reel_palette_load(&palette, "light"));
    g_assert_cmpuint(reel_document_finding_count(document), ==, 1);
    const struct reel_scene scene = {
        .document = document,
        .layout = reel_lane_list_layout(lanes),
        .palette = &palette,
        .from_ns = reel_document_start_ns(document),
        .to_ns = reel_document_end_ns(document),
        .cursor_ns = UINT64_MAX,
        .lane = G_MAXUINT,
        .width = 1000,
        .height = 300,
        .finding = reel_document_finding(document, 0),
    };
    struct noting noting = {.texts = g_string_new(NULL),
                            .dashes = g_array_new(FALSE, FALSE, sizeof(double))};
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 1000, 300);
    cairo_t *cairo = cairo_create(surface);
    reel_cairo_painter_init(&noting.painter, cairo, "Sans 10");
    noting.class = *noting.painter.base.class;
    noting.class.layout = note_text;
    noting.class.path = note_path;
    noting.painter.base.class = &noting.class;
    reel_scene_paint_findings(&scene, &noting.painter.base);
    reel_cairo_painter_clear(&noting.painter);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    g_assert_cmpuint(noting.dashes->len, ==, 1);
    *dash = g_array_index(noting.dashes, double, 0);
    g_array_unref(noting.dashes);
    return g_string_free(noting.texts, FALSE);
}

static void the_picture_tells_a_proved_race_from_an_observed_one(void)
{
    g_autofree char *observed = race_of("observed"), *proved = race_of("proved");
    double observed_dash, proved_dash;
    g_autofree char *of_observed = drawn(observed, &observed_dash);
    g_autofree char *of_proved = drawn(proved, &proved_dash);
    g_assert_nonnull(strstr(of_proved, "[proved: not in this run"));
    g_assert_null(strstr(of_observed, "proved"));
    g_assert_cmpfloat(observed_dash, >, 0);
    g_assert_cmpfloat(proved_dash, >, 0);
    g_assert_cmpfloat(proved_dash, !=, observed_dash);
}

static gboolean has_rows(gpointer table)
{
    return g_list_model_get_n_items(reel_row_table_rows(table)) > 0;
}

static gboolean says(GtkWidget *widget, const char *text)
{
    if (GTK_IS_LABEL(widget) && strstr(gtk_label_get_text(GTK_LABEL(widget)), text))
        return TRUE;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        if (says(child, text))
            return TRUE;
    return FALSE;
}

static void the_list_and_the_card_say_that_it_is_proved(void)
{
    static const char *const sure[] = {"proved", "observed"};
    for (guint i = 0; i < G_N_ELEMENTS(sure); i++) {
        g_autofree char *path = race_of(sure[i]);
        ReelWindow *window = drive_open(path);
        g_action_group_activate_action(G_ACTION_GROUP(window), "show-page",
                                       g_variant_new_string("findings"));
        drive_settle();
        GtkWidget *page = drive_find(GTK_WIDGET(window), REEL_TYPE_FINDINGS_PAGE, 0);
        GtkWidget *table = drive_find(page, REEL_TYPE_ROW_TABLE, 0);
        GtkWidget *card = drive_find(page, REEL_TYPE_FINDING_CARD, 0);
        g_assert_true(drive_until(has_rows, table));
        drive_settle();
        g_assert_true(says(table, sure[i]));
        g_assert_true(says(card, sure[i]));
        g_assert_false(says(card, sure[1 - i]));
        drive_close(window);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/findings/the-picture-tells-a-proved-race-from-an-observed-one",
                    the_picture_tells_a_proved_race_from_an_observed_one);
    g_test_add_func("/findings/the-list-and-the-card-say-that-it-is-proved",
                    the_list_and_the_card_say_that_it_is_proved);
    drive_application();
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
