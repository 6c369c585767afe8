#include "viewer/panel/row.h"

#include <math.h>

G_DEFINE_FINAL_TYPE(ReelRow, reel_row, G_TYPE_OBJECT)

static guint filled_signal;

static void clear_cells(ReelRow *self)
{
    for (guint i = 0; i < self->count; i++) {
        g_free(self->cell[i].text);
        g_free(self->cell[i].shares);
    }
    g_clear_pointer(&self->cell, g_free);
    self->count = 0;
}

static void reel_row_finalize(GObject *object)
{
    clear_cells(REEL_ROW(object));
    g_free(REEL_ROW(object)->identity);
    G_OBJECT_CLASS(reel_row_parent_class)->finalize(object);
}

static void reel_row_class_init(ReelRowClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_row_finalize;
    filled_signal = g_signal_new("filled", REEL_TYPE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
}

static void reel_row_init(ReelRow *self)
{
    self->time_ns = self->end_ns = REEL_ROW_NO_TIME;
}

ReelRow *reel_row_new(guint cells)
{
    ReelRow *self = g_object_new(REEL_TYPE_ROW, NULL);
    self->count = cells;
    self->cell = g_new0(struct reel_row_cell, cells);
    for (guint i = 0; i < cells; i++)
        self->cell[i].number = NAN;
    self->is_filled = TRUE;
    return self;
}

ReelRow *reel_row_new_empty(void)
{
    return g_object_new(REEL_TYPE_ROW, NULL);
}

void reel_row_set_text(ReelRow *self, guint cell, const char *text)
{
    reel_row_take_text(self, cell, g_strdup(text));
}

void reel_row_take_text(ReelRow *self, guint cell, char *text)
{
    g_return_if_fail(cell < self->count);
    g_free(self->cell[cell].text);
    self->cell[cell].text = text ? text : g_strdup("");
}

void reel_row_set_number(ReelRow *self, guint cell, double number)
{
    g_return_if_fail(cell < self->count);
    self->cell[cell].number = number;
}

void reel_row_set_shares(ReelRow *self, guint cell, const double *shares, guint count)
{
    g_return_if_fail(cell < self->count);
    self->cell[cell].shares = g_new(float, count);
    for (guint i = 0; i < count; i++)
        self->cell[cell].shares[i] = (float)shares[i];
}

void reel_row_identify(ReelRow *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_free(self->identity);
    self->identity = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

void reel_row_fill(ReelRow *self, ReelRow *from)
{
    clear_cells(self);
    self->count = from->count;
    self->cell = g_steal_pointer(&from->cell);
    from->count = 0;
    self->time_ns = from->time_ns;
    self->end_ns = from->end_ns;
    self->thread = from->thread;
    self->object = from->object;
    self->stack = from->stack;
    self->index = from->index;
    self->is_filled = TRUE;
    g_signal_emit(self, filled_signal, 0);
}
