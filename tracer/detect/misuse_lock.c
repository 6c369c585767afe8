/* Misuse of locks and conditions: unlocking what is not held, locking twice, conditions with the
 * wrong mutex, timeouts that are no times.
 *
 * An unlock is recorded before it is made; whether it was refused is known with the thread's next
 * event. Not reported: an owner change when a thread is cancelled inside a condition wait, a
 * forked child's unlock of what it inherited, a signal sent after the unlock. */
#include <errno.h>

#include "tracer/detect/misuse.h"

static bool is_lock(unsigned class)
{
    return class == REEL_CLASS_MUTEX || class == REEL_CLASS_RWLOCK || class == REEL_CLASS_SPINLOCK;
}

static struct reel_misuse_moment taken_by(const struct reel_misuse *misuse, uint32_t thread,
                                          uint32_t object)
{
    const struct reel_world_thread *holder = reel_world_thread(misuse->context->world, thread);
    for (uint32_t i = 0; holder && i < holder->held_count; i++)
        if (holder->held[i].object == object)
            return (struct reel_misuse_moment){holder->held[i].since_ns, thread,
                                               holder->held[i].stack};
    return (struct reel_misuse_moment){0, thread, 0};
}

static void note_release(struct reel_misuse *misuse, const struct reel_event *event,
                         uint32_t object)
{
    const struct reel_world_thread *thread =
        reel_world_thread(misuse->context->world, event->thread);
    const struct reel_world_object *lock = reel_world_object(misuse->context->world, object);
    const struct reel_object *facts = reel_describe_facts(misuse->context, object);
    if (!thread || !lock || thread->foreign_release != object ||
        thread->foreign_release_ns != event->time_ns || lock->owner_gone ||
        (facts && facts->inherited_from))
        return;
    struct reel_misuse_thread *mine = reel_misuse_thread_at(misuse, event->thread);
    const struct reel_misuse_object *known = reel_misuse_object_at(misuse, object);
    mine->released = object;
    mine->release = (struct reel_misuse_moment){event->time_ns, event->thread, event->stack};
    mine->release_owner = lock->owner ? lock->owner : lock->reader_count ? lock->reader[0] : 0;
    mine->release_shared = !lock->owner && lock->reader_count;
    mine->owner_took =
        mine->release_owner ? taken_by(misuse, mine->release_owner, object) : known->acquired;
    mine->release_in_wait = event->flags & REEL_FLAG_IN_WAIT;
    /* The probe adds a stack when the lock itself says that the caller does not own it. Spin locks
     * and conditions cannot say so: there the record must be whole. */
    bool is_known = known->is_made || known->acquired.time_ns;
    mine->release_sure =
        event->stack ||
        ((event->class == REEL_CLASS_SPINLOCK || mine->release_in_wait || mine->release_shared) &&
         is_known);
}

static void report_wait_without(struct reel_misuse *misuse, const struct reel_misuse_thread *mine,
                                const struct reel_event *next)
{
    const struct reel_detect_context *context = misuse->context;
    uint32_t stack = next && next->operation == REEL_OP_WAIT ? next->stack : mine->release.stack;
    const char *name = reel_describe_object(context, mine->released);
    const char *who = reel_describe_thread(context, mine->release.thread);
    struct reel_finding *finding =
        reel_misuse_finding(misuse, "wait without mutex", REEL_SEVERITY_ERROR, mine->released,
                            mine->release.time_ns, stack);
    reel_finding_title(finding, "condition waited for without holding its mutex %s", name);
    if (mine->release_owner)
        reel_finding_explain(finding,
                             "%s waits for a condition at %s with the mutex %s, which it does not "
                             "hold: %s does. What the wait unlocks and locks is then undefined.",
                             who, reel_describe_site(context, stack), name,
                             reel_describe_thread(context, mine->release_owner));
    else
        reel_finding_explain(finding,
                             "%s waits for a condition at %s with the mutex %s, which nobody "
                             "holds. The condition can change between the test and the wait, and "
                             "the wake-up is lost.",
                             who, reel_describe_site(context, stack), name);
    reel_finding_fix(finding, "Lock the mutex before testing the condition, and hold it until the "
                              "wait: lock; while (!ready) wait; unlock.");
    reel_finding_evidence(finding, mine->release.time_ns, mine->release.thread, mine->released,
                          stack, "waits here without holding %s", name);
    if (mine->owner_took.time_ns)
        reel_finding_evidence(finding, mine->owner_took.time_ns, mine->owner_took.thread,
                              mine->released, mine->owner_took.stack, "%s %s, taken here",
                              mine->release_owner ? "holds" : "held last", name);
    reel_misuse_add(misuse, finding);
}

