#include "tracer/collect/region.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROCESS_CAPACITY 4096u
#define THREAD_CAPACITY  32768u
#define SEQUENCE_BITS    16u
#define FEED_STEP        16u /* blocks: 1 MiB */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Makes pages present, so that the target never meets a fault, or SIGBUS on a full tmpfs. */
static bool prefault(void *start, size_t bytes)
{
    if (madvise(start, bytes, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    /* Before Linux 5.14: reserve the space in the file, then touch. */
    for (size_t i = 0; i < bytes; i += 4096)
        ((volatile char *)start)[i] = 0;
    return true;
}

static void push(struct reel_region *region, uint32_t index)
{
    struct reel_block *block = reel_region_block(region, index);
    uint64_t top = atomic_load_explicit(&region->free_blocks, memory_order_relaxed), next;
    do {
        atomic_store_explicit(&block->next_free, (uint32_t)top, memory_order_relaxed);
        next = index | ((top >> 32) + 1) << 32;
        /* Release: who pops the block sees it zeroed. */
    } while (!atomic_compare_exchange_weak_explicit(&region->free_blocks, &top, next,
                                                    memory_order_release, memory_order_relaxed));
    atomic_fetch_add_explicit(&region->free_count, 1, memory_order_relaxed);
}

bool reel_region_open(struct reel_region_owner *owner, const struct reel_collect_options *options,
                      enum reel_clock clock, double ticks_per_ns, uint32_t first_blocks,
                      struct reel_error *error)
{
    memset(owner, 0, sizeof *owner);
    uint64_t process_offset = round_up(sizeof(struct reel_region), 4096);
    uint64_t thread_offset =
        round_up(process_offset + PROCESS_CAPACITY * sizeof(struct reel_process_slot), 4096);
    uint64_t sequence_offset =
        round_up(thread_offset + THREAD_CAPACITY * sizeof(struct reel_thread_slot), 4096);
    uint64_t block_offset =
        round_up(sequence_offset + (sizeof(struct reel_sequence_slot) << SEQUENCE_BITS) +
                     REEL_STRIPES * sizeof(uint32_t),
                 REEL_BLOCK_BYTES);
    uint32_t blocks = (uint32_t)(options->buffer_bytes / REEL_BLOCK_BYTES);
    if (blocks < 16)
        blocks = 16;
    uint64_t bytes = block_offset + (uint64_t)blocks * REEL_BLOCK_BYTES;

    owner->descriptor = memfd_create("reel", MFD_CLOEXEC);
    if (owner->descriptor < 0)
        return reel_error_set(error, REEL_ERROR_SYSTEM, errno,
                              "cannot make shared memory (memfd_create): %s", strerror(errno));
    if (ftruncate(owner->descriptor, (off_t)bytes) != 0) {
        int cause = errno;
        close(owner->descriptor);
        reel_error_set(error, REEL_ERROR_SYSTEM, cause, "cannot size shared memory to %llu MiB: %s",
                       (unsigned long long)(bytes >> 20), strerror(cause));
        return reel_error_hint(error, "use a smaller --buffer");
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, owner->descriptor, 0);
    if (memory == MAP_FAILED) {
        int cause = errno;
        close(owner->descriptor);
        return reel_error_set(error, REEL_ERROR_SYSTEM, cause,
                              "cannot map %llu MiB of shared memory: %s",
                              (unsigned long long)(bytes >> 20), strerror(cause));
    }
    owner->region = memory;
    owner->total_blocks = blocks;
    snprintf(owner->path, sizeof owner->path, "/proc/%d/fd/%d", (int)getpid(), owner->descriptor);
    /* The sequence table is hit at random: all of it. Slots are taken in order: some of them; a
     * target with more threads faults in the rest, from memory that exists or not as any other. */
    if (!prefault(memory, process_offset + 4096) ||
        !prefault((char *)memory + thread_offset, 16 * 4096) ||
        !prefault((char *)memory + sequence_offset, block_offset - sequence_offset)) {
        reel_region_close(owner);
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "no memory for the recording buffers");
        return reel_error_hint(error, "is /dev/shm full, or the memory limit small?");
    }
    struct reel_region *region = owner->region;
    region->version = REEL_REGION_VERSION;
    region->clock = clock;
    region->bytes = bytes;
    region->process_offset = process_offset;
    region->thread_offset = thread_offset;
    region->sequence_offset = sequence_offset;
    region->block_offset = block_offset;
    region->process_capacity = PROCESS_CAPACITY;
    region->thread_capacity = THREAD_CAPACITY;
    region->sequence_bits = SEQUENCE_BITS;
    region->block_capacity = blocks;
    region->families = options->families;
    region->stack_mode = options->stack_mode;
    region->stack_depth = options->stack_depth;
    region->full_policy = options->lossless ? REEL_FULL_LOSSLESS : REEL_FULL_BUDGET;
    region->stall_ticks = (uint64_t)((double)options->stall_ns * ticks_per_ns);
    region->stall_share = options->stall_permille;
    region->follow = options->follow;
    region->io_threshold_ticks = (uint64_t)((double)options->io_threshold_ns * ticks_per_ns);
    region->collector_pid = (int32_t)getpid();
    atomic_store(&region->free_blocks, REEL_NO_BLOCK);
    region->magic = REEL_REGION_MAGIC;
    reel_region_feed(owner, first_blocks);
    return true;
}

void reel_region_close(struct reel_region_owner *owner)
{
    if (!owner->region)
        return;
    atomic_store(&owner->region->heartbeat, 0);
    munmap(owner->region, owner->region->bytes ? owner->region->bytes : 4096);
    close(owner->descriptor);
    memset(owner, 0, sizeof *owner);
}

void reel_region_feed(struct reel_region_owner *owner, uint32_t wanted)
{
    struct reel_region *region = owner->region;
    uint32_t there = atomic_load_explicit(&region->free_count, memory_order_relaxed);
    if (owner->memory_exhausted || owner->ready_blocks == owner->total_blocks)
        __atomic_store_n(&region->flags, REEL_REGION_POOL_COMPLETE, __ATOMIC_RELAXED);
    if (there >= wanted || owner->memory_exhausted)
        return;
    uint32_t more = wanted - there;
    if (more > owner->total_blocks - owner->ready_blocks)
        more = owner->total_blocks - owner->ready_blocks;
    if (more == 0)
        return;
    /* In steps: who waits for a block gets one before all are there. */
    while (more > 0) {
        uint32_t step = more < FEED_STEP ? more : FEED_STEP;
        if (!prefault(reel_region_block(region, owner->ready_blocks),
                      (size_t)step * REEL_BLOCK_BYTES)) {
            owner->memory_exhausted = true;
            return;
        }
        for (uint32_t i = 0; i < step; i++)
            push(region, owner->ready_blocks + i);
        owner->ready_blocks += step;
        more -= step;
    }
}

void reel_region_recycle(struct reel_region_owner *owner, uint32_t index)
{
    memset(reel_region_block(owner->region, index), 0, REEL_BLOCK_BYTES);
    push(owner->region, index);
}
