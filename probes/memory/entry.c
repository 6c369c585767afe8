/* What instrumented code calls while it is recorded: the fast half. An access that this thread has
 * made before, in the same epoch, to the same bytes, at least as strong, ends here. */
#include "probes/memory/atomic.h"
#include "probes/memory/entries.h"
#include "probes/memory/memory.h"
#include "probes/memory/range.h"

#define CALLER ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* Since its last release this thread has done the same, or more, to these bytes. */
static inline __attribute__((always_inline)) bool
is_known(const struct reel_self *self, const struct reel_cell *cell, uint64_t bytes, bool writes)
{
    uint64_t tag = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
    if (((tag ^ self->write_tag) & ~REEL_TAG_BYTES) == 0 && (tag & bytes) == bytes)
        return true;
    if (writes)
        return false;
    tag = atomic_load_explicit(&cell->tag[1], memory_order_relaxed);
    return ((tag ^ self->read_tag) & ~REEL_TAG_BYTES) == 0 && (tag & bytes) == bytes;
}

static inline __attribute__((always_inline)) void plain_access(void *pointer, unsigned size,
                                                               unsigned writes, uint64_t pc)
{
    const uintptr_t address = (uintptr_t)pointer;
    const struct reel_cell *cell = reel_cell_of(address);
    const struct reel_self *self = &reel_self;
    const unsigned offset = address & 7;
    if (size > 8) {
        if (REEL_LIKELY(offset == 0) && is_known(self, cell, REEL_TAG_BYTES, writes) &&
            is_known(self, cell + 1, REEL_TAG_BYTES, writes))
            return;
    } else if (REEL_LIKELY(offset + size <= 8)) {
        if (REEL_LIKELY(is_known(self, cell, (REEL_TAG_BYTES >> (8 - size)) << offset, writes)))
            return;
    } else if (is_known(self, cell, REEL_TAG_BYTES << offset & REEL_TAG_BYTES, writes) &&
               is_known(self, cell + 1, REEL_TAG_BYTES >> (16 - offset - size), writes)) {
        return;
    }
    reel_access_slow(address, size,
                     (writes ? REEL_TAG_WRITE : 0) | (writes == 2 ? REEL_TAG_READS : 0), pc);
}

#define ACCESS(name, size, writes)                                                                 \
    static void on_##name(void *address)                                                           \
    {                                                                                              \
        plain_access(address, size, writes, CALLER);                                               \
    }
REEL_MEMORY_ACCESSES(ACCESS)

static void on_read_range(const void *address, size_t size)
{
    reel_access_range((uintptr_t)address, size, 0, CALLER);
}

static void on_write_range(void *address, size_t size)
{
    reel_access_range((uintptr_t)address, size, REEL_TAG_WRITE, CALLER);
}

/* The first write sets the vtable pointer up; constructors and destructors write it again, as it
 * is: no change, no race. */
static void on_vptr_update(void **address, void *value)
{
    if (*address != value)
        plain_access(address, sizeof *address, true, CALLER);
}

static void on_vptr_read(void **address)
{
    plain_access(address, sizeof *address, false, CALLER);
}

#define STACK_SPAN (64ull << 20) /* frames farther apart are on different stacks */

/* Frames at or below the new one are of functions that were left by longjmp. */
static void on_func_entry(void *caller)
{
    struct reel_self *self = &reel_self;
    struct reel_call_frame *top = self->top;
    if (REEL_UNLIKELY(top >= self->limit))
        return;
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    while (REEL_UNLIKELY(top > self->base && top[-1].frame <= frame &&
                         frame - top[-1].frame < STACK_SPAN))
        top--;
    top->pc = (uint64_t)(uintptr_t)caller;
    top->frame = frame;
    top->path = 0;
    self->top = top + 1;
}

static void on_func_exit(void)
{
    struct reel_self *self = &reel_self;
    if (REEL_LIKELY(self->top > self->base))
        self->top--;
}

static void on_ignore_begin(void)
{
    reel_self.ignoring++;
}

static void on_ignore_end(void)
{
    if (reel_self.ignoring)
        reel_self.ignoring--;
}

static const struct reel_memory_table entries = {
#define ENTRY(name, size, writes) .name = on_##name,
    REEL_MEMORY_ACCESSES(ENTRY).read_range = on_read_range,
    .write_range = on_write_range,
    .func_entry = on_func_entry,
    .func_exit = on_func_exit,
    .vptr_update = on_vptr_update,
    .vptr_read = on_vptr_read,
    .acquire = reel_atomic_acquire,
    .release = reel_atomic_release,
    .ignore_thread_begin = on_ignore_begin,
    .ignore_thread_end = on_ignore_end,
    REEL_MEMORY_WIDTHS(REEL_ATOMIC_ENTRIES).atomic_thread_fence = reel_atomic_fence,
    .atomic_signal_fence = reel_stub_signal_fence,
    .copy = reel_range_copy,
    .move = reel_range_move,
    .set = reel_range_set,
};

static const struct reel_memory_table *join(const void *module)
{
    if (!atomic_load_explicit(&reel_memory.active, memory_order_relaxed))
        return NULL;
    reel_module_join(module);
    return &entries;
}

__attribute__((visibility("default"))) extern const struct reel_memory_runtime reel_memory_runtime;
const struct reel_memory_runtime reel_memory_runtime = {
    .version = REEL_MEMORY_VERSION,
    .bytes = sizeof(struct reel_memory_table),
    .join = join,
};
