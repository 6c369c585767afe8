#include "tracer/collect/live_watch.h"

#include <glib.h>
#include <string.h>

#include "probes/event/kinds.h"
#include "tracer/collect/live_owner.h"
#include "tracer/collect/live_quiet.h"
#include "tracer/collect/live_target.h"

#define LOOK_NS    100000000u
#define CONFIRM_NS 100000000u /* between the two looks that make a deadlock certain */
#define QUIET_NS   100000000u /* a wait is worth a thought from then on */
#define SUSPECT_NS 300000000u /* of standing still: said, if the grace period is longer */

struct reel_live {
    const struct reel_live_hooks *hooks;
    struct reel_region_owner *owner;
    const struct reel_clock_map *clock;
    struct reel_processes *processes;
    struct reel_live_holds holds;
    struct reel_live_graph graph;
    GArray *handles;  /* uint64_t: pthread_t, by party */
    GHashTable *told; /* thread number → its raw_since in a deadlock that was told */
    uint64_t looked_ns;
    uint64_t cycle_mark, cycle_ns; /* a cycle seen, and when first */
    uint64_t quiet_mark, quiet_ns; /* the same of standing still */
    uint64_t ask_ns, ask_step_ns;  /* not asked again whether it does before then */
    uint64_t quiet_told;           /* mark of a hang that was told */
    uint64_t suspect_told;
    bool quiet_checked, ended, timed_out, memory_asked;
};

struct reel_live *reel_live_new(const struct reel_live_hooks *hooks,
                                struct reel_region_owner *owner, const struct reel_clock_map *clock,
                                struct reel_processes *processes)
{
    struct reel_live *live = g_new0(struct reel_live, 1);
    live->hooks = hooks;
    live->owner = owner;
    live->clock = clock;
    live->processes = processes;
    reel_live_holds_init(&live->holds, owner->region->thread_capacity);
    if (hooks->only_timeout)
        live->holds.classes = 0;
    live->handles = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    live->told = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    return live;
}

void reel_live_free(struct reel_live *live)
{
    if (!live)
        return;
    reel_live_holds_clear(&live->holds);
    reel_live_graph_free(&live->graph);
    g_array_free(live->handles, TRUE);
    g_hash_table_destroy(live->told);
    g_free(live);
}

struct reel_live_holds *reel_live_holds_of(struct reel_live *live)
{
    return &live->holds;
}

/* Reads all slots into the graph, without edges. *all_stuck: every thread there is has been in a
 * wait that may be part of a hang for a while. *owned: somebody waits for something that is owned.
 */
static void read_slots(struct reel_live *live, uint64_t now_ns, bool *all_stuck, bool *owned)
{
    struct reel_region *region = live->owner->region;
    uint32_t high = atomic_load_explicit(&region->thread_high, memory_order_acquire);
    reel_live_graph_clear(&live->graph);
    g_array_set_size(live->handles, 0);
    *all_stuck = true;
    *owned = false;
    for (uint32_t i = 0; i < high && i < region->thread_capacity; i++) {
        struct reel_thread_slot *slot = reel_region_thread(region, i);
        uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if (state == REEL_SLOT_CLAIMED)
            *all_stuck = false; /* one is being born */
        if (state != REEL_SLOT_LIVE)
            continue;
        struct reel_process *process = reel_processes_find(live->processes, slot->process_number);
        if (!process) {
            *all_stuck = false; /* not yet known */
            continue;
        }
        if (!process->alive)
            continue;
        struct reel_live_party *party = reel_live_graph_add(&live->graph);
        party->slot = i;
        party->thread = slot->number;
        party->process = slot->process_number;
        party->pid = process->row.pid;
        party->tid = slot->tid;
        uint64_t handle = slot->handle;
        g_array_append_val(live->handles, handle);
        /* Acquire: what belongs to the wait was written before. Read again behind: unchanged, so
         * nobody wrote in between. */
        uint64_t since = atomic_load_explicit(&slot->wait_since, memory_order_acquire);
        uint64_t object = atomic_load_explicit(&slot->wait_object, memory_order_relaxed);
        uint32_t kind = atomic_load_explicit(&slot->wait_kind, memory_order_relaxed);
        uint32_t call = __atomic_load_n(&slot->wait_call, __ATOMIC_RELAXED);
        atomic_thread_fence(memory_order_acquire);
        if (!since || atomic_load_explicit(&slot->wait_since, memory_order_relaxed) != since) {
            *all_stuck = false;
            continue;
        }
        party->raw_since = since;
        party->since_ns = MAX(reel_clock_map_ns(live->clock, since), 1);
        party->object = object;
        party->operation = (uint8_t)REEL_KIND_OPERATION(kind);
        party->class = (uint8_t)REEL_KIND_CLASS(kind);
        party->flags = (uint8_t)REEL_KIND_FLAGS(kind);
        party->call = call;
        if (!reel_live_may_be_stuck(party) || now_ns < party->since_ns + QUIET_NS)
            *all_stuck = false;
        if (reel_live_has_owner(party))
            *owned = true;
    }
    if (!live->graph.count)
        *all_stuck = false;
}

