#include "tracer/collect/collect.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tracer/collect/flight.h"
#include "tracer/collect/launch.h"
#include "tracer/collect/processes.h"
#include "tracer/collect/scheduling.h"
#include "tracer/collect/stream.h"
#include "tracer/collect/watch_events.h"

/* Blocks kept free: 32 MiB. A program that starts hundreds of threads at once takes two for each
 * before the collector gets a turn. */
#define POOL_BLOCKS 512u
#define POOL_FIRST  64u /* of them there when the program starts */
#define POOL_LOW    32u
#define FEED_ROUND  48u /* of them made in one round */

#define COMMIT_NS          50000000u
#define ADJUST_NS          1000000000u
#define PROGRESS_NS        100000000u
#define FLIGHT_NS          200000000u
#define IDLE_MIN_NS        200000u /* between rounds, when the pool is low */
#define IDLE_MAX_NS        10000000u
#define IDLE_WATCH_NS      2000000u    /* while memory is watched: the kernel's buffers are small */
#define ACCESS_PATIENCE_NS 1000000000u /* with a thread that is not known */
#define AWAIT_NS           1000000000u /* for the first process, at most */
#define BURST_NS           60u /* nanoseconds an event, at the fastest a program was seen to make them */

struct collector {
    const struct reel_collect_options *options;
    struct reel_trace *trace;
    struct reel_region_owner owner;
    struct reel_clock_map clock;
    struct reel_stacks *stacks;
    struct reel_processes *processes;
    struct reel_scheduling *scheduling;
    struct reel_stream_sink sink;
    struct reel_live *live;       /* NULL: nobody watches */
    struct reel_watch *watch;     /* of memory; NULL: none */
    struct reel_stream **streams; /* by thread slot */
    GHashTable *by_tid;           /* tid → stream, for context switches */
    unsigned threads;             /* seen in all */
    uint32_t feed;                /* free blocks to keep in the pool */
    struct reel_error *error;
    uint64_t dropped; /* events that a flight recording let go */
    bool failed;
};

static uint64_t now_of(const struct collector *collector)
{
    return reel_clock_map_ns(&collector->clock, reel_clock_map_ticks(&collector->clock));
}

static void noticed(void *data, uint32_t process, const struct reel_event *event)
{
    struct collector *collector = data;
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
static void forget_stream(struct collector *collector, uint32_t index)
{
    reel_stream_free(collector->streams[index]);
    collector->streams[index] = NULL;
    collector->threads--;
}

static struct reel_stream *stream_of(struct collector *collector, uint32_t index)
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
static bool bury(struct collector *collector, struct reel_stream *stream,
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
    struct collector *collector = data;
    struct reel_stream *stream = g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(hit->tid));
    if (!stream) /* one that ended before it was seen never comes */
        return now_of(collector) > hit->time_ns + ACCESS_PATIENCE_NS;
    if (collector->failed || (hit->access != REEL_WATCH_LOST &&
                              !reel_watch_is_armed(collector->watch, hit->pid, hit->address)))
        return true;
    if (!reel_watch_tell(stream, &collector->sink, hit, collector->options->stack_depth,
                         collector->error))
        collector->failed = true;
    return true;
}

