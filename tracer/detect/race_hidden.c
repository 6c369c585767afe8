/* Judging what locks ordered: see race_hidden.h. */
#include "tracer/detect/race_hidden.h"

#include <glib.h>

#include "tracer/detect/sync_preserving.h"

#define WITNESSES 16u        /* of two places that are tried */
#define MOST      (1u << 14) /* pairs in all */

struct candidate {
    struct reel_race race;
    uint32_t before;           /* the first access's thread's last release */
    uint32_t position;         /* of the second access */
    struct reel_clock *replay; /* what the second one's thread had to have heard */
};

/* A thread's critical sections. */
struct locking {
    GArray *section;  /* uint32_t, in the order of acquisition */
    GArray *released; /* uint32_t, positions, in order */
};

struct reel_race_hidden {
    struct reel_lock_order *order;
    const struct reel_detect_context *context;
    GArray *candidate;   /* struct candidate */
    GHashTable *tried;   /* two stacks → how many candidates there are */
    GHashTable *locking; /* thread → struct locking */
    const struct reel_critical_section *section;
};

static void free_locking(void *data)
{
    struct locking *locking = data;
    g_array_unref(locking->section);
    g_array_unref(locking->released);
    g_free(locking);
}

struct reel_race_hidden *reel_race_hidden_new(const struct reel_detect_context *context)
{
    struct reel_race_hidden *hidden = g_new0(struct reel_race_hidden, 1);
    hidden->context = context;
    hidden->order = reel_lock_order_new(context);
    hidden->candidate = g_array_new(FALSE, FALSE, sizeof(struct candidate));
    hidden->tried = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    hidden->locking = g_hash_table_new_full(NULL, NULL, NULL, free_locking);
    return hidden;
}

void reel_race_hidden_free(struct reel_race_hidden *hidden)
{
    if (!hidden)
        return;
    for (guint i = 0; i < hidden->candidate->len; i++)
        reel_clock_unref(g_array_index(hidden->candidate, struct candidate, i).replay);
    g_array_unref(hidden->candidate);
    g_hash_table_unref(hidden->tried);
    g_hash_table_unref(hidden->locking);
    reel_lock_order_free(hidden->order);
    g_free(hidden);
}

void reel_race_hidden_event(struct reel_race_hidden *hidden, const struct reel_event *event,
                            uint32_t object, uint32_t other)
{
    reel_lock_order_event(hidden->order, event, object, other);
}

void reel_race_hidden_interval(struct reel_race_hidden *hidden,
                               const struct reel_interval *interval)
{
    reel_lock_order_interval(hidden->order, interval);
}

/* The number that the two places share; made when new. */
static unsigned *count_of(struct reel_race_hidden *hidden, const struct reel_race *race)
{
    int64_t key = (int64_t)race->a.stack << 32 | race->b.stack;
    void *known, *count;
    if (g_hash_table_lookup_extended(hidden->tried, &key, &known, &count))
        return count;
    count = g_new0(unsigned, 1);
    g_hash_table_insert(hidden->tried, g_memdup2(&key, sizeof key), count);
    return count;
}

void reel_race_hidden_add(struct reel_race_hidden *hidden, const struct reel_race *race,
                          uint32_t position)
{
    unsigned *count = count_of(hidden, race);
    /* As many locks as fit may be not all of them. */
    if (*count >= WITNESSES || hidden->candidate->len >= MOST ||
        race->a.lock_count == REEL_RACE_LOCKS || race->b.lock_count == REEL_RACE_LOCKS)
        return;
    ++*count;
    const struct reel_happens_before *replay = reel_lock_order_replay(hidden->order);
    struct candidate candidate = {
        .race = *race,
        .before = position,
        .position = reel_happens_before_position(replay, race->b.thread),
        .replay = reel_clock_ref(reel_happens_before_clock(replay, race->b.thread)),
    };
    g_array_append_val(hidden->candidate, candidate);
}

/* Is it among the locks that an access tells? Others end an epoch when they are taken. */
static bool is_told(uint8_t class)
{
    return class == REEL_CLASS_MUTEX || class == REEL_CLASS_RWLOCK || class == REEL_CLASS_SPINLOCK;
}

static bool holds(const struct reel_race_access *access, uint32_t lock)
{
    for (uint32_t i = 0; i < access->lock_count; i++)
        if (access->lock[i] == lock)
            return true;
    return false;
}

static const struct reel_critical_section *section_at(const struct reel_race_hidden *hidden,
                                                      const struct locking *locking, guint i)
{
    return &hidden->section[g_array_index(locking->section, uint32_t, i)];
}

