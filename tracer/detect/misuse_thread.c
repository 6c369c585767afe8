/* Misuse of threads: joined or detached twice, ended or forked with a lock held. */
#include <errno.h>

#include "tracer/detect/misuse.h"

static const char *bond_name(enum reel_misuse_bond bond)
{
    return bond == REEL_BOND_JOINED ? "joined" : "detached";
}

/* `how`: "joined", "detached" now; the thread's past says otherwise, or the call did. */
static void report_bond(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object,
                        uint32_t target, const char *how, uint32_t stack)
{
    const struct reel_detect_context *context = misuse->context;
    const struct reel_misuse_thread *facts = reel_misuse_thread_at(misuse, target);
    const char *name = reel_describe_thread(context, target);
    struct reel_finding *finding =
        reel_misuse_finding(misuse, *how == 'j' ? "join" : "detach", REEL_SEVERITY_ERROR, object,
                            event->time_ns, stack);
    if (facts->bond) {
        reel_finding_title(finding, "%s %s after it was %s", name, how, bond_name(facts->bond));
        reel_finding_explain(
            finding,
            "%s was %s by %s at %s, and then %s by %s at %s. After the first of "
            "these the handle may mean another thread, or nothing.",
            name, bond_name(facts->bond), reel_describe_thread(context, facts->bond_at.thread),
            reel_describe_site(context, facts->bond_at.stack), how,
            reel_describe_thread(context, event->thread), reel_describe_site(context, stack));
        reel_finding_evidence(finding, facts->bond_at.time_ns, facts->bond_at.thread, object,
                              facts->bond_at.stack, "%s here first", bond_name(facts->bond));
    } else {
        reel_finding_title(finding, "%s cannot be %s", name, how);
        reel_finding_explain(finding,
                             "%s tried at %s; the call returned an error: the thread is "
                             "detached, or another thread is joining it.",
                             reel_describe_thread(context, event->thread),
                             reel_describe_site(context, stack));
    }
    reel_finding_fix(finding, "Each thread is joined once or detached once, by whoever owns its "
                              "handle.");
    reel_finding_thread(finding, target);
    reel_finding_evidence(finding, event->time_ns, event->thread, object, stack, "%s here", how);
    reel_misuse_add(misuse, finding);
}

static void set_bond(struct reel_misuse *misuse, uint32_t target, enum reel_misuse_bond bond,
                     const struct reel_misuse_moment *at)
{
    struct reel_misuse_thread *facts = reel_misuse_thread_at(misuse, target);
    facts->bond = bond;
    facts->bond_at = *at;
}

/* Did the call say that the thread was not there to be joined or detached? Only its answer counts.
 * A handle is used again as soon as its thread is gone, and it is told by the thread that begins,
 * so a detach may be recorded before the start of the thread it means, or after the start of the
 * next one with its handle: that a thread seems to be detached twice proves nothing, and no right
 * program is refused. */
static bool is_refused(uint32_t error)
{
    const uint32_t c11_error = 2; /* thrd_error; no pthread call answers ENOENT */
    return error == EINVAL || error == ESRCH || error == EDEADLK || error == c11_error;
}

static void join(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    uint32_t target = reel_thread_of(misuse->context, object);
    if (!target)
        return;
    const struct reel_misuse_thread *mine = reel_misuse_thread_at(misuse, event->thread);
    struct reel_misuse_moment at = {event->time_ns, event->thread, mine->wanted_at.stack};
    /* EINVAL may also mean the deadline. */
    bool is_deadline = event->argument == EINVAL && mine->wanted_call & REEL_CALL_TIMED &&
                       !reel_misuse_thread_at(misuse, target)->bond;
    if (event->argument == 0)
        set_bond(misuse, target, REEL_BOND_JOINED, &at);
    else if (is_refused(event->argument) && !is_deadline)
        report_bond(misuse, event, object, target, "joined", at.stack);
}

static void detach(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    uint32_t target = reel_thread_of(misuse->context, object);
    if (!target)
        return;
    struct reel_misuse_moment at = {event->time_ns, event->thread, event->stack};
    if (event->argument == 0)
        set_bond(misuse, target, REEL_BOND_DETACHED, &at);
    else if (is_refused(event->argument))
        report_bond(misuse, event, object, target, "detached", event->stack);
}

/* A fork while another thread holds a lock: the child gets it locked, for ever. Only told, unless
 * the child wants it: most children go on to exec. */
