#include "tracer/model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/model/address_map.h"
#include "tracer/model/event_row.h"
#include "tracer/model/state.h"

/* Spaces of the map. */
enum {
    SPACE_OBJECT = 1,  /* object → index of its given name */
    SPACE_THREAD = 2,  /* thread → index of its given name */
    SPACE_ROUTINE = 3, /* thread → index of its start routine */
    SPACE_SITE = 4,    /* hash of class and place → objects so far; scope is the class */
    SPACE_NUMBER = 5,  /* object → number among its like */
    SPACE_ADDRESS = 6, /* address named before anything was there → index; scope is the process */
    SPACE_ACCESS = 7,  /* thread → object of its last access that instrumented code told */
    SPACE_FIELD = 8,   /* object → index of what it is in its heap block */
    SPACE_BLOCK = 9,   /* object → stack of that block's allocation */
};

/* A heap block that is watched: its accesses are told without it. */
struct watched_block {
    uint32_t process, stack;
    uint64_t start, size;
};

#define WATCHED_BLOCKS 8u /* at most, of a recording */

struct reel_names {
    struct watched_block watched[WATCHED_BLOCKS];
    uint32_t watched_count;
    struct reel_name_resolver resolver;
    struct reel_address_map map;
    char **text; /* [0] unused */
    uint32_t text_count, text_capacity;
    uint64_t *routine;
    uint32_t routine_count, routine_capacity;
    char name[REEL_EVENT_TEXT_BYTES + 256];
};

struct reel_names *reel_names_new(const struct reel_name_resolver *resolver)
{
    struct reel_names *names = calloc(1, sizeof *names);
    if (names && resolver)
        names->resolver = *resolver;
    return names;
}

void reel_names_free(struct reel_names *names)
{
    if (!names)
        return;
    for (uint32_t i = 1; i <= names->text_count; i++)
        free(names->text[i]);
    free(names->text);
    free(names->routine);
    reel_address_map_clear(&names->map);
    free(names);
}

/* Makes room for index `need`. */
static void *reach(void *array, uint32_t *capacity, uint32_t need, size_t size)
{
    if (need < *capacity)
        return array;
    uint32_t wanted = *capacity ? *capacity * 2 : 64;
    void *larger = realloc(array, wanted * size);
    if (larger)
        *capacity = wanted;
    return larger;
}

static void keep(struct reel_names *names, uint32_t place, uint64_t key, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return;
    uint32_t index = reel_address_map_get(&names->map, place, key);
    if (index) {
        free(names->text[index]);
        names->text[index] = copy;
        return;
    }
    char **larger =
        reach(names->text, &names->text_capacity, names->text_count + 1, sizeof(char *));
    if (!larger) {
        free(copy);
        return;
    }
    names->text = larger;
    names->text[++names->text_count] = copy;
    reel_address_map_set(&names->map, place, key, names->text_count);
}

static void keep_text(struct reel_names *names, uint32_t space, uint64_t key, const char *text)
{
    keep(names, reel_address_place(0, space), key, text);
}

static void keep_text_at(struct reel_names *names, uint32_t process, uint64_t address,
                         const char *text)
{
    if (process < REEL_MODEL_NUMBER_LIMIT)
        keep(names, reel_address_place(process, SPACE_ADDRESS), address, text);
}

static const char *kept_text(const struct reel_names *names, uint32_t space, uint64_t key)
{
    uint32_t index = reel_address_map_get(&names->map, reel_address_place(0, space), key);
    return index ? names->text[index] : NULL;
}

