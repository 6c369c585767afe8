/* Misuse of an object's life: destroyed while in use, used after that or before it was made, made
 * again while threads wait. A static initialiser leaves no event, so a mutex, rwlock or condition
 * that is used without being made may be right; a semaphore, barrier or spin lock has none. */
#include <errno.h>

#include "tracer/detect/misuse.h"

/* Threads in its queue that nothing has woken. */
static uint32_t waiters_of(const struct reel_misuse *misuse, uint32_t object, uint32_t *one)
{
    const struct reel_world *world = misuse->context->world;
    const struct reel_world_object *known = reel_world_object(world, object);
    uint32_t count = 0;
    for (uint32_t i = 0; known && i < known->waiter_count; i++) {
        const struct reel_world_thread *thread = reel_world_thread(world, known->waiter[i]);
        if (!thread || thread->ended)
            continue;
        for (uint32_t k = 0; k < thread->wait_count; k++)
            if (thread->wait[k].object == object && !thread->wait[k].woken_ns) {
                *one = known->waiter[i];
                count++;
                break;
            }
    }
    if (known && known->class == REEL_CLASS_SEMAPHORE && known->depth > 0)
        return count > (uint64_t)known->depth ? count - (uint32_t)known->depth : 0;
    return count;
}

static const struct reel_wait *wait_for(const struct reel_misuse *misuse, uint32_t thread,
                                        uint32_t object)
{
    const struct reel_world_thread *known = reel_world_thread(misuse->context->world, thread);
    for (uint32_t i = 0; known && i < known->wait_count; i++)
        if (known->wait[i].object == object)
            return &known->wait[i];
    return NULL;
}

static void report_in_use(struct reel_misuse *misuse, const struct reel_event *event,
                          uint32_t object, uint32_t waiter, const struct reel_misuse_moment *holder)
{
    const struct reel_detect_context *context = misuse->context;
    const char *name = reel_describe_object(context, object);
    const char *what = event->operation == REEL_OP_INIT ? "initialised again" : "destroyed";
    const char *state = waiter ? "threads wait for it" : "it is locked";
    struct reel_finding *finding = reel_misuse_finding(
        misuse, event->operation == REEL_OP_INIT ? "init in use" : "destroy in use",
        REEL_SEVERITY_ERROR, object, event->time_ns, event->stack);
    reel_finding_title(finding, "%s %s while %s", name, what, state);
    const struct reel_wait *wait = waiter ? wait_for(misuse, waiter, object) : NULL;
    if (wait) {
        reel_finding_explain(finding, "%s %s %s at %s while %s waits for it (at %s).",
                             reel_describe_thread(context, event->thread),
                             event->operation == REEL_OP_INIT ? "initialises" : "destroys", name,
                             reel_describe_site(context, event->stack),
                             reel_describe_thread(context, waiter),
                             reel_describe_site(context, wait->stack));
        reel_finding_evidence(finding, wait->since_ns, waiter, object, wait->stack,
                              "waits for %s here", name);
    } else {
        reel_finding_explain(finding, "%s %s %s at %s while %s holds it (taken at %s).",
                             reel_describe_thread(context, event->thread),
                             event->operation == REEL_OP_INIT ? "initialises" : "destroys", name,
                             reel_describe_site(context, event->stack),
                             reel_describe_thread(context, holder->thread),
                             reel_describe_site(context, holder->stack));
        reel_finding_evidence(finding, holder->time_ns, holder->thread, object, holder->stack,
                              "holds %s, taken here", name);
    }
    reel_finding_fix(finding, "Join the threads that use it first, or count its users.");
    reel_finding_evidence(finding, event->time_ns, event->thread, object, event->stack,
                          "%s %s here",
                          event->operation == REEL_OP_INIT ? "initialises" : "destroys", name);
    reel_misuse_add(misuse, finding);
}

static struct reel_misuse_moment holder_of(const struct reel_misuse *misuse, uint32_t object)
{
    const struct reel_world *world = misuse->context->world;
    const struct reel_world_object *known = reel_world_object(world, object);
    uint32_t owner = !known || known->owner_gone ? 0
                     : known->owner              ? known->owner
                     : known->reader_count       ? known->reader[0]
                                                 : 0;
    const struct reel_world_thread *thread = owner ? reel_world_thread(world, owner) : NULL;
    for (uint32_t i = 0; thread && i < thread->held_count; i++)
        if (thread->held[i].object == object)
            return (struct reel_misuse_moment){thread->held[i].since_ns, owner,
                                               thread->held[i].stack};
    return (struct reel_misuse_moment){0, 0, 0};
}

static void destroy(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    struct reel_misuse_object *mine = reel_misuse_object_at(misuse, object);
    uint32_t waiter = 0;
    struct reel_misuse_moment holder = {0, 0, 0};
    const struct reel_hold *cut = &misuse->last_hold;
    if (event->argument == EBUSY)
        holder = holder_of(misuse, object);
    else if (!event->argument && cut->object == object && cut->end_ns == event->time_ns)
        /* The world ended this hold with the lock. */
        holder = (struct reel_misuse_moment){cut->start_ns, cut->thread, cut->stack};
    uint32_t waiters = waiters_of(misuse, object, &waiter);
    if (waiters || holder.thread)
        report_in_use(misuse, event, object, waiters && !holder.thread ? waiter : 0, &holder);
    mine->destroyed = (struct reel_misuse_moment){event->time_ns, event->thread, event->stack};
    mine->is_destroyed |= event->argument == 0;
}

