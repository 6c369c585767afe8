#include "tracer/commands/table.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "tracer/model/time_text.h"

struct cell {
    char *text; /* NULL for numbers */
    int64_t number;
    bool present;
};

struct reel_table {
    const struct reel_column *columns;
    unsigned column_count;
    GPtrArray *rows; /* struct cell[column_count] */
    unsigned next;   /* cell of the current row */
};

struct reel_table *reel_table_new(const struct reel_column *columns, unsigned count)
{
    struct reel_table *table = g_new0(struct reel_table, 1);
    table->columns = columns;
    table->column_count = count;
    table->rows = g_ptr_array_new();
    return table;
}

void reel_table_free(struct reel_table *table)
{
    if (!table)
        return;
    for (guint i = 0; i < table->rows->len; i++) {
        struct cell *row = table->rows->pdata[i];
        for (unsigned k = 0; k < table->column_count; k++)
            g_free(row[k].text);
        g_free(row);
    }
    g_ptr_array_free(table->rows, TRUE);
    g_free(table);
}

void reel_table_row(struct reel_table *table)
{
    g_ptr_array_add(table->rows, g_new0(struct cell, table->column_count));
    table->next = 0;
}

static struct cell *take_cell(struct reel_table *table)
{
    struct cell *row = table->rows->pdata[table->rows->len - 1];
    g_return_val_if_fail(table->next < table->column_count, &row[0]);
    return &row[table->next++];
}

void reel_table_text(struct reel_table *table, const char *text)
{
    struct cell *cell = take_cell(table);
    cell->text = text ? g_utf8_make_valid(text, -1) : NULL;
    cell->present = text != NULL;
}

void reel_table_number(struct reel_table *table, int64_t value)
{
    struct cell *cell = take_cell(table);
    cell->number = value;
    cell->present = true;
}

void reel_table_none(struct reel_table *table)
{
    take_cell(table);
}

unsigned reel_table_rows(const struct reel_table *table)
{
    return table->rows->len;
}

/* 1234567 → "1 234 567" */
static char *grouped(int64_t value)
{
    g_autofree char *digits = g_strdup_printf("%" PRId64, value);
    GString *text = g_string_new(NULL);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i && digits[i - 1] != '-' && (length - i) % 3 == 0 && length > 4)
            g_string_append_c(text, ' ');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

/* Shown instead of what a non-UTF-8 locale cannot show. */
static char *plain(const char *text)
{
    GString *result = g_string_new(NULL);
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        g_string_append_c(result, character < 128 ? (char)character : '?');
    }
    return g_string_free(result, FALSE);
}

static char *shown(const struct reel_table *table, const struct cell *cell, unsigned column,
                   const struct reel_output *output)
{
    char buffer[REEL_TIME_TEXT];
    if (!cell->present)
        return g_strdup("");
    switch (table->columns[column].kind) {
    case REEL_COLUMN_NUMBER:
        return cell->text ? g_strdup(cell->text) : grouped(cell->number);
    case REEL_COLUMN_DURATION:
        return g_strdup(reel_duration_text((uint64_t)MAX(cell->number, 0), !output->utf8, buffer));
    case REEL_COLUMN_SHARE:
        return g_strdup_printf("%.1f %%", (double)cell->number / 10.0);
    default:
        if (!cell->text)
            return g_strdup_printf("%" PRId64, cell->number);
        return output->utf8 ? g_strdup(cell->text) : plain(cell->text);
    }
}

/* Cuts `text` to `columns`, with a mark where something is missing. */
static char *cut(char *text, int columns, bool utf8)
{
    if (reel_text_columns(text) <= columns || columns < 4)
        return text;
    GString *kept = g_string_new(NULL);
    int used = 0;
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        int width = g_unichar_iswide(g_utf8_get_char(at)) ? 2 : 1;
        if (used + width > columns - 1)
            break;
        g_string_append_len(kept, at, g_utf8_next_char(at) - at);
        used += width;
    }
    g_string_append(kept, utf8 ? "…" : "~");
    g_free(text);
    return g_string_free(kept, FALSE);
}

