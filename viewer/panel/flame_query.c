#include "viewer/panel/flame_query.h"

#define DEEPEST 250u /* frames; deeper stacks keep the ones near the wait */

struct reel_flame_graph *reel_flame_graph_ref(struct reel_flame_graph *graph)
{
    g_atomic_int_inc(&graph->references);
    return graph;
}

void reel_flame_graph_unref(struct reel_flame_graph *graph)
{
    if (!g_atomic_int_dec_and_test(&graph->references))
        return;
    reel_flame_clear(&graph->flame);
    g_ptr_array_unref(graph->names);
    g_array_unref(graph->links);
    g_free(graph);
}

const char *reel_flame_graph_name(const struct reel_flame_graph *graph, uint32_t box)
{
    uint32_t name = box < graph->flame.count ? graph->flame.box[box].name : 0;
    return box && name < graph->names->len ? graph->names->pdata[name] : "all waiting";
}

/* While it is read. */
struct reader {
    struct reel_query *query;
    struct reel_flame_graph *graph;
    GHashTable *name_of; /* text → name */
    GHashTable *node;    /* stack → struct node */
    sqlite3_stmt *stack_row;
};

struct node {
    uint32_t parent, name;
};

static uint32_t name_for(struct reader *reader, const char *text)
{
    gpointer found = g_hash_table_lookup(reader->name_of, text);
    if (found)
        return GPOINTER_TO_UINT(found);
    uint32_t name = reader->graph->names->len;
    char *own = g_strdup(text);
    g_ptr_array_add(reader->graph->names, own);
    g_hash_table_insert(reader->name_of, own, GUINT_TO_POINTER(name));
    return name;
}

static const struct node *node_of(struct reader *reader, uint32_t stack)
{
    struct node *node = g_hash_table_lookup(reader->node, GUINT_TO_POINTER(stack));
    if (node)
        return node;
    node = g_new0(struct node, 1);
    sqlite3_reset(reader->stack_row);
    sqlite3_bind_int64(reader->stack_row, 1, stack);
    if (reel_query_step(reader->query, reader->stack_row)) {
        g_autofree char *function = reel_query_text(reader->stack_row, 1);
        g_autofree char *module = reel_query_text(reader->stack_row, 2);
        g_autofree char *base = module ? g_path_get_basename(module) : NULL;
        g_autofree char *text = function ? g_strdup(function)
                                : base   ? g_strdup_printf("in %s", base)
                                         : g_strdup("??");
        node->parent = (uint32_t)sqlite3_column_int64(reader->stack_row, 0);
        node->name = name_for(reader, text);
    } else {
        node->name = name_for(reader, "??");
    }
    g_hash_table_insert(reader->node, GUINT_TO_POINTER(stack), node);
    return node;
}

/* Where the boxes of one added stack lead: the group's, then one for each frame. */
static void link_boxes(struct reader *reader, uint32_t innermost, uint32_t stack, guint frames,
                       const struct reel_flame_link *group)
{
    struct reel_flame_graph *graph = reader->graph;
    const struct reel_flame_link none = {.role = -1};
    while (graph->links->len < graph->flame.count)
        g_array_append_val(graph->links, none);
    uint32_t box = innermost;
    for (guint i = 0; i < frames && stack; i++, box = graph->flame.box[box].parent) {
        struct reel_flame_link *link = &g_array_index(graph->links, struct reel_flame_link, box);
        if (!link->stack)
            link->stack = stack;
        stack = node_of(reader, stack)->parent;
    }
    if (group) {
        while (graph->flame.box[box].parent)
            box = graph->flame.box[box].parent;
        g_array_index(graph->links, struct reel_flame_link, box) = *group;
    }
}

