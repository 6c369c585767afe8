/* Identity: see identity.h for the rules. */
#include "tracer/model/identity.h"

#include <stdlib.h>
#include <string.h>

#include "tracer/model/address_map.h"

/* Spaces of the address map: SYNC for what may replace each other at an address; else the class. */
enum {
    SPACE_SYNC = 0,
    SPACE_HANDLE = 60,   /* pthread_t → thread number */
    SPACE_DECLARED = 61, /* thread number → index of `declared` + 1 */
    SPACE_PID = 62,      /* pid → process number */
    SPACE_SHARED = 63,   /* folded place in a file → object */
};

struct declared_thread {
    uint64_t handle;
    uint32_t process;
};

struct thread_facts {
    uint32_t ordinal;     /* objects it has made */
    uint32_t wait_object; /* the thread object of the join it is in */
    uint64_t wait_handle;
};

struct process_facts {
    uint32_t parent;
    uint32_t pid;
};

struct reel_identity {
    struct reel_identity_resolver resolver;
    struct reel_address_map map;
    struct reel_object *object; /* [0] unused */
    size_t count, capacity;
    struct declared_thread *declared;
    size_t declared_count, declared_capacity;
    struct thread_facts *thread;
    size_t thread_capacity;
    struct process_facts *process;
    size_t process_capacity;
};

struct reel_identity *reel_identity_new(const struct reel_identity_resolver *resolver)
{
    struct reel_identity *identity = calloc(1, sizeof *identity);
    if (identity && resolver)
        identity->resolver = *resolver;
    return identity;
}

void reel_identity_free(struct reel_identity *identity)
{
    if (!identity)
        return;
    reel_address_map_clear(&identity->map);
    free(identity->object);
    free(identity->declared);
    free(identity->thread);
    free(identity->process);
    free(identity);
}

/* Makes `array` hold index `need`; new elements are zero. NULL when memory ran out. */
static void *reach(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need < *capacity)
        return array;
    size_t wanted = *capacity ? *capacity * 2 : 256;
    while (wanted <= need)
        wanted *= 2;
    char *larger = realloc(array, wanted * size);
    if (!larger)
        return NULL;
    memset(larger + *capacity * size, 0, (wanted - *capacity) * size);
    *capacity = wanted;
    return larger;
}

