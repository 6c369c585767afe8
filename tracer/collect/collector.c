/* The rounds of a recording: what the target's threads wrote becomes events of their streams, with
 * the kernel's switches and the accesses to watched memory among them; what dies is buried; the
 * pool of blocks is kept filled. */
#include "tracer/collect/collector.h"

#define POOL_LOW   32u
#define FEED_ROUND 48u /* blocks made in one round */

#define ACCESS_PATIENCE_NS 1000000000u /* with a thread that is not known */

uint64_t reel_collector_now(const struct reel_collector *collector)
{
    return reel_clock_map_ns(&collector->clock, reel_clock_map_ticks(&collector->clock));
}

void reel_collector_noticed(void *data, uint32_t process, const struct reel_event *event)
{
    struct reel_collector *collector = data;
    switch (event->operation) {
    case REEL_OP_LOAD:
    case REEL_OP_UNLOAD:
        reel_processes_maps_changed(collector->processes, process);
        break;
    case REEL_OP_NAME:
    case REEL_OP_EXEC:
        if (event->extra_words) {
            g_autofree char *text =
                g_strndup((const char *)event->extra, event->extra_words * sizeof *event->extra);
            if (event->operation == REEL_OP_EXEC)
                reel_processes_exec(collector->processes, process, text, event->time_ns);
            else
                reel_processes_told(collector->processes, process, event->argument == 1, text);
        }
        break;
    case REEL_OP_EXEC_FAILED:
        reel_processes_exec(collector->processes, process, NULL, event->time_ns);
        break;
    case REEL_OP_CREATED:
        reel_processes_made(collector->processes, process, (pid_t)event->object, event->time_ns);
        break;
    case REEL_OP_WAKE: /* a wait for children: argument is the status, the word is whose */
        if (event->extra_words && (int64_t)event->extra[0] > 0 && event->extra[0] < INT32_MAX)
            reel_processes_waited(collector->processes, process, (pid_t)event->extra[0],
                                  (int)event->argument, event->time_ns);
        break;
    default:
        if (event->flags & REEL_FLAG_SHARED_OBJECT) {
            struct reel_process *found = reel_processes_find(collector->processes, process);
            /* Once a new mapping may be involved: shared memory is set up before it is locked. */
            if (found && event->time_ns > found->maps_ns)
                found->maps_stale = true;
        }
    }
}

/* Forgets a stream whose slot was handed back by its target: the thread could not be made. */
static void forget_stream(struct reel_collector *collector, uint32_t index)
{
    reel_stream_free(collector->streams[index]);
    collector->streams[index] = NULL;
    collector->threads--;
}

static struct reel_stream *stream_of(struct reel_collector *collector, uint32_t index)
{
    struct reel_thread_slot *slot = reel_region_thread(collector->owner.region, index);
    struct reel_stream *stream = collector->streams[index];
    uint32_t number = __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE);
    if (stream && stream->row.id != number) {
        forget_stream(collector, index);
        stream = NULL;
    }
    if (stream || number == 0)
        return stream;
    /* The process's row must be there before its threads': its slot is seen first. */
    if (!reel_processes_find(collector->processes, slot->process_number))
        return NULL;
    stream = collector->streams[index] = reel_stream_new(&collector->sink, index);
    collector->threads++;
    return stream;
}

/* A thread that is gone without having said so: its process died or was replaced. */
static bool bury(struct reel_collector *collector, struct reel_stream *stream,
                 const struct reel_process *process)
{
    if (stream->ended)
        return true;
    bool killed = process->row.signal > 0;
    struct reel_event event = {
        .time_ns = process->row.end_ns,
        .object = stream->row.id,
        .argument = killed ? REEL_EXIT_KILLED : REEL_EXIT_PROCESS,
        .operation = REEL_OP_EXIT,
        .class = REEL_CLASS_THREAD,
        .thread = stream->row.id,
        .process = stream->row.process,
    };
    stream->row.end_reason = (int32_t)event.argument;
    stream->ended = stream->dirty = true;
    if (!reel_stream_add(stream, &collector->sink, &event, collector->error))
        return false;
    stream->row.end_ns = stream->last_ns;
    return true;
}