/* What makes a set of waits this one and no other: it changes when any of them ends. */
static uint64_t mark_of(const struct reel_live_graph *graph, const uint32_t *indices,
                        uint32_t count)
{
    uint64_t mark = 0x9e3779b97f4a7c15ull * (count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct reel_live_party *party = &graph->party[indices ? indices[i] : i];
        uint64_t word = party->raw_since ^ (uint64_t)party->thread << 40;
        word *= 0xff51afd7ed558ccdull;
        mark += word ^ word >> 32; /* a sum: where the walk began does not matter */
    }
    return mark ? mark : 1;
}

static bool tell(struct reel_live *live, enum reel_live_kind kind, uint64_t now_ns,
                 const uint32_t *indices, uint32_t count)
{
    g_autofree struct reel_live_wait *waits = g_new0(struct reel_live_wait, count + 1);
    struct reel_live_verdict verdict = {
        .kind = kind, .time_ns = now_ns, .wait = waits, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        const struct reel_live_party *party = &live->graph.party[indices ? indices[i] : i];
        struct reel_live_wait *wait = &waits[i];
        *wait = (struct reel_live_wait){
            .thread = party->thread,
            .process = party->process,
            .pid = party->pid,
            .tid = party->tid,
            .blocked = party->since_ns > 0,
            .since_ns = party->since_ns,
            .object = party->object,
            .object_name = reel_live_holds_name(&live->holds, party->process, party->object),
            .call = party->call,
            .class = party->class,
        };
        reel_live_task_name(party->pid, party->tid, wait->name);
        for (uint32_t k = 0; k < party->blocker_count && !wait->blocker; k++)
            if (party->blocker[k] == REEL_LIVE_GONE)
                wait->owner_gone = true;
            else
                wait->blocker = live->graph.party[party->blocker[k]].thread;
        if (kind == REEL_LIVE_DEADLOCK && i + 1 < count)
            wait->blocker = live->graph.party[indices[i + 1]].thread;
        verdict.since_ns = MAX(verdict.since_ns, party->since_ns);
    }
    return live->hooks->verdict && live->hooks->verdict(live->hooks->data, &verdict);
}

/* Are the parties of a cycle where they say they are: asleep, or spinning? */
static bool cycle_holds(const struct reel_live *live, const uint32_t *indices, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct reel_live_party *party = &live->graph.party[indices[i]];
        char state = reel_live_task_state(party->pid, party->tid);
        bool spins = party->class == REEL_CLASS_SPINLOCK;
        if (state != 'S' && !(spins && state == 'R'))
            return false;
    }
    return true;
}

/* How long a cycle must stand. Anybody could post a semaphore, though nobody ever did who had not
 * taken it: that gets the time of a hang. */
static uint64_t confirmation_of(const struct reel_live *live, const uint32_t *indices,
                                uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (live->graph.party[indices[i]].class == REEL_CLASS_SEMAPHORE)
            return MAX(live->hooks->grace_ns, CONFIRM_NS);
    return CONFIRM_NS;
}

