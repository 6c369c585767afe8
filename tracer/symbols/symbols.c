#include "tracer/symbols/symbols.h"

#include <glib.h>
#include <string.h>

#include "tracer/symbols/code_line.h"
#include "tracer/symbols/module.h"
#include "tracer/symbols/source.h"

#define CALLERS 8u /* of functions that hand out memory */

struct mapping {
    uint32_t process;
    uint64_t start, end, offset, from_ns;
    char *path;
};

struct reel_symbols {
    struct reel_trace *trace;
    GHashTable *mappings; /* process → GArray of struct mapping, by start, newest last */
    GHashTable *modules;  /* path → struct reel_module, or NULL */
    GHashTable *parents;  /* process → process forked from */
    struct reel_sources *sources;
    sqlite3_stmt *site_of_stack, *frame_of_stack;
    GHashTable *fields;           /* "stack size offset" → what is there, or "" */
    struct reel_code_place place; /* behind the last answer */
    char *variable;
    char *expression;
    char *site_function, *site_file;
};

static void mapping_clear(gpointer data)
{
    g_free(((struct mapping *)data)->path);
}

static void module_free(gpointer data)
{
    reel_module_close(data);
}

static bool read_mappings(struct reel_symbols *symbols, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(symbols->trace);
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(database,
                           "SELECT process, start, end, offset, from_ns, path FROM mapping "
                           "WHERE path IS NOT NULL ORDER BY process, start, from_ns",
                           -1, &rows, NULL) != SQLITE_OK)
        return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                              "%s: cannot read mappings: %s", reel_trace_path(symbols->trace),
                              sqlite3_errmsg(database));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        uint32_t process = (uint32_t)sqlite3_column_int64(rows, 0);
        GArray *list = g_hash_table_lookup(symbols->mappings, GUINT_TO_POINTER(process));
        if (!list) {
            list = g_array_new(FALSE, TRUE, sizeof(struct mapping));
            g_array_set_clear_func(list, mapping_clear);
            g_hash_table_insert(symbols->mappings, GUINT_TO_POINTER(process), list);
        }
        struct mapping mapping = {
            .process = process,
            .start = (uint64_t)sqlite3_column_int64(rows, 1),
            .end = (uint64_t)sqlite3_column_int64(rows, 2),
            .offset = (uint64_t)sqlite3_column_int64(rows, 3),
            .from_ns = (uint64_t)sqlite3_column_int64(rows, 4),
            .path = g_strdup((const char *)sqlite3_column_text(rows, 5)),
        };
        g_array_append_val(list, mapping);
    }
    sqlite3_finalize(rows);
    if (sqlite3_prepare_v2(database, "SELECT id, parent FROM process WHERE parent IS NOT NULL", -1,
                           &rows, NULL) != SQLITE_OK)
        return true;
    while (sqlite3_step(rows) == SQLITE_ROW)
        g_hash_table_insert(symbols->parents,
                            GUINT_TO_POINTER((uint32_t)sqlite3_column_int64(rows, 0)),
                            GUINT_TO_POINTER((uint32_t)sqlite3_column_int64(rows, 1)));
    sqlite3_finalize(rows);
    return true;
}

static void list_free(gpointer data)
{
    g_array_free(data, TRUE);
}

struct reel_symbols *reel_symbols_new(struct reel_trace *trace, struct reel_error *error)
{
    struct reel_symbols *symbols = g_new0(struct reel_symbols, 1);
    symbols->trace = trace;
    symbols->mappings = g_hash_table_new_full(NULL, NULL, NULL, list_free);
    symbols->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, module_free);
    symbols->parents = g_hash_table_new(NULL, NULL);
    symbols->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    symbols->sources = reel_sources_new();
    if (!read_mappings(symbols, error)) {
        reel_symbols_free(symbols);
        return NULL;
    }
    return symbols;
}