static struct thread_facts *thread_facts(struct reel_identity *identity, uint32_t thread)
{
    if (thread >= identity->thread_capacity) {
        void *larger = thread < REEL_MODEL_NUMBER_LIMIT
                           ? reach(identity->thread, &identity->thread_capacity, thread,
                                   sizeof *identity->thread)
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
                           ? reach(identity->process, &identity->process_capacity, process,
                                   sizeof *identity->process)
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
    void *larger = reach(identity->declared, &identity->declared_capacity, identity->declared_count,
                         sizeof *identity->declared);
    if (!larger)
        return;
    identity->declared = larger;
    identity->declared[identity->declared_count++] = (struct declared_thread){handle, process};
    reel_address_map_set(&identity->map, reel_address_place(0, SPACE_DECLARED), thread,
                         (uint32_t)identity->declared_count);
}

static struct reel_object *make(struct reel_identity *identity, const struct reel_event *event,
                                enum reel_class class, uint64_t address, uint32_t process)
{
    if (identity->count + 1 >= UINT32_MAX)
        return NULL;
    void *larger =
        reach(identity->object, &identity->capacity, identity->count + 1, sizeof *identity->object);
    if (!larger)
        return NULL;
    identity->object = larger;
    struct thread_facts *creator = thread_facts(identity, event->thread);
    struct reel_object *object = &identity->object[++identity->count];
    *object = (struct reel_object){
        .address = address,
        .first_ns = event->time_ns,
        .last_ns = event->time_ns,
        .capacity = -1,
        .process = process,
        .generation = 1,
        .ordinal = creator ? ++creator->ordinal : 0,
        .creator = event->thread,
        .site = event->stack,
        .class = (uint8_t) class,
    };
    return object;
}

static uint32_t number_of(const struct reel_identity *identity, const struct reel_object *object)
{
    return object ? (uint32_t)(object - identity->object) : 0;
}

/* Classes that are words of memory which one after another may use. */
static bool is_sync(enum reel_class class)
{
    return (class >= REEL_CLASS_MUTEX && class <= REEL_CLASS_ONCE);
}

static bool is_of_process(enum reel_class class)
{
    return is_sync(class) || class == REEL_CLASS_FUTEX || class == REEL_CLASS_QUEUE ||
           class == REEL_CLASS_TASK || class == REEL_CLASS_SPAN || class == REEL_CLASS_MEMORY ||
           class == REEL_CLASS_MODULE;
}

static uint32_t space_of(enum reel_class class)
{
    return is_sync(class) ? SPACE_SYNC : class;
}

/* The parent's object at that address, for a child that has none yet. Walks up the ancestors: a
 * grandchild may be the first to touch what its grandparent made. The bound is against cycles that
 * only a damaged file can have. */
static uint32_t ancestors_object(struct reel_identity *identity, uint32_t process, uint32_t space,
                                 uint64_t address)
{
    for (unsigned hops = 0; hops < 64; hops++) {
        process = reel_identity_parent(identity, process);
        if (!process)
            return 0;
        uint32_t id =
            reel_address_map_get(&identity->map, reel_address_place(process, space), address);
        if (id)
            return identity->object[id].ended || identity->object[id].shared ? 0 : id;
    }
    return 0;
}

/* A place in a file as one address: (device, inode) folded into it. Two places fall together with
 * probability 2^-64 a pair. */
static uint64_t fold(const struct reel_shared_place *place)
{
    uint64_t folded = place->inode * 0x9e3779b97f4a7c15ull + place->device;
    folded = (folded ^ folded >> 29) * 0xbf58476d1ce4e5b9ull;
    return (folded ^ folded >> 32) + place->offset;
}

static uint32_t private_object(struct reel_identity *identity, const struct reel_event *event,
                               enum reel_class class, uint64_t address, uint32_t scope)
{
    uint32_t space = space_of(class), place = reel_address_place(scope, space);
    struct reel_address_entry *entry = reel_address_map_find(&identity->map, place, address);
    struct reel_object *old = entry && entry->value ? &identity->object[entry->value] : NULL;
    bool init =
        event->operation == REEL_OP_INIT && event->object == address && event->class == class;
    if (old && old->class == class && !old->ended && !init) {
        /* A shared object's record may come without its flag (RELEASE_FAILED). */
        return entry->value;
    }
    uint32_t inherited =
        !old && scope && !init ? ancestors_object(identity, scope, space, address) : 0;
    if (inherited && identity->object[inherited].class == class)
        return reel_identity_inherit(identity, scope, inherited, event->thread, event->time_ns);
    uint32_t before = number_of(identity, old);
    struct reel_object *object = make(identity, event, class, address, scope);
    if (!object)
        return 0;
    old = before ? &identity->object[before] : NULL;
    object->generation = old ? old->generation + 1 : 1;
    object->after_destroy = old && old->ended && old->class == class && !init;
    uint32_t id = number_of(identity, object);
    reel_address_map_set(&identity->map, place, address, id);
    return id;
}

static uint32_t shared_object(struct reel_identity *identity, const struct reel_event *event,
                              enum reel_class class, uint64_t address)
{
    struct reel_shared_place place;
    uint64_t key = address;
    if (identity->resolver.resolve) {
        if (identity->resolver.resolve(identity->resolver.data, event->process, address,
                                       event->time_ns, &place))
            key = fold(&place);
        else if (class == REEL_CLASS_FUTEX) /* not said to be private is not yet shared */
            return private_object(identity, event, class, address, event->process);
    }
    uint32_t where = reel_address_place(space_of(class), SPACE_SHARED);
    uint32_t before = reel_address_map_get(&identity->map, where, key);
    struct reel_object *old = before ? &identity->object[before] : NULL;
    bool fresh = !old || old->ended || old->class != class || event->operation == REEL_OP_INIT;
    if (!fresh)
        return before;
    struct reel_object *object = make(identity, event, class, address, 0);
    if (!object)
        return 0;
    uint32_t id = number_of(identity, object);
    old = before ? &identity->object[before] : NULL;
    object->shared = true;
    object->generation = old ? old->generation + 1 : 1;
    object->after_destroy = old && old->ended && event->operation != REEL_OP_INIT;
    reel_address_map_set(&identity->map, where, key, id);
    return id;
}

uint32_t reel_identity_inherit(struct reel_identity *identity, uint32_t child, uint32_t parent,
                               uint32_t thread, uint64_t time_ns)
{
    const struct reel_object *original = reel_identity_object(identity, parent);
    if (!original || original->shared || !original->process)
        return parent;
    uint32_t place = reel_address_place(child, space_of(original->class));
    uint32_t known = reel_address_map_get(&identity->map, place, original->address);
    if (known)
        return known;
    struct reel_event by = {.time_ns = time_ns, .thread = thread, .process = child};
    struct reel_object *copy = make(identity, &by, original->class, original->address, child);
    if (!copy)
        return 0;
    original = &identity->object[parent];
    copy->site = original->site;
    copy->initialised = original->initialised;
    copy->capacity = original->capacity;
    copy->inherited_from = parent;
    uint32_t id = number_of(identity, copy);
    reel_address_map_set(&identity->map, place, copy->address, id);
    return id;
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

static uint32_t thread_object(struct reel_identity *identity, const struct reel_event *event)
{
    struct thread_facts *facts = thread_facts(identity, event->thread);
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
    uint32_t id =
        private_object(identity, event, REEL_CLASS_THREAD, thread_meant(identity, event), 0);
    facts = thread_facts(identity, event->thread);
    if (event->operation == REEL_OP_WAIT && facts) {
        facts->wait_object = id;
        facts->wait_handle = event->object;
    }
    return id;
}

/* ATTACH, NAME, EXEC and EXIT are about the event's own process, which some name by its number; a
 * wait, a signal and CREATED name a pid. Objects are keyed by pid. */
static uint32_t process_object(struct reel_identity *identity, const struct reel_event *event)
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
    return private_object(identity, event, REEL_CLASS_PROCESS, pid, 0);
}

size_t reel_identity_known_at(const struct reel_identity *identity, uint32_t process,
                              uint64_t address, uint32_t *ids, size_t limit)
{
    static const uint32_t spaces[] = {SPACE_SYNC,       REEL_CLASS_QUEUE, REEL_CLASS_MESSAGE_QUEUE,
                                      REEL_CLASS_FUTEX, REEL_CLASS_TASK,  REEL_CLASS_LOOP,
                                      REEL_CLASS_MEMORY};
    size_t count = 0;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces && count < limit; i++) {
        bool is_global = spaces[i] == REEL_CLASS_MESSAGE_QUEUE || spaces[i] == REEL_CLASS_LOOP;
        uint32_t place = reel_address_place(is_global ? 0 : process, spaces[i]);
        /* A lock of the program's own making may have an odd address, to tell it from the mutex
         * that is its first member. */
        for (uint64_t odd = 0; odd <= (spaces[i] == SPACE_SYNC) && count < limit; odd++) {
            uint32_t id = reel_address_map_get(&identity->map, place, address | odd);
            if (id && !identity->object[id].ended && (!count || ids[count - 1] != id))
                ids[count++] = id;
        }
    }
    return count;
}

