/* Circles in lock order: see lock_cycles.h. */
#include "tracer/detect/lock_cycles.h"

#include <glib.h>
#include <string.h>

#include "tracer/detect/components.h"
#include "tracer/detect/sync_preserving.h"

#define CYCLE_LIMIT 4096u /* threads in one circle: as many as can be in one search path */
#define PROOFS      48u   /* combinations of moments that are tried */

struct node {
    const struct reel_lock_dependency *dependency;
    uint32_t component;
    bool alive, on_path;
};

struct search {
    const struct reel_lock_order *order;
    struct reel_sync_preserving *closure;
    struct node *node;
    size_t count;
    GHashTable *askers;    /* lock → GArray of node indexes that ask for it */
    GHashTable *holders;   /* lock → GArray of node indexes that hold it */
    GHashTable *component; /* lock → its component's number */
    GHashTable *pairs;     /* locks of circles of two: low << 32 | high */
    GPtrArray *larger;     /* lock sets of longer circles: GArray, sorted */
    size_t path[CYCLE_LIMIT];
    size_t depth, wanted;
    uint64_t steps;
    void (*found)(void *data, const struct reel_lock_cycle *cycle);
    void *data;
};

static bool is_end(uint32_t lock)
{
    return lock & REEL_LOCK_END;
}

/* Does b hold what a asks for, in a mode that makes a wait? */
static bool blocks(const struct search *search, const struct reel_lock_dependency *a,
                   const struct reel_lock_dependency *b)
{
    if (is_end(a->lock))
        return (a->lock & ~REEL_LOCK_END) == b->thread &&
               !reel_lock_order_speaks(search->order, b->thread, b->lock);
    for (uint32_t i = 0; i < b->held_count; i++) {
        const struct reel_held_lock *held = &b->held[i];
        if (held->lock != a->lock)
            continue;
        if (a->shared && held->shared)
            return false;
        if (held->class == REEL_CLASS_FILE_LOCK && a->process == b->process)
            /* A process does not wait for its own fcntl lock, nor for its own open file. */
            return a->file && held->file && a->file != held->file;
        return true;
    }
    return false;
}

/* The locks that holding this dependency's place means to hold. */
static uint32_t held_at(const struct reel_lock_dependency *dependency, uint32_t index)
{
    return index < dependency->held_count ? dependency->held[index].lock
                                          : REEL_LOCK_END | dependency->thread;
}

static void count_up(GHashTable *counts, uint32_t lock)
{
    g_hash_table_insert(
        counts, GUINT_TO_POINTER(lock),
        GSIZE_TO_POINTER(GPOINTER_TO_SIZE(g_hash_table_lookup(counts, GUINT_TO_POINTER(lock))) +
                         1));
}

static bool is_counted(GHashTable *counts, uint32_t lock)
{
    return g_hash_table_contains(counts, GUINT_TO_POINTER(lock));
}

static void reduce(struct search *search)
{
    bool changed = true;
    while (changed) {
        GHashTable *asked = g_hash_table_new(NULL, NULL), *held = g_hash_table_new(NULL, NULL);
        for (size_t i = 0; i < search->count; i++) {
            const struct reel_lock_dependency *dependency = search->node[i].dependency;
            if (!search->node[i].alive)
                continue;
            count_up(asked, dependency->lock);
            for (uint32_t h = 0; h <= dependency->held_count; h++)
                count_up(held, held_at(dependency, h));
        }
        changed = false;
        for (size_t i = 0; i < search->count; i++) {
            const struct reel_lock_dependency *dependency = search->node[i].dependency;
            if (!search->node[i].alive)
                continue;
            bool leads = false;
            for (uint32_t h = 0; !leads && h <= dependency->held_count; h++)
                leads = is_counted(asked, held_at(dependency, h));
            if (!leads || !is_counted(held, dependency->lock)) {
                search->node[i].alive = false;
                changed = true;
            }
        }
        g_hash_table_unref(asked);
        g_hash_table_unref(held);
    }
}

static void find_components(struct search *search)
{
    struct reel_components *graph = reel_components_new();
    for (size_t i = 0; i < search->count; i++) {
        const struct reel_lock_dependency *dependency = search->node[i].dependency;
        for (uint32_t h = 0; search->node[i].alive && h <= dependency->held_count; h++)
            reel_components_edge(graph, held_at(dependency, h), dependency->lock);
    }
    search->component = reel_components_find(graph);
}

