/* Where to draw a directed graph that is nearly ordered, as lock order should be: in layers from
 * left to right, so that edges that go back are those that break the order. After Sugiyama, Tagawa
 * and Toda (1981): circles are broken by turning round the edges that a depth-first search finds
 * closing one, layers are longest paths, crossings are lessened by barycentres. */
#ifndef REEL_VIEWER_CORE_ORDER_LAYOUT_H
#define REEL_VIEWER_CORE_ORDER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_order_edge {
    uint32_t from, to; /* indexes of nodes */
};

struct reel_order_node {
    uint32_t layer;     /* from the left */
    uint32_t place;     /* within its layer, from the top */
    double x, y;        /* 0…1: the middle of the node; layers and places spread evenly */
    uint32_t component; /* strongly connected: nodes of one circle have the same number */
    bool in_circle;     /* its component has several nodes, or it has an edge to itself */
};

/* Fills in node[0 … count). Edges whose ends are no nodes are ignored. False: no memory. The same
 * input gives the same picture. */
bool reel_order_layout(const struct reel_order_edge *edge, size_t edge_count,
                       struct reel_order_node *node, size_t count);

/* How many pairs of edges that join the same two layers cross: what the layout keeps low. All ends
 * must be nodes. */
size_t reel_order_crossings(const struct reel_order_edge *edge, size_t edge_count,
                            const struct reel_order_node *node);

#endif
