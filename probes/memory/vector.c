/* Vector clocks (Fidge, Mattern, 1988), dense: by thread index. Indexes of threads that are over
 * are used again (thread.c), so a clock is as long as there were threads at once. */
#include "probes/memory/memory.h"

static bool reserve(struct reel_vector *vector, uint32_t count)
{
    if (count <= vector->capacity)
        return true;
    uint32_t capacity = vector->capacity ? vector->capacity : 4;
    while (capacity < count)
        capacity *= 2;
    uint64_t *larger = reel_room_take(capacity * sizeof *larger);
    if (!larger)
        return false;
    for (uint32_t i = 0; i < vector->count; i++)
        larger[i] = vector->at[i];
    reel_room_give(vector->at, vector->capacity * sizeof *vector->at);
    vector->at = larger;
    vector->capacity = capacity;
    return true;
}

static bool extend(struct reel_vector *vector, uint32_t count)
{
    if (count <= vector->count)
        return true;
    if (!reserve(vector, count))
        return false;
    for (uint32_t i = vector->count; i < count; i++)
        vector->at[i] = 0;
    vector->count = count;
    return true;
}

bool reel_vector_join(struct reel_vector *into, const struct reel_vector *from)
{
    bool grew = false;
    if (!extend(into, from->count))
        return false;
    for (uint32_t i = 0; i < from->count; i++)
        if (from->at[i] > into->at[i]) {
            into->at[i] = from->at[i];
            grew = true;
        }
    return grew;
}

bool reel_vector_covers(const struct reel_vector *vector, const struct reel_vector *other)
{
    for (uint32_t i = 0; i < other->count; i++)
        if (other->at[i] > reel_vector_at(vector, i))
            return false;
    return true;
}

void reel_vector_copy(struct reel_vector *into, const struct reel_vector *from)
{
    if (!reserve(into, from->count))
        return;
    for (uint32_t i = 0; i < from->count; i++)
        into->at[i] = from->at[i];
    into->count = from->count;
}

void reel_vector_set(struct reel_vector *vector, uint32_t index, uint64_t position)
{
    if (extend(vector, index + 1))
        vector->at[index] = position;
}

void reel_vector_clear(struct reel_vector *vector)
{
    vector->count = 0;
}

void reel_vector_free(struct reel_vector *vector)
{
    reel_room_give(vector->at, vector->capacity * sizeof *vector->at);
    *vector = (struct reel_vector){0};
}

bool reel_past_join(struct reel_past *into, const struct reel_past *from)
{
    bool grew = reel_vector_join(&into->clock, &from->clock);
    return reel_vector_join(&into->must, &from->must) || grew;
}

void reel_past_copy(struct reel_past *into, const struct reel_past *from)
{
    reel_vector_copy(&into->clock, &from->clock);
    reel_vector_copy(&into->must, &from->must);
}

void reel_past_clear(struct reel_past *past)
{
    reel_vector_clear(&past->clock);
    reel_vector_clear(&past->must);
}

void reel_past_free(struct reel_past *past)
{
    reel_vector_free(&past->clock);
    reel_vector_free(&past->must);
}

bool reel_past_covers(const struct reel_past *past, const struct reel_past *other)
{
    return reel_vector_covers(&past->clock, &other->clock) &&
           reel_vector_covers(&past->must, &other->must);
}
