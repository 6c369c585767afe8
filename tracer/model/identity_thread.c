/* Identity of threads and processes: which of them a number, a pthread_t or a pid means, and what
 * the recorder's tables declare of them. */
#include "tracer/model/identity_private.h"

struct thread_facts *reel_identity_thread_facts(struct reel_identity *identity, uint32_t thread)
{
    if (thread >= identity->thread_capacity) {
        void *larger = thread < REEL_MODEL_NUMBER_LIMIT
                           ? reel_identity_reach(identity->thread, &identity->thread_capacity,
                                                 thread, sizeof *identity->thread)
                           : NULL;
        if (!larger)
            return NULL;
        identity->thread = larger;
    }
    return &identity->thread[thread];
}

static struct process_facts *process_facts(struct reel_identity *identity, uint32_t process)
{
    if (process >= identity->process_capacity) {
        void *larger = process < REEL_MODEL_NUMBER_LIMIT
                           ? reel_identity_reach(identity->process, &identity->process_capacity,
                                                 process, sizeof *identity->process)
                           : NULL;
        if (!larger)
            return NULL;
        identity->process = larger;
    }
    return &identity->process[process];
}

void reel_identity_declare_process(struct reel_identity *identity, uint32_t process,
                                   uint32_t parent, int32_t pid)
{
    struct process_facts *facts = process ? process_facts(identity, process) : NULL;
    if (!facts)
        return;
    if (parent && parent != process && parent < REEL_MODEL_NUMBER_LIMIT)
        facts->parent = parent;
    if (pid > 0) {
        facts->pid = (uint32_t)pid;
        uint32_t place = reel_address_place(0, SPACE_PID);
        if (reel_address_map_get(&identity->map, place, facts->pid) < process)
            reel_address_map_set(&identity->map, place, facts->pid, process);
    }
}

void reel_identity_declare_thread(struct reel_identity *identity, uint32_t process, uint32_t thread,
                                  uint64_t handle)
{
    if (!thread || !handle)
        return;
    void *larger = reel_identity_reach(identity->declared, &identity->declared_capacity,
                                       identity->declared_count, sizeof *identity->declared);
    if (!larger)
        return;
    identity->declared = larger;
    identity->declared[identity->declared_count++] = (struct declared_thread){handle, process};
    reel_address_map_set(&identity->map, reel_address_place(0, SPACE_DECLARED), thread,
                         (uint32_t)identity->declared_count);
}

/* The number of the thread meant by a number or a pthread_t; `value` itself when neither is known.
 */
static uint64_t thread_meant(struct reel_identity *identity, const struct reel_event *event)
{
    if (event->operation == REEL_OP_CREATE || event->operation == REEL_OP_CREATED ||
        event->operation == REEL_OP_START || event->operation == REEL_OP_EXIT)
        return event->object;
    if (!event->object)
        return event->thread; /* REEL_NAME_THREAD: the one that says it */
    uint32_t number = reel_address_map_get(
        &identity->map, reel_address_place(event->process, SPACE_HANDLE), event->object);
    return number ? number : event->object;
}

static void learn_handle(struct reel_identity *identity, uint32_t process, uint64_t handle,
                         uint64_t thread)
{
    if (handle && thread < REEL_MODEL_NUMBER_LIMIT)
        reel_address_map_set(&identity->map, reel_address_place(process, SPACE_HANDLE), handle,
                             (uint32_t)thread);
}

/* What the recorder's tables know of a thread that is about to be spoken of. */
static void learn_declared(struct reel_identity *identity, uint64_t thread)
{
    uint32_t index =
        reel_address_map_get(&identity->map, reel_address_place(0, SPACE_DECLARED), thread);
    if (index)
        learn_handle(identity, identity->declared[index - 1].process,
                     identity->declared[index - 1].handle, thread);
}

uint32_t reel_identity_thread_object(struct reel_identity *identity, const struct reel_event *event)
{
    struct thread_facts *facts = reel_identity_thread_facts(identity, event->thread);
    /* The wait's end means the thread the wait began with, whatever its handle means by now. */
    if (event->operation == REEL_OP_WAKE && facts && facts->wait_object &&
        facts->wait_handle == event->object) {
        uint32_t id = facts->wait_object;
        facts->wait_object = 0;
        return id;
    }
    if (event->operation == REEL_OP_START && event->extra_words >= 1) {
        learn_handle(identity, event->process, event->extra[0], event->object);
    } else if (event->operation == REEL_OP_CREATE) {
        learn_declared(identity, event->object);
    }
    uint32_t id = reel_identity_private_object(identity, event, REEL_CLASS_THREAD,
                                               thread_meant(identity, event), 0);
    facts = reel_identity_thread_facts(identity, event->thread);
    if (event->operation == REEL_OP_WAIT && facts) {
        facts->wait_object = id;
        facts->wait_handle = event->object;
    }
    return id;
}

/* ATTACH, NAME, EXEC and EXIT are about the event's own process, which some name by its number; a
 * wait, a signal and CREATED name a pid. Objects are keyed by pid. */
uint32_t reel_identity_process_object(struct reel_identity *identity,
                                      const struct reel_event *event)
{
    uint64_t pid = event->object;
    if (event->operation == REEL_OP_ATTACH) {
        pid = event->extra_words ? event->extra[0] : 0;
        reel_identity_declare_process(identity, event->process, event->argument,
                                      pid <= INT32_MAX ? (int32_t)pid : 0);
        learn_declared(identity, event->thread); /* nobody created it, nor will it tell */
    } else if (event->operation == REEL_OP_EXIT || event->operation == REEL_OP_EXEC ||
               event->operation == REEL_OP_EXEC_FAILED || event->operation == REEL_OP_NAME) {
        struct process_facts *facts = process_facts(identity, event->process);
        pid = facts && facts->pid ? facts->pid : event->object;
    }
    if (!pid || (int32_t)pid < 0) /* wait for any child, or a process group */
        return 0;
    return reel_identity_private_object(identity, event, REEL_CLASS_PROCESS, pid, 0);
}

uint32_t reel_identity_parent(const struct reel_identity *identity, uint32_t process)
{
    return process < identity->process_capacity ? identity->process[process].parent : 0;
}

uint32_t reel_identity_process_of_pid(const struct reel_identity *identity, uint64_t pid)
{
    return reel_address_map_get(&identity->map, reel_address_place(0, SPACE_PID), pid);
}
