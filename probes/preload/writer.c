/* The slow half of the recording path: a thread's block is full, or it has none yet.
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

static uint32_t block_index(const struct reel_block *block)
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

/* Waits for a free block within the budget; adds what it waited to *stalled (ticks). */
static struct reel_block *wait_for_block(struct reel_tls *tls, uint64_t *stalled)
{
    struct reel_region *region = reel_probe.region;
    uint64_t begin = reel_now(), now = begin;
    bool lossless = region->full_policy == REEL_FULL_LOSSLESS;
    uint64_t life = begin - tls->attach_time;
    uint64_t allowance = life / 1000 * region->stall_share;
    struct reel_block *block = NULL;
    for (unsigned round = 0; !block; round++) {
        if (!collector_lives(now))
            break;
        if (!lossless) {
            if (now - begin > region->stall_ticks)
                break;
            /* The first stall of a thread is granted whole, later ones out of its share. */
            if (tls->stalled_ticks && tls->stalled_ticks + (now - begin) > allowance)
                break;
        }
        pause_briefly(round);
        block = reel_block_take();
        now = reel_now();
    }
    *stalled += now - begin;
    tls->stalled_ticks += now - begin;
    return block;
}

static struct reel_record *lose(struct reel_tls *tls, uint64_t time)
{
    if (tls->lost_now++ == 0)
        tls->lost_since = time;
    if (tls->slot)
        atomic_fetch_add_explicit(&tls->slot->lost, 1, memory_order_relaxed);
    else if (reel_probe.process)
        atomic_fetch_add_explicit(&reel_probe.process->lost, 1, memory_order_relaxed);
    else if (reel_probe.region)
        atomic_fetch_add_explicit(&reel_probe.region->lost, 1, memory_order_relaxed);
    return scratch;
}

/* Fills the records of a reservation that does not fit, so that the block has no hole. */
static void pad(struct reel_tls *tls, char *at)
{
    if (!tls->block || at < (char *)tls->block)
        return;
    for (; at + sizeof(struct reel_record) <= tls->end; at += sizeof(struct reel_record))
        reel_record_fill((struct reel_record *)at, 0, REEL_KIND(REEL_OP_PAD, 0, 0), 0, 0, 0, 0);
}

/* Makes `block` the one that is being filled. A handler that comes in between finds `end` 0. */
static void go_on_in(struct reel_tls *tls, struct reel_block *block)
{
    struct reel_block *full = tls->block;
    block->owner = tls->slot->number;
    atomic_store_explicit(&block->next, REEL_NO_BLOCK, memory_order_relaxed);
    tls->end = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    tls->block = block;
    tls->cursor = (char *)block->record;
    atomic_signal_fence(memory_order_seq_cst);
    tls->end = (char *)(block->record + REEL_BLOCK_RECORDS);
    /* Release: pairs with the collector's acquire; it sees the new block's header complete. */
    if (full)
        atomic_store_explicit(&full->next, block_index(block), memory_order_release);
    else
        atomic_store_explicit(&tls->slot->first_block, block_index(block), memory_order_release);
}

struct reel_record *reel_reserve_slow(struct reel_tls *tls, char *at, size_t bytes)
{
    pad(tls, at);
    if (tls->switching || tls->ended)
        return lose(tls, reel_now());
    tls->switching = 1;
    atomic_signal_fence(memory_order_seq_cst);
    if (!tls->slot && !reel_thread_attach(tls)) {
        tls->switching = 0;
        return lose(tls, reel_now());
    }
    uint64_t stalled = 0;
    /* A signal handler may have changed the block before `switching` was set. */
    if (!tls->end || tls->cursor + bytes > tls->end) {
        struct reel_block *block = reel_block_take();
        if (REEL_UNLIKELY(!block) && tls->lost_now == 0)
            block = wait_for_block(tls, &stalled);
        if (!block) {
            tls->switching = 0;
            return lose(tls, reel_now());
        }
        go_on_in(tls, block);
    }
    atomic_signal_fence(memory_order_seq_cst);
    tls->switching = 0;
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