static uint32_t component_of(const struct search *search, uint32_t lock)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(search->component, GUINT_TO_POINTER(lock)));
}

static void keep_within_components(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        struct node *node = &search->node[i];
        if (!node->alive)
            continue;
        bool inside = false;
        node->component = component_of(search, node->dependency->lock);
        for (uint32_t h = 0; !inside && h <= node->dependency->held_count; h++)
            inside = component_of(search, held_at(node->dependency, h)) == node->component;
        node->alive = inside;
    }
}

static void free_indexes(void *data)
{
    g_array_unref(data);
}

static void index_holders(struct search *search)
{
    search->holders = g_hash_table_new_full(NULL, NULL, NULL, free_indexes);
    for (size_t i = 0; i < search->count; i++) {
        const struct node *node = &search->node[i];
        for (uint32_t h = 0; node->alive && h <= node->dependency->held_count; h++) {
            uint32_t lock = held_at(node->dependency, h);
            GArray *list = g_hash_table_lookup(search->holders, GUINT_TO_POINTER(lock));
            if (!list) {
                list = g_array_new(FALSE, FALSE, sizeof(size_t));
                g_hash_table_insert(search->holders, GUINT_TO_POINTER(lock), list);
            }
            g_array_append_val(list, i);
        }
    }
}

/* Are there two moments at which both can be where they ask? */
static bool can_meet(const struct search *search, const struct reel_lock_dependency *a,
                     const struct reel_lock_dependency *b)
{
    if (reel_lock_order_always_excludes(search->order, a, b))
        return false;
    for (uint32_t i = 0; i < a->witness_count; i++)
        for (uint32_t k = 0; k < b->witness_count; k++)
            if (!reel_lock_order_excludes(search->order, a, &a->witness[i], b, &b->witness[k]))
                return true;
    return false;
}

static void index_askers(struct search *search)
{
    search->askers = g_hash_table_new_full(NULL, NULL, NULL, free_indexes);
    for (size_t i = 0; i < search->count; i++) {
        uint32_t lock = search->node[i].dependency->lock;
        GArray *list = g_hash_table_lookup(search->askers, GUINT_TO_POINTER(lock));
        if (!search->node[i].alive)
            continue;
        if (!list) {
            list = g_array_new(FALSE, FALSE, sizeof(size_t));
            g_hash_table_insert(search->askers, GUINT_TO_POINTER(lock), list);
        }
        g_array_append_val(list, i);
    }
}

/* Is there one in the list that asks for what `dependency` holds (or holds what it asks for), at a
 * time when both can be there? `steps` bounds the work of all such questions. */
static bool has_neighbour(const struct search *search, GHashTable *index, uint32_t lock,
                          const struct reel_lock_dependency *dependency, bool asks, uint64_t *steps)
{
    const GArray *list = g_hash_table_lookup(index, GUINT_TO_POINTER(lock));
    for (guint i = 0; list && i < list->len; i++) {
        const struct node *node = &search->node[g_array_index(list, size_t, i)];
        if (!*steps)
            return true; /* enough: let the search find out */
        --*steps;
        if (node->alive &&
            (asks ? blocks(search, node->dependency, dependency)
                  : blocks(search, dependency, node->dependency)) &&
            can_meet(search, node->dependency, dependency))
            return true;
    }
    return false;
}

/* Takes out what no neighbour can meet, and all that then leads nowhere. */
static void drop_the_lonely(struct search *search)
{
    uint64_t steps = search->steps;
    bool changed = true;
    while (changed && steps) {
        changed = false;
        for (size_t i = 0; i < search->count; i++) {
            struct node *node = &search->node[i];
            if (!node->alive)
                continue;
            bool asked = false;
            for (uint32_t h = 0; !asked && h <= node->dependency->held_count; h++)
                asked = has_neighbour(search, search->askers, held_at(node->dependency, h),
                                      node->dependency, true, &steps);
            if (!asked || !has_neighbour(search, search->holders, node->dependency->lock,
                                         node->dependency, false, &steps)) {
                node->alive = false;
                changed = true;
            }
        }
    }
}

static uint64_t pair_of(uint32_t a, uint32_t b)
{
    return (uint64_t)MIN(a, b) << 32 | MAX(a, b);
}

static bool is_known_pair(const struct search *search, uint32_t a, uint32_t b)
{
    uint64_t pair = pair_of(a, b);
    return g_hash_table_contains(search->pairs, &pair);
}