/* The first of its sections that was entered after `position`. */
static guint first_after(const struct reel_race_hidden *hidden, const struct locking *locking,
                         uint32_t position)
{
    guint low = 0, high = locking->section->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (section_at(hidden, locking, middle)->acquired <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first position after `position` at which it left one; UINT32_MAX: never. */
static uint32_t left_after(const struct locking *locking, uint32_t position)
{
    guint low = 0, high = locking->released->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(locking->released, uint32_t, middle) <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < locking->released->len ? g_array_index(locking->released, uint32_t, low)
                                        : UINT32_MAX;
}

/* The last position that the first access may have come after: its thread had let nothing go since
 * `before`, and held no lock but those that are known. */
static uint32_t last_before(const struct reel_race_hidden *hidden,
                            const struct candidate *candidate)
{
    const struct reel_race_access *access = &candidate->race.a;
    const struct locking *locking =
        g_hash_table_lookup(hidden->locking, GUINT_TO_POINTER(access->thread));
    /* Without any lock after it: all of the thread is near enough. */
    uint32_t until =
        reel_happens_before_position(reel_lock_order_replay(hidden->order), access->thread);
    if (!locking)
        return until;
    uint32_t left = left_after(locking, candidate->before);
    if (left <= until)
        until = left - 1;
    for (guint i = first_after(hidden, locking, candidate->before); i < locking->section->len;
         i++) {
        const struct reel_critical_section *section = section_at(hidden, locking, i);
        if (section->acquired > until)
            break;
        if (!is_told(section->class) || !holds(access, section->lock))
            return section->acquired - 1;
    }
    return until;
}

static int compare_positions(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void index_sections(struct reel_race_hidden *hidden)
{
    size_t count;
    bool complete;
    hidden->section = reel_lock_order_sections(hidden->order, &count, &complete);
    for (uint32_t i = 0; i < count; i++) {
        void *thread = GUINT_TO_POINTER(hidden->section[i].thread);
        struct locking *locking = g_hash_table_lookup(hidden->locking, thread);
        if (!locking) {
            locking = g_new(struct locking, 1);
            locking->section = g_array_new(FALSE, FALSE, sizeof i);
            locking->released = g_array_new(FALSE, FALSE, sizeof i);
            g_hash_table_insert(hidden->locking, thread, locking);
        }
        g_array_append_val(locking->section, i);
        if (hidden->section[i].released != UINT32_MAX)
            g_array_append_val(locking->released, hidden->section[i].released);
    }
    GHashTableIter iter;
    void *locking;
    g_hash_table_iter_init(&iter, hidden->locking);
    while (g_hash_table_iter_next(&iter, NULL, &locking))
        g_array_sort(((struct locking *)locking)->released, compare_positions);
}

/* A lock that the first thread let go of after its access, and the second took later, before its
 * own. 0: none, the order went through others. */
static uint32_t lock_between(const struct reel_race_hidden *hidden,
                             const struct candidate *candidate)
{
    const struct locking *first =
        g_hash_table_lookup(hidden->locking, GUINT_TO_POINTER(candidate->race.a.thread));
    const struct locking *second =
        g_hash_table_lookup(hidden->locking, GUINT_TO_POINTER(candidate->race.b.thread));
    g_autoptr(GHashTable) let_go = g_hash_table_new(NULL, NULL); /* lock → its order */
    for (guint i = first ? first->section->len : 0; i-- > 0;) {
        const struct reel_critical_section *section = section_at(hidden, first, i);
        if (section->acquired <= candidate->before && section->released <= candidate->before)
            break;
        g_hash_table_insert(let_go, GUINT_TO_POINTER(section->lock),
                            GUINT_TO_POINTER(section->order));
    }
    for (guint i = 0; second && i < second->section->len; i++) {
        const struct reel_critical_section *section = section_at(hidden, second, i);
        uint32_t order =
            GPOINTER_TO_UINT(g_hash_table_lookup(let_go, GUINT_TO_POINTER(section->lock)));
        if (order && order < section->order && section->acquired < candidate->position)
            return section->lock;
    }
    return 0;
}

void reel_race_hidden_finish(struct reel_race_hidden *hidden)
{
    if (!hidden->candidate->len)
        return;
    index_sections(hidden);
    struct reel_sync_preserving *closure = reel_sync_preserving_new(hidden->order);
    GHashTable *proved = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < hidden->candidate->len; i++) {
        struct candidate *candidate = &g_array_index(hidden->candidate, struct candidate, i);
        struct reel_race *race = &candidate->race;
        unsigned *pair = count_of(hidden, race);
        if (g_hash_table_contains(proved, pair))
            continue;
        uint32_t last = last_before(hidden, candidate);
        const struct reel_sync_preserving_request request[] = {
            {race->a.thread, last + 1, candidate->before + 1,
             reel_happens_before_clock_at(reel_lock_order_replay(hidden->order), race->a.thread,
                                          last)},
            {race->b.thread, candidate->position, candidate->position, candidate->replay},
        };
        if (!reel_sync_preserving_reaches(closure, request, 2))
            continue;
        g_hash_table_add(proved, pair);
        race->hidden = true;
        race->between = lock_between(hidden, candidate);
        reel_race_report(hidden->context, race);
    }
    g_hash_table_unref(proved);
    reel_sync_preserving_free(closure);
}
