#include "probes/preload/stack.h"

#include <ucontext.h>

#include "probes/preload/cfi.h"

struct reel_stack_node {
    uint64_t pc;
    struct reel_cfi_rule rule; /* from this frame to its caller's */
    struct reel_stack_node *recent, *children, *sibling;
    uint32_t number;
    uint32_t depth;
};

/* Lives at the start of the first arena block. Like the blocks of events (writer.c), it may be met
 * by a signal handler at any instruction: each change is one instruction. A handler may add a node
 * that was about to be added: then there are two, and both are right. */
struct reel_stack_cache {
    struct reel_stack_node root;
    uint32_t last_number;
    uint32_t blocks;
    struct arena *arena; /* the newest */
};

/* Nodes of one block. */
struct arena {
    uint32_t used;
    struct reel_stack_node node[];
};

#define ARENA_BLOCKS_LIMIT 256u /* about 230,000 nodes a thread */
#define ARENA_NODES                                                                                \
    ((REEL_BLOCK_BYTES - 1024 - sizeof(struct arena)) / sizeof(struct reel_stack_node))
#define FRAME_LIMIT (8u << 20) /* a larger frame is taken for a wrong rule */

_Static_assert(sizeof(struct reel_stack_cache) + offsetof(struct reel_block, record) <= 1024,
               "the first arena has room for the cache");