static int compare_locks(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static GArray *locks_of_path(const struct search *search)
{
    GArray *locks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t i = 0; i < search->depth; i++)
        g_array_append_val(locks, search->node[search->path[i]].dependency->lock);
    g_array_sort(locks, compare_locks);
    return locks;
}

/* Does the sorted list `all` contain the sorted list `some`? */
static bool contains(const GArray *all, const GArray *some)
{
    guint at = 0;
    for (guint i = 0; i < some->len; i++) {
        while (at < all->len && g_array_index(all, uint32_t, at) < g_array_index(some, uint32_t, i))
            at++;
        if (at == all->len || g_array_index(all, uint32_t, at) != g_array_index(some, uint32_t, i))
            return false;
    }
    return true;
}

/* Moments of all dependencies of the path that go together, chosen one after the other. */
struct choice {
    struct search *search;
    const struct reel_lock_dependency **dependency;
    const struct reel_lock_witness **witness, **first;
    size_t count;
    unsigned tried;
    bool any, proved;
};

/* A join under a lock may depend on what was found under it: then nothing is proved. Nor is it of a
 * condition: what is waited for is in no trace. */
static bool is_unconditional(const struct choice *choice)
{
    for (size_t i = 0; i < choice->count; i++) {
        const struct reel_lock_dependency *dependency = choice->dependency[i];
        const struct reel_lock_dependency *before =
            choice->dependency[(i + choice->count - 1) % choice->count];
        if (dependency->need)
            return false;
        if (is_end(dependency->lock) &&
            !reel_lock_order_joins_always(choice->search->order, dependency->thread, before->lock))
            return false;
    }
    return true;
}

static bool try_proof(struct choice *choice)
{
    if (!is_unconditional(choice))
        return false;
    struct reel_sync_preserving_request *request =
        g_new(struct reel_sync_preserving_request, choice->count);
    for (size_t i = 0; i < choice->count; i++) {
        const struct reel_lock_witness *witness = choice->witness[i];
        request[i] = (struct reel_sync_preserving_request){
            choice->dependency[i]->thread, witness->position, witness->position, witness->replay};
    }
    bool reaches = reel_sync_preserving_reaches(choice->search->closure, request, choice->count);
    g_free(request);
    return reaches;
}

/* True when the choice is over: a proof, or enough tries. */
static bool choose(struct choice *choice, size_t depth)
{
    if (depth == choice->count) {
        if (!choice->any)
            memcpy(choice->first, choice->witness, choice->count * sizeof *choice->first);
        choice->any = true;
        choice->proved = try_proof(choice);
        if (choice->proved)
            memcpy(choice->first, choice->witness, choice->count * sizeof *choice->first);
        return choice->proved || ++choice->tried >= PROOFS;
    }
    const struct reel_lock_dependency *dependency = choice->dependency[depth];
    for (uint32_t i = 0; i < dependency->witness_count; i++) {
        const struct reel_lock_witness *witness = &dependency->witness[i];
        bool fits = true;
        for (size_t k = 0; fits && k < depth; k++)
            fits = !reel_lock_order_excludes(choice->search->order, choice->dependency[k],
                                             choice->witness[k], dependency, witness);
        choice->search->steps -= choice->search->steps > 0;
        choice->witness[depth] = witness;
        if (fits && choose(choice, depth + 1))
            return true;
        if (!choice->search->steps)
            return true;
    }
    return false;
}

static void tell(struct search *search)
{
    size_t count = search->depth;
    struct choice choice = {
        .search = search,
        .dependency = g_new(const struct reel_lock_dependency *, count),
        .witness = g_new0(const struct reel_lock_witness *, count),
        .first = g_new0(const struct reel_lock_witness *, count),
        .count = count,
    };
    for (size_t i = 0; i < count; i++)
        choice.dependency[i] = search->node[search->path[i]].dependency;
    choose(&choice, 0);
    if (choice.any) {
        const struct reel_lock_cycle cycle = {choice.dependency, choice.first, count,
                                              choice.proved};
        search->found(search->data, &cycle);
        if (count == 2) {
            uint64_t *pair = g_new(uint64_t, 1);
            *pair = pair_of(choice.dependency[0]->lock, choice.dependency[1]->lock);
            g_hash_table_add(search->pairs, pair);
        } else {
            g_ptr_array_add(search->larger, locks_of_path(search));
        }
    }
    g_free(choice.dependency);
    g_free(choice.witness);
    g_free(choice.first);
}

