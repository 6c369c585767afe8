/* --watch heap:SITE: which block of the heap is meant, and what became of it. */
#ifndef REEL_COMMANDS_WATCH_HEAP_H
#define REEL_COMMANDS_WATCH_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/event/region.h"
#include "tracer/error.h"
#include "tracer/symbols/module.h"

struct reel_watch_heap {
    char *text;             /* as the user wrote it */
    char *site;             /* a function, or with `line` a file */
    int line;               /* 0: a function */
    uint64_t offset, bytes; /* of the block */
    struct reel_block_watch block;
    unsigned places; /* ranges of code that the site has, all of them */
    bool searched;   /* the program was there to be looked into */
    bool came;       /* the block was announced: */
    uint64_t size;
};

/* heap:FUNCTION or heap:FILE:LINE, then #N for the Nth block (the first), then +OFFSET,BYTES (the
 * first 8). False and an error when it is not. To be cleared in any case. */
bool reel_watch_heap_parse(struct reel_watch_heap *heap, const char *text,
                           struct reel_error *error);
void reel_watch_heap_clear(struct reel_watch_heap *heap);

/* Looks for the site's code. `module` NULL: the program is not to be found. */
void reel_watch_heap_search(struct reel_watch_heap *heap, struct reel_module *module);

/* When the recording is over: prints why nothing was watched, if so. */
void reel_watch_heap_say(const struct reel_watch_heap *heap);

#endif