void reel_symbols_free(struct reel_symbols *symbols)
{
    if (!symbols)
        return;
    sqlite3_finalize(symbols->site_of_stack);
    sqlite3_finalize(symbols->frame_of_stack);
    g_hash_table_destroy(symbols->fields);
    g_hash_table_destroy(symbols->mappings);
    g_hash_table_destroy(symbols->modules);
    g_hash_table_destroy(symbols->parents);
    reel_sources_free(symbols->sources);
    reel_code_place_clear(&symbols->place);
    g_free(symbols->variable);
    g_free(symbols->expression);
    g_free(symbols->site_function);
    g_free(symbols->site_file);
    g_free(symbols);
}

static struct reel_module *module_of(struct reel_symbols *symbols, const char *path)
{
    gpointer known = NULL;
    if (!g_hash_table_lookup_extended(symbols->modules, path, NULL, &known)) {
        known = reel_module_open(path);
        g_hash_table_insert(symbols->modules, g_strdup(path), known);
    }
    return known;
}

/* Finds the file behind an address, in the process or those it was forked from. `address` becomes
 * the link-time one. */
static struct reel_module *find(struct reel_symbols *symbols, uint32_t process, uint64_t *address,
                                bool data, const struct mapping **found)
{
    for (int generation = 0; process && generation < 64; generation++) {
        GArray *list = g_hash_table_lookup(symbols->mappings, GUINT_TO_POINTER(process));
        for (guint i = list ? list->len : 0; i-- > 0;) {
            const struct mapping *mapping = &g_array_index(list, struct mapping, i);
            /* Beyond the last mapping of a file lies its .bss, which is mapped from nothing. */
            bool inside = *address >= mapping->start && *address < mapping->end;
            if (!inside && !(data && *address >= mapping->end))
                continue;
            struct reel_module *module = module_of(symbols, mapping->path);
            uint64_t base;
            *found = mapping;
            if (!module || !reel_module_address(module, mapping->offset, &base)) {
                if (inside)
                    return NULL;
                continue;
            }
            uint64_t link = base + (*address - mapping->start);
            if (!inside && link >= reel_module_end(module))
                return NULL;
            *address = link;
            return module;
        }
        process =
            GPOINTER_TO_UINT(g_hash_table_lookup(symbols->parents, GUINT_TO_POINTER(process)));
    }
    return NULL;
}

static bool code(struct reel_symbols *symbols, uint32_t process, uint64_t address,
                 struct reel_symbol *symbol)
{
    memset(symbol, 0, sizeof *symbol);
    reel_code_place_clear(&symbols->place);
    const struct mapping *mapping = NULL;
    uint64_t link = address;
    struct reel_module *module = find(symbols, process, &link, false, &mapping);
    if (!mapping)
        return false;
    symbol->module = mapping->path;
    symbol->offset = address - mapping->start + mapping->offset;
    if (module && reel_module_code(module, link, &symbols->place)) {
        symbol->function = symbols->place.function;
        symbol->inlined_into = symbols->place.inlined_into;
        symbol->file = symbols->place.file;
        symbol->line = symbols->place.line;
    }
    return true;
}

bool reel_symbols_code(struct reel_symbols *symbols, uint32_t process, uint64_t return_address,
                       struct reel_symbol *symbol)
{
    bool known = code(symbols, process, return_address - 1, symbol);
    if (known)
        symbol->offset++;
    return known;
}

bool reel_symbols_entry(struct reel_symbols *symbols, uint32_t process, uint64_t address,
                        struct reel_symbol *symbol)
{
    return code(symbols, process, address, symbol);
}

const char *reel_symbols_variable(struct reel_symbols *symbols, uint32_t process, uint64_t address)
{
    const struct mapping *mapping = NULL;
    g_clear_pointer(&symbols->variable, g_free);
    struct reel_module *module = find(symbols, process, &address, true, &mapping);
    if (module)
        symbols->variable = reel_module_variable(module, address);
    return symbols->variable;
}