/* In each image that is new. */
static void watch_memory(struct collector *collector)
{
    for (unsigned i = 0; i < reel_processes_count(collector->processes); i++) {
        struct reel_process *process = reel_processes_at(collector->processes, i);
        if (process->watch_asked)
            continue;
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

static void drop_stream(struct collector *collector, struct reel_stream *stream)
{
    if (g_hash_table_lookup(collector->by_tid, GINT_TO_POINTER(stream->row.tid)) == stream)
        g_hash_table_remove(collector->by_tid, GINT_TO_POINTER(stream->row.tid));
    collector->streams[stream->slot] = NULL;
    reel_stream_release(stream, &collector->sink);
    reel_stream_free(stream);
}

/* One look at every thread. Returns how many records came, -1 on failure. */
static int64_t drain_threads(struct collector *collector, bool last)
{
    struct reel_region *region = collector->owner.region;
    uint32_t high = atomic_load_explicit(&region->thread_high, memory_order_acquire);
    int64_t taken = 0;
    uint64_t now_ns = now_of(collector);
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
static void free_processes(struct collector *collector)
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

static bool flush_all(struct collector *collector)
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
    struct collector *collector = data;
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
static int64_t round_once(struct collector *collector, bool last)
{
    atomic_store_explicit(&collector->owner.region->heartbeat,
                          reel_clock_map_ticks(&collector->clock), memory_order_relaxed);
    if (!reel_processes_update(collector->processes, now_of(collector), collector->error))
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

static bool write_facts(struct collector *collector, char *const argv[])
{
    struct utsname system;
    uname(&system);
    g_autofree char *command = g_strjoinv(" ", (char **)argv);
    g_autofree char *valid = g_utf8_make_valid(command, -1);
    g_autofree char *kernel =
        g_strdup_printf("%s %s %s", system.sysname, system.release, system.machine);
    g_autofree char *processors = g_strdup_printf("%ld", sysconf(_SC_NPROCESSORS_ONLN));
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *date = g_date_time_format_iso8601(now);
    struct reel_trace *trace = collector->trace;
    struct reel_error *error = collector->error;
    return reel_trace_set_meta(trace, "command", valid, error) &&
           reel_trace_set_meta(trace, "kernel", kernel, error) &&
           reel_trace_set_meta(trace, "processors", processors, error) &&
           reel_trace_set_meta(trace, "recorded_at", date, error) &&
           reel_trace_set_meta(trace, "clock",
                               collector->clock.clock == REEL_CLOCK_TSC ? "tsc" : "monotonic",
                               error);
}

/* A flight recorder keeps the end: chunks that ended too long ago go, and are counted. */
static bool drop_old(struct collector *collector, uint64_t now_ns)
{
    if (now_ns <= collector->options->flight_ns)
        return true;
    uint64_t before_ns = now_ns - collector->options->flight_ns, dropped = 0;
    if (!reel_flight_drop(collector->trace, before_ns, &dropped, collector->error))
        return false;
    if (!dropped)
        return true;
    collector->dropped += dropped;
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, collector->dropped);
    if (!reel_trace_set_meta(collector->trace, "flight_dropped", number, collector->error))
        return false;
    snprintf(number, sizeof number, "%" PRIu64, before_ns);
    return reel_trace_set_meta(collector->trace, "flight_since_ns", number, collector->error);
}

/* Readable once the process has ended; -1 where the kernel has no such thing. */
static int open_end(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

typedef int descriptor;

static void close_descriptor(int opened)
{
    if (opened >= 0)
        close(opened);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(descriptor, close_descriptor, -1)

/* Sleeps, but not beyond the program's end. */
static void sleep_until_end(int ending, bool running, uint64_t ns)
{
    struct timespec moment = {.tv_nsec = (long)ns};
    struct pollfd end = {.fd = ending, .events = POLLIN};
    if (running && ending >= 0)
        ppoll(&end, 1, &moment, NULL);
    else
        nanosleep(&moment, NULL);
}

/* Follows the target until it ended, and those it left behind. */
static bool follow(struct collector *collector, pid_t pid, const struct reel_collect_hooks *hooks,
                   struct reel_collect_result *result)
{
    uint64_t committed = 0, adjusted = 0, told = 0, ended_ns = 0;
    bool running = true;
    g_auto(descriptor) ending = open_end(pid);
    uint64_t flown = 0;
    for (;;) {
        int status;
        if (running && waitpid(pid, &status, WNOHANG) == pid) {
            running = false;
            result->ended = true;
            result->wait_status = status;
            reel_processes_set_status(collector->processes, pid, status);
            ended_ns = now_of(collector);
        }
        int64_t taken = round_once(collector, false);
        if (taken < 0)
            return false;
        uint64_t now_ns = now_of(collector);
        if (now_ns - committed > COMMIT_NS) {
            if (!flush_all(collector) || !reel_trace_commit(collector->trace, collector->error) ||
                !reel_trace_begin(collector->trace, collector->error))
                return false;
            committed = now_ns;
        }
        if (collector->options->flight_ns && now_ns - flown > FLIGHT_NS) {
            if (!drop_old(collector, now_ns))
                return false;
            flown = now_ns;
        }
        if (collector->live && reel_live_look(collector->live, now_ns)) {
            result->stopped = result->left = true;
            return true;
        }
        if (now_ns - adjusted > ADJUST_NS) {
            reel_clock_map_adjust(&collector->clock);
            adjusted = now_ns;
        }
        unsigned alive = reel_processes_alive(collector->processes);
        bool nobody = alive == 0 && !reel_processes_expected(collector->processes, now_ns);
        if (!running && (nobody || now_ns - ended_ns > collector->options->linger_ns)) {
            result->stopped = alive > 0;
            return true;
        }
        if (collector->options->limit_bytes &&
            collector->sink.bytes > collector->options->limit_bytes) {
            result->stopped = true;
            return reel_trace_set_meta(collector->trace, "stopped", "the size limit was reached",
                                       collector->error);
        }
        if (hooks && hooks->progress && now_ns - told > PROGRESS_NS) {
            struct reel_collect_progress progress = {
                .elapsed_ns = now_ns,
                .events = collector->sink.events,
                .bytes = collector->sink.bytes,
                .lost = collector->sink.lost,
                .threads = collector->threads,
                .processes = reel_processes_count(collector->processes),
                .lingering = !running,
            };
            told = now_ns;
            if (!hooks->progress(hooks->data, &progress)) {
                result->stopped = result->left = true;
                return true;
            }
        }
        /* As long as the free blocks would last in a burst, four times over: looking more often
         * only takes the processor from the program. While blocks come faster than that, not at
         * all. */
        uint64_t room = (uint64_t)atomic_load(&collector->owner.region->free_count) *
                        REEL_BLOCK_RECORDS * BURST_NS / 4;
        /* What the first image maps is read when it is first seen: it may be gone in a millisecond,
         * and its symbols with it. */
        bool awaited = reel_processes_count(collector->processes) == 0 && now_ns < AWAIT_NS;
        if (collector->owner.ready_blocks < collector->feed || awaited)
            room = IDLE_MIN_NS;
        if (taken < (int64_t)REEL_BLOCK_RECORDS * 8)
            sleep_until_end(
                ending, running,
                CLAMP(room, IDLE_MIN_NS, collector->watch ? IDLE_WATCH_NS : (uint64_t)IDLE_MAX_NS));
    }
}

/* The recording is over, the program is not: its end is still what we answer for. The user may
 * leave it alone. */
static void outlast(const struct reel_collect_hooks *hooks, struct reel_collect_result *result)
{
    struct reel_collect_progress progress = {
        .events = result->events, .bytes = result->bytes, .lost = result->lost};
    for (;;) {
        int status;
        pid_t found = waitpid(result->pid, &status, WNOHANG);
        if (found == result->pid) {
            result->ended = true;
            result->wait_status = status;
        }
        if (found != 0 && !(found < 0 && errno == EINTR))
            return;
        if (hooks && hooks->progress && !hooks->progress(hooks->data, &progress))
            break;
        struct timespec moment = {.tv_nsec = 20000000};
        nanosleep(&moment, NULL);
    }
    result->left = true;
}

/* What threads that go on unrecorded had lost by now. */
static uint64_t still_lost(struct collector *collector)
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

bool reel_collect(struct reel_trace *trace, char *const argv[],
                  const struct reel_collect_options *options,
                  const struct reel_collect_hooks *hooks, struct reel_collect_result *result,
                  struct reel_error *error)
{
    memset(result, 0, sizeof *result);
    struct collector collector = {
        .options = options, .trace = trace, .error = error, .feed = POOL_BLOCKS};
    reel_clock_map_start(&collector.clock);
    if (!reel_region_open(&collector.owner, options, collector.clock.clock,
                          1.0 / collector.clock.ns_per_tick, POOL_FIRST, error))
        return false;
    collector.stacks = reel_stacks_new(trace);
    collector.processes = reel_processes_new(trace, &collector.owner, &collector.clock);
    collector.by_tid = g_hash_table_new(g_direct_hash, g_direct_equal);
    collector.streams = g_new0(struct reel_stream *, collector.owner.region->thread_capacity);
    collector.sink = (struct reel_stream_sink){
        .trace = trace,
        .owner = &collector.owner,
        .clock = &collector.clock,
        .stacks = collector.stacks,
        .noticed = noticed,
        .data = &collector,
    };
    if (hooks && hooks->live) {
        collector.live =
            reel_live_new(hooks->live, &collector.owner, &collector.clock, collector.processes);
        collector.sink.holds = reel_live_holds_of(collector.live);
    }
    if (hooks && hooks->watch) {
        collector.watch = reel_watch_new(hooks->watch, &collector.clock);
        reel_processes_hold(collector.processes);
    }
    struct reel_launch launch;
    const struct reel_launch_libraries libraries = {options->probe_path, options->memory_path,
                                                    options->always_memory};
    bool ok = reel_launch_prepare(&launch, argv, &libraries, collector.owner.path, error);
    if (ok) {
        result->pid = launch.pid;
        if (options->scheduling)
            collector.scheduling = reel_scheduling_open(launch.pid, result->scheduling_note);
        else
            snprintf(result->scheduling_note, sizeof result->scheduling_note, "switched off");
        ok = reel_trace_begin(trace, error) && write_facts(&collector, argv);
        atomic_store(&collector.owner.region->heartbeat, reel_clock_map_ticks(&collector.clock));
        result->exec_errno = reel_launch_go(&launch);
        if (result->exec_errno) {
            waitpid(launch.pid, NULL, 0);
            ok = reel_error_set(error, REEL_ERROR_SYSTEM, result->exec_errno, "cannot run %s: %s",
                                argv[0], strerror(result->exec_errno));
        } else if (ok) {
            ok = follow(&collector, launch.pid, hooks, result);
        }
    }
    if (collector.owner.region)
        atomic_store(&collector.owner.region->heartbeat, 0);
    if (!result->exec_errno && result->pid) {
        /* Also after a failure: what is still in the region belongs into the trace if it can be. */
        struct reel_error ignored = {0};
        if (!ok)
            collector.error = &ignored;
        if (round_once(&collector, true) < 0 || !flush_all(&collector) ||
            !reel_processes_settle(collector.processes, result->pid, argv[0], now_of(&collector),
                                   collector.error))
            ok = false;
        for (unsigned i = 0; i < reel_processes_count(collector.processes); i++)
            if (!reel_processes_write(collector.processes,
                                      reel_processes_at(collector.processes, i), collector.error))
                ok = false;
    }
    if (collector.live && reel_live_end(collector.live, &result->wait_status))
        result->ended = true;
    result->events = collector.sink.events;
    result->bytes = collector.sink.bytes;
    result->lost = collector.sink.lost + still_lost(&collector);
    result->threads = collector.threads;
    result->processes = reel_processes_count(collector.processes);
    result->attached = reel_processes_recorded(collector.processes) > 0;
    for (unsigned i = 0; i < result->processes; i++) {
        const struct reel_process *process = reel_processes_at(collector.processes, i);
        if (!process->row.traced && result->unrecorded++ == 0)
            g_strlcpy(result->unrecorded_note, process->row.note, sizeof result->unrecorded_note);
    }
    if (collector.watch) {
        result->accesses = reel_watch_hits(collector.watch);
        result->accesses_lost = reel_watch_lost(collector.watch);
        reel_watch_free(collector.watch);
    }
    result->duration_ns = now_of(&collector);
    if (collector.scheduling)
        result->switches_lost = reel_scheduling_lost(collector.scheduling);
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, result->duration_ns);
    reel_trace_set_meta(trace, "duration_ns", number, NULL);
    snprintf(number, sizeof number, "%" PRIu64, result->lost);
    reel_trace_set_meta(trace, "lost", number, NULL);
    reel_trace_set_meta(trace, "scheduling",
                        result->scheduling_note[0] ? result->scheduling_note : "recorded", NULL);
    if (!reel_trace_commit(trace, ok ? error : NULL))
        ok = false;

    for (uint32_t i = 0; i < collector.owner.region->thread_capacity; i++)
        reel_stream_free(collector.streams[i]);
    g_free(collector.streams);
    g_hash_table_destroy(collector.by_tid);
    reel_scheduling_close(collector.scheduling);
    reel_live_free(collector.live);
    reel_processes_free(collector.processes);
    reel_stacks_free(collector.stacks);
    reel_region_close(&collector.owner);
    if (result->pid && !result->exec_errno && !result->ended && !result->left)
        outlast(hooks, result);
    if (result->pid && !result->exec_errno && !result->ended)
        result->wait_status = SIGINT; /* left alone: as if it had been interrupted */
    return ok;
}
