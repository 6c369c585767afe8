#include "tracer/collect/stacks.h"

#include <glib.h>
#include <string.h>

struct node {
    uint64_t address;
    uint32_t process, parent;
};

struct reel_stacks {
    struct reel_trace *trace;
    GHashTable *numbers; /* struct node → number */
    uint32_t last;
};

static guint node_hash(gconstpointer data)
{
    const struct node *node = data;
    uint64_t mixed =
        (node->address ^ (uint64_t)node->parent << 40 ^ (uint64_t)node->process << 20) *
        0x9e3779b97f4a7c15ull;
    return (guint)(mixed >> 32);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
    const struct node *x = a, *y = b;
    return x->address == y->address && x->parent == y->parent && x->process == y->process;
}

struct reel_stacks *reel_stacks_new(struct reel_trace *trace)
{
    struct reel_stacks *stacks = g_new0(struct reel_stacks, 1);
    stacks->trace = trace;
    stacks->numbers = g_hash_table_new_full(node_hash, node_equal, g_free, NULL);
    return stacks;
}

void reel_stacks_free(struct reel_stacks *stacks)
{
    if (!stacks)
        return;
    g_hash_table_destroy(stacks->numbers);
    g_free(stacks);
}

uint32_t reel_stacks_intern(struct reel_stacks *stacks, uint32_t process, uint32_t parent,
                            uint64_t address, struct reel_error *error)
{
    struct node wanted = {.address = address, .process = process, .parent = parent};
    gpointer found = g_hash_table_lookup(stacks->numbers, &wanted);
    if (found)
        return GPOINTER_TO_UINT(found);
    uint32_t number = stacks->last + 1;
    if (!reel_trace_put_stack(stacks->trace, number, parent, process, address, error))
        return 0;
    stacks->last = number;
    g_hash_table_insert(stacks->numbers, g_memdup2(&wanted, sizeof wanted),
                        GUINT_TO_POINTER(number));
    return number;
}

void reel_stack_numbers_clear(struct reel_stack_numbers *numbers)
{
    g_free(numbers->local);
    memset(numbers, 0, sizeof *numbers);
}

void reel_stack_numbers_define(struct reel_stack_numbers *numbers, uint32_t local, uint32_t inner,
                               uint64_t address)
{
    /* A thread numbers its stacks from 1 up; a number far beyond is damage, not a stack. */
    if (local == 0 || local > 64u << 20 || inner >= local)
        return;
    if (local >= numbers->capacity) {
        uint32_t capacity = numbers->capacity ? numbers->capacity : 64;
        while (capacity <= local)
            capacity *= 2;
        numbers->local = g_renew(struct reel_stack_local, numbers->local, capacity);
        memset(numbers->local + numbers->capacity, 0,
               (capacity - numbers->capacity) * sizeof *numbers->local);
        numbers->capacity = capacity;
    }
    numbers->local[local] = (struct reel_stack_local){.address = address, .inner = inner};
}

uint32_t reel_stack_numbers_get(struct reel_stack_numbers *numbers, struct reel_stacks *stacks,
                                uint32_t process, uint32_t local, struct reel_error *error)
{
    if (local == 0 || local >= numbers->capacity)
        return 0;
    struct reel_stack_local *wanted = &numbers->local[local];
    if (wanted->global || !wanted->address)
        return wanted->global;
    uint32_t global = 0;
    for (uint32_t at = local; at; at = numbers->local[at].inner) {
        if (!numbers->local[at].address)
            return 0;
        global = reel_stacks_intern(stacks, process, global, numbers->local[at].address, error);
        if (!global)
            return 0;
    }
    return wanted->global = global;
}
