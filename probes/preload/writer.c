/* The slow half of the recording path: a thread's block is full, or it has none yet.
 *
 * A signal handler may come in between any two instructions here, record events of its own, and
 * leave by longjmp. So a thread moves from block to block in two steps, each one instruction that
 * succeeds or finds that a handler has been there: the full block's `next` is set (the link is the
 * decision), then cursor and end move to it together. Whoever finds the first step done does the
 * second; nothing is ever half done.
 *
 * When the pool is empty the thread waits within its budget (a STALL says so), then loses events
 * and counts them (a GAP says so as soon as there is room again; the slot's counter says it even if
 * the thread is killed before). If the collector is gone, nobody waits. */
#include <string.h>

#include "probes/preload/probe.h"
#include "probes/preload/raw.h"

__thread struct reel_tls reel_tls;

/* Where records go that found no room. Many threads may write here at once: nobody reads it. */
static struct reel_record scratch[1 + REEL_EXTRA_LIMIT];

uint32_t reel_block_index(const struct reel_block *block)
{
    return (uint32_t)(block - reel_region_block(reel_probe.region, 0));
}

/* Pops a block off the pool; NULL when it is empty. The tag in the upper half makes the
 * compare-and-swap fail when the top was popped and pushed back in between. */
struct reel_block *reel_block_take(void)
{
    struct reel_region *region = reel_probe.region;
    uint64_t top = atomic_load_explicit(&region->free_blocks, memory_order_acquire);
    for (;;) {
        uint32_t index = (uint32_t)top;
        if (index >= region->block_capacity)
            return NULL;
        struct reel_block *block = reel_region_block(region, index);
        uint64_t below =
            atomic_load_explicit(&block->next_free, memory_order_relaxed) | ((top >> 32) + 1) << 32;
        if (atomic_compare_exchange_weak_explicit(&region->free_blocks, &top, below,
                                                  memory_order_acquire, memory_order_acquire)) {
            atomic_fetch_sub_explicit(&region->free_count, 1, memory_order_relaxed);
            return block;
        }
    }
}

/* Pushes a block that was taken and not used. */
void reel_block_give_back(struct reel_block *block)
{
    struct reel_region *region = reel_probe.region;
    memset(block, 0, offsetof(struct reel_block, record));
    uint64_t top = atomic_load_explicit(&region->free_blocks, memory_order_relaxed), next;
    do {
        atomic_store_explicit(&block->next_free, (uint32_t)top, memory_order_relaxed);
        next = reel_block_index(block) | ((top >> 32) + 1) << 32;
    } while (!atomic_compare_exchange_weak_explicit(&region->free_blocks, &top, next,
                                                    memory_order_release, memory_order_relaxed));
    atomic_fetch_add_explicit(&region->free_count, 1, memory_order_relaxed);
}

static bool collector_lives(uint64_t now)
{
    uint64_t beat = atomic_load_explicit(&reel_probe.region->heartbeat, memory_order_relaxed);
    /* 4·10⁹ ticks are 1–4 s on any processor with a TSC; the collector beats every few ms. */
    return beat != 0 && (int64_t)(now - beat) < 4000000000ll;
}

static void pause_briefly(unsigned round)
{
    if (round < 64 || reel_probe.filtered) {
#if defined(__x86_64__)
        for (int i = 0; i < 64; i++)
            __builtin_ia32_pause();
#endif
        return;
    }
    /* nanosleep() itself would be a cancellation point. */
    struct timespec moment = {.tv_nsec = 100000};
    reel_raw4(SYS_nanosleep, (long)&moment, 0, 0, 0);
}

/* Waits for a free block within the budget; adds what it waited to *stalled (ticks). On a machine
 * whose processors are all busy the collector may not have had a turn within the budget: it is
 * given two, for the first may be too far gone to see us, and more while it can still enlarge the
 * pool; up to STARVED_FACTOR times the budget. */
#define STARVED_FACTOR 100