static void keep_routine(struct reel_names *names, uint64_t thread, uint64_t routine)
{
    if (!routine)
        return;
    uint64_t *larger = reach(names->routine, &names->routine_capacity, names->routine_count + 1,
                             sizeof *names->routine);
    if (!larger)
        return;
    names->routine = larger;
    names->routine[++names->routine_count] = routine;
    reel_address_map_set(&names->map, reel_address_place(0, SPACE_ROUTINE), thread,
                         names->routine_count);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool gives_name(const struct reel_event *event)
{
    switch (event->operation) {
    case REEL_OP_NAME:
        return event->class != REEL_CLASS_PROCESS; /* its program and arguments: in `process` */
    case REEL_OP_LOAD:
    case REEL_OP_INIT:
    case REEL_OP_SPAN_BEGIN:
        return event->extra_words > 0;
    case REEL_OP_CREATE:
        return event->class == REEL_CLASS_TASK;
    default:
        return false;
    }
}

/* An address was named: what is there, or else the first to be there. */
static void name_what_lives_at(struct reel_names *names, const struct reel_identity *identity,
                               const struct reel_event *event, const char *text)
{
    uint32_t ids[8];
    size_t count = reel_identity_known_at(identity, event->process, event->object, ids, 8);
    for (size_t i = 0; i < count; i++)
        keep_text(names, SPACE_OBJECT, ids[i], text);
    if (!count)
        keep_text_at(names, event->process, event->object, text);
}

const char *reel_names_field(struct reel_names *names, const struct reel_identity *identity,
                             const struct reel_event *event)
{
    uint32_t accessed =
        reel_address_map_get(&names->map, reel_address_place(0, SPACE_ACCESS), event->thread);
    const struct reel_object *object = reel_identity_object(identity, accessed);
    uint64_t size = event->extra_words ? event->extra[0] : event->argument;
    if (!names->resolver.field || !object || object->process != event->process ||
        object->address < event->object || object->address - event->object >= size)
        return NULL;
    return names->resolver.field(names->resolver.data, event->stack, size,
                                 object->address - event->object);
}

/* Addresses are used again: what was different things in turn is called none of them. */
static void keep_field(struct reel_names *names, uint32_t object, const char *field, uint32_t block)
{
    const char *known = kept_text(names, SPACE_FIELD, object);
    uint32_t stack = reel_address_map_get(&names->map, reel_address_place(0, SPACE_BLOCK), object);
    if (known && stack == block && field && strcmp(known, field) == 0)
        return;
    keep_text(names, SPACE_FIELD, object, known || !field ? "" : field);
    reel_address_map_set(&names->map, reel_address_place(0, SPACE_BLOCK), object, block);
}

/* Behind an access that instrumented code told it is of its block; by itself of one that is
 * watched. */
static void see_block(struct reel_names *names, const struct reel_identity *identity,
                      const struct reel_event *event)
{
    uint32_t place = reel_address_place(0, SPACE_ACCESS);
    uint32_t object = reel_address_map_get(&names->map, place, event->thread);
    if (object)
        keep_field(names, object, reel_names_field(names, identity, event), event->stack);
    else if (names->watched_count < WATCHED_BLOCKS)
        names->watched[names->watched_count++] =
            (struct watched_block){event->process, event->stack, event->object,
                                   event->extra_words ? event->extra[0] : event->argument};
}

static void see_access(struct reel_names *names, const struct reel_event *event, uint32_t object)
{
    if (event->extra_words && event->extra[0] & REEL_ACCESS_INSTRUMENTED) {
        reel_address_map_set(&names->map, reel_address_place(0, SPACE_ACCESS), event->thread,
                             object);
        return;
    }
    for (uint32_t i = 0; i < names->watched_count; i++) {
        const struct watched_block *block = &names->watched[i];
        if (block->process == event->process && event->object - block->start < block->size &&
            !kept_text(names, SPACE_FIELD, object) && names->resolver.field)
            keep_field(names, object,
                       names->resolver.field(names->resolver.data, block->stack, block->size,
                                             event->object - block->start),
                       block->stack);
    }
}

void reel_names_see(struct reel_names *names, const struct reel_identity *identity,
                    const struct reel_event *event, uint32_t object)
{
    char buffer[REEL_EVENT_TEXT_BYTES];
    if (event->operation == REEL_OP_START && event->extra_words > 1)
        keep_routine(names, event->object, event->extra[1]);
    if (event->class == REEL_CLASS_MEMORY && object &&
        (event->operation == REEL_OP_READ || event->operation == REEL_OP_WRITE))
        see_access(names, event, object);
    if (event->operation == REEL_OP_ALLOCATED)
        see_block(names, identity, event);
    if (!gives_name(event))
        return;
    const char *text = reel_event_text(event, buffer, sizeof buffer);
    if (!*text)
        return;
    uint32_t thread =
        event->class == REEL_CLASS_THREAD ? reel_identity_thread_of(identity, object) : 0;
    if (thread)
        keep_text(names, SPACE_THREAD, thread, text);
    else if (event->class == REEL_CLASS_NONE)
        name_what_lives_at(names, identity, event, text);
    else if (object)
        keep_text(names, SPACE_OBJECT, object,
                  event->operation == REEL_OP_LOAD ? base_name(text) : text);
}

static const char *symbol(const struct reel_names *names, uint32_t process, uint64_t address)
{
    const char *found = names->resolver.symbol && address
                            ? names->resolver.symbol(names->resolver.data, process, address)
                            : NULL;
    return found && *found ? found : NULL;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(uint64_t so_far, const char *text)
{
    while (text && *text)
        so_far = (so_far ^ (unsigned char)*text++) * 0x100000001b3ull;
    return so_far;
}

static bool lives_in_memory(unsigned class)
{
    return (class >= REEL_CLASS_MUTEX && class <= REEL_CLASS_FUTEX) || class == REEL_CLASS_QUEUE ||
           class == REEL_CLASS_TASK || class == REEL_CLASS_MEMORY;
}

/* The name given to an object, or to its address before it was there. */
static const char *given_name(const struct reel_names *names, const struct reel_object *object,
                              uint32_t id)
{
    const char *known = kept_text(names, SPACE_OBJECT, id);
    if (known || !lives_in_memory(object->class) || object->generation > 1)
        return known;
    uint32_t index = reel_address_map_get(
        &names->map, reel_address_place(object->process, SPACE_ADDRESS), object->address);
    return index ? names->text[index] : NULL;
}

static uint32_t next_number(struct reel_names *names, const struct reel_object *object,
                            const struct reel_name_site *site)
{
    uint64_t key = hash(hash(0xcbf29ce484222325ull ^ site->line, site->expression), site->file);
    uint32_t place = reel_address_place(object->class, SPACE_SITE);
    uint32_t number = reel_address_map_get(&names->map, place, key) + 1;
    reel_address_map_set(&names->map, place, key, number);
    return number;
}

const char *reel_names_object(struct reel_names *names, const struct reel_identity *identity,
                              uint32_t id)
{
    const struct reel_object *object = reel_identity_object(identity, id);
    if (!object)
        return NULL;
    const char *known = given_name(names, object, id);
    /* Copies of copies: the bound is the number of objects, for originals come first. */
    uint32_t original = id;
    while (!known && object->inherited_from && object->inherited_from < original) {
        original = object->inherited_from;
        object = reel_identity_object(identity, original);
        known = given_name(names, object, original);
    }
    if (known)
        return known;
    if (object->class == REEL_CLASS_THREAD) {
        uint32_t thread = reel_identity_thread_of(identity, original);
        if (thread)
            return reel_names_thread(names, 0, thread, 0, false);
    }
    if (object->class == REEL_CLASS_PROCESS) {
        snprintf(names->name, sizeof names->name, "process %llu",
                 (unsigned long long)object->address);
        return names->name;
    }
    if (lives_in_memory(object->class) && !object->shared) {
        known = symbol(names, object->process, object->address & ~1ull); /* see identity.c */
        if (known)
            return known;
    }
    struct reel_name_site site = {0};
    const char *field = kept_text(names, SPACE_FIELD, original);
    uint32_t made =
        field && *field
            ? reel_address_map_get(&names->map, reel_address_place(0, SPACE_BLOCK), original)
            : object->site;
    if (made && names->resolver.site && !names->resolver.site(names->resolver.data, made, &site))
        site = (struct reel_name_site){0};
    if (field && *field)
        site.expression = field;
    uint32_t place = reel_address_place(0, SPACE_NUMBER);
    uint32_t number = reel_address_map_get(&names->map, place, original);
    if (!number) {
        number = next_number(names, object, &site);
        reel_address_map_set(&names->map, place, original, number);
    }
    int length =
        snprintf(names->name, sizeof names->name, "%s #%u",
                 site.expression ? site.expression : reel_class_name(object->class), number);
    if (site.file && length > 0 && (size_t)length < sizeof names->name)
        snprintf(names->name + length, sizeof names->name - (size_t)length, " (%s:%u)",
                 base_name(site.file), site.line);
    return names->name;
}

const char *reel_names_thread(struct reel_names *names, uint32_t process, uint32_t thread,
                              uint64_t routine, bool is_first)
{
    const char *known = kept_text(names, SPACE_THREAD, thread);
    if (known)
        return known;
    if (!routine) {
        uint32_t index =
            reel_address_map_get(&names->map, reel_address_place(0, SPACE_ROUTINE), thread);
        routine = index ? names->routine[index] : 0;
    }
    known = symbol(names, process, routine);
    if (known)
        return known;
    if (is_first)
        return "main";
    snprintf(names->name, sizeof names->name, "thread %u", thread);
    return names->name;
}
