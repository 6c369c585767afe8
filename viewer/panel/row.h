/* One row of a table of the bottom panel: cells made by a query in the worker thread, and what the
 * row is about, so that activating it can go there. Built by one thread, then handed over; from
 * then on the main thread's. */
#ifndef REEL_VIEWER_PANEL_ROW_H
#define REEL_VIEWER_PANEL_ROW_H

#include <glib-object.h>
#include <stdint.h>

G_BEGIN_DECLS

#define REEL_ROW_NO_TIME UINT64_MAX

/* How the cells of a column are shown. */
enum reel_row_format {
    REEL_ROW_TEXT,
    REEL_ROW_COUNT,    /* 12,345 */
    REEL_ROW_DURATION, /* ns */
    REEL_ROW_MOMENT,   /* ns, to the nanosecond */
    REEL_ROW_SHARE,    /* of one, in percent */
    REEL_ROW_STATES,   /* a bar of the shares of the state roles */
};

struct reel_row_cell {
    char *text;    /* NULL: the number is shown, in the form of the column */
    double number; /* what the column is sorted by, when it is of numbers; NAN: none */
    float *shares; /* for a column of bars: `share_count` parts of one */
};

#define REEL_TYPE_ROW (reel_row_get_type())
G_DECLARE_FINAL_TYPE(ReelRow, reel_row, REEL, ROW, GObject)

struct _ReelRow {
    GObject parent_instance;
    guint count;
    struct reel_row_cell *cell;
    uint64_t time_ns;               /* REEL_ROW_NO_TIME: none */
    uint64_t end_ns;                /* of what lasts; else REEL_ROW_NO_TIME */
    uint32_t thread, object, stack; /* rows of the trace; 0: none */
    char *identity;                 /* what it is about, the same when the trace is read anew and
                                       the cells say something else; NULL: nothing stays */
    guint index;                    /* of what it stands for, in what its page was told */
    gboolean is_filled;             /* else its cells are still to come */
};

ReelRow *reel_row_new(guint cells);
/* Each takes the next cell, from the first on. */
void reel_row_set_text(ReelRow *self, guint cell, const char *text);
void reel_row_take_text(ReelRow *self, guint cell, char *text);
void reel_row_set_number(ReelRow *self, guint cell, double number);
void reel_row_set_shares(ReelRow *self, guint cell, const double *shares, guint count);

/* g_strdup_printf. */
void reel_row_identify(ReelRow *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A row without cells yet. */
ReelRow *reel_row_new_empty(void);
/* Moves what `from` says into it, in place of what it said, and emits `filled`. */
void reel_row_fill(ReelRow *self, ReelRow *from);

G_END_DECLS

#endif
