#include "tracer/commands/watch_heap.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tracer/symbols/code_find.h"

#define MOST_BYTES 16u /* that the debug registers can watch */

static bool fail(const char *text, const char *why, struct reel_error *error)
{
    reel_error_set(error, REEL_ERROR_USAGE, 0, "--watch %s: %s", text, why);
    return reel_error_hint(error, "heap:make_stats, heap:stats.c:41, heap:make_stats#3 for the "
                                  "third block, heap:make_stats+16,8 for 8 bytes at offset 16");
}

/* Whole, and nothing behind it but `ends`. */
static bool take_number(const char **at, const char *ends, uint64_t *number)
{
    char *end;
    if (!g_ascii_isdigit(**at))
        return false;
    *number = g_ascii_strtoull(*at, &end, 0);
    *at = end;
    return !*end || strchr(ends, *end);
}

bool reel_watch_heap_parse(struct reel_watch_heap *heap, const char *text, struct reel_error *error)
{
    const char *site = text + strlen("heap:"), *at = site + strcspn(site, "#+");
    uint64_t number = 1;
    *heap = (struct reel_watch_heap){.text = g_strdup(text), .bytes = 8};
    heap->site = g_strndup(site, (gsize)(at - site));
    char *colon = strrchr(heap->site, ':');
    if (colon && g_ascii_isdigit(colon[1])) {
        const char *digits = colon + 1;
        uint64_t line;
        if (!take_number(&digits, "", &line) || !line || line > INT32_MAX)
            return fail(text, "that is no line", error);
        heap->line = (int)line;
        *colon = '\0';
    }
    if (!*heap->site)
        return fail(text, "where the block is allocated is missing", error);
    if (*at == '#') {
        at++;
        if (!take_number(&at, "+", &number) || !number || number > UINT32_MAX)
            return fail(text, "blocks are numbered from 1", error);
    }
    if (*at == '+') {
        at++;
        if (!take_number(&at, ",", &heap->offset))
            return fail(text, "the offset is no number", error);
        if (*at == ',') {
            at++;
            if (!take_number(&at, "", &heap->bytes) || !heap->bytes || heap->bytes > MOST_BYTES)
                return fail(text, "1 to 16 bytes can be watched", error);
        }
    }
    if (*at)
        return fail(text, "that cannot be understood", error);
    heap->block.number = (uint32_t)number;
    return true;
}

void reel_watch_heap_clear(struct reel_watch_heap *heap)
{
    g_free(heap->text);
    g_free(heap->site);
    *heap = (struct reel_watch_heap){0};
}

void reel_watch_heap_search(struct reel_watch_heap *heap, struct reel_module *module)
{
    struct reel_code_range ranges[REEL_BLOCK_RANGES];
    if (!module)
        return;
    heap->searched = true;
    heap->places =
        reel_module_code_ranges(module, heap->site, heap->line, ranges, REEL_BLOCK_RANGES);
    heap->block.ranges = MIN(heap->places, REEL_BLOCK_RANGES);
    for (uint32_t i = 0; i < heap->block.ranges; i++) {
        heap->block.range[i].start = ranges[i].start;
        heap->block.range[i].end = ranges[i].end;
    }
}

void reel_watch_heap_say(const struct reel_watch_heap *heap)
{
    if (!heap->searched)
        fprintf(stderr, "reel: --watch %s: the program was not found, so nothing was watched\n",
                heap->text);
    else if (!heap->places)
        fprintf(stderr,
                "reel: --watch %s: the program has no code of that %s, so nothing was watched (was "
                "it compiled with -g? Code of libraries is not looked for)\n",
                heap->text, heap->line ? "line" : "function");
    else if (!heap->came)
        fprintf(stderr,
                "reel: --watch %s: %s was allocated there, so none was watched (the place is where "
                "malloc, calloc, realloc or new is called itself, not what calls a function that "
                "does)\n",
                heap->text, heap->block.number > 1 ? "no block of that number" : "no block");
    else if (heap->offset >= heap->size)
        fprintf(stderr,
                "reel: --watch %s: the block has %" PRIu64 " bytes, so none of it was watched\n",
                heap->text, heap->size);
    else if (heap->places > REEL_BLOCK_RANGES)
        fprintf(stderr,
                "reel: --watch %s: its code is in %u places, of which %u were looked at; say which "
                "line: heap:FILE:LINE\n",
                heap->text, heap->places, REEL_BLOCK_RANGES);
}