void reel_table_print(const struct reel_table *table, const struct reel_output *output,
                      const char *title, int indent)
{
    unsigned columns = table->column_count;
    g_autofree int *width = g_new0(int, columns);
    g_autofree char **cells = g_new0(char *, (gsize)columns *MAX(table->rows->len, 1));
    for (unsigned k = 0; k < columns; k++)
        width[k] = reel_text_columns(table->columns[k].title);
    for (guint i = 0; i < table->rows->len; i++)
        for (unsigned k = 0; k < columns; k++) {
            const struct cell *row = table->rows->pdata[i];
            char *text = shown(table, &row[k], k, output);
            cells[i * columns + k] = text;
            width[k] = MAX(width[k], reel_text_columns(text));
        }
    /* Too wide: the widest text column gives. Only on a terminal: a file keeps everything. */
    if (output->terminal) {
        for (;;) {
            int total = indent, widest = -1;
            for (unsigned k = 0; k < columns; k++) {
                total += width[k] + 2;
                if (table->columns[k].kind == REEL_COLUMN_TEXT &&
                    (widest < 0 || width[k] > width[widest]))
                    widest = (int)k;
            }
            if (total - 2 <= output->width || widest < 0 || width[widest] <= 12)
                break;
            width[widest] = MAX(12, width[widest] - (total - 2 - output->width));
        }
    }
    const char *bold = reel_output_style(output, REEL_STYLE_BOLD);
    const char *dim = reel_output_style(output, REEL_STYLE_DIM);
    const char *end = reel_output_style(output, REEL_STYLE_PLAIN);
    if (title)
        fprintf(output->file, "%*s%s%s%s\n", indent, "", bold, title, end);
    bool titled = false;
    for (unsigned k = 0; k < columns; k++)
        titled |= table->columns[k].title[0] != '\0';
    for (guint i = titled ? 0 : 1; i <= table->rows->len; i++) {
        GString *line = g_string_new(NULL);
        for (unsigned k = 0; k < columns; k++) {
            char *text = i == 0 ? g_strdup(table->columns[k].title)
                                : g_steal_pointer(&cells[(i - 1) * columns + k]);
            text = cut(text, width[k], output->utf8);
            int pad = width[k] - reel_text_columns(text);
            bool left = table->columns[k].kind == REEL_COLUMN_TEXT;
            g_string_append_printf(line, "%*s%s%*s", k ? 2 : 0, "", left ? text : "", pad, "");
            if (!left)
                g_string_append(line, text);
            g_free(text);
        }
        g_strchomp(line->str); /* no blanks at the end of lines */
        fprintf(output->file, "%*s%s%s%s\n", indent + (title ? 2 : 0), "", i == 0 ? dim : "",
                line->str, i == 0 ? end : "");
        g_string_free(line, TRUE);
    }
}

JsonNode *reel_table_json(const struct reel_table *table)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    for (guint i = 0; i < table->rows->len; i++) {
        const struct cell *row = table->rows->pdata[i];
        json_builder_begin_object(builder);
        for (unsigned k = 0; k < table->column_count; k++) {
            json_builder_set_member_name(builder, table->columns[k].key);
            if (!row[k].present)
                json_builder_add_null_value(builder);
            else if (row[k].text)
                json_builder_add_string_value(builder, row[k].text);
            else if (table->columns[k].kind == REEL_COLUMN_SHARE)
                json_builder_add_double_value(builder, (double)row[k].number / 1000.0);
            else
                json_builder_add_int_value(builder, row[k].number);
        }
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return json_builder_get_root(builder);
}

void reel_output_json(const struct reel_output *output, JsonNode *root)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, output->terminal);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    fputs(text, output->file);
    fputc('\n', output->file);
}