/* A span has no address: its name is what it is. */
static uint64_t span_address(const struct reel_event *event)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (unsigned i = 0; i < event->extra_words; i++)
        hash = (hash ^ event->extra[i]) * 0x9e3779b97f4a7c15ull;
    return event->extra_words ? hash ^ hash >> 29 : 0;
}

uint32_t reel_identity_at(struct reel_identity *identity, const struct reel_event *event,
                          enum reel_class class, uint64_t address)
{
    if (!address)
        return 0;
    return private_object(identity, event, class, address, event->process);
}

static uint32_t find(struct reel_identity *identity, const struct reel_event *event)
{
    enum reel_class class = event->class;
    if (class == REEL_CLASS_NONE && event->operation == REEL_OP_NAME && event->object) {
        uint32_t id; /* whatever lives there */
        return reel_identity_known_at(identity, event->process, event->object, &id, 1) ? id : 0;
    }
    if (class == REEL_CLASS_SPAN && !event->object) {
        uint64_t address = span_address(event);
        return address ? private_object(identity, event, class, address, event->process) : 0;
    }
    if (is_of_process(class)) {
        if (!(event->flags & REEL_FLAG_SHARED_OBJECT))
            return event->object
                       ? private_object(identity, event, class, event->object, event->process)
                       : 0;
        uint32_t id = shared_object(identity, event, class, event->object);
        if (id) /* so that a record without the flag finds it too */
            reel_address_map_set(&identity->map,
                                 reel_address_place(event->process, space_of(class)), event->object,
                                 id);
        return id;
    }
    switch (class) {
    case REEL_CLASS_THREAD:
        return thread_object(identity, event);
    case REEL_CLASS_PROCESS:
        return process_object(identity, event);
    case REEL_CLASS_LOOP:
        /* poll and select have no object: the loop is the thread's. */
        if (!event->object)
            return private_object(identity, event, class, event->thread, event->process);
        break;
    default:
        break;
    }
    return class && event->object ? private_object(identity, event, class, event->object, 0) : 0;
}

