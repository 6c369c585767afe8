#include "viewer/panel/order_query.h"

#include "tracer/detect/describe.h"
#include "tracer/detect/lock_cycles.h"

#define SEARCH_STEPS 5000000ull

static void lock_clear(gpointer data)
{
    g_free(((struct reel_order_lock *)data)->name);
}

static void witness_clear(gpointer data)
{
    struct reel_order_witness *witness = data;
    g_free(witness->thread_name);
    g_free(witness->held_place);
    g_free(witness->place);
}

static void link_clear(gpointer data)
{
    g_array_unref(((struct reel_order_link *)data)->witness);
}

struct reel_order_graph *reel_order_graph_ref(struct reel_order_graph *graph)
{
    g_atomic_int_inc(&graph->references);
    return graph;
}

void reel_order_graph_unref(struct reel_order_graph *graph)
{
    if (!g_atomic_int_dec_and_test(&graph->references))
        return;
    g_array_unref(graph->lock);
    g_array_unref(graph->link);
    g_array_unref(graph->node);
    g_ptr_array_unref(graph->circles);
    g_free(graph);
}

/* While the trace is replayed: a detector that gathers lock order and, at the end, puts it into the
 * graph that its asker wants filled in. */
struct gatherer {
    const struct reel_detect_context *context;
    struct reel_lock_order *order;
    struct reel_order_graph *graph;
    GHashTable *lock_at; /* lock → index + 1 */
    GHashTable *link_at; /* from << 32 | to → index + 1 */
};

static char *valid(const char *text)
{
    return g_utf8_make_valid(text ? text : "?", -1);
}

static guint lock_index(struct gatherer *gatherer, uint32_t lock, uint32_t object)
{
    gpointer found = g_hash_table_lookup(gatherer->lock_at, GUINT_TO_POINTER(lock));
    if (found)
        return GPOINTER_TO_UINT(found) - 1;
    struct reel_order_lock own = {.lock = lock, .object = object};
    if (lock & REEL_LOCK_END) {
        g_autofree char *thread =
            valid(reel_describe_thread(gatherer->context, lock & ~REEL_LOCK_END));
        own.name = g_strdup_printf("end of %s", thread);
    } else {
        own.object = lock;
        own.name = valid(reel_describe_object(gatherer->context, lock));
    }
    g_array_append_val(gatherer->graph->lock, own);
    guint index = gatherer->graph->lock->len - 1;
    g_hash_table_insert(gatherer->lock_at, GUINT_TO_POINTER(lock), GUINT_TO_POINTER(index + 1));
    return index;
}

static struct reel_order_link *link_of(struct gatherer *gatherer, guint from, guint to)
{
    struct reel_order_graph *graph = gatherer->graph;
    gint64 key = (gint64)((guint64)from << 32 | to);
    gpointer found = g_hash_table_lookup(gatherer->link_at, &key);
    if (!found) {
        struct reel_order_link link = {.from = from, .to = to};
        link.witness = g_array_new(FALSE, TRUE, sizeof(struct reel_order_witness));
        g_array_set_clear_func(link.witness, witness_clear);
        g_array_append_val(graph->link, link);
        found = GUINT_TO_POINTER(graph->link->len);
        g_hash_table_insert(gatherer->link_at, g_memdup2(&key, sizeof key), found);
    }
    return &g_array_index(graph->link, struct reel_order_link, GPOINTER_TO_UINT(found) - 1);
}

/* `held` NULL: the thread's own end, that it holds while it lives. */
static void add_link(struct gatherer *gatherer, const struct reel_lock_dependency *wanted,
                     uint32_t held_lock, const struct reel_held_lock *held)
{
    guint from = lock_index(gatherer, held_lock, 0);
    guint to = lock_index(gatherer, wanted->lock, wanted->object);
    struct reel_order_link *link = link_of(gatherer, from, to);
    link->occurrences += wanted->occurrences;
    if (link->witness->len >= REEL_ORDER_WITNESSES_MOST || wanted->witness_count == 0)
        return;
    const struct reel_detect_context *context = gatherer->context;
    struct reel_order_witness witness = {
        .time_ns = wanted->witness[0].time_ns,
        .thread = wanted->thread,
        .stack = wanted->stack,
        .held_stack = held ? held->stack : 0,
        .occurrences = wanted->occurrences,
        .thread_name = valid(reel_describe_thread(context, wanted->thread)),
        .place = wanted->stack ? valid(reel_describe_site(context, wanted->stack)) : NULL,
        .held_place = held && held->stack ? valid(reel_describe_site(context, held->stack)) : NULL,
    };
    /* Known of the innermost one only. */
    if (held && held == &wanted->held[wanted->held_count - 1])
        witness.held_ns = wanted->witness[0].held_ns;
    g_array_append_val(link->witness, witness);
}