static void report_release(struct reel_misuse *misuse, const struct reel_misuse_thread *mine,
                           int refused)
{
    const struct reel_detect_context *context = misuse->context;
    const char *name = reel_describe_object(context, mine->released);
    const char *who = reel_describe_thread(context, mine->release.thread);
    const char *site = reel_describe_site(context, mine->release.stack);
    const char *class = reel_describe_class(context, mine->released);
    const char *outcome =
        refused ? "The unlock was refused" : "The lock is open now for anybody, or broken";
    struct reel_finding *finding = reel_misuse_finding(
        misuse, mine->release_owner ? "unlock of another's" : "unlock of unlocked",
        REEL_SEVERITY_ERROR, mine->released, mine->release.time_ns, mine->release.stack);
    if (mine->release_owner) {
        const char *owner = reel_describe_thread(context, mine->release_owner);
        reel_finding_title(finding, "%s unlocked by %s, though %s holds it", name, who, owner);
        reel_finding_explain(finding, "%s took %s at %s; %s unlocked it at %s. %s.", owner, name,
                             reel_describe_site(context, mine->owner_took.stack), who, site,
                             outcome);
        reel_finding_fix(finding,
                         "Only the thread that locked a %s may unlock it. To let one "
                         "thread wake another, use a semaphore or a condition variable.",
                         class);
    } else {
        reel_finding_title(finding, "%s unlocked by %s, though nobody holds it", name, who);
        reel_finding_explain(finding, "%s unlocked %s at %s when it was not locked. %s.", who, name,
                             site, outcome);
        reel_finding_fix(finding, "Look for a path that unlocks twice, or that leaves before the "
                                  "lock is taken.");
    }
    if (mine->owner_took.time_ns)
        reel_finding_evidence(finding, mine->owner_took.time_ns, mine->owner_took.thread,
                              mine->released, mine->owner_took.stack, "%s %s, taken here",
                              mine->release_owner ? "holds" : "held last", name);
    reel_finding_evidence(finding, mine->release.time_ns, mine->release.thread, mine->released,
                          mine->release.stack, "unlocks %s here", name);
    reel_misuse_add(misuse, finding);
}

/* The thread went on: its release of another's lock was made, or refused. */
static void settle(struct reel_misuse *misuse, struct reel_misuse_thread *mine,
                   const struct reel_event *next)
{
    bool refused = next && next->operation == REEL_OP_RELEASE_FAILED;
    if (mine->release_in_wait) {
        if (mine->release_sure || refused)
            report_wait_without(misuse, mine, next);
    } else if (mine->release_sure || refused) {
        report_release(misuse, mine, refused);
    }
    mine->released = 0;
}

static void report_relock(struct reel_misuse *misuse, const struct reel_event *event,
                          uint32_t object)
{
    const struct reel_detect_context *context = misuse->context;
    struct reel_misuse_moment took = taken_by(misuse, event->thread, object);
    const char *name = reel_describe_object(context, object);
    struct reel_finding *finding = reel_misuse_finding(
        misuse, "locked twice", REEL_SEVERITY_WARNING, object, event->time_ns, event->stack);
    reel_finding_title(finding, "%s locked again by %s, which holds it", name,
                       reel_describe_thread(context, event->thread));
    reel_finding_explain(finding,
                         "%s took %s at %s and asked for it again at %s. This lock checks and "
                         "refused (EDEADLK); an ordinary one would have stopped the thread for "
                         "ever.",
                         reel_describe_thread(context, event->thread), name,
                         reel_describe_site(context, took.stack),
                         reel_describe_site(context, event->stack));
    reel_finding_fix(finding, "Take the lock in one place only; give the inner function a variant "
                              "that expects it to be held.");
    reel_finding_evidence(finding, took.time_ns, event->thread, object, took.stack,
                          "holds %s, taken here", name);
    reel_finding_evidence(finding, event->time_ns, event->thread, object, event->stack,
                          "locks %s again here", name);
    reel_misuse_add(misuse, finding);
}

