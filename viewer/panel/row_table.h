/* A table of rows (ReelRow): columns that sort, Enter or a double click that goes there, Ctrl+C
 * that copies. All tables of the bottom panel are this one. */
#ifndef REEL_VIEWER_PANEL_ROW_TABLE_H
#define REEL_VIEWER_PANEL_ROW_TABLE_H

#include <gtk/gtk.h>

#include "viewer/panel/row.h"

G_BEGIN_DECLS

struct reel_row_column {
    const char *title;
    enum reel_row_format format;
    int width; /* 0: what it needs; below 0: takes the space that is left, at least so much */
    const char *help; /* what the column says; shown by the table's help and read aloud */
};

#define REEL_TYPE_ROW_TABLE (reel_row_table_get_type())
G_DECLARE_FINAL_TYPE(ReelRowTable, reel_row_table, REEL, ROW_TABLE, GtkWidget)

/* Signals: activated (ReelRow), selected (ReelRow or NULL). */

/* `columns` must live as long as the table, texts too. `name`: for those who do not see it. */
GtkWidget *reel_row_table_new(const char *name, const struct reel_row_column *columns, guint count);
/* Rows of its own, as they come or as the user sorted them. The rows are counted. One that has the
 * identity of a row already shown takes that one's place: it stays selected, what was scrolled to
 * stays in sight, and nothing is told of a selection that is the same as before. */
void reel_row_table_set_rows(ReelRowTable *self, GPtrArray *rows);
void reel_row_table_sort(ReelRowTable *self, guint column, gboolean descending);
/* Any model of rows instead; columns cannot be sorted then. `keep`: it stays scrolled as it is. */
void reel_row_table_set_model(ReelRowTable *self, GListModel *model, gboolean keep);
/* The same with other columns. `columns` is copied, titles too. */
void reel_row_table_set_columns(ReelRowTable *self, const struct reel_row_column *columns,
                                guint count);
/* Shown instead of rows: why there are none. NULL: the rows. */
void reel_row_table_say(ReelRowTable *self, const char *text);

ReelRow *reel_row_table_selected(ReelRowTable *self); /* borrowed; NULL: none */
/* The rows in the order that is shown. Borrowed. */
GListModel *reel_row_table_rows(ReelRowTable *self);
/* Selects the row and scrolls to it; activates nothing. */
void reel_row_table_select(ReelRowTable *self, guint position);
/* Selects it where it is. */
void reel_row_table_mark(ReelRowTable *self, guint position);
/* All rows with a heading, cells divided by tabs. g_free. */
char *reel_row_table_to_tsv(ReelRowTable *self);
/* A cell as it is shown. g_free. */
char *reel_row_cell_to_text(const struct reel_row_cell *cell, enum reel_row_format format);

G_END_DECLS

#endif
