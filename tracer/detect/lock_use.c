/* How locks were used: see lock_use.h. */
#include "tracer/detect/lock_use.h"

static void free_use(void *data)
{
    struct reel_lock_use *use = data;
    g_hash_table_unref(use->user);
    g_free(use);
}

GHashTable *reel_lock_uses_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, free_use);
}

static struct reel_lock_use *use_at(GHashTable *uses, uint32_t object)
{
    struct reel_lock_use *use = g_hash_table_lookup(uses, GUINT_TO_POINTER(object));
    if (!use) {
        use = g_new0(struct reel_lock_use, 1);
        use->object = object;
        use->user = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_hash_table_insert(uses, GUINT_TO_POINTER(object), use);
    }
    return use;
}

static struct reel_lock_user *user_at(struct reel_lock_use *use, uint32_t thread)
{
    struct reel_lock_user *user = g_hash_table_lookup(use->user, GUINT_TO_POINTER(thread));
    if (!user) {
        user = g_new0(struct reel_lock_user, 1);
        g_hash_table_insert(use->user, GUINT_TO_POINTER(thread), user);
    }
    return user;
}

void reel_lock_uses_hold(GHashTable *uses, const struct reel_hold *hold)
{
    uint64_t length = hold->end_ns - hold->start_ns;
    struct reel_lock_use *use = use_at(uses, hold->object);
    struct reel_lock_user *user = user_at(use, hold->thread);
    user->held_ns += length;
    user->holds++;
    if (!use->holds || hold->start_ns < use->first_ns)
        use->first_ns = hold->start_ns;
    use->last_ns = MAX(use->last_ns, hold->end_ns);
    use->holds++;
    user->asked_ns += hold->waited_ns;
    use->asked_ns += hold->waited_ns;
    use->asked_starved_ns += hold->waited_starved_ns;
    use->asked += hold->waited_ns > 0;
    user->asked += hold->waited_ns > 0;
    if (hold->waited_ns > use->longest_asked_ns) {
        use->longest_asked_ns = hold->waited_ns;
        use->longest_asker = hold->thread;
        use->asked_stack = hold->stack;
        use->longest_asked_start_ns = hold->start_ns - hold->waited_ns;
    }
    if (hold->shared)
        return; /* readers hold together: their time says nothing about a queue */
    use->held_ns += length;
    use->held_starved_ns += MIN(hold->starved_ns, length);
    if (length > use->longest_hold_ns) {
        use->longest_hold_ns = length;
        use->longest_hold_start_ns = hold->start_ns;
        use->longest_holder = hold->thread;
        use->hold_stack = hold->stack;
    }
    if (use->last_holder && use->last_holder != hold->thread) {
        use->handoffs++;
        use->forced += hold->waited_ns > 0;
    }
    use->last_holder = hold->thread;
}

void reel_lock_uses_interval(GHashTable *uses, const struct reel_interval *interval)
{
    if (!interval->object ||
        (interval->state != REEL_STATE_LOCK_WAIT && interval->state != REEL_STATE_GIL_WAIT))
        return;
    uint64_t length = interval->end_ns - interval->start_ns;
    struct reel_lock_use *use = use_at(uses, interval->object);
    struct reel_lock_user *user = user_at(use, interval->thread);
    user->waited_ns += length;
    user->waits++;
    user->longest_wait_ns = MAX(user->longest_wait_ns, length);
    use->waited_ns += length;
    use->waited_starved_ns += MIN(interval->starved_ns, length);
    use->waits++;
    if (length > use->longest_wait_ns) {
        use->longest_wait_ns = length;
        use->longest_wait_start_ns = interval->start_ns;
        use->longest_waiter = interval->thread;
        use->wait_stack = interval->stack;
    }
}

/* A lock built from others shows its waits only in what came between asking and holding. */
static void settle(struct reel_lock_use *use)
{
    if (use->asked_ns <= use->waited_ns)
        return;
    use->waited_ns = use->asked_ns;
    use->waited_starved_ns = use->asked_starved_ns;
    use->waits = use->asked;
    use->longest_wait_ns = use->longest_asked_ns;
    use->longest_waiter = use->longest_asker;
    use->longest_wait_start_ns = use->longest_asked_start_ns;
    use->wait_stack = use->asked_stack;
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, use->user);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct reel_lock_user *user = value;
        user->waits = user->asked;
        user->waited_ns = user->asked_ns;
    }
}

static int compare_uses(const void *left, const void *right)
{
    const struct reel_lock_use *a = *(void *const *)left, *b = *(void *const *)right;
    if (a->waited_ns != b->waited_ns)
        return a->waited_ns > b->waited_ns ? -1 : 1;
    return a->object < b->object ? -1 : a->object > b->object;
}

GPtrArray *reel_lock_uses_ranked(GHashTable *uses)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    void *use;
    g_hash_table_iter_init(&iter, uses);
    while (g_hash_table_iter_next(&iter, NULL, &use)) {
        settle(use);
        g_ptr_array_add(list, use);
    }
    g_ptr_array_sort(list, compare_uses);
    return list;
}

uint64_t reel_lock_use_blame(const struct reel_lock_use *use)
{
    return use->waited_ns - MIN(use->waited_ns, use->waited_starved_ns);
}

unsigned reel_lock_use_waiters(const struct reel_lock_use *use)
{
    unsigned count = 0;
    GHashTableIter iter;
    void *user;
    g_hash_table_iter_init(&iter, use->user);
    while (g_hash_table_iter_next(&iter, NULL, &user))
        count += ((struct reel_lock_user *)user)->waits > 0;
    return count;
}
