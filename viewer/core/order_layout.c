#include "viewer/core/order_layout.h"

#include <stdlib.h>
#include <string.h>

#define SWEEPS 8u

/* Edges by their beginning: those of node n are target[first[n]] … target[first[n + 1] - 1]. */
struct graph {
    const struct reel_order_edge *edge;
    size_t edge_count, count;
    uint32_t *first, *target;
    bool *turned;    /* by edge: it is drawn against its direction */
    uint32_t *order; /* edge numbers, by their beginning */
    struct reel_order_node *node;
};

static bool index_edges(struct graph *graph)
{
    graph->first = calloc(graph->count + 2, sizeof *graph->first);
    graph->target = calloc(graph->edge_count + 1, sizeof *graph->target);
    graph->order = calloc(graph->edge_count + 1, sizeof *graph->order);
    graph->turned = calloc(graph->edge_count + 1, sizeof *graph->turned);
    if (!graph->first || !graph->target || !graph->order || !graph->turned)
        return false;
    for (size_t i = 0; i < graph->edge_count; i++)
        graph->first[graph->edge[i].from + 2]++;
    for (size_t n = 2; n < graph->count + 2; n++)
        graph->first[n] += graph->first[n - 1];
    for (size_t i = 0; i < graph->edge_count; i++) {
        uint32_t at = graph->first[graph->edge[i].from + 1]++;
        graph->target[at] = graph->edge[i].to;
        graph->order[at] = (uint32_t)i;
    }
    return true;
}

/* Strongly connected components by Tarjan (1972), without recursion; and, in the same search, the
 * edges that lead back to a node that the search is still in: these close circles. */
struct search {
    uint32_t *number, *low, *stack, *path, *next;
    bool *on_stack, *on_path;
    uint32_t counter, stacked, depth, components;
};

static void enter(struct search *search, const struct graph *graph, uint32_t node)
{
    search->number[node] = search->low[node] = ++search->counter;
    search->stack[search->stacked++] = node;
    search->on_stack[node] = search->on_path[node] = true;
    search->path[search->depth++] = node;
    search->next[node] = graph->first[node];
}

static void leave(struct search *search, struct graph *graph, uint32_t node)
{
    search->depth--;
    search->on_path[node] = false;
    if (search->low[node] == search->number[node]) {
        uint32_t member, size = 0, begin = search->stacked;
        do {
            member = search->stack[--search->stacked];
            search->on_stack[member] = false;
            graph->node[member].component = search->components;
            size++;
        } while (member != node);
        for (uint32_t i = search->stacked; size > 1 && i < begin; i++)
            graph->node[search->stack[i]].in_circle = true;
        search->components++;
    }
    if (search->depth) {
        uint32_t parent = search->path[search->depth - 1];
        if (search->low[node] < search->low[parent])
            search->low[parent] = search->low[node];
    }
}

static void search_from(struct search *search, struct graph *graph, uint32_t start)
{
    enter(search, graph, start);
    while (search->depth) {
        uint32_t node = search->path[search->depth - 1];
        if (search->next[node] == graph->first[node + 1]) {
            leave(search, graph, node);
            continue;
        }
        uint32_t at = search->next[node]++, target = graph->target[at];
        if (target == node)
            graph->node[node].in_circle = true;
        if (search->on_path[target])
            graph->turned[graph->order[at]] = true;
        if (!search->number[target])
            enter(search, graph, target);
        else if (search->on_stack[target] && search->number[target] < search->low[node])
            search->low[node] = search->number[target];
    }
}

static bool find_circles(struct graph *graph)
{
    size_t count = graph->count;
    uint32_t *numbers = calloc(5 * count + 1, sizeof *numbers);
    bool *flags = calloc(2 * count + 1, sizeof *flags);
    bool good = numbers && flags;
    if (good) {
        struct search search = {.number = numbers,
                                .low = numbers + count,
                                .stack = numbers + 2 * count,
                                .path = numbers + 3 * count,
                                .next = numbers + 4 * count,
                                .on_stack = flags,
                                .on_path = flags + count};
        /* Nodes that nobody points to first: they stand left, and fewer edges go back. */
        bool *pointed_to = calloc(count + 1, sizeof *pointed_to);
        good = pointed_to != NULL;
        for (size_t i = 0; good && i < graph->edge_count; i++)
            if (graph->edge[i].from != graph->edge[i].to)
                pointed_to[graph->edge[i].to] = true;
        for (int pass = 0; good && pass < 2; pass++)
            for (uint32_t node = 0; node < count; node++)
                if (!search.number[node] && (pass == 1 || !pointed_to[node]))
                    search_from(&search, graph, node);
        free(pointed_to);
    }
    free(numbers);
    free(flags);
    return good;
}

/* The two ends of an edge as it is drawn: from left to right. */
static void ends(const struct graph *graph, size_t i, uint32_t *left, uint32_t *right)
{
    *left = graph->turned[i] ? graph->edge[i].to : graph->edge[i].from;
    *right = graph->turned[i] ? graph->edge[i].from : graph->edge[i].to;
}

