/* Strongly connected components: see components.h. */
#include "tracer/detect/components.h"

/* Tarjan's algorithm on the graph of locks, without recursion: 6000 locks in a row are no reason to
 * run out of stack. */
struct vertex {
    GArray *next; /* locks asked for while holding this one */
    uint32_t lock, index, low, at;
    bool on_stack;
};

static void free_vertex(void *data)
{
    struct vertex *vertex = data;
    g_array_unref(vertex->next);
    g_free(vertex);
}

struct reel_components {
    GHashTable *vertex; /* lock → struct vertex */
    GHashTable *number; /* lock → its component */
};

static struct vertex *vertex_of(struct reel_components *components, uint32_t lock)
{
    struct vertex *vertex = g_hash_table_lookup(components->vertex, GUINT_TO_POINTER(lock));
    if (!vertex) {
        vertex = g_new0(struct vertex, 1);
        vertex->next = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        vertex->lock = lock;
        g_hash_table_insert(components->vertex, GUINT_TO_POINTER(lock), vertex);
    }
    return vertex;
}

static void add_edge(struct vertex *from, uint32_t lock)
{
    const GArray *next = from->next;
    for (guint i = 0; i < next->len && i < 8; i++)
        if (g_array_index(next, uint32_t, i) == lock)
            return;
    g_array_append_val(from->next, lock);
}

static void strong_connect(struct reel_components *components, struct vertex *root,
                           uint32_t *counter, GPtrArray *stack)
{
    GPtrArray *calls = g_ptr_array_new();
    root->index = root->low = ++*counter;
    root->on_stack = true;
    g_ptr_array_add(stack, root);
    g_ptr_array_add(calls, root);
    while (calls->len) {
        struct vertex *vertex = calls->pdata[calls->len - 1];
        if (vertex->at < vertex->next->len) {
            struct vertex *next =
                vertex_of(components, g_array_index(vertex->next, uint32_t, vertex->at++));
            if (!next->index) {
                next->index = next->low = ++*counter;
                next->on_stack = true;
                g_ptr_array_add(stack, next);
                g_ptr_array_add(calls, next);
            } else if (next->on_stack) {
                vertex->low = MIN(vertex->low, next->index);
            }
            continue;
        }
        g_ptr_array_set_size(calls, (int)calls->len - 1);
        if (calls->len) {
            struct vertex *caller = calls->pdata[calls->len - 1];
            caller->low = MIN(caller->low, vertex->low);
        }
        if (vertex->low != vertex->index)
            continue;
        struct vertex *member;
        do {
            member = stack->pdata[stack->len - 1];
            g_ptr_array_set_size(stack, (int)stack->len - 1);
            member->on_stack = false;
            g_hash_table_insert(components->number, GUINT_TO_POINTER(member->lock),
                                GUINT_TO_POINTER(vertex->index));
        } while (member != vertex);
    }
    g_ptr_array_unref(calls);
}

struct reel_components *reel_components_new(void)
{
    struct reel_components *components = g_new0(struct reel_components, 1);
    components->vertex = g_hash_table_new_full(NULL, NULL, NULL, free_vertex);
    components->number = g_hash_table_new(NULL, NULL);
    return components;
}

void reel_components_edge(struct reel_components *components, uint32_t from, uint32_t to)
{
    vertex_of(components, to);
    add_edge(vertex_of(components, from), to);
}

GHashTable *reel_components_find(struct reel_components *components)
{
    GHashTableIter iter;
    void *value;
    uint32_t counter = 0;
    GPtrArray *stack = g_ptr_array_new(), *roots = g_ptr_array_new();
    g_hash_table_iter_init(&iter, components->vertex);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(roots, value);
    for (guint i = 0; i < roots->len; i++)
        if (!((struct vertex *)roots->pdata[i])->index)
            strong_connect(components, roots->pdata[i], &counter, stack);
    g_ptr_array_unref(stack);
    g_ptr_array_unref(roots);
    GHashTable *number = components->number;
    g_hash_table_unref(components->vertex);
    g_free(components);
    return number;
}
