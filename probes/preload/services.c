/* The table of services.h. */
#include "probes/preload/services.h"

#include "probes/preload/stack.h"

extern const char __ehdr_start[] REEL_HIDDEN, etext[] REEL_HIDDEN; /* of the linker */

static bool initialise(void)
{
    reel_initialise();
    return reel_probe.process != NULL;
}

static struct reel_tls *enter(void)
{
    return reel_enter(REEL_FAMILY_MEMORY);
}

static void emit(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                 uint32_t stack, const uint64_t *extra, unsigned count)
{
    if (count)
        reel_emit_words(tls, kind, object, 0, argument, stack, extra, count);
    else
        reel_emit(tls, kind, object, 0, argument, stack);
}

static void emit_ordered(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                         const uint64_t *extra, unsigned count)
{
    uint32_t sequence =
        reel_sequence_atomic(reel_object_key((const void *)(uintptr_t)object), &kind);
    if (count)
        reel_emit_words(tls, kind, object, sequence, argument, 0, extra, count);
    else
        reel_emit(tls, kind, object, sequence, argument, 0);
}

static void emit_shared(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                        uint32_t stack, const uint64_t *extra, unsigned count)
{
    kind |= REEL_FLAG_SHARED_OBJECT;
    uint32_t sequence =
        reel_sequence_atomic(reel_object_key_shared((const void *)(uintptr_t)object), &kind);
    reel_emit_words(tls, kind, object, sequence, argument, stack, extra, count);
}

static void follow(reel_follower follower)
{
    reel_probe.follow = follower;
}

static bool is_own_code(uint64_t pc)
{
    return pc - (uintptr_t)__ehdr_start < (uintptr_t)(etext - __ehdr_start);
}

static uint32_t families(void)
{
    return reel_fork_page.active;
}

static const struct reel_region *region(void)
{
    return reel_probe.region;
}

static struct reel_process_slot *process(void)
{
    return reel_probe.process;
}

__attribute__((visibility("default"))) const struct reel_services reel_services = {
    .version = REEL_SERVICES_VERSION,
    .initialise = initialise,
    .enter = enter,
    .emit = emit,
    .emit_ordered = emit_ordered,
    .emit_shared = emit_shared,
    .stack = reel_stack_path,
    .follow = follow,
    .is_own_code = is_own_code,
    .families = families,
    .region = region,
    .process = process,
};
