/* Semaphores as locks: see semaphores.h. */
#include "tracer/detect/semaphores.h"

#include <glib.h>
#include <string.h>

struct reel_semaphores {
    GHashTable *by_object;
};

static void free_semaphore(void *data)
{
    struct reel_semaphore *semaphore = data;
    g_free(semaphore->unit);
    g_free(semaphore);
}

struct reel_semaphores *reel_semaphores_new(void)
{
    struct reel_semaphores *semaphores = g_new0(struct reel_semaphores, 1);
    semaphores->by_object = g_hash_table_new_full(NULL, NULL, NULL, free_semaphore);
    return semaphores;
}

void reel_semaphores_free(struct reel_semaphores *semaphores)
{
    if (!semaphores)
        return;
    g_hash_table_unref(semaphores->by_object);
    g_free(semaphores);
}

const struct reel_semaphore *reel_semaphores_find(const struct reel_semaphores *semaphores,
                                                  uint32_t object)
{
    return g_hash_table_lookup(semaphores->by_object, GUINT_TO_POINTER(object));
}

bool reel_semaphore_is_mutex(const struct reel_semaphore *semaphore)
{
    return semaphore && semaphore->initial == 1 && !semaphore->foreign_posts;
}

static struct reel_semaphore *at(struct reel_semaphores *semaphores, uint32_t object)
{
    struct reel_semaphore *semaphore =
        g_hash_table_lookup(semaphores->by_object, GUINT_TO_POINTER(object));
    if (!semaphore) {
        semaphore = g_new0(struct reel_semaphore, 1);
        semaphore->initial = -1;
        g_hash_table_insert(semaphores->by_object, GUINT_TO_POINTER(object), semaphore);
    }
    return semaphore;
}

static void take(struct reel_semaphore *semaphore, const struct reel_event *event)
{
    semaphore->unit = g_renew(struct reel_semaphore_unit, semaphore->unit, semaphore->units + 1);
    semaphore->unit[semaphore->units++] =
        (struct reel_semaphore_unit){event->time_ns, event->thread, event->stack};
}

static void drop(struct reel_semaphore *semaphore, size_t index)
{
    memmove(semaphore->unit + index, semaphore->unit + index + 1,
            (semaphore->units - index - 1) * sizeof *semaphore->unit);
    semaphore->units--;
}

static bool give(struct reel_semaphore *semaphore, uint32_t thread)
{
    for (size_t i = semaphore->units; i-- > 0;)
        if (semaphore->unit[i].thread == thread) {
            drop(semaphore, i);
            return true;
        }
    return false;
}

enum reel_semaphore_step reel_semaphores_event(struct reel_semaphores *semaphores,
                                               const struct reel_event *event, uint32_t object)
{
    if (event->class != REEL_CLASS_SEMAPHORE || !object)
        return REEL_SEMAPHORE_NONE;
    struct reel_semaphore *semaphore;
    switch (event->operation) {
    case REEL_OP_INIT:
    case REEL_OP_NAME:
        semaphore = at(semaphores, object);
        if (semaphore->initial < 0)
            semaphore->initial = event->argument;
        return REEL_SEMAPHORE_NONE;
    case REEL_OP_ACQUIRE:
        semaphore = at(semaphores, object);
        if (semaphore->initial == 0 || semaphore->foreign_posts)
            return REEL_SEMAPHORE_TOOK; /* a signal's units belong to nobody */
        take(semaphore, event);
        return REEL_SEMAPHORE_TOOK;
    case REEL_OP_POST:
        semaphore = at(semaphores, object);
        if (semaphore->initial == 0)
            return REEL_SEMAPHORE_SIGNAL;
        if (give(semaphore, event->thread)) {
            semaphore->own_posts++;
            return REEL_SEMAPHORE_GAVE;
        }
        semaphore->foreign_posts++;
        semaphore->units = 0;
        return REEL_SEMAPHORE_SIGNAL;
    default:
        return REEL_SEMAPHORE_NONE;
    }
}