/* Longest paths: with all closing edges turned round there is no circle, so this ends. */
static void choose_layers(struct graph *graph)
{
    bool changed = true;
    for (size_t round = 0; changed && round <= graph->count; round++) {
        changed = false;
        for (size_t i = 0; i < graph->edge_count; i++) {
            uint32_t left, right;
            if (graph->edge[i].from == graph->edge[i].to)
                continue;
            ends(graph, i, &left, &right);
            if (graph->node[right].layer <= graph->node[left].layer) {
                graph->node[right].layer = graph->node[left].layer + 1;
                changed = true;
            }
        }
    }
}

struct ranked {
    uint32_t node;
    double rank;
};

static int by_rank(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

/* Puts the nodes of one layer in the order of the mean place of their neighbours on one side. */
static void sort_layer(struct graph *graph, uint32_t layer, bool by_left, struct ranked *scratch)
{
    size_t count = 0;
    for (uint32_t node = 0; node < graph->count; node++) {
        if (graph->node[node].layer != layer)
            continue;
        double sum = 0;
        unsigned neighbours = 0;
        for (size_t i = 0; i < graph->edge_count; i++) {
            uint32_t left, right;
            ends(graph, i, &left, &right);
            uint32_t self = by_left ? right : left, other = by_left ? left : right;
            if (self == node && other != node) {
                sum += graph->node[other].place;
                neighbours++;
            }
        }
        scratch[count++] =
            (struct ranked){node, neighbours ? sum / neighbours : graph->node[node].place};
    }
    qsort(scratch, count, sizeof *scratch, by_rank);
    for (size_t i = 0; i < count; i++)
        graph->node[scratch[i].node].place = (uint32_t)i;
}

static bool choose_places(struct graph *graph, uint32_t layers)
{
    size_t count = graph->count;
    struct ranked *scratch = calloc(count + 1, sizeof *scratch);
    uint32_t *best = calloc(count + 1, sizeof *best);
    if (!scratch || !best) {
        free(scratch);
        free(best);
        return false;
    }
    for (uint32_t layer = 0; layer < layers; layer++) {
        uint32_t place = 0;
        for (size_t node = 0; node < count; node++)
            if (graph->node[node].layer == layer)
                graph->node[node].place = place++;
    }
    size_t least = SIZE_MAX;
    for (unsigned sweep = 0; sweep <= SWEEPS; sweep++) {
        size_t crossings = reel_order_crossings(graph->edge, graph->edge_count, graph->node);
        if (crossings < least) {
            least = crossings;
            for (size_t node = 0; node < count; node++)
                best[node] = graph->node[node].place;
        }
        for (uint32_t i = 0; i < layers; i++)
            sort_layer(graph, sweep % 2 ? layers - 1 - i : i, sweep % 2 == 0, scratch);
    }
    for (size_t node = 0; node < count; node++)
        graph->node[node].place = best[node];
    free(scratch);
    free(best);
    return true;
}

static bool spread(struct graph *graph, uint32_t layers)
{
    uint32_t *size = calloc(layers + 1u, sizeof *size);
    if (!size)
        return false;
    for (size_t node = 0; node < graph->count; node++)
        size[graph->node[node].layer]++;
    for (size_t node = 0; node < graph->count; node++) {
        struct reel_order_node *at = &graph->node[node];
        at->x = (at->layer + 0.5) / layers;
        at->y = (at->place + 0.5) / size[at->layer];
    }
    free(size);
    return true;
}

bool reel_order_layout(const struct reel_order_edge *edge, size_t edge_count,
                       struct reel_order_node *node, size_t count)
{
    struct reel_order_edge *own = malloc((edge_count + 1) * sizeof *own);
    if (!own)
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < edge_count; i++)
        if (edge[i].from < count && edge[i].to < count)
            own[kept++] = edge[i];
    struct graph graph = {.edge = own, .edge_count = kept, .count = count, .node = node};
    if (count)
        memset(node, 0, count * sizeof *node);
    bool good = index_edges(&graph) && find_circles(&graph);
    if (good) {
        uint32_t layers = 1;
        choose_layers(&graph);
        for (size_t i = 0; i < count; i++)
            if (node[i].layer >= layers)
                layers = node[i].layer + 1;
        good = choose_places(&graph, layers) && spread(&graph, layers);
    }
    free(own);
    free(graph.first);
    free(graph.target);
    free(graph.order);
    free(graph.turned);
    return good;
}

size_t reel_order_crossings(const struct reel_order_edge *edge, size_t edge_count,
                            const struct reel_order_node *node)
{
    size_t crossings = 0;
    for (size_t i = 0; i < edge_count; i++)
        for (size_t k = i + 1; k < edge_count; k++) {
            const struct reel_order_node *a = &node[edge[i].from], *b = &node[edge[i].to];
            const struct reel_order_node *c = &node[edge[k].from], *d = &node[edge[k].to];
            if (a->layer > b->layer) {
                const struct reel_order_node *other = a;
                a = b;
                b = other;
            }
            if (c->layer > d->layer) {
                const struct reel_order_node *other = c;
                c = d;
                d = other;
            }
            if (a->layer == c->layer && b->layer == d->layer && a->layer != b->layer &&
                ((a->place < c->place && b->place > d->place) ||
                 (a->place > c->place && b->place < d->place)))
                crossings++;
        }
    return crossings;
}