/* An access to watched memory becomes its thread's. False: that thread is not known yet. */
static bool take_access(void *data, const struct reel_watch_hit *hit)
{
    struct reel_collector *collector = data;
    struct reel_stream *stream = g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(hit->tid));
    if (!stream) /* one that ended before it was seen never comes */
        return reel_collector_now(collector) > hit->time_ns + ACCESS_PATIENCE_NS;
    if (collector->failed || (hit->access != REEL_WATCH_LOST &&
                              !reel_watch_is_armed(collector->watch, hit->pid, hit->address)))
        return true;
    if (!reel_watch_tell(stream, &collector->sink, hit, collector->options->stack_depth,
                         collector->error))
        collector->failed = true;
    return true;
}

/* The heap block that one of them may announce. */
static void watch_block(struct reel_collector *collector, const struct reel_process *process)
{
    if (process->slot == REEL_NO_SLOT)
        return;
    struct reel_process_slot *slot = reel_region_process(collector->owner.region, process->slot);
    if (atomic_load_explicit(&slot->block_state, memory_order_acquire) != REEL_BLOCK_ANNOUNCED)
        return;
    reel_watch_block(collector->watch, process->row.pid, slot->block_address, slot->block_bytes);
    atomic_store_explicit(&slot->block_state, REEL_BLOCK_ANSWERED, memory_order_release);
}

/* In each image that is new. */
static void watch_memory(struct reel_collector *collector)
{
    for (unsigned i = 0; i < reel_processes_count(collector->processes); i++) {
        struct reel_process *process = reel_processes_at(collector->processes, i);
        if (process->watch_asked) {
            watch_block(collector, process);
            continue;
        }
        process->watch_asked = true;
        const struct reel_process *parent =
            process->slot == REEL_NO_SLOT
                ? NULL
                : reel_processes_find(
                      collector->processes,
                      reel_region_process(collector->owner.region, process->slot)->parent_number);
        reel_watch_attach(collector->watch, process->row.pid, parent ? parent->row.pid : 0);
        reel_processes_release(collector->processes, process);
    }
}

static void drop_stream(struct reel_collector *collector, struct reel_stream *stream)
{
    if (g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(stream->row.tid)) == stream)
        g_hash_table_remove(collector->by_tid, GINT_TO_POINTER(stream->row.tid));
    collector->streams[stream->slot] = NULL;
    reel_stream_release(stream, &collector->sink);
    reel_stream_free(stream);
}

/* One look at every thread. Returns how many records came, -1 on failure. */
static int64_t drain_threads(struct reel_collector *collector, bool last)
{
    struct reel_region *region = collector->owner.region;
    uint32_t high = atomic_load_explicit(&region->thread_high, memory_order_acquire);
    int64_t taken = 0;
    uint64_t now_ns = reel_collector_now(collector);
    for (uint32_t i = 0; i < high && i < region->thread_capacity; i++) {
        struct reel_thread_slot *slot = reel_region_thread(region, i);
        uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if (state == REEL_SLOT_FREE) {
            if (collector->streams[i])
                forget_stream(collector, i);
            continue;
        }
        struct reel_stream *stream = stream_of(collector, i);
        if (!stream)
            continue;
        struct reel_process *process =
            reel_processes_find(collector->processes, stream->row.process);
        bool gone = state == REEL_SLOT_ENDED || (process && !process->alive);
        int64_t count =
            reel_stream_drain(stream, &collector->sink, now_ns, gone || last, collector->error);
        if (count < 0)
            return -1;
        taken += count;
        bool followed = collector->scheduling || collector->watch;
        if (stream->row.tid && followed && (state == REEL_SLOT_LIVE || collector->watch) &&
            g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(stream->row.tid)) != stream)
            g_hash_table_insert(collector->by_tid, GINT_TO_POINTER(stream->row.tid), stream);
        if (!gone)
            continue;
        /* A thread that was announced and never came: creation failed, or its process ended. */
        if (!stream->started && state == REEL_SLOT_CLAIMED && count == 0) {
            drop_stream(collector, stream);
            collector->threads--;
            continue;
        }
        if (collector->watch) {
            reel_watch_look(collector->watch, stream->row.tid);
            reel_watch_offer(collector->watch, take_access, collector);
        }
        if (process && !process->alive && !bury(collector, stream, process))
            return -1;
        if (!reel_stream_flush(stream, &collector->sink, collector->error))
            return -1;
        drop_stream(collector, stream);
    }
    return taken;
}