/* Takes a block for nodes, chained to the thread's slot: it goes back when the thread ends. */
static char *take_block(struct reel_tls *tls)
{
    struct reel_block *block = tls->slot ? reel_block_take() : NULL;
    if (!block)
        return NULL;
    block->owner = 0;
    uint32_t below = tls->slot->arena, index = reel_block_index(block);
    do {
        atomic_store_explicit(&block->next_free, below, memory_order_relaxed);
    } while (!__atomic_compare_exchange_n(&tls->slot->arena, &below, index, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return (char *)block->record;
}

static struct reel_stack_cache *cache_of(struct reel_tls *tls)
{
    if (REEL_LIKELY(tls->stacks))
        return tls->stacks;
    char *room = take_block(tls);
    if (!room)
        return NULL;
    struct reel_stack_cache *cache = (struct reel_stack_cache *)room, *none = NULL;
    cache->root.rule.base = REEL_CFI_STOP;
    cache->blocks = 1;
    cache->arena = (struct arena *)(room + ((sizeof *cache + 15) & ~(size_t)15));
    __atomic_compare_exchange_n(&tls->stacks, &none, cache, false, __ATOMIC_RELEASE,
                                __ATOMIC_RELAXED);
    return tls->stacks;
}

static struct reel_stack_node *allocate(struct reel_tls *tls, struct reel_stack_cache *cache)
{
    for (;;) {
        struct arena *arena = cache->arena;
        uint32_t at = __atomic_fetch_add(&arena->used, 1, __ATOMIC_RELAXED);
        if (at < ARENA_NODES)
            return &arena->node[at];
        __atomic_store_n(&arena->used, ARENA_NODES, __ATOMIC_RELAXED);
        if (__atomic_fetch_add(&cache->blocks, 1, __ATOMIC_RELAXED) >= ARENA_BLOCKS_LIMIT) {
            __atomic_store_n(&cache->blocks, ARENA_BLOCKS_LIMIT, __ATOMIC_RELAXED);
            return NULL;
        }
        struct arena *next = (struct arena *)take_block(tls);
        if (!next)
            return NULL;
        __atomic_compare_exchange_n(&cache->arena, &arena, next, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
    }
}

/* Makes the child of `parent` for `pc`, and says so. NULL: no room. */
static struct reel_stack_node *add(struct reel_tls *tls, struct reel_stack_node *parent,
                                   uint64_t pc)
{
    struct reel_stack_cache *cache = tls->stacks;
    struct reel_stack_node *node = allocate(tls, cache);
    if (!node)
        return NULL;
    *node = (struct reel_stack_node){
        .pc = pc,
        .number = __atomic_add_fetch(&cache->last_number, 1, __ATOMIC_RELAXED),
        .depth = parent->depth + 1,
        .sibling = parent->children};
    if (reel_probe.stack_mode == REEL_STACK_FRAMES)
        node->rule = (struct reel_cfi_rule){
            .base = REEL_CFI_FRAME_POINTER, .cfa_offset = 16, .saved_offset = -2};
    else if (reel_probe.stack_mode == REEL_STACK_CALLER)
        node->rule.base = REEL_CFI_STOP;
    else /* a return address belongs to the call before it; an interrupted one to itself */
        reel_cfi_find(parent->rule.base == REEL_CFI_SIGNAL ? pc : pc - 1, &node->rule);
    reel_record_fill(reel_reserve(tls, 1), reel_now(), REEL_KIND(REEL_OP_STACK_NODE, 0, 0), pc, 0,
                     parent->number, node->number);
    while (!__atomic_compare_exchange_n(&parent->children, &node->sibling, node, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    return node;
}

static struct reel_stack_node *child_of(struct reel_tls *tls, struct reel_stack_node *parent,
                                        uint64_t pc)
{
    for (struct reel_stack_node *node = parent->children; node; node = node->sibling)
        if (node->pc == pc) {
            parent->recent = node;
            return node;
        }
    struct reel_stack_node *node = add(tls, parent, pc);
    if (node)
        parent->recent = node;
    return node;
}

void reel_stack_mark_top(struct reel_tls *tls, void *frame)
{
    tls->stack_top = (uintptr_t)frame;
}

uint32_t reel_stack_path(struct reel_tls *tls, const uint64_t *pc, unsigned count)
{
    struct reel_stack_cache *cache = cache_of(tls);
    if (!cache || reel_probe.stack_mode == REEL_STACK_NONE)
        return 0;
    struct reel_stack_node *node = &cache->root;
    for (unsigned i = 0; i < count && node->depth < reel_probe.stack_depth; i++) {
        struct reel_stack_node *child = child_of(tls, node, pc[i]);
        if (!child)
            break;
        node = child;
    }
    return node->number;
}

uint32_t reel_stack_walk(struct reel_tls *tls, void *frame)
{
    struct reel_stack_cache *cache = cache_of(tls);
    if (REEL_UNLIKELY(!cache))
        return 0;
    uint64_t pc = ((uint64_t *)frame)[1];
    uint64_t sp = (uint64_t)frame + 16, bp = ((uint64_t *)frame)[0];
    const uint64_t top = tls->stack_top && sp <= tls->stack_top ? tls->stack_top : UINT64_MAX;
    const uint32_t depth = reel_probe.stack_depth;
    struct reel_stack_node *node = &cache->root;
    for (;;) {
        struct reel_stack_node *child = node->recent;
        if (REEL_UNLIKELY(!child || child->pc != pc)) {
            child = child_of(tls, node, pc);
            if (!child)
                return node->number;
        }
        node = child;
        if (node->depth >= depth)
            return node->number;
        uint64_t cfa;
        if (REEL_LIKELY(node->rule.base == REEL_CFI_STACK_POINTER)) {
            cfa = sp + (uint64_t)(int64_t)node->rule.cfa_offset;
        } else if (node->rule.base == REEL_CFI_FRAME_POINTER) {
            cfa = bp + (uint64_t)(int64_t)node->rule.cfa_offset;
        } else if (node->rule.base == REEL_CFI_SAVED_POINTER) {
            uint64_t at = bp + (uint64_t)(int64_t)node->rule.cfa_offset;
            if (at < sp || at >= top || at - sp > FRAME_LIMIT)
                return node->number;
            cfa = *(uint64_t *)at;
        } else if (node->rule.base == REEL_CFI_SIGNAL) {
#if defined(__x86_64__)
            const ucontext_t *interrupted = (const ucontext_t *)sp;
            pc = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
            sp = (uint64_t)interrupted->uc_mcontext.gregs[REG_RSP];
            bp = (uint64_t)interrupted->uc_mcontext.gregs[REG_RBP];
            continue;
#else
            return node->number;
#endif
        } else {
            return node->number;
        }
        if (cfa <= sp || cfa - sp > FRAME_LIMIT || (cfa & 7) || cfa > top)
            return node->number;
        pc = ((uint64_t *)cfa)[-1];
        if (REEL_UNLIKELY(node->rule.saved_offset == REEL_CFI_SAVED_AT_POINTER)) {
            if (bp < sp || bp >= cfa || (bp & 7))
                return node->number;
            bp = *(uint64_t *)bp;
        } else if (node->rule.saved_offset)
            bp = ((uint64_t *)cfa)[node->rule.saved_offset];
        sp = cfa;
        if (pc < 4096)
            return node->number;
    }
}