/* From the call outwards, as long as functions hand out what others allocate. */
static void append_field(struct reel_symbols *symbols, uint32_t stack, uint64_t size,
                         uint64_t offset, GString *name)
{
    enum reel_heap_answer answer = REEL_HEAP_ASK_CALLER;
    if (!symbols->frame_of_stack &&
        sqlite3_prepare_v2(reel_trace_database(symbols->trace),
                           "SELECT parent, process, address FROM stack JOIN frame ON frame.id = "
                           "stack.frame WHERE stack.id = ?",
                           -1, &symbols->frame_of_stack, NULL) != SQLITE_OK)
        return;
    for (unsigned depth = 0; stack && depth < CALLERS && answer == REEL_HEAP_ASK_CALLER; depth++) {
        const struct mapping *mapping = NULL;
        sqlite3_stmt *row = symbols->frame_of_stack;
        sqlite3_bind_int64(row, 1, stack);
        stack = 0;
        if (sqlite3_step(row) == SQLITE_ROW) {
            stack = (uint32_t)sqlite3_column_int64(row, 0);
            uint64_t link = (uint64_t)sqlite3_column_int64(row, 2);
            struct reel_module *module =
                find(symbols, (uint32_t)sqlite3_column_int64(row, 1), &link, false, &mapping);
            if (module)
                answer = reel_module_heap(module, symbols->sources, link, size, offset, name);
        }
        sqlite3_reset(row);
    }
}

const char *reel_symbols_field(struct reel_symbols *symbols, uint32_t stack, uint64_t size,
                               uint64_t offset)
{
    g_autofree char *key = g_strdup_printf("%u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, stack,
                                           (guint64)size, (guint64)offset);
    const char *known = g_hash_table_lookup(symbols->fields, key);
    if (!known) {
        GString *name = g_string_new(NULL);
        append_field(symbols, stack, size, offset, name);
        known = g_string_free(name, FALSE);
        g_hash_table_insert(symbols->fields, g_steal_pointer(&key), (char *)known);
    }
    return *known ? known : NULL;
}

/* Code that is not the user's: what makes locks on behalf of others. */
static bool is_plumbing(const char *module, const char *file)
{
    if (!module)
        return true;
    g_autofree char *base = g_path_get_basename(module);
    static const char *const libraries[] = {"libc.so",  "libc-",    "libpthread", "libstdc++",
                                            "libgcc_s", "ld-linux", "libreel-",   "libglib-2.0",
                                            "libtsan",  "libasan"};
    for (unsigned i = 0; i < G_N_ELEMENTS(libraries); i++)
        if (g_str_has_prefix(base, libraries[i]))
            return true;
    return reel_code_line_is_wrapper(file);
}

/* Every stack's site: its own frame, or what its caller's is where that is plumbing. Parents have
 * smaller numbers than what they called. */
static bool set_sites(struct reel_symbols *symbols, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(symbols->trace);
    sqlite3_stmt *stacks = NULL, *update = NULL;
    g_autoptr(GArray) sites = g_array_new(FALSE, TRUE, sizeof(int64_t));
    bool good =
        sqlite3_prepare_v2(database,
                           "SELECT s.id, s.parent, s.frame, f.module, f.file FROM stack s JOIN "
                           "frame f ON f.id = s.frame ORDER BY s.id",
                           -1, &stacks, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database, "UPDATE stack SET site = ? WHERE id = ?", -1, &update, NULL) ==
            SQLITE_OK;
    while (good && sqlite3_step(stacks) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stacks, 0), parent = sqlite3_column_int64(stacks, 1);
        if (id < 1 || id > 1 << 26)
            continue;
        if ((guint)id >= sites->len)
            g_array_set_size(sites, (guint)id * 2);
        int64_t site = sqlite3_column_int64(stacks, 2);
        if (is_plumbing((const char *)sqlite3_column_text(stacks, 3),
                        (const char *)sqlite3_column_text(stacks, 4)))
            site = parent > 0 && parent < id ? g_array_index(sites, int64_t, parent) : 0;
        g_array_index(sites, int64_t, id) = site;
        if (!site)
            continue;
        sqlite3_bind_int64(update, 1, site);
        sqlite3_bind_int64(update, 2, id);
        good = sqlite3_step(update) == SQLITE_DONE;
        sqlite3_reset(update);
    }
    if (!good)
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                       "%s: cannot find the stacks' sites: %s", reel_trace_path(symbols->trace),
                       sqlite3_errmsg(database));
    sqlite3_finalize(stacks);
    sqlite3_finalize(update);
    return good;
}

