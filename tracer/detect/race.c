/* Data races on annotated memory: two accesses to the same bytes, one of them a write, that nothing
 * orders. FastTrack (Flanagan and Freund, PLDI 2009): the last write as one epoch, the last reads
 * as few as possible. Memory is kept by words of eight bytes, exact to the byte; nothing is
 * evicted.
 *
 * Happens-before counts locks here: what a lock ordered in this run was ordered. It is not kept
 * before the first access: two accesses after that moment can only be ordered by what comes after
 * it. */
#include <glib.h>
#include <string.h>

#include "tracer/detect/detectors.h"
#include "tracer/detect/happens_before.h"
#include "tracer/detect/race_report.h"
#include "tracer/detect/race_told.h"
#include "tracer/model/address_map.h"

#define WORD 8u

enum { SPACE_WORD = 1, SPACE_SHARED_WORD = 2 };

struct access {
    uint64_t time_ns;
    uint32_t thread, position, stack;
    bool atomic, single;
    bool value_known;
    uint32_t size;
    uint64_t value; /* read, or written */
};

/* Some bytes of a word, always accessed together so far. */
struct cell {
    uint8_t mask;
    struct access write;
    struct access *read;
    uint32_t reads;
    struct cell *next;
};

struct race {
    const struct reel_detect_context *context;
    struct reel_happens_before *order; /* NULL until the first access */
    struct reel_address_map words;     /* word of a process, or object → index of `cells` + 1 */
    GPtrArray *cells;                  /* struct cell, a list for each word */
    struct reel_race_told *told;       /* NULL until accesses are followed in the program */
};

static void free_cells(void *data)
{
    struct cell *cell = data;
    while (cell) {
        struct cell *next = cell->next;
        g_free(cell->read);
        g_free(cell);
        cell = next;
    }
}

static void *race_new(const struct reel_detect_context *context)
{
    struct race *race = g_new0(struct race, 1);
    race->context = context;
    race->cells = g_ptr_array_new_with_free_func(free_cells);
    return race;
}

static void race_free(void *detector)
{
    struct race *race = detector;
    reel_happens_before_free(race->order);
    reel_race_told_free(race->told);
    reel_address_map_clear(&race->words);
    g_ptr_array_unref(race->cells);
    g_free(race);
}

static bool is_ordered(const struct race *race, const struct access *before, uint32_t thread)
{
    return !before->thread || before->thread == thread ||
           before->position <=
               reel_clock_at(reel_happens_before_clock(race->order, thread), before->thread);
}

static bool races(const struct race *race, const struct access *before, const struct access *access)
{
    return !(before->atomic && access->atomic) && !is_ordered(race, before, access->thread);
}

/* `write`: the last one to the cell, all zero when there was none. */
static void report(struct race *race, uint32_t object, const struct access *write,
                   const struct access *a, bool a_writes, const struct access *b, bool b_writes)
{
    struct reel_race found = {.object = object,
                              .a = {.time_ns = a->time_ns,
                                    .thread = a->thread,
                                    .stack = a->stack,
                                    .writes = a_writes,
                                    .atomic = a->atomic,
                                    .single = a->single,
                                    .value_known = a->value_known,
                                    .value = a->value},
                              .b = {.time_ns = b->time_ns,
                                    .thread = b->thread,
                                    .stack = b->stack,
                                    .writes = b_writes,
                                    .atomic = b->atomic,
                                    .single = b->single,
                                    .value_known = b->value_known,
                                    .value = b->value}};
    /* Between two accesses that nothing comes between, the value stays. */
    if (b_writes && a->value_known && b->value_known && a->size == b->size &&
        (a_writes || write->time_ns < a->time_ns)) {
        found.value_known = true;
        found.value = a->value;
    }
    reel_race_report(race->context, &found);
}

static void check_read(struct race *race, struct cell *cell, const struct access *access,
                       uint32_t object)
{
    if (races(race, &cell->write, access))
        report(race, object, &cell->write, &cell->write, true, access, false);
    /* Reads that happened before this one say nothing that it does not. */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cell->reads; i++)
        if (!is_ordered(race, &cell->read[i], access->thread))
            cell->read[kept++] = cell->read[i];
    cell->read = g_renew(struct access, cell->read, kept + 1);
    cell->read[kept] = *access;
    cell->reads = kept + 1;
}

static void check_write(struct race *race, struct cell *cell, const struct access *access,
                        uint32_t object)
{
    if (races(race, &cell->write, access))
        report(race, object, &cell->write, &cell->write, true, access, true);
    for (uint32_t i = 0; i < cell->reads; i++)
        if (races(race, &cell->read[i], access))
            report(race, object, &cell->write, &cell->read[i], false, access, true);
    cell->reads = 0;
    cell->write = *access;
}