static const struct reel_held_lock *held_for(const struct reel_lock_dependency *dependency,
                                             uint32_t lock)
{
    for (uint32_t i = 0; i < dependency->held_count; i++)
        if (dependency->held[i].lock == lock)
            return &dependency->held[i];
    return NULL;
}

static void found_circle(void *data, const struct reel_lock_cycle *cycle)
{
    struct gatherer *gatherer = data;
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < cycle->count; i++) {
        const struct reel_lock_dependency *before =
            cycle->dependency[(i + cycle->count - 1) % cycle->count];
        const struct reel_lock_dependency *wanted = cycle->dependency[i];
        guint from = lock_index(gatherer, before->lock, before->object);
        guint to = lock_index(gatherer, wanted->lock, wanted->object);
        if (!held_for(wanted, before->lock))
            add_link(gatherer, wanted, before->lock, NULL);
        link_of(gatherer, from, to)->danger = REEL_ORDER_CIRCLE;
        const GArray *locks = gatherer->graph->lock;
        if (i == 0)
            g_string_append(text, g_array_index(locks, struct reel_order_lock, from).name);
        g_string_append_printf(text, " → %s",
                               g_array_index(locks, struct reel_order_lock, to).name);
    }
    if (cycle->proved)
        g_string_append(text, " (proved)");
    if (gatherer->graph->circles->len < 1000)
        g_ptr_array_add(gatherer->graph->circles, g_strdup(text->str));
}

static void *gatherer_new(const struct reel_detect_context *context)
{
    struct gatherer *gatherer = g_new0(struct gatherer, 1);
    gatherer->context = context;
    gatherer->graph = context->asker;
    gatherer->order = reel_lock_order_new(context);
    gatherer->lock_at = g_hash_table_new(NULL, NULL);
    gatherer->link_at = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return gatherer;
}

static void gatherer_free(void *detector)
{
    struct gatherer *gatherer = detector;
    reel_lock_order_free(gatherer->order);
    g_hash_table_unref(gatherer->lock_at);
    g_hash_table_unref(gatherer->link_at);
    g_free(gatherer);
}

static void gatherer_event(void *detector, const struct reel_event *event, uint32_t object,
                           uint32_t other)
{
    reel_lock_order_event(((struct gatherer *)detector)->order, event, object, other);
}

static void gatherer_interval(void *detector, const struct reel_interval *interval)
{
    reel_lock_order_interval(((struct gatherer *)detector)->order, interval);
}

/* Before threads are ended from outside: what they ask for then counts, and is gone after. */
static void gatherer_look(void *detector, uint64_t now_ns)
{
    (void)now_ns;
    reel_lock_order_end(((struct gatherer *)detector)->order);
}

static void gatherer_finish(void *detector)
{
    struct gatherer *gatherer = detector;
    reel_lock_order_end(gatherer->order);
    size_t count = reel_lock_order_count(gatherer->order);
    for (size_t i = 0; i < count; i++) {
        const struct reel_lock_dependency *wanted = reel_lock_order_at(gatherer->order, i);
        for (uint32_t k = 0; k < wanted->held_count; k++)
            add_link(gatherer, wanted, wanted->held[k].lock, &wanted->held[k]);
    }
    gatherer->graph->was_given_up =
        !reel_lock_cycles(gatherer->order, SEARCH_STEPS, found_circle, gatherer);
}