bool reel_symbols_name_frames(struct reel_symbols *symbols, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(symbols->trace);
    sqlite3_stmt *frames, *update;
    if (!reel_trace_begin(symbols->trace, error))
        return false;
    bool prepared =
        sqlite3_prepare_v2(database, "SELECT id, process, address FROM frame WHERE module IS NULL",
                           -1, &frames, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database,
                           "UPDATE frame SET module = ?, offset = ?, function = ?, file = ?, "
                           "line = ?, inlined_into = ? WHERE id = ?",
                           -1, &update, NULL) == SQLITE_OK;
    bool good = prepared;
    while (good && sqlite3_step(frames) == SQLITE_ROW) {
        struct reel_symbol symbol;
        if (!reel_symbols_code(symbols, (uint32_t)sqlite3_column_int64(frames, 1),
                               (uint64_t)sqlite3_column_int64(frames, 2), &symbol))
            continue;
        sqlite3_bind_text(update, 1, symbol.module, -1, SQLITE_STATIC);
        sqlite3_bind_int64(update, 2, (int64_t)symbol.offset);
        sqlite3_bind_text(update, 3, symbol.function, -1, SQLITE_STATIC);
        sqlite3_bind_text(update, 4, symbol.file, -1, SQLITE_STATIC);
        if (symbol.line)
            sqlite3_bind_int(update, 5, symbol.line);
        else
            sqlite3_bind_null(update, 5);
        sqlite3_bind_text(update, 6, symbol.inlined_into, -1, SQLITE_STATIC);
        sqlite3_bind_int64(update, 7, sqlite3_column_int64(frames, 0));
        good = sqlite3_step(update) == SQLITE_DONE;
        sqlite3_reset(update);
    }
    if (!good)
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                       "%s: cannot name stack frames: %s", reel_trace_path(symbols->trace),
                       sqlite3_errmsg(database));
    if (prepared) {
        sqlite3_finalize(frames);
        sqlite3_finalize(update);
    }
    good = good && set_sites(symbols, error);
    return reel_trace_commit(symbols->trace, error) && good;
}

bool reel_symbols_site(struct reel_symbols *symbols, uint32_t stack, struct reel_symbol_site *site)
{
    memset(site, 0, sizeof *site);
    sqlite3 *database = reel_trace_database(symbols->trace);
    if (!symbols->site_of_stack &&
        sqlite3_prepare_v2(database,
                           "SELECT function, file, line FROM stack JOIN frame ON frame.id = "
                           "stack.site WHERE stack.id = ?",
                           -1, &symbols->site_of_stack, NULL) != SQLITE_OK)
        return false;
    g_clear_pointer(&symbols->site_function, g_free);
    g_clear_pointer(&symbols->site_file, g_free);
    g_clear_pointer(&symbols->expression, g_free);
    sqlite3_bind_int64(symbols->site_of_stack, 1, stack);
    if (stack && sqlite3_step(symbols->site_of_stack) == SQLITE_ROW) {
        symbols->site_function =
            g_strdup((const char *)sqlite3_column_text(symbols->site_of_stack, 0));
        symbols->site_file = g_strdup((const char *)sqlite3_column_text(symbols->site_of_stack, 1));
        site->line = sqlite3_column_int(symbols->site_of_stack, 2);
    }
    sqlite3_reset(symbols->site_of_stack);
    if (!symbols->site_file)
        return false;
    site->function = symbols->site_function;
    site->file = symbols->site_file;
    symbols->expression = reel_sources_argument(symbols->sources, site->file, site->line);
    site->expression = symbols->expression;
    return true;
}