/* Process slots of images that are gone and whose threads are drained go back. */
static void free_processes(struct reel_collector *collector)
{
    struct reel_region *region = collector->owner.region;
    for (unsigned i = 0; i < reel_processes_count(collector->processes); i++) {
        struct reel_process *process = reel_processes_at(collector->processes, i);
        if (process->alive || process->drained)
            continue;
        if (process->slot == REEL_NO_SLOT)
            continue;
        struct reel_process_slot *slot = reel_region_process(region, process->slot);
        if (slot->number == process->row.id) {
            collector->sink.lost += atomic_load(&slot->lost);
            atomic_store_explicit(&slot->state, REEL_SLOT_FREE, memory_order_release);
        }
        process->drained = true;
    }
}

bool reel_collector_flush(struct reel_collector *collector)
{
    struct reel_region *region = collector->owner.region;
    uint32_t high = atomic_load_explicit(&region->thread_high, memory_order_acquire);
    for (uint32_t i = 0; i < high && i < region->thread_capacity; i++)
        if (collector->streams[i] &&
            !reel_stream_flush(collector->streams[i], &collector->sink, collector->error))
            return false;
    return true;
}

static void switched(void *data, const struct reel_switch *change)
{
    struct reel_collector *collector = data;
    struct reel_stream *stream =
        g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(change->tid));
    if (!stream || collector->failed)
        return;
    struct reel_event event = {
        .time_ns = reel_clock_map_monotonic(&collector->clock, change->monotonic_ns),
        .argument = change->in ? change->cpu : change->preempted,
        .thread = stream->row.id,
        .process = stream->row.process,
        .operation = change->in ? REEL_OP_SWITCH_IN : REEL_OP_SWITCH_OUT,
        .class = REEL_CLASS_CPU,
    };
    if (!reel_stream_add_switch(stream, &collector->sink, &event, collector->error))
        collector->failed = true;
}

/* One round: deaths are looked for before records are read, so that what a dead process wrote is
 * read after its death was known, and nothing comes later. */
int64_t reel_collector_round(struct reel_collector *collector, bool last)
{
    atomic_store_explicit(&collector->owner.region->heartbeat,
                          reel_clock_map_ticks(&collector->clock), memory_order_relaxed);
    if (!reel_processes_update(collector->processes, reel_collector_now(collector),
                               collector->error))
        return -1;
    if (collector->scheduling)
        reel_scheduling_drain(collector->scheduling, last, switched, collector);
    if (collector->watch) {
        watch_memory(collector);
        reel_watch_look(collector->watch, last ? REEL_WATCH_ALL : REEL_WATCH_NOBODY);
        reel_watch_turn(collector->watch);
    }
    int64_t taken = drain_threads(collector, last);
    if (collector->watch)
        reel_watch_offer(collector->watch, take_access, collector);
    if (taken < 0 || collector->failed)
        return -1;
    free_processes(collector);
    /* A fuller pool for a livelier target; what was once needed is kept ready. A pool found nearly
     * empty was too small, whatever came: many threads take a block each before they fill it. */
    uint32_t wanted = (uint32_t)(taken / REEL_BLOCK_RECORDS) * 2 + 16;
    uint32_t there =
        atomic_load_explicit(&collector->owner.region->free_count, memory_order_relaxed);
    if (there < collector->feed / 4 && collector->owner.ready_blocks >= collector->feed &&
        wanted < collector->feed * 2)
        wanted = collector->feed * 2;
    if (wanted > collector->owner.total_blocks)
        wanted = collector->owner.total_blocks;
    if (wanted > collector->feed)
        collector->feed = wanted;
    /* A little more a round: a program that ends soon shall not wait for memory it never needs. */
    wanted = there < POOL_LOW ? collector->feed : there + FEED_ROUND;
    reel_region_feed(&collector->owner, wanted < collector->feed ? wanted : collector->feed);
    return taken;
}

uint64_t reel_collector_still_lost(struct reel_collector *collector)
{
    struct reel_region *region = collector->owner.region;
    uint64_t lost = atomic_load(&region->lost);
    for (uint32_t i = 0; i < region->thread_capacity; i++)
        if (collector->streams[i])
            lost += atomic_load(&reel_region_thread(region, i)->lost) +
                    collector->streams[i]->abandoned;
    for (unsigned i = 0; i < reel_processes_count(collector->processes); i++) {
        struct reel_process *process = reel_processes_at(collector->processes, i);
        if (process->alive && process->slot != REEL_NO_SLOT)
            lost += atomic_load(&reel_region_process(region, process->slot)->lost);
    }
    return lost;
}