static void add_row(struct reader *reader, sqlite3_stmt *row, const struct reel_flame_request *ask)
{
    uint32_t path[DEEPEST + 2], frame[DEEPEST];
    guint depth = 0, frames = 0;
    struct reel_flame_link group = {.role = -1};
    enum reel_state state;
    uint32_t stack = (uint32_t)sqlite3_column_int64(row, 0);
    g_autofree char *text = reel_query_text(row, 1);
    if (ask->group != REEL_FLAME_BY_STACK)
        path[depth++] = name_for(reader, text ? text : "(nothing known)");
    if (ask->group == REEL_FLAME_BY_STATE && text && reel_state_parse(text, &state))
        group.role = (int)reel_state_role(state);
    if (ask->group == REEL_FLAME_BY_OBJECT)
        group.object = (uint32_t)sqlite3_column_int64(row, 2);
    if (ask->group == REEL_FLAME_BY_THREAD)
        group.thread = (uint32_t)sqlite3_column_int64(row, 2);
    for (uint32_t at = stack; at && frames < DEEPEST; at = node_of(reader, at)->parent)
        frame[frames++] = node_of(reader, at)->name;
    if (frames)
        reader->graph->is_without_stacks = FALSE;
    for (guint i = frames; i-- > 0;)
        path[depth++] = frame[i];
    if (frames == 0)
        path[depth++] = name_for(reader, "(no stack)");
    int64_t waited = sqlite3_column_int64(row, 3);
    uint32_t box = reel_flame_add(&reader->graph->flame, path, depth,
                                  waited > 0 ? (uint64_t)waited : 0, /* damaged ones are negative */
                                  (uint64_t)sqlite3_column_int64(row, 4));
    if (box)
        link_boxes(reader, box, stack, frames, ask->group != REEL_FLAME_BY_STACK ? &group : NULL);
}

static char *sql_for(const struct reel_flame_request *ask)
{
    static const char *const groups[] = {
        [REEL_FLAME_BY_STACK] = "NULL, NULL",
        [REEL_FLAME_BY_STATE] = "i.state, NULL",
        [REEL_FLAME_BY_OBJECT] = "(SELECT coalesce(o.name, c.name || ' #' || o.id) FROM object o "
                                 "JOIN class c ON c.id = o.class WHERE o.id = i.object), i.object",
        [REEL_FLAME_BY_THREAD] = "(SELECT coalesce(t.name, 'thread ' || t.id) FROM thread t "
                                 "WHERE t.id = i.thread), i.thread",
    };
    static const char *const keys[] = {"", ", i.state", ", i.object", ", i.thread"};
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql,
                           "SELECT i.stack, %s, sum(min(i.end_ns, ?2) - max(i.start_ns, ?1)), "
                           "count(*) FROM interval i WHERE i.start_ns < ?2 AND i.end_ns > ?1 AND "
                           "i.state IN (''",
                           groups[ask->group]);
    for (unsigned state = 0; state < REEL_STATE_COUNT; state++)
        if (reel_state_waits(state) && ask->roles & 1u << reel_state_role(state))
            g_string_append_printf(sql, ",'%s'", reel_state_name(state));
    g_string_append_printf(sql, ") GROUP BY i.stack%s", keys[ask->group]);
    return g_string_free(sql, FALSE);
}

gpointer reel_flame_graph_read(struct reel_query *query, gpointer data)
{
    const struct reel_flame_request *ask = data;
    struct reel_flame_graph *graph = g_new0(struct reel_flame_graph, 1);
    graph->references = 1;
    graph->names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(graph->names, g_strdup("")); /* names begin with 1 */
    graph->links = g_array_new(FALSE, TRUE, sizeof(struct reel_flame_link));
    graph->is_without_stacks = TRUE;
    struct reader reader = {.query = query, .graph = graph};
    reader.name_of = g_hash_table_new(g_str_hash, g_str_equal);
    reader.node = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    reader.stack_row =
        reel_query_prepare(query, "SELECT coalesce(s.parent, 0), f.function, f.module FROM stack s "
                                  "JOIN frame f ON f.id = s.frame WHERE s.id = ?");
    g_autofree char *sql = sql_for(ask);
    sqlite3_stmt *row = reader.stack_row ? reel_query_prepare(query, sql) : NULL;
    if (!reel_flame_init(&graph->flame))
        reel_error_set(&query->error, REEL_ERROR_SYSTEM, 0, "out of memory");
    if (row) {
        sqlite3_bind_int64(row, 1, (int64_t)MIN(ask->from_ns, (uint64_t)INT64_MAX));
        sqlite3_bind_int64(row, 2, (int64_t)MIN(ask->to_ns, (uint64_t)INT64_MAX));
    }
    while (row && !query->error.code && reel_query_step(query, row))
        add_row(&reader, row, ask);
    sqlite3_finalize(row);
    sqlite3_finalize(reader.stack_row);
    g_hash_table_unref(reader.name_of);
    g_hash_table_unref(reader.node);
    if (query->error.code || !reel_flame_finish(&graph->flame)) {
        reel_error_set(&query->error, REEL_ERROR_SYSTEM, 0, "out of memory");
        g_clear_pointer(&graph, reel_flame_graph_unref);
    }
    return graph;
}
