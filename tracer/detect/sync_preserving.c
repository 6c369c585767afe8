/* The sync-preserving closure: see sync_preserving.h. */
#include "tracer/detect/sync_preserving.h"

#include <glib.h>
#include <string.h>

/* The sections of one lock by one thread, in order. */
struct group {
    uint32_t lock, thread;
    uint32_t first, count; /* of `sorted` */
    uint32_t included;     /* of them are in the closure, the last of which may be open */
};

struct reel_sync_preserving {
    const struct reel_critical_section *section;
    bool complete;
    uint32_t *sorted; /* indexes of sections, by lock, thread, order */
    struct group *group;
    size_t groups;
    GArray *time; /* uint32_t by thread: the closure, as the last position included */
    const struct reel_sync_preserving_request *request;
    size_t requests;
    bool swallowed; /* it has reached a request */
};

static int compare_sections(const void *left, const void *right, void *data)
{
    const struct reel_critical_section *section = data;
    uint32_t i = *(const uint32_t *)left, k = *(const uint32_t *)right;
    const struct reel_critical_section *a = &section[i], *b = &section[k];
    if (a->lock != b->lock)
        return a->lock < b->lock ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return i < k ? -1 : i > k;
}

static bool is_shared_lock(const struct reel_sync_preserving *closure, size_t from, size_t to)
{
    const struct reel_critical_section *section = closure->section;
    return section[closure->sorted[from]].thread != section[closure->sorted[to - 1]].thread;
}

struct reel_sync_preserving *reel_sync_preserving_new(const struct reel_lock_order *order)
{
    struct reel_sync_preserving *closure = g_new0(struct reel_sync_preserving, 1);
    size_t count;
    closure->section = reel_lock_order_sections(order, &count, &closure->complete);
    closure->time = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    closure->sorted = g_new(uint32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        closure->sorted[i] = (uint32_t)i;
    g_qsort_with_data(closure->sorted, (int)count, sizeof *closure->sorted, compare_sections,
                      (void *)(uintptr_t)closure->section);
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(struct group));
    for (size_t lock = 0; lock < count;) {
        size_t end = lock;
        while (end < count && closure->section[closure->sorted[end]].lock ==
                                  closure->section[closure->sorted[lock]].lock)
            end++;
        /* A lock that one thread alone uses orders nothing. */
        for (size_t at = lock; is_shared_lock(closure, lock, end) && at < end;) {
            const struct reel_critical_section *first = &closure->section[closure->sorted[at]];
            struct group group = {
                .lock = first->lock, .thread = first->thread, .first = (uint32_t)at};
            while (at < end && closure->section[closure->sorted[at]].thread == group.thread)
                at++;
            group.count = (uint32_t)at - group.first;
            g_array_append_val(groups, group);
        }
        lock = end;
    }
    closure->groups = groups->len;
    closure->group = (struct group *)(void *)g_array_free(groups, FALSE);
    return closure;
}

void reel_sync_preserving_free(struct reel_sync_preserving *closure)
{
    if (!closure)
        return;
    g_array_unref(closure->time);
    g_free(closure->sorted);
    g_free(closure->group);
    g_free(closure);
}

static uint32_t time_of(const struct reel_sync_preserving *closure, uint32_t thread)
{
    return thread < closure->time->len ? g_array_index(closure->time, uint32_t, thread) : 0;
}

static bool extend(struct reel_sync_preserving *closure, uint32_t thread, uint32_t position)
{
    if (time_of(closure, thread) >= position)
        return false;
    if (closure->time->len <= thread)
        g_array_set_size(closure->time, thread + 1);
    g_array_index(closure->time, uint32_t, thread) = position;
    return true;
}

/* Takes in all of a thread's events up to `position`, since others need them; true when that is
 * new. */
static bool include(struct reel_sync_preserving *closure, uint32_t thread, uint32_t position)
{
    for (size_t i = 0; i < closure->requests; i++)
        closure->swallowed |=
            closure->request[i].thread == thread && position >= closure->request[i].first;
    return extend(closure, thread, position);
}

static bool include_clock(struct reel_sync_preserving *closure, const struct reel_clock *clock)
{
    bool grew = false;
    for (uint32_t i = 0; clock && i < clock->count; i++)
        grew |= include(closure, clock->entry[i].thread, clock->entry[i].position);
    return grew;
}

static const struct reel_critical_section *section_at(const struct reel_sync_preserving *closure,
                                                      const struct group *group, uint32_t index)
{
    return &closure->section[closure->sorted[group->first + index]];
}

/* How many of the group's sections the closure has begun. */
static void advance(const struct reel_sync_preserving *closure, struct group *group)
{
    uint32_t time = time_of(closure, group->thread), low = group->included, high = group->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (section_at(closure, group, middle)->acquired <= time)
            low = middle + 1;
        else
            high = middle;
    }
    group->included = low;
}

/* Of all sections of one lock that have begun, those that another conflicting one followed must
 * have ended. False when one of them never did. */
static bool close_lock(struct reel_sync_preserving *closure, struct group *group, size_t count,
                       bool *grew)
{
    uint32_t last = 0, last_exclusive = 0;
    for (size_t i = 0; i < count; i++) {
        advance(closure, &group[i]);
        for (uint32_t k = group[i].included; k-- > 0;) {
            const struct reel_critical_section *section = section_at(closure, &group[i], k);
            last = MAX(last, section->order);
            if (!section->shared) {
                last_exclusive = MAX(last_exclusive, section->order);
                break;
            }
            if (section->order < last_exclusive)
                break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!group[i].included)
            continue;
        const struct reel_critical_section *section =
            section_at(closure, &group[i], group[i].included - 1);
        if (section->order >= (section->shared ? last_exclusive : last))
            continue;
        if (section->released == UINT32_MAX)
            return false;
        if (include(closure, section->thread, section->released)) {
            include_clock(closure, section->replay);
            *grew = true;
        }
    }
    return true;
}

static bool grow(struct reel_sync_preserving *closure, bool *grew)
{
    *grew = false;
    for (size_t i = 0; i < closure->groups;) {
        size_t end = i;
        while (end < closure->groups && closure->group[end].lock == closure->group[i].lock)
            end++;
        if (!close_lock(closure, &closure->group[i], end - i, grew))
            return false;
        i = end;
    }
    return true;
}

bool reel_sync_preserving_reaches(struct reel_sync_preserving *closure,
                                  const struct reel_sync_preserving_request *request, size_t count)
{
    if (!closure->complete)
        return false;
    if (closure->time->len)
        memset(closure->time->data, 0, closure->time->len * sizeof(uint32_t));
    for (size_t i = 0; i < closure->groups; i++)
        closure->group[i].included = 0;
    closure->request = request;
    closure->requests = count;
    closure->swallowed = false;
    for (size_t i = 0; i < count; i++) {
        extend(closure, request[i].thread, request[i].position - 1);
        include_clock(closure, request[i].replay);
    }
    bool grew = true;
    while (grew && !closure->swallowed)
        if (!grow(closure, &grew))
            return false;
    return !closure->swallowed;
}