/* Looks for a deadlock. True: one became certain, and the recording shall end. */
static bool look_for_cycle(struct reel_live *live, uint64_t now_ns)
{
    g_autofree bool *skip = g_new0(bool, live->graph.count + 1);
    g_autofree uint32_t *indices = g_new(uint32_t, live->graph.count + 1);
    reel_live_add_blockers(&live->graph, &live->holds, live->processes,
                           (const uint64_t *)live->handles->data);
    for (uint32_t i = 0; i < live->graph.count; i++) {
        const struct reel_live_party *party = &live->graph.party[i];
        const uint64_t *since = g_hash_table_lookup(live->told, GUINT_TO_POINTER(party->thread));
        skip[i] = since && *since == party->raw_since;
    }
    uint32_t count = reel_live_graph_cycle(&live->graph, skip, indices, live->graph.count);
    if (!count || !cycle_holds(live, indices, count)) {
        live->cycle_mark = 0;
        return false;
    }
    uint64_t mark = mark_of(&live->graph, indices, count);
    if (mark != live->cycle_mark) {
        live->cycle_mark = mark;
        live->cycle_ns = now_ns;
        return false;
    }
    if (now_ns - live->cycle_ns < confirmation_of(live, indices, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct reel_live_party *party = &live->graph.party[indices[i]];
        g_hash_table_replace(live->told, GUINT_TO_POINTER(party->thread),
                             g_memdup2(&party->raw_since, sizeof party->raw_since));
    }
    live->cycle_mark = 0;
    return tell(live, REEL_LIVE_DEADLOCK, now_ns, indices, count);
}

static bool look_for_quiet(struct reel_live *live, uint64_t now_ns)
{
    uint64_t mark = mark_of(&live->graph, NULL, live->graph.count);
    if (mark == live->quiet_told)
        return false;
    if (mark != live->quiet_mark) {
        live->quiet_mark = mark;
        live->quiet_ns = now_ns;
        live->quiet_checked = false;
        live->ask_ns = 0;
        live->ask_step_ns = LOOK_NS;
        return false;
    }
    uint64_t still_ns = now_ns - live->quiet_ns;
    bool due = still_ns >= live->hooks->grace_ns;
    bool suspect = !due && !live->quiet_checked && still_ns >= SUSPECT_NS;
    if ((!due && !suspect) || now_ns < live->ask_ns)
        return false;
    if (!reel_live_is_quiet(&live->graph, &live->holds, live->processes)) {
        /* A moment's business of the kernel, or an outside: then it is asked ever more rarely. */
        live->ask_ns = now_ns + live->ask_step_ns;
        live->ask_step_ns *= 2;
        live->quiet_checked = false;
        return false;
    }
    /* Certain only when it was so before: an outside may be gone a moment before who it woke runs.
     */
    bool was_quiet = live->quiet_checked;
    live->quiet_checked = true;
    if (due && !was_quiet)
        return false;
    if (suspect) {
        /* Once a run: a program that stands still again and again was not hung. */
        if (!live->suspect_told) {
            live->suspect_told = mark;
            tell(live, REEL_LIVE_SUSPECT, now_ns, NULL, live->graph.count);
        }
        return false;
    }
    live->quiet_told = mark;
    return tell(live, REEL_LIVE_HANG, now_ns, NULL, live->graph.count);
}

/* Whether the target's memory may be read: asked once, of its first thread. */
static void ask_for_memory(struct reel_live *live)
{
    for (uint32_t i = 0; i < live->graph.count; i++) {
        uint64_t word, handle = g_array_index(live->handles, uint64_t, i);
        if (!handle)
            continue;
        live->memory_asked = true;
        if (reel_live_read(live->graph.party[i].pid, handle, &word, sizeof word))
            reel_live_holds_drop_mutexes(&live->holds);
        return;
    }
}

bool reel_live_look(struct reel_live *live, uint64_t now_ns)
{
    if (now_ns - live->looked_ns < LOOK_NS && live->memory_asked)
        return false;
    live->looked_ns = now_ns;
    bool all_stuck, owned;
    read_slots(live, now_ns, &all_stuck, &owned);
    if (!live->memory_asked)
        ask_for_memory(live);
    bool over = false;
    if (live->hooks->only_timeout)
        owned = all_stuck = false;
    if (owned)
        over = look_for_cycle(live, now_ns);
    else
        live->cycle_mark = 0;
    if (!over && all_stuck && g_hash_table_size(live->told) == 0)
        over = look_for_quiet(live, now_ns);
    else
        live->quiet_mark = 0;
    if (!over && live->hooks->timeout_ns && now_ns > live->hooks->timeout_ns && !live->timed_out) {
        live->timed_out = true;
        over = tell(live, REEL_LIVE_TIMEOUT, now_ns, NULL, live->graph.count);
    }
    live->ended |= over;
    return over;
}

bool reel_live_end(struct reel_live *live, int *wait_status)
{
    if (!live->ended || !live->hooks->end)
        return false;
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    for (unsigned i = 0; i < reel_processes_count(live->processes); i++) {
        const struct reel_process *process = reel_processes_at(live->processes, i);
        if (process->alive)
            g_array_append_val(pids, process->row.pid);
    }
    return live->hooks->end(live->hooks->data, (const pid_t *)pids->data, pids->len, wait_status);
}
