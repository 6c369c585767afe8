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

#include "tracer/collect/collector.h"
#include "tracer/collect/flight.h"
#include "tracer/collect/launch.h"

/* Blocks kept free: 32 MiB. A program that starts hundreds of threads at once takes two for each
 * before the collector gets a turn. */
#define POOL_BLOCKS 512u
#define POOL_FIRST  64u /* of them there when the program starts */

#define COMMIT_NS     50000000u
#define ADJUST_NS     1000000000u
#define PROGRESS_NS   100000000u
#define FLIGHT_NS     200000000u
#define IDLE_MIN_NS   200000u /* between rounds, when the pool is low */
#define IDLE_MAX_NS   10000000u
#define IDLE_WATCH_NS 2000000u    /* while memory is watched: the kernel's buffers are small */
#define AWAIT_NS      1000000000u /* for the first process, at most */
#define BURST_NS      60u /* nanoseconds an event, at the fastest a program was seen to make them */

static bool write_facts(struct reel_collector *collector, char *const argv[])
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
static bool drop_old(struct reel_collector *collector, uint64_t now_ns)
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
static bool follow(struct reel_collector *collector, pid_t pid,
                   const struct reel_collect_hooks *hooks, struct reel_collect_result *result)
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
            ended_ns = reel_collector_now(collector);
        }
        int64_t taken = reel_collector_round(collector, false);
        if (taken < 0)
            return false;
        uint64_t now_ns = reel_collector_now(collector);
        if (now_ns - committed > COMMIT_NS) {
            if (!reel_collector_flush(collector) ||
                !reel_trace_commit(collector->trace, collector->error) ||
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

bool reel_collect(struct reel_trace *trace, char *const argv[],
                  const struct reel_collect_options *options,
                  const struct reel_collect_hooks *hooks, struct reel_collect_result *result,
                  struct reel_error *error)
{
    memset(result, 0, sizeof *result);
    struct reel_collector collector = {
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
        .noticed = reel_collector_noticed,
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
        if (hooks->watch->block)
            collector.owner.region->block_watch = *hooks->watch->block;
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
        if (reel_collector_round(&collector, true) < 0 || !reel_collector_flush(&collector) ||
            !reel_processes_settle(collector.processes, result->pid, argv[0],
                                   reel_collector_now(&collector), collector.error))
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
    result->lost = collector.sink.lost + reel_collector_still_lost(&collector);
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
    result->duration_ns = reel_collector_now(&collector);
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