uint32_t reel_identity_resolve(struct reel_identity *identity, const struct reel_event *event)
{
    if (event->class >= SPACE_HANDLE || event->process >= REEL_MODEL_NUMBER_LIMIT)
        return 0;
    uint32_t id = find(identity, event);
    if (!id)
        return 0;
    struct reel_object *object = &identity->object[id];
    if (event->time_ns > object->last_ns)
        object->last_ns = event->time_ns;
    if (event->operation == REEL_OP_INIT) {
        object->initialised = true;
        if (object->class == REEL_CLASS_BARRIER || object->class == REEL_CLASS_SEMAPHORE ||
            ((object->class == REEL_CLASS_QUEUE || object->class == REEL_CLASS_MESSAGE_QUEUE) &&
             event->argument))
            object->capacity = event->argument;
    } else if (event->operation == REEL_OP_DESTROY && event->argument == 0) {
        object->ended = true;
    }
    return id;
}

uint32_t reel_identity_restore(struct reel_identity *identity, const struct reel_object *object)
{
    void *larger =
        reach(identity->object, &identity->capacity, identity->count + 1, sizeof *identity->object);
    if (!larger || identity->count + 1 >= UINT32_MAX)
        return 0;
    identity->object = larger;
    uint32_t id = (uint32_t)++identity->count;
    identity->object[id] = *object;
    if (object->inherited_from)
        reel_address_map_set(&identity->map,
                             reel_address_place(object->process, space_of(object->class)),
                             object->address, id);
    return id;
}

size_t reel_identity_count(const struct reel_identity *identity)
{
    return identity->count;
}

const struct reel_object *reel_identity_object(const struct reel_identity *identity, uint32_t id)
{
    return id && id <= identity->count ? &identity->object[id] : NULL;
}

uint32_t reel_identity_thread_of(const struct reel_identity *identity, uint32_t id)
{
    const struct reel_object *object = reel_identity_object(identity, id);
    return object && object->class == REEL_CLASS_THREAD && object->address < REEL_MODEL_NUMBER_LIMIT
               ? (uint32_t)object->address
               : 0;
}

uint32_t reel_identity_parent(const struct reel_identity *identity, uint32_t process)
{
    return process < identity->process_capacity ? identity->process[process].parent : 0;
}

uint32_t reel_identity_process_of_pid(const struct reel_identity *identity, uint64_t pid)
{
    return reel_address_map_get(&identity->map, reel_address_place(0, SPACE_PID), pid);
}