/* The cells of a word are disjoint; one that is accessed in part falls into two. */
static void split(struct cell *cell, uint8_t mask)
{
    struct cell *rest = g_new(struct cell, 1);
    *rest = *cell;
    rest->mask = cell->mask & (uint8_t)~mask;
    rest->read = g_new(struct access, cell->reads);
    if (cell->reads)
        memcpy(rest->read, cell->read, cell->reads * sizeof *cell->read);
    cell->mask &= mask;
    cell->next = rest;
}

static void access_word(struct race *race, const struct reel_event *event, uint32_t object,
                        uint32_t place, uint64_t word, uint8_t mask)
{
    uint32_t index = reel_address_map_get(&race->words, place, word);
    const uint64_t kind = event->extra_words ? event->extra[0] : 0;
    const bool told = event->extra_words > 1 && kind & REEL_ACCESS_VALUE;
    const struct access access = {.time_ns = event->time_ns,
                                  .thread = event->thread,
                                  .position =
                                      reel_happens_before_position(race->order, event->thread),
                                  .stack = event->stack,
                                  .atomic = kind & REEL_ACCESS_ATOMIC,
                                  .single = kind & REEL_ACCESS_SINGLE,
                                  .value_known = told,
                                  .size = event->argument,
                                  .value = told ? event->extra[1] : 0};
    if (!index) {
        g_ptr_array_add(race->cells, NULL);
        index = race->cells->len;
        reel_address_map_set(&race->words, place, word, index);
    }
    uint8_t left = mask;
    for (struct cell *cell = race->cells->pdata[index - 1]; cell && left; cell = cell->next) {
        uint8_t common = cell->mask & left;
        if (!common)
            continue;
        if (common != cell->mask)
            split(cell, common);
        left &= (uint8_t)~common;
        if (event->operation == REEL_OP_WRITE)
            check_write(race, cell, &access, object);
        else
            check_read(race, cell, &access, object);
    }
    if (!left)
        return;
    struct cell *cell = g_new0(struct cell, 1);
    cell->mask = left;
    cell->next = race->cells->pdata[index - 1];
    race->cells->pdata[index - 1] = cell;
    if (event->operation == REEL_OP_WRITE)
        check_write(race, cell, &access, object);
    else
        check_read(race, cell, &access, object);
}

static void race_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    struct race *race = detector;
    bool accesses = event->class == REEL_CLASS_MEMORY &&
                    (event->operation == REEL_OP_READ || event->operation == REEL_OP_WRITE);
    bool follows = event->operation == REEL_OP_FOLLOWED && event->thread;
    if (!race->order && (accesses || follows))
        race->order = reel_happens_before_new(race->context, REEL_ORDER_LOCKS);
    if (!race->order)
        return;
    reel_happens_before_event(race->order, event, object, other);
    if (follows && !race->told)
        race->told = reel_race_told_new(race->context);
    if (race->told)
        reel_race_told_event(race->told, race->order, event, object, other);
    if (!accesses || !event->thread || !object)
        return;
    if (reel_race_is_told(event)) {
        /* Words that processes share come one by one, each an object of all of them. */
        if (event->flags & REEL_FLAG_SHARED_OBJECT)
            access_word(race, event, object, reel_address_place(0, SPACE_SHARED_WORD), object,
                        (uint8_t)(event->extra[0] >> REEL_ACCESS_BYTES));
        return;
    }
    const uint32_t most = 1u << 16; /* bytes of one access that are looked at */
    uint64_t at = event->object, end = at + MIN(MAX(event->argument, 1u), most);
    while (at < end && end > event->object) {
        uint64_t word = at / WORD, stop = MIN(end, (word + 1) * WORD);
        unsigned first = (unsigned)(at % WORD), count = (unsigned)(stop - at);
        access_word(race, event, object, reel_address_place(event->process, SPACE_WORD), word,
                    (uint8_t)((0xffu >> (WORD - count)) << first));
        at = stop;
    }
}

static void race_interval(void *detector, const struct reel_interval *interval)
{
    struct race *race = detector;
    if (race->order)
        reel_happens_before_interval(race->order, interval);
    if (race->told)
        reel_race_told_interval(race->told, interval);
}

static void race_finish(void *detector)
{
    struct race *race = detector;
    if (race->told)
        reel_race_told_finish(race->told);
}

const struct reel_detector_class reel_race = {
    .name = "race",
    .new = race_new,
    .free = race_free,
    .event = race_event,
    .interval = race_interval,
    .finish = race_finish,
};
