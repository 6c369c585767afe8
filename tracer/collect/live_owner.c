#include "tracer/collect/live_owner.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "probes/event/kinds.h"
#include "probes/event/record.h"
#include "tracer/collect/live_target.h"

bool reel_live_has_owner(const struct reel_live_party *party)
{
    if (!party->since_ns || party->call & (REEL_CALL_TIMED | REEL_CALL_TRY))
        return false;
    switch (party->class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_SEMAPHORE:
        return party->operation == REEL_OP_REQUEST;
    case REEL_CLASS_THREAD:
        return party->operation == REEL_OP_WAIT;
    default:
        return false;
    }
}

/* Everything an edge is made from. */
struct edges {
    struct reel_live_graph *graph;
    const struct reel_live_holds *holds;
    const uint64_t *handles;
    struct reel_processes *processes;
    GHashTable *by_tid; /* tid → party + 1 */
};

/* Are these two the same lock? Private memory is one process's own; shared memory is compared by
 * the place in what both have mapped. */
static bool same_lock(const struct reel_live_party *party, const struct reel_live_hold *hold,
                      pid_t holder_pid)
{
    if (party->class != hold->class)
        return false;
    bool shared = party->flags & REEL_FLAG_SHARED_OBJECT;
    if (shared != !!(hold->flags & REEL_FLAG_SHARED_OBJECT))
        return false;
    if (!shared || party->class == REEL_CLASS_FILE_LOCK)
        return party->object == hold->object && (shared || party->process == hold->process);
    if (party->process == hold->process)
        return party->object == hold->object;
    struct reel_live_place mine, theirs;
    return reel_live_locate(party->pid, party->object, &mine) &&
           reel_live_locate(holder_pid, hold->object, &theirs) && mine.inode &&
           mine.inode == theirs.inode && mine.device == theirs.device &&
           mine.offset == theirs.offset;
}

/* Adds those who hold the party's lock by their own events, in a mode the party must wait for. */
static unsigned block_by_events(struct edges *edges, struct reel_live_party *party, bool readers)
{
    unsigned added = 0;
    for (uint32_t i = 0; i < edges->graph->count; i++) {
        const struct reel_live_party *other = &edges->graph->party[i];
        const struct reel_live_holder *holder = &edges->holds->holder[other->slot];
        if (holder->thread != other->thread || holder->lost)
            continue;
        for (uint32_t k = 0; k < holder->count; k++) {
            const struct reel_live_hold *hold = &holder->hold[k];
            if (hold->class != party->class || (hold->flags & REEL_FLAG_READ && !readers) ||
                !same_lock(party, hold, other->pid))
                continue;
            reel_live_party_block(party, i);
            added++;
            break;
        }
    }
    return added;
}

/* Can an id in shared memory be one of ours? Memory with a name may be used from other containers,
 * where ids mean other threads. */
static bool is_our_id(struct edges *edges, const struct reel_live_party *party, pid_t owner)
{
    struct reel_live_place place;
    if (!reel_live_locate(party->pid, party->object, &place))
        return false;
    if (!place.inode || place.anonymous)
        return true;
    for (unsigned i = 0; i < reel_processes_count(edges->processes); i++)
        if (reel_processes_at(edges->processes, i)->row.pid == owner)
            return true;
    return false;
}

/* The owner that a lock's own memory names. One that is no task any more will never release it; in
 * a forked child that is every thread of the parent's. */
static void block_by_tid(struct edges *edges, struct reel_live_party *party, pid_t owner)
{
    gpointer found = g_hash_table_lookup(edges->by_tid, GINT_TO_POINTER(owner));
    bool shared = party->flags & REEL_FLAG_SHARED_OBJECT;
    if (found) {
        uint32_t index = GPOINTER_TO_UINT(found) - 1;
        if (shared || edges->graph->party[index].process == party->process) {
            reel_live_party_block(party, index);
            return;
        }
    }
    /* The waiting thread must be where we think it is, or ids mean something else (namespaces). */
    if (!reel_live_task_state(party->pid, party->tid) ||
        (shared && !is_our_id(edges, party, owner)))
        return;
    char state =
        shared ? (reel_live_task_lives(owner) ? 'S' : 0) : reel_live_task_state(party->pid, owner);
    /* A zombie task: the main thread, which left by pthread_exit. */
    if (state == 0 || state == 'X' || state == 'Z')
        reel_live_party_block(party, REEL_LIVE_GONE);
}