static void init(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    struct reel_misuse_object *mine = reel_misuse_object_at(misuse, object);
    mine->is_made = true;
    mine->kind = event->argument;
    mine->made = (struct reel_misuse_moment){event->time_ns, event->thread, event->stack};
    const struct reel_object *old = reel_describe_facts(misuse->context, mine->before);
    if (!old || old->class != event->class || old->inherited_from ||
        reel_misuse_object_at(misuse, mine->before)->is_destroyed)
        return;
    uint32_t waiter = 0;
    struct reel_misuse_moment holder = holder_of(misuse, mine->before);
    if (waiters_of(misuse, mine->before, &waiter) &&
        (event->class != REEL_CLASS_MUTEX || holder.thread))
        report_in_use(misuse, event, mine->before, waiter, &holder);
}

static bool is_always_made(unsigned class)
{
    return class == REEL_CLASS_SEMAPHORE || class == REEL_CLASS_BARRIER;
}

static void first_use(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    const struct reel_detect_context *context = misuse->context;
    struct reel_misuse_object *mine = reel_misuse_object_at(misuse, object);
    const struct reel_object *facts = reel_describe_facts(context, object);
    if (mine->told_use || mine->is_made || !facts || facts->inherited_from || facts->shared)
        return;
    mine->told_use = true;
    const struct reel_misuse_object *before =
        mine->before ? reel_misuse_object_at(misuse, mine->before) : NULL;
    bool after = facts->after_destroy && before && before->is_destroyed;
    /* What was made by a call and destroyed may live on, initialised by assignment. */
    bool is_likely = after && before->is_made &&
                     (event->class == REEL_CLASS_CONDITION || event->class == REEL_CLASS_RWLOCK ||
                      event->class == REEL_CLASS_SPINLOCK);
    if (!is_always_made(event->class) && !is_likely)
        return;
    /* The parent may have ended its own since the fork; the child's copy lives on. */
    if (!after && g_hash_table_contains(misuse->forked, GUINT_TO_POINTER(event->process)))
        return;
    const char *name = reel_describe_object(context, object);
    bool is_sure = after && is_always_made(event->class) && before->is_made;
    struct reel_finding *finding =
        reel_misuse_finding(misuse, after ? "use after destroy" : "use before init",
                            is_sure ? REEL_SEVERITY_ERROR : REEL_SEVERITY_WARNING, object,
                            event->time_ns, event->stack);
    if (!is_sure)
        finding->confidence = REEL_CONFIDENCE_POSSIBLE;
    reel_finding_title(finding, "%s used %s", name,
                       after ? "after its destruction" : "without being initialised");
    if (after) {
        reel_finding_explain(finding,
                             "%s destroyed %s at %s; %s used it at %s, and nothing "
                             "initialised it in between.",
                             reel_describe_thread(context, before->destroyed.thread), name,
                             reel_describe_site(context, before->destroyed.stack),
                             reel_describe_thread(context, event->thread),
                             reel_describe_site(context, event->stack));
        reel_finding_evidence(finding, before->destroyed.time_ns, before->destroyed.thread, object,
                              before->destroyed.stack, "destroys %s here", name);
        reel_finding_fix(finding,
                         "Destroy it when its last user has gone: join the threads first.");
    } else {
        reel_finding_explain(finding,
                             "%s used %s at %s; no call initialised it before. A %s has "
                             "no static initialiser: what is in that memory decides.",
                             reel_describe_thread(context, event->thread), name,
                             reel_describe_site(context, event->stack),
                             reel_class_name(event->class));
        reel_finding_fix(finding, "Initialise it before the first thread can reach it.");
    }
    reel_finding_evidence(finding, event->time_ns, event->thread, object, event->stack,
                          "uses %s here", name);
    reel_misuse_add(misuse, finding);
}

/* Remembers which object was at its address before. */
static void place(struct reel_misuse *misuse, const struct reel_event *event, uint32_t object)
{
    const struct reel_object *facts = reel_describe_facts(misuse->context, object);
    uint32_t place = reel_address_place(event->process, 0);
    if (!facts || facts->shared)
        return;
    uint32_t before = reel_address_map_get(&misuse->newest, place, facts->address);
    if (before == object)
        return;
    reel_misuse_object_at(misuse, object)->before = before;
    reel_address_map_set(&misuse->newest, place, facts->address, object);
}

void reel_misuse_object_event(struct reel_misuse *misuse, const struct reel_event *event,
                              uint32_t object)
{
    struct reel_misuse_object *mine = reel_misuse_object_at(misuse, object);
    if (!mine->is_used) {
        mine->is_used = true;
        place(misuse, event, object);
        mine = reel_misuse_object_at(misuse, object);
    }
    switch (event->operation) {
    case REEL_OP_INIT:
        init(misuse, event, object);
        break;
    case REEL_OP_DESTROY:
        destroy(misuse, event, object);
        break;
    case REEL_OP_NAME:
        mine->is_made |= event->class == REEL_CLASS_SEMAPHORE; /* sem_open */
        break;
    case REEL_OP_ACQUIRE:
        mine->acquired = (struct reel_misuse_moment){event->time_ns, event->thread, event->stack};
        if (!(event->flags & REEL_FLAG_BLOCKED)) /* else the end of what began before */
            first_use(misuse, event, object);
        break;
    case REEL_OP_REQUEST:
    case REEL_OP_WAIT:
    case REEL_OP_ARRIVE:
    case REEL_OP_POST:
    case REEL_OP_SIGNAL:
    case REEL_OP_BROADCAST:
        first_use(misuse, event, object);
        break;
    default:
        break;
    }
}