static struct reel_block *wait_for_block(struct reel_tls *tls, uint64_t *stalled)
{
    struct reel_region *region = reel_probe.region;
    uint64_t begin = reel_now(), now = begin;
    bool lossless = region->full_policy == REEL_FULL_LOSSLESS;
    uint64_t life = begin - tls->attach_time;
    uint64_t allowance = life / 1000 * region->stall_share;
    uint64_t last_beat = atomic_load_explicit(&region->heartbeat, memory_order_relaxed);
    unsigned beats = 0;
    struct reel_block *block = NULL;
    for (unsigned round = 0; !block; round++) {
        if (!collector_lives(now) || (reel_probe.clock == REEL_CLOCK_COARSE && round > 100000))
            break;
        uint64_t waited = now - begin;
        uint64_t beat = atomic_load_explicit(&region->heartbeat, memory_order_relaxed);
        beats += beat != last_beat;
        last_beat = beat;
        /* The first stall of a thread is granted whole, later ones out of its share. */
        bool complete =
            __atomic_load_n(&region->flags, __ATOMIC_RELAXED) & REEL_REGION_POOL_COMPLETE;
        bool spent = waited > region->stall_ticks ||
                     (tls->stalled_ticks && tls->stalled_ticks + waited > allowance);
        if (!lossless && spent &&
            ((beats >= 2 && complete) || waited > region->stall_ticks * STARVED_FACTOR))
            break;
        pause_briefly(round);
        block = reel_block_take();
        now = reel_now();
    }
    *stalled += now - begin;
    tls->stalled_ticks += now - begin;
    return block;
}

static struct reel_record *lose(struct reel_tls *tls)
{
    if (tls->lost_now++ == 0)
        tls->lost_since = reel_now();
    if (tls->slot && !tls->ended) /* an ended thread's slot may be another's by now */
        atomic_fetch_add_explicit(&tls->slot->lost, 1, memory_order_relaxed);
    else if (reel_probe.process)
        atomic_fetch_add_explicit(&reel_probe.process->lost, 1, memory_order_relaxed);
    else if (reel_probe.region)
        atomic_fetch_add_explicit(&reel_probe.region->lost, 1, memory_order_relaxed);
    return scratch;
}

/* The block that ends at `end`. */
static struct reel_block *block_before(char *end)
{
    return (struct reel_block *)(end - REEL_BLOCK_BYTES);
}

/* The block after the one that ends at `end` (NULL: the thread's first): the one it was linked to,
 * or a new one. NULL: there is none. */
static struct reel_block *following(struct reel_tls *tls, char *end, uint64_t *stalled)
{
    _Atomic uint32_t *link = end ? &block_before(end)->next : &tls->slot->first_block;
    uint32_t linked = atomic_load_explicit(link, memory_order_relaxed);
    if (linked != REEL_NO_BLOCK)
        return reel_region_block(reel_probe.region, linked);
    struct reel_block *block = reel_block_take();
    if (REEL_UNLIKELY(!block) &&
        (tls->lost_now == 0 || reel_probe.region->full_policy == REEL_FULL_LOSSLESS))
        block = wait_for_block(tls, stalled);
    if (!block)
        return NULL;
    block->owner = tls->slot->number;
    atomic_store_explicit(&block->next, REEL_NO_BLOCK, memory_order_relaxed);
    /* While this waited, a handler may have gone on, and the collector may have taken the full
     * block back: then it is not ours to link. */
    uint32_t none = REEL_NO_BLOCK;
    if (tls->end == end &&
        /* Release: pairs with the collector's acquire; it sees the new block's header complete. */
        atomic_compare_exchange_strong_explicit(link, &none, reel_block_index(block),
                                                memory_order_release, memory_order_relaxed))
        return block;
    reel_block_give_back(block);
    return tls->end == end ? reel_region_block(reel_probe.region, none) : block_before(tls->end);
}

/* Moves cursor and end from where they were seen to `block`, unless a handler moved them. */
static void go_on_in(struct reel_tls *tls, char *cursor, char *end, struct reel_block *block)
{
    char *new_cursor = (char *)block->record, *new_end = (char *)(block + 1);
#if defined(__x86_64__)
    /* No lock prefix: the only rival is a handler on this thread. */
    __asm__ volatile("cmpxchg16b %0"
                     : "+m"(tls->room), "+a"(cursor), "+d"(end)
                     : "b"(new_cursor), "c"(new_end)
                     : "cc", "memory");
#else
    if (tls->cursor != cursor || tls->end != end)
        return;
    tls->end = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    tls->cursor = new_cursor;
    atomic_signal_fence(memory_order_seq_cst);
    tls->end = new_end;
#endif
}