static void fork_with_locks(struct reel_misuse *misuse, const struct reel_event *event)
{
    const struct reel_detect_context *context = misuse->context;
    for (uint32_t i = 1; i < reel_world_thread_limit(context->world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(context->world, i);
        if (!thread || i == event->thread || thread->process != event->process || thread->ended)
            continue;
        for (uint32_t k = 0; k < thread->held_count; k++) {
            const struct reel_held *held = &thread->held[k];
            const struct reel_object *facts = reel_describe_facts(context, held->object);
            enum reel_class class = reel_class_of(context, held->object);
            if (held->shared || (facts && facts->shared) ||
                (class != REEL_CLASS_MUTEX && class != REEL_CLASS_RWLOCK &&
                 class != REEL_CLASS_SPINLOCK))
                continue;
            const char *name = reel_describe_object(context, held->object);
            struct reel_finding *finding =
                reel_misuse_finding(misuse, "fork with lock", REEL_SEVERITY_INFO, held->object,
                                    event->time_ns, event->stack);
            reel_finding_title(finding, "forked while another thread holds %s", name);
            reel_finding_explain(finding,
                                 "%s forked at %s while %s held %s (taken at %s). In the child "
                                 "that lock stays locked, and nobody can unlock it.",
                                 reel_describe_thread(context, event->thread),
                                 reel_describe_site(context, event->stack),
                                 reel_describe_thread(context, i), name,
                                 reel_describe_site(context, held->stack));
            reel_finding_fix(finding, "Fork before threads are started, use posix_spawn, or hold "
                                      "the lock across the fork with pthread_atfork.");
            reel_finding_evidence(finding, held->since_ns, i, held->object, held->stack,
                                  "holds %s, taken here", name);
            reel_finding_evidence(finding, event->time_ns, event->thread, held->object,
                                  event->stack, "forks here");
            reel_misuse_add(misuse, finding);
        }
    }
}

void reel_misuse_thread_event(struct reel_misuse *misuse, const struct reel_event *event,
                              uint32_t object)
{
    if (event->class == REEL_CLASS_PROCESS) {
        if (event->operation == REEL_OP_CREATE && event->argument == REEL_CALL_FORK)
            fork_with_locks(misuse, event);
        return;
    }
    switch (event->operation) {
    case REEL_OP_WAKE:
        join(misuse, event, object);
        break;
    case REEL_OP_DETACH:
        detach(misuse, event, object);
        break;
    case REEL_OP_EXIT:
        /* Ended from outside, its locks are not its fault. */
        for (guint i = misuse->cut->len; i-- > 0;) {
            const struct reel_hold *hold = &g_array_index(misuse->cut, struct reel_hold, i);
            if (hold->thread != event->thread)
                continue;
            if (hold->end_ns == event->time_ns && event->argument < REEL_EXIT_PROCESS)
                g_array_append_vals(misuse->left_locked, hold, 1);
            g_array_remove_index(misuse->cut, i);
        }
        break;
    default:
        break;
    }
}

void reel_misuse_thread_hold(struct reel_misuse *misuse, const struct reel_hold *hold)
{
    if (!hold->released)
        g_array_append_vals(misuse->cut, hold, 1);
}

void reel_misuse_thread_finish(struct reel_misuse *misuse)
{
    const struct reel_detect_context *context = misuse->context;
    const uint32_t robust_kind = 16, recursive_type = 1;
    for (guint i = 0; i < misuse->left_locked->len; i++) {
        const struct reel_hold *hold = &g_array_index(misuse->left_locked, struct reel_hold, i);
        const struct reel_world_object *lock = reel_world_object(context->world, hold->object);
        const struct reel_misuse_object *mine = reel_misuse_object_at(misuse, hold->object);
        enum reel_class class = reel_class_of(context, hold->object);
        if ((class != REEL_CLASS_MUTEX && class != REEL_CLASS_RWLOCK &&
             class != REEL_CLASS_SPINLOCK) ||
            (lock && lock->gil) || (class == REEL_CLASS_MUTEX && mine->kind & robust_kind))
            continue;
        const char *name = reel_describe_object(context, hold->object);
        const char *who = reel_describe_thread(context, hold->thread);
        bool recursive = class == REEL_CLASS_MUTEX && (mine->kind & 3) == recursive_type;
        struct reel_finding *finding =
            reel_misuse_finding(misuse, "ended with lock", REEL_SEVERITY_ERROR, hold->object,
                                hold->end_ns, hold->stack);
        reel_finding_title(finding, "%s ended while it held %s", who, name);
        reel_finding_explain(finding,
                             "%s took %s at %s and ended without unlocking it%s. Nobody else may "
                             "unlock it, so whoever asks for it next waits for ever.",
                             who, name, reel_describe_site(context, hold->stack),
                             recursive ? " (it is recursive: each lock needs its unlock)" : "");
        reel_finding_fix(finding, "Unlock on every way out: returns, pthread_exit, and "
                                  "cancellation (pthread_cleanup_push).");
        reel_finding_evidence(finding, hold->start_ns, hold->thread, hold->object, hold->stack,
                              "takes %s here", name);
        reel_finding_evidence(finding, hold->end_ns, hold->thread, hold->object, 0,
                              "ends, and holds it still");
        reel_misuse_add(misuse, finding);
    }
}
