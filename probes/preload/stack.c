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

/* Lives at the start of the first arena block. */
struct reel_stack_cache {
    struct reel_stack_node root;
    uint32_t last_number;
    uint32_t blocks;
    volatile uint32_t growing; /* a node is being added: a signal handler adds none */
};

#define ARENA_BLOCKS_LIMIT 256u       /* about 230,000 nodes a thread */
#define FRAME_LIMIT        (8u << 20) /* a larger frame is taken for a wrong rule */

/* More room for nodes, in a block of the pool; it goes back when the thread ends. */
static bool grow(struct reel_tls *tls)
{
    if (!tls->slot || (tls->stacks && tls->stacks->blocks >= ARENA_BLOCKS_LIMIT))
        return false;
    struct reel_block *block = reel_block_take();
    if (!block)
        return false;
    block->owner = 0;
    atomic_store_explicit(&block->next_free, tls->slot->arena, memory_order_relaxed);
    tls->slot->arena = (uint32_t)(block - reel_region_block(reel_probe.region, 0));
    tls->arena = (char *)block->record;
    tls->arena_end = (char *)(block + 1);
    if (!tls->stacks) {
        struct reel_stack_cache *cache = (struct reel_stack_cache *)tls->arena;
        tls->arena += (sizeof *cache + 15) & ~(size_t)15;
        *cache = (struct reel_stack_cache){.root.rule.base = REEL_CFI_STOP};
        tls->stacks = cache;
    }
    tls->stacks->blocks++;
    return true;
}

/* Makes the child of `parent` for `pc`, and says so. NULL: no room. */
static struct reel_stack_node *add(struct reel_tls *tls, struct reel_stack_node *parent,
                                   uint64_t pc)
{
    struct reel_stack_cache *cache = tls->stacks;
    if (cache->growing)
        return NULL;
    cache->growing = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct reel_stack_node *node = NULL;
    if (tls->arena + sizeof *node <= tls->arena_end || grow(tls)) {
        node = (struct reel_stack_node *)tls->arena;
        tls->arena += sizeof *node;
        *node = (struct reel_stack_node){.pc = pc,
                                         .number = ++cache->last_number,
                                         .depth = parent->depth + 1,
                                         .sibling = parent->children};
        if (reel_probe.stack_mode == REEL_STACK_FRAMES)
            node->rule = (struct reel_cfi_rule){
                .base = REEL_CFI_FRAME_POINTER, .cfa_offset = 16, .saved_offset = -2};
        else if (reel_probe.stack_mode == REEL_STACK_CALLER)
            node->rule.base = REEL_CFI_STOP;
        else /* a return address belongs to the call before it; an interrupted one to itself */
            reel_cfi_find(parent->rule.base == REEL_CFI_SIGNAL ? pc : pc - 1, &node->rule);
        reel_emit(tls, REEL_KIND(REEL_OP_STACK_NODE, 0, 0), pc, 0, parent->number, node->number);
        atomic_signal_fence(memory_order_release);
        parent->children = node;
    }
    cache->growing = 0;
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

uint32_t reel_stack_walk(struct reel_tls *tls, void *frame)
{
    if (REEL_UNLIKELY(!tls->stacks)) {
        if (!tls->slot || !grow(tls))
            return 0;
    }
    uint64_t pc = ((uint64_t *)frame)[1];
    uint64_t sp = (uint64_t)frame + 16, bp = ((uint64_t *)frame)[0];
    const uint64_t top = tls->stack_top && sp <= tls->stack_top ? tls->stack_top : UINT64_MAX;
    const uint32_t depth = reel_probe.stack_depth;
    struct reel_stack_node *node = &tls->stacks->root;
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