struct reel_record *reel_reserve_slow(struct reel_tls *tls, char *at, char *end, size_t bytes)
{
    /* What is left of the block is filled, so that it has no hole. */
    if (end && at >= (char *)block_before(end)->record)
        for (; at + sizeof(struct reel_record) <= end; at += sizeof(struct reel_record))
            reel_record_fill((struct reel_record *)at, 0, REEL_KIND(REEL_OP_PAD, 0, 0), 0, 0, 0, 0);
    if (tls->ended || (!tls->slot && !reel_thread_attach(tls)))
        return lose(tls);
    uint64_t stalled = 0;
    for (;;) {
        char *cursor = *(char *volatile *)&tls->cursor;
        end = *(char *volatile *)&tls->end;
        if (end && cursor + bytes <= end)
            break;
        struct reel_block *block = following(tls, end, &stalled);
        if (!block)
            return lose(tls);
        go_on_in(tls, cursor, end, block);
    }
    if (REEL_UNLIKELY(stalled))
        reel_emit(tls, REEL_KIND(REEL_OP_STALL, REEL_CLASS_RECORDER, 0), 0, 0,
                  stalled > UINT32_MAX ? UINT32_MAX : (uint32_t)stalled, 0);
    if (REEL_UNLIKELY(tls->lost_now)) {
        uint64_t words[2] = {tls->lost_now, tls->lost_since};
        tls->lost_now = 0;
        reel_emit_words(tls, REEL_KIND(REEL_OP_GAP, REEL_CLASS_RECORDER, 0), 0, 0,
                        words[0] > UINT32_MAX ? UINT32_MAX : (uint32_t)words[0], 0, words, 2);
    }
    return reel_reserve(tls, bytes / sizeof(struct reel_record));
}

/* A handler changed blocks while a reservation was under way: `at` may lie in the block that ended
 * at `before`, or in the one of now. Where that is not certain, room is left unused. */
struct reel_record *reel_reserve_disturbed(struct reel_tls *tls, char *at, char *before,
                                           size_t bytes)
{
    char *now = *(char *volatile *)&tls->end;
    if (before && at >= (char *)block_before(before)->record && at + bytes <= before)
        return (struct reel_record *)at;
    bool beyond = before && at >= before && at < before + 2 * sizeof(struct reel_block) / 8;
    if (now && !beyond && at >= (char *)block_before(now)->record && at + bytes <= now)
        return (struct reel_record *)at;
    return reel_reserve_slow(tls, at, beyond ? NULL : before, bytes);
}

void reel_emit_words(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t sequence,
                     uint32_t argument, uint32_t stack, const uint64_t *words, unsigned count)
{
    unsigned extras = (count + REEL_EXTRA_WORDS - 1) / REEL_EXTRA_WORDS;
    if (extras > REEL_EXTRA_LIMIT)
        extras = REEL_EXTRA_LIMIT;
    struct reel_record *record = reel_reserve(tls, 1 + extras);
    struct reel_record_extra *extra = (struct reel_record_extra *)(record + 1);
    for (unsigned i = 0; i < extras; i++) {
        for (unsigned k = 0; k < REEL_EXTRA_WORDS; k++)
            extra[i].word[k] =
                i * REEL_EXTRA_WORDS + k < count ? words[i * REEL_EXTRA_WORDS + k] : 0;
        extra[i].words = count - i * REEL_EXTRA_WORDS < REEL_EXTRA_WORDS
                             ? count - i * REEL_EXTRA_WORDS
                             : REEL_EXTRA_WORDS;
        atomic_store_explicit(&extra[i].kind, REEL_KIND(REEL_OP_EXTRA, 0, 0), memory_order_release);
    }
    /* The event itself last: a reader that sees it sees all of it. */
    reel_record_fill(record, reel_now(), kind, object, sequence, argument, stack);
    reel_told(tls, kind, object, argument);
}

void reel_emit_text(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                    uint32_t stack, const char *text)
{
    uint64_t words[REEL_EXTRA_LIMIT * REEL_EXTRA_WORDS];
    size_t length = text ? strnlen(text, 1000) : 0;
    unsigned count = (unsigned)(length / 8 + 1);
    words[count - 1] = 0;
    memcpy(words, text, length);
    reel_emit_words(tls, kind, object, 0, argument, stack, words, count);
}
