#include "tracer/export/wait_for_dot.h"

#include <stdbool.h>

/* A text within DOT's quotes. */
static void append_quoted(GString *text, const char *name)
{
    g_string_append_c(text, '"');
    for (; name && *name; name++) {
        if (*name == '"' || *name == '\\')
            g_string_append_c(text, '\\');
        if ((unsigned char)*name >= ' ')
            g_string_append_c(text, *name);
    }
    g_string_append_c(text, '"');
}

/* Whether one gets from the edge's holder back to who waits: then the edge is in a cycle. */
static bool closes(const struct reel_instant *instant, size_t edge)
{
    uint32_t goal = instant->edge[edge].from;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) todo = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_val(todo, instant->edge[edge].to);
    while (todo->len) {
        uint32_t thread = g_array_index(todo, uint32_t, todo->len - 1);
        g_array_set_size(todo, todo->len - 1);
        if (thread == goal)
            return true;
        if (!g_hash_table_add(seen, GUINT_TO_POINTER(thread)))
            continue;
        for (size_t i = 0; i < instant->edge_count; i++)
            if (instant->edge[i].from == thread)
                g_array_append_val(todo, instant->edge[i].to);
    }
    return false;
}

void reel_wait_for_dot(const struct reel_instant *instant, const struct reel_export_names *names,
                       GString *text)
{
    g_string_append(text, "digraph wait_for {\n"
                          "  node [shape=ellipse fontname=\"sans-serif\"];\n"
                          "  edge [fontname=\"sans-serif\"];\n");
    for (size_t i = 0; i < instant->thread_count; i++) {
        const struct reel_instant_thread *thread = &instant->thread[i];
        g_string_append_printf(text, "  t%u [label=", thread->thread);
        g_autofree char *label = g_strdup_printf(
            "%s (%s)", names->thread(names->data, thread->thread), reel_state_name(thread->state));
        append_quoted(text, label);
        g_string_append(text, "];\n");
    }
    for (size_t i = 0; i < instant->edge_count; i++) {
        const struct reel_instant_edge *edge = &instant->edge[i];
        const char *color = closes(instant, i) ? " [color=\"#B00020\" penwidth=2]" : "";
        g_string_append_printf(text, "  o%u [shape=box label=", edge->object);
        append_quoted(text, names->object(names->data, edge->object));
        g_string_append_printf(text, "];\n  t%u -> o%u%s;\n  o%u -> t%u%s;\n", edge->from,
                               edge->object, color, edge->object, edge->to, color);
    }
    g_string_append(text, "}\n");
}
