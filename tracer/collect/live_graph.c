#include "tracer/collect/live_graph.h"

#include <glib.h>
#include <string.h>

void reel_live_graph_clear(struct reel_live_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++)
        graph->party[i].blocker_count = 0;
    graph->count = 0;
}

void reel_live_graph_free(struct reel_live_graph *graph)
{
    for (uint32_t i = 0; i < graph->capacity; i++)
        g_free(graph->party[i].blocker);
    g_free(graph->party);
    memset(graph, 0, sizeof *graph);
}

struct reel_live_party *reel_live_graph_add(struct reel_live_graph *graph)
{
    if (graph->count == graph->capacity) {
        uint32_t larger = graph->capacity ? graph->capacity * 2 : 32;
        graph->party = g_renew(struct reel_live_party, graph->party, larger);
        memset(graph->party + graph->capacity, 0,
               (larger - graph->capacity) * sizeof *graph->party);
        graph->capacity = larger;
    }
    struct reel_live_party *party = &graph->party[graph->count++];
    uint32_t *blocker = party->blocker, capacity = party->blocker_capacity;
    memset(party, 0, sizeof *party);
    party->blocker = blocker;
    party->blocker_capacity = capacity;
    return party;
}

void reel_live_party_block(struct reel_live_party *party, uint32_t blocker)
{
    if (party->blocker_count == party->blocker_capacity) {
        party->blocker_capacity = party->blocker_capacity ? party->blocker_capacity * 2 : 4;
        party->blocker = g_renew(uint32_t, party->blocker, party->blocker_capacity);
    }
    party->blocker[party->blocker_count++] = blocker;
}

enum color { WHITE, GRAY, BLACK };

struct step {
    uint32_t party, next; /* the blocker to look at next */
};

uint32_t reel_live_graph_cycle(const struct reel_live_graph *graph, const bool *skip,
                               uint32_t *indices, uint32_t limit)
{
    g_autofree uint8_t *color = g_new0(uint8_t, graph->count + 1);
    g_autofree struct step *path = g_new(struct step, graph->count + 1);
    for (uint32_t start = 0; start < graph->count; start++) {
        if (color[start] != WHITE || (skip && skip[start]))
            continue;
        uint32_t depth = 0;
        path[depth++] = (struct step){start, 0};
        color[start] = GRAY;
        while (depth) {
            struct step *top = &path[depth - 1];
            const struct reel_live_party *party = &graph->party[top->party];
            if (top->next == party->blocker_count) {
                color[top->party] = BLACK;
                depth--;
                continue;
            }
            uint32_t blocker = party->blocker[top->next++];
            uint32_t first = depth - 1; /* of the path: where the cycle begins */
            if (blocker != REEL_LIVE_GONE) {
                if (blocker >= graph->count || (skip && skip[blocker]) || color[blocker] == BLACK)
                    continue;
                if (color[blocker] == WHITE) {
                    color[blocker] = GRAY;
                    path[depth++] = (struct step){blocker, 0};
                    continue;
                }
                while (path[first].party != blocker)
                    first--;
            }
            uint32_t found = 0;
            for (uint32_t i = first; i < depth && found < limit; i++)
                indices[found++] = path[i].party;
            return found;
        }
    }
    return 0;
}