static const struct reel_detector_class gatherer_class = {
    .name = "lock order",
    .new = gatherer_new,
    .free = gatherer_free,
    .event = gatherer_event,
    .interval = gatherer_interval,
    .look = gatherer_look,
    .finish = gatherer_finish,
};

static int compare_links(gconstpointer left, gconstpointer right)
{
    const struct reel_order_link *a = left, *b = right;
    if (a->danger != b->danger)
        return a->danger > b->danger ? -1 : 1;
    if (a->occurrences != b->occurrences)
        return a->occurrences > b->occurrences ? -1 : 1;
    return a->from != b->from ? (a->from < b->from ? -1 : 1) : a->to < b->to ? -1 : a->to > b->to;
}

/* Locks in the order in which the sorted links name them, so that the first ones are drawn. */
static void number_locks(struct reel_order_graph *graph)
{
    guint count = graph->lock->len, next = 0;
    g_autofree guint *new_index = g_new(guint, count + 1);
    for (guint i = 0; i < count; i++)
        new_index[i] = G_MAXUINT;
    for (guint i = 0; i < graph->link->len; i++) {
        struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, i);
        if (new_index[link->from] == G_MAXUINT)
            new_index[link->from] = next++;
        if (new_index[link->to] == G_MAXUINT)
            new_index[link->to] = next++;
        link->from = new_index[link->from];
        link->to = new_index[link->to];
    }
    GArray *lock = g_array_sized_new(FALSE, TRUE, sizeof(struct reel_order_lock), next);
    g_array_set_clear_func(lock, lock_clear);
    g_array_set_size(lock, next);
    for (guint i = 0; i < count; i++) {
        struct reel_order_lock *from = &g_array_index(graph->lock, struct reel_order_lock, i);
        if (new_index[i] != G_MAXUINT) {
            g_array_index(lock, struct reel_order_lock, new_index[i]) = *from;
            from->name = NULL;
        }
    }
    g_array_unref(graph->lock);
    graph->lock = lock;
}

static bool lay_out(struct reel_order_graph *graph)
{
    g_autofree struct reel_order_edge *edge = g_new(struct reel_order_edge, graph->link->len + 1);
    graph->drawn = MIN(graph->lock->len, REEL_ORDER_NODES_MOST);
    for (guint i = 0; i < graph->link->len; i++) {
        const struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, i);
        edge[i] = (struct reel_order_edge){link->from, link->to};
    }
    g_array_set_size(graph->node, graph->drawn);
    if (!reel_order_layout(edge, graph->link->len,
                           (struct reel_order_node *)(void *)graph->node->data, graph->drawn))
        return false;
    for (guint i = 0; i < graph->link->len; i++) {
        struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, i);
        if (link->danger != REEL_ORDER_FINE || link->from >= graph->drawn ||
            link->to >= graph->drawn)
            continue;
        if (g_array_index(graph->node, struct reel_order_node, link->from).component ==
            g_array_index(graph->node, struct reel_order_node, link->to).component)
            link->danger = REEL_ORDER_GUARDED;
    }
    return true;
}

gpointer reel_order_graph_read(struct reel_query *query, gpointer request)
{
    (void)request;
    struct reel_order_graph *graph = g_new0(struct reel_order_graph, 1);
    graph->references = 1;
    graph->lock = g_array_new(FALSE, TRUE, sizeof(struct reel_order_lock));
    g_array_set_clear_func(graph->lock, lock_clear);
    graph->link = g_array_new(FALSE, TRUE, sizeof(struct reel_order_link));
    g_array_set_clear_func(graph->link, link_clear);
    graph->node = g_array_new(FALSE, TRUE, sizeof(struct reel_order_node));
    graph->circles = g_ptr_array_new_with_free_func(g_free);
    bool good = reel_detect_trace_for(query->trace, &gatherer_class, graph, &query->error);
    if (good) {
        g_array_sort(graph->link, compare_links);
        number_locks(graph);
        good =
            lay_out(graph) || reel_error_set(&query->error, REEL_ERROR_SYSTEM, 0, "out of memory");
    }
    if (!good)
        g_clear_pointer(&graph, reel_order_graph_unref);
    return graph;
}