static void report_timeout(struct reel_misuse *misuse, const struct reel_event *event,
                           uint32_t object, uint32_t stack)
{
    const struct reel_detect_context *context = misuse->context;
    const char *name = reel_describe_object(context, object);
    struct reel_finding *finding = reel_misuse_finding(
        misuse, "invalid timeout", REEL_SEVERITY_WARNING, object, event->time_ns, stack);
    reel_finding_title(finding, "invalid timeout in a wait for %s", name);
    reel_finding_explain(finding,
                         "%s waited for %s at %s with a deadline that is no time (its nanoseconds "
                         "are not within 0 to 999999999); the call returned EINVAL at once and did "
                         "not wait. A loop around it spins.",
                         reel_describe_thread(context, event->thread), name,
                         reel_describe_site(context, stack));
    reel_finding_fix(finding, "After adding to tv_nsec, carry over: if (t.tv_nsec >= 1000000000) { "
                              "t.tv_sec++; t.tv_nsec -= 1000000000; }. The deadline is a time of "
                              "day, not a duration.");
    reel_finding_evidence(finding, event->time_ns, event->thread, object, stack,
                          "waits with an invalid deadline here");
    reel_misuse_add(misuse, finding);
}

static void report_unusable(struct reel_misuse *misuse, const struct reel_event *event,
                            uint32_t object)
{
    const struct reel_detect_context *context = misuse->context;
    const struct reel_misuse_object *mine = reel_misuse_object_at(misuse, object);
    const struct reel_misuse_object *before =
        mine->before ? reel_misuse_object_at(misuse, mine->before) : NULL;
    bool destroyed = mine->is_destroyed || (before && before->is_destroyed);
    struct reel_misuse_moment end = mine->is_destroyed ? mine->destroyed
                                    : destroyed        ? before->destroyed
                                                       : (struct reel_misuse_moment){0, 0, 0};
    const char *name = reel_describe_object(context, object);
    struct reel_finding *finding =
        reel_misuse_finding(misuse, destroyed ? "use after destroy" : "use before init",
                            REEL_SEVERITY_ERROR, object, event->time_ns, event->stack);
    reel_finding_title(finding, "%s used %s", name,
                       destroyed ? "after its destruction" : "without being initialised");
    reel_finding_explain(finding, "%s locked %s at %s; the call returned EINVAL, for %s.",
                         reel_describe_thread(context, event->thread), name,
                         reel_describe_site(context, event->stack),
                         destroyed ? "the lock had been destroyed"
                                   : "there is no valid lock in that memory");
    reel_finding_fix(finding, destroyed ? "Destroy a lock when its last user has gone: join the "
                                          "threads first."
                                        : "Initialise the lock before the first thread can reach "
                                          "it (PTHREAD_MUTEX_INITIALIZER, or pthread_mutex_init).");
    if (end.time_ns)
        reel_finding_evidence(finding, end.time_ns, end.thread, object, end.stack,
                              "destroys %s here", name);
    reel_finding_evidence(finding, event->time_ns, event->thread, object, event->stack,
                          "uses %s here", name);
    reel_misuse_add(misuse, finding);
}

static void fail(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    const struct reel_misuse_thread *mine = reel_misuse_thread_at(misuse, event->thread);
    if (event->argument == EDEADLK) {
        report_relock(misuse, event, object);
    } else if (event->argument == EINVAL) {
        if (mine->wanted_call & REEL_CALL_TIMED && !(event->flags & REEL_FLAG_TRY))
            report_timeout(misuse, event, object, event->stack);
        else if (is_lock(event->class))
            report_unusable(misuse, event, object);
    }
}

