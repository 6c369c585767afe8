/* Strongly connected components of the graph of locks: which locks can be in one circle. */
#ifndef REEL_DETECT_COMPONENTS_H
#define REEL_DETECT_COMPONENTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct reel_components;

struct reel_components *reel_components_new(void);
/* `to` is asked for while `from` is held. */
void reel_components_edge(struct reel_components *components, uint32_t from, uint32_t to);
/* Lock → number of its component, from 1; the caller unreferences it. Frees `components`. */
GHashTable *reel_components_find(struct reel_components *components);

#endif
