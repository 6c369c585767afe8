#include "tracer/symbols/symbol_table.h"

#include <gelf.h>
#include <glib.h>

struct row {
    struct reel_symbol_entry entry;
    uint64_t reach; /* the furthest end of all rows up to this one */
    unsigned rank;  /* of its binding: smaller is better */
    int index;      /* in the file */
};

/* Each in order of address. */
struct reel_symbol_table {
    GArray *global, *local; /* struct row: by kind of binding */
    GArray *labels;         /* struct row: without a size */
};

static gint by_start(gconstpointer a, gconstpointer b)
{
    const struct row *x = a, *y = b;
    if (x->entry.start != y->entry.start)
        return x->entry.start < y->entry.start ? -1 : 1;
    return x->index - y->index;
}

static void settle(GArray *rows)
{
    uint64_t reach = 0;
    g_array_sort(rows, by_start);
    for (guint i = 0; i < rows->len; i++) {
        struct row *row = &g_array_index(rows, struct row, i);
        reach = MAX(reach, row->entry.start + row->entry.size);
        row->reach = reach;
    }
}

struct reel_symbol_table *reel_symbol_table_read(Dwfl_Module *module)
{
    struct reel_symbol_table *table = g_new0(struct reel_symbol_table, 1);
    table->global = g_array_new(FALSE, FALSE, sizeof(struct row));
    table->local = g_array_new(FALSE, FALSE, sizeof(struct row));
    table->labels = g_array_new(FALSE, FALSE, sizeof(struct row));
    const int count = dwfl_module_getsymtab(module);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr start;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &start, NULL, NULL, NULL);
        const unsigned type = GELF_ST_TYPE(symbol.st_info), bind = GELF_ST_BIND(symbol.st_info);
        if (!name || !*name || symbol.st_shndx == SHN_UNDEF || type == STT_SECTION ||
            type == STT_FILE || type == STT_TLS)
            continue;
        const struct row row = {
            .entry = {name, start, symbol.st_size, type == STT_OBJECT},
            .rank = bind == STB_GLOBAL ? 0
                    : bind == STB_WEAK ? 1
                                       : 2,
            .index = i,
        };
        if (!symbol.st_size)
            g_array_append_val(table->labels, row);
        else if (bind == STB_LOCAL)
            g_array_append_val(table->local, row);
        else
            g_array_append_val(table->global, row);
    }
    settle(table->global);
    settle(table->local);
    settle(table->labels);
    return table;
}

void reel_symbol_table_free(struct reel_symbol_table *table)
{
    if (!table)
        return;
    g_array_free(table->global, TRUE);
    g_array_free(table->local, TRUE);
    g_array_free(table->labels, TRUE);
    g_free(table);
}

static bool is_better(const struct row *row, const struct row *best)
{
    if (row->entry.start != best->entry.start)
        return row->entry.start > best->entry.start;
    if (row->rank != best->rank)
        return row->rank < best->rank;
    if (row->entry.size != best->entry.size)
        return row->entry.size < best->entry.size;
    return row->index < best->index;
}

/* How many begin at or before `address`. */
static guint until(const GArray *rows, uint64_t address)
{
    guint low = 0, high = rows->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(rows, struct row, middle).entry.start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct row *find(const GArray *rows, uint64_t address)
{
    const struct row *best = NULL;
    for (guint i = until(rows, address); i-- > 0;) {
        const struct row *row = &g_array_index(rows, struct row, i);
        if (row->reach <= address || (best && row->entry.start < best->entry.start))
            break;
        if (address - row->entry.start < row->entry.size && (!best || is_better(row, best)))
            best = row;
    }
    return best;
}

const struct reel_symbol_entry *reel_symbol_table_find(const struct reel_symbol_table *table,
                                                       uint64_t address)
{
    const struct row *row = find(table->global, address);
    if (!row)
        row = find(table->local, address);
    return row ? &row->entry : NULL;
}

static uint64_t reach(const GArray *rows, uint64_t address)
{
    guint count = until(rows, address);
    return count ? g_array_index(rows, struct row, count - 1).reach : 0;
}

/* Not behind the end of something that does tell its size. */
bool reel_symbol_table_has_label(const struct reel_symbol_table *table, uint64_t address)
{
    guint count = until(table->labels, address);
    if (!count)
        return false;
    uint64_t label = g_array_index(table->labels, struct row, count - 1).entry.start;
    return reach(table->global, address) <= label && reach(table->local, address) <= label;
}
