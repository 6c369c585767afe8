#include "tracer/collect/live_quiet.h"

#include <glib.h>

#include "probes/event/kinds.h"
#include "probes/event/record.h"
#include "tracer/collect/live_ends.h"
#include "tracer/collect/live_target.h"
#include "tracer/model/stillness.h"

bool reel_live_may_be_stuck(const struct reel_live_party *party)
{
    if (!party->since_ns || party->call & (REEL_CALL_TIMED | REEL_CALL_TRY))
        return false;
    switch (party->class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_SEMAPHORE:
    case REEL_CLASS_CONDITION:
    case REEL_CLASS_BARRIER:
    case REEL_CLASS_FUTEX:
    case REEL_CLASS_THREAD:
    case REEL_CLASS_PROCESS:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_PIPE:
        return true;
    case REEL_CLASS_EVENTFD:
    case REEL_CLASS_SOCKET:
        return party->call == REEL_CALL_READ || party->call == REEL_CALL_WRITE ||
               party->call == REEL_CALL_RECV || party->call == REEL_CALL_SEND;
    case REEL_CLASS_MESSAGE_QUEUE:
        return party->call == REEL_CALL_MQ_SEND || party->call == REEL_CALL_MQ_RECEIVE;
    case REEL_CLASS_FILE: /* a descriptor the probe did not see being made: perhaps a pipe */
        return party->call == REEL_CALL_READ || party->call == REEL_CALL_WRITE;
    default:
        return false; /* terminals, timers, signals, loops, sleeps: outside may end them */
    }
}

/* Is it the program that tells itself something by it? One that only reads it may have been
 * promised by the kernel to be told of something else. */
static bool is_own_eventfd(const struct reel_live_party *party, const struct reel_live_holds *holds)
{
    return reel_live_holds_has_written(holds, party->object) &&
           !reel_live_has_completions(party->pid);
}

/* Could nobody end this wait who is not traced? */
static bool is_inside(const struct reel_live_party *party, const struct reel_live_holds *holds,
                      GHashTable *traced)
{
    switch (party->class) {
    case REEL_CLASS_THREAD:
        return true;
    case REEL_CLASS_PROCESS: {
        /* A certain child must be one of ours; any child: all are, strangers are asked for once. */
        int64_t wanted = (int64_t)party->object;
        return wanted <= 0 || g_hash_table_contains(traced, GINT_TO_POINTER((gint)wanted));
    }
    case REEL_CLASS_PIPE:
    case REEL_CLASS_FILE:
    case REEL_CLASS_SOCKET:
    case REEL_CLASS_EVENTFD:
    case REEL_CLASS_MESSAGE_QUEUE: {
        struct reel_live_end end;
        return reel_live_blocked_on(party->pid, party->tid, &end) &&
               (end.kind != REEL_LIVE_EVENTFD || is_own_eventfd(party, holds)) &&
               reel_live_is_inside(&end, traced);
    }
    case REEL_CLASS_FILE_LOCK: {
        g_autoptr(GArray) holders = g_array_new(FALSE, FALSE, sizeof(pid_t));
        if (!reel_live_file_lock_holders(party->pid, holders))
            return false;
        for (guint i = 0; i < holders->len; i++)
            if (!g_hash_table_contains(traced, GINT_TO_POINTER(g_array_index(holders, pid_t, i))))
                return false;
        return true;
    }
    default:
        break;
    }
    /* Whatever the object says of itself: memory that has a name is within anybody's reach. */
    struct reel_live_place place;
    return reel_live_locate(party->pid, party->object, &place) && (!place.inode || place.anonymous);
}

/* Are the tasks the kernel knows those we know, all asleep, in a process no signal would stir? */
static bool stands_still(const struct reel_live_graph *graph, const struct reel_process *process)
{
    g_autoptr(GArray) tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    pid_t pid = process->row.pid;
    uint64_t handled;
    unsigned tasks;
    if (!reel_live_tasks(pid, tids) || !reel_live_handled_signals(pid, &handled, &tasks))
        return false;
    guint known = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        const struct reel_live_party *party = &graph->party[i];
        if (party->process != process->row.id)
            continue;
        known++;
        if (!reel_outlasts_signals(party->class, handled))
            return false;
        bool listed = false;
        for (guint k = 0; k < tids->len && !listed; k++)
            listed = g_array_index(tids, pid_t, k) == party->tid;
        char state = reel_live_task_state(pid, party->tid);
        if (!listed || (party->class == REEL_CLASS_SPINLOCK ? state != 'R' : state != 'S'))
            return false;
    }
    return known == tids->len;
}

bool reel_live_is_quiet(const struct reel_live_graph *graph, const struct reel_live_holds *holds,
                        struct reel_processes *processes)
{
    g_autoptr(GHashTable) traced = g_hash_table_new(g_direct_hash, g_direct_equal);
    unsigned alive = 0;
    for (unsigned i = 0; i < reel_processes_count(processes); i++) {
        const struct reel_process *process = reel_processes_at(processes, i);
        if (!process->alive)
            continue;
        alive++;
        g_hash_table_add(traced, GINT_TO_POINTER(process->row.pid));
    }
    if (!alive || reel_live_has_strangers(traced))
        return false;
    for (unsigned i = 0; i < reel_processes_count(processes); i++) {
        const struct reel_process *process = reel_processes_at(processes, i);
        if (process->alive && !stands_still(graph, process))
            return false;
    }
    for (uint32_t i = 0; i < graph->count; i++)
        if (!is_inside(&graph->party[i], holds, traced))
            return false;
    return true;
}