static void block_on_mutex(struct edges *edges, struct reel_live_party *party)
{
    pthread_mutex_t mutex;
    if (reel_live_read(party->pid, party->object, &mutex, sizeof mutex)) {
        /* Taken, and by somebody who says so: between the two an owner is on its way. */
        if (mutex.__data.__lock && mutex.__data.__owner > 0)
            block_by_tid(edges, party, mutex.__data.__owner);
    } else if (edges->holds->classes >> REEL_CLASS_MUTEX & 1) {
        block_by_events(edges, party, false);
    }
}

static void block_on_rwlock(struct edges *edges, struct reel_live_party *party)
{
    pthread_rwlock_t lock;
    if (!reel_live_read(party->pid, party->object, &lock, sizeof lock))
        return;
    if (lock.__data.__cur_writer > 0) {
        block_by_tid(edges, party, lock.__data.__cur_writer);
        return;
    }
    if (lock.__data.__readers >> 3 == 0)
        return;
    if (!(party->flags & REEL_FLAG_READ)) {
        block_by_events(edges, party, true);
        return;
    }
    /* A reader that waits although readers hold: it was put behind the writers that wait. */
    for (uint32_t i = 0; i < edges->graph->count; i++) {
        const struct reel_live_party *other = &edges->graph->party[i];
        if (other != party && reel_live_has_owner(other) && other->class == REEL_CLASS_RWLOCK &&
            !(other->flags & REEL_FLAG_READ) && other->process == party->process &&
            other->object == party->object)
            reel_live_party_block(party, i);
    }
}

static void block_on_join(struct edges *edges, struct reel_live_party *party)
{
    for (uint32_t i = 0; i < edges->graph->count; i++)
        if (edges->graph->party[i].process == party->process && edges->handles[i] == party->object)
            reel_live_party_block(party, i);
}

/* A semaphore has no owner but by use: see live_holds.h. Its memory tells that it is empty. */
static void block_on_semaphore(struct edges *edges, struct reel_live_party *party)
{
    unsigned value;
    if (reel_live_holds_is_lock(edges->holds, party->process, party->object) &&
        reel_live_read(party->pid, party->object, &value, sizeof value) && value == 0)
        block_by_events(edges, party, false);
}

/* The kernel knows the process, the events know the thread. */
static void block_on_file_lock(struct edges *edges, struct reel_live_party *party)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    if (!reel_live_file_lock_holders(party->pid, pids))
        return;
    block_by_events(edges, party, true);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < party->blocker_count; i++)
        for (guint k = 0; k < pids->len; k++)
            if (edges->graph->party[party->blocker[i]].pid == g_array_index(pids, pid_t, k)) {
                party->blocker[kept++] = party->blocker[i];
                break;
            }
    party->blocker_count = kept;
}

void reel_live_add_blockers(struct reel_live_graph *graph, const struct reel_live_holds *holds,
                            struct reel_processes *processes, const uint64_t *handles)
{
    g_autoptr(GHashTable) by_tid = g_hash_table_new(g_direct_hash, g_direct_equal);
    struct edges edges = {.graph = graph,
                          .holds = holds,
                          .handles = handles,
                          .processes = processes,
                          .by_tid = by_tid};
    for (uint32_t i = 0; i < graph->count; i++)
        if (graph->party[i].tid)
            g_hash_table_insert(by_tid, GINT_TO_POINTER(graph->party[i].tid),
                                GUINT_TO_POINTER(i + 1));
    for (uint32_t i = 0; i < graph->count; i++) {
        struct reel_live_party *party = &graph->party[i];
        if (!reel_live_has_owner(party))
            continue;
        switch (party->class) {
        case REEL_CLASS_MUTEX:
            block_on_mutex(&edges, party);
            break;
        case REEL_CLASS_RWLOCK:
            block_on_rwlock(&edges, party);
            break;
        case REEL_CLASS_SPINLOCK:
            if (!holds->spins_distrusted)
                block_by_events(&edges, party, false);
            break;
        case REEL_CLASS_ONCE:
            block_by_events(&edges, party, false);
            break;
        case REEL_CLASS_THREAD:
            block_on_join(&edges, party);
            break;
        case REEL_CLASS_SEMAPHORE:
            block_on_semaphore(&edges, party);
            break;
        case REEL_CLASS_FILE_LOCK:
            block_on_file_lock(&edges, party);
            break;
        default:
            break;
        }
    }
}