/* Is there a shorter circle in it that was told? */
static bool is_told(const struct search *search)
{
    if (!search->larger->len)
        return false;
    GArray *locks = locks_of_path(search);
    bool told = false;
    for (guint i = 0; !told && i < search->larger->len; i++) {
        const GArray *known = search->larger->pdata[i];
        told = known->len < locks->len && contains(locks, known);
    }
    g_array_unref(locks);
    return told;
}

static bool fits(const struct search *search, size_t next)
{
    const struct reel_lock_dependency *candidate = search->node[next].dependency;
    for (size_t i = 0; i < search->depth; i++) {
        const struct reel_lock_dependency *member = search->node[search->path[i]].dependency;
        if (member->lock == candidate->lock ||
            (search->wanted > 2 && is_known_pair(search, member->lock, candidate->lock)) ||
            !can_meet(search, member, candidate))
            return false;
    }
    return true;
}

/* Extends the path by who holds what its last dependency asks for. False: out of steps. Recursion
 * is as deep as the circle is long. */
static bool extend(struct search *search)
{
    const struct reel_lock_dependency *last =
        search->node[search->path[search->depth - 1]].dependency;
    if (search->depth == search->wanted) {
        if (blocks(search, last, search->node[search->path[0]].dependency) && !is_told(search))
            tell(search);
        return search->steps > 0;
    }
    const GArray *holders = g_hash_table_lookup(search->holders, GUINT_TO_POINTER(last->lock));
    for (guint i = 0; holders && i < holders->len; i++) {
        size_t next = g_array_index(holders, size_t, i);
        if (!search->steps)
            return false;
        search->steps--;
        if (!search->node[next].alive || next <= search->path[0] || search->node[next].on_path ||
            search->node[next].component != search->node[search->path[0]].component ||
            !blocks(search, last, search->node[next].dependency) || !fits(search, next))
            continue;
        search->path[search->depth++] = next;
        search->node[next].on_path = true;
        bool more = extend(search);
        search->node[next].on_path = false;
        search->depth--;
        if (!more)
            return false;
    }
    return true;
}

/* No circle has more members than there are threads in it. */
static size_t longest(const struct search *search)
{
    GHashTable *threads = g_hash_table_new(NULL, NULL);
    for (size_t i = 0; i < search->count; i++)
        if (search->node[i].alive)
            g_hash_table_add(threads, GUINT_TO_POINTER(search->node[i].dependency->thread));
    size_t count = g_hash_table_size(threads);
    g_hash_table_unref(threads);
    return MIN(count, CYCLE_LIMIT);
}

bool reel_lock_cycles(const struct reel_lock_order *order, uint64_t steps,
                      void (*found)(void *data, const struct reel_lock_cycle *cycle), void *data)
{
    struct search *search = g_new0(struct search, 1);
    search->order = order;
    search->count = reel_lock_order_count(order);
    search->node = g_new0(struct node, search->count + 1);
    search->found = found;
    search->data = data;
    search->steps = steps;
    for (size_t i = 0; i < search->count; i++)
        search->node[i] = (struct node){.dependency = reel_lock_order_at(order, i), .alive = true};
    search->pairs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    search->larger = g_ptr_array_new_with_free_func(free_indexes);
    reduce(search);
    index_askers(search);
    index_holders(search);
    drop_the_lonely(search);
    find_components(search);
    keep_within_components(search);
    reduce(search);
    size_t most = longest(search);
    bool whole = true;
    if (most >= 2)
        search->closure = reel_sync_preserving_new(order);
    for (search->wanted = 2; whole && search->wanted <= most; search->wanted++)
        for (size_t i = 0; whole && i < search->count; i++) {
            if (!search->node[i].alive)
                continue;
            search->path[0] = i;
            search->depth = 1;
            search->node[i].on_path = true;
            whole = extend(search);
            search->node[i].on_path = false;
        }
    reel_sync_preserving_free(search->closure);
    g_hash_table_unref(search->askers);
    g_hash_table_unref(search->holders);
    g_hash_table_unref(search->component);
    g_hash_table_unref(search->pairs);
    g_ptr_array_unref(search->larger);
    g_free(search->node);
    g_free(search);
    return whole;
}