/* POSIX leaves undefined what happens when two threads wait for one condition with two mutexes. */
static void check_mutexes(struct reel_misuse *misuse, const struct reel_event *event,
                          uint32_t condition, uint32_t mutex)
{
    const struct reel_detect_context *context = misuse->context;
    const struct reel_world_object *known = reel_world_object(context->world, condition);
    for (uint32_t i = 0; known && mutex && i < known->waiter_count; i++) {
        const struct reel_wait *wait = reel_world_wait(context->world, known->waiter[i]);
        if (known->waiter[i] == event->thread || !wait || wait->object != condition ||
            wait->woken_ns || !wait->other || wait->other == mutex)
            continue;
        const char *name = reel_describe_object(context, condition);
        struct reel_finding *finding = reel_misuse_finding(
            misuse, "two mutexes", REEL_SEVERITY_ERROR, condition, event->time_ns, event->stack);
        reel_finding_title(finding, "%s waited for with two different mutexes", name);
        reel_finding_explain(
            finding,
            "%s waits for %s with %s (at %s) while %s waits for it with %s (at "
            "%s). With two mutexes nothing guards what the condition is about.",
            reel_describe_thread(context, event->thread), name,
            reel_describe_object(context, mutex), reel_describe_site(context, event->stack),
            reel_describe_thread(context, known->waiter[i]),
            reel_describe_object(context, wait->other), reel_describe_site(context, wait->stack));
        reel_finding_fix(finding, "One condition, one mutex: the one that guards what is waited "
                                  "for.");
        reel_finding_evidence(finding, wait->since_ns, known->waiter[i], condition, wait->stack,
                              "waits with %s here", reel_describe_object(context, wait->other));
        reel_finding_evidence(finding, event->time_ns, event->thread, condition, event->stack,
                              "waits with %s here", reel_describe_object(context, mutex));
        reel_finding_object(finding, mutex);
        reel_misuse_add(misuse, finding);
        return;
    }
}

static bool is_of_kernel(const struct reel_event *event)
{
    return event->operation == REEL_OP_SWITCH_IN || event->operation == REEL_OP_SWITCH_OUT;
}

void reel_misuse_lock_event(struct reel_misuse *misuse, const struct reel_event *event,
                            uint32_t object, uint32_t other)
{
    struct reel_misuse_thread *mine = reel_misuse_thread_at(misuse, event->thread);
    if (mine->released && !is_of_kernel(event))
        settle(misuse, mine, event);
    switch (event->operation) {
    case REEL_OP_RELEASE:
        if (is_lock(event->class) && !(event->flags & REEL_FLAG_RECURSIVE))
            note_release(misuse, event, object);
        break;
    case REEL_OP_REQUEST:
        mine->wanted_call = event->argument;
        break;
    case REEL_OP_WAIT:
        mine->wanted_call = event->argument;
        mine->wanted_at = (struct reel_misuse_moment){event->time_ns, event->thread, event->stack};
        if (event->class == REEL_CLASS_CONDITION)
            check_mutexes(misuse, event, object, other);
        break;
    case REEL_OP_WAKE:
        if (event->class == REEL_CLASS_CONDITION && event->argument == EINVAL &&
            mine->wanted_call & REEL_CALL_TIMED)
            report_timeout(misuse, event, object, mine->wanted_at.stack);
        break;
    case REEL_OP_FAIL:
        if (is_lock(event->class) || event->class == REEL_CLASS_SEMAPHORE)
            fail(misuse, event, object);
        mine->wanted_call = 0;
        break;
    case REEL_OP_ACQUIRE:
        mine->wanted_call = 0;
        break;
    default:
        break;
    }
}

void reel_misuse_lock_finish(struct reel_misuse *misuse)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, misuse->thread);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((struct reel_misuse_thread *)value)->released)
            settle(misuse, value, NULL);
}
