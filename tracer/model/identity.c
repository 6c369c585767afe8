/* Identity: see identity.h for the rules. */
#include <stdlib.h>
#include <string.h>

#include "tracer/model/identity_private.h"

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

void *reel_identity_reach(void *array, size_t *capacity, size_t need, size_t size)
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

static struct reel_object *make(struct reel_identity *identity, const struct reel_event *event,
                                enum reel_class class, uint64_t address, uint32_t process)
{
    if (identity->count + 1 >= UINT32_MAX)
        return NULL;
    void *larger = reel_identity_reach(identity->object, &identity->capacity, identity->count + 1,
                                       sizeof *identity->object);
    if (!larger)
        return NULL;
    identity->object = larger;
    struct thread_facts *creator = reel_identity_thread_facts(identity, event->thread);
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

uint32_t reel_identity_private_object(struct reel_identity *identity,
                                      const struct reel_event *event, enum reel_class class,
                                      uint64_t address, uint32_t scope)
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
            return reel_identity_private_object(identity, event, class, address, event->process);
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
    return reel_identity_private_object(identity, event, class, address, event->process);
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
        return address
                   ? reel_identity_private_object(identity, event, class, address, event->process)
                   : 0;
    }
    if (is_of_process(class)) {
        if (!(event->flags & REEL_FLAG_SHARED_OBJECT))
            return event->object ? reel_identity_private_object(identity, event, class,
                                                                event->object, event->process)
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
        return reel_identity_thread_object(identity, event);
    case REEL_CLASS_PROCESS:
        return reel_identity_process_object(identity, event);
    case REEL_CLASS_LOOP:
        /* poll and select have no object: the loop is the thread's. */
        if (!event->object)
            return reel_identity_private_object(identity, event, class, event->thread,
                                                event->process);
        break;
    default:
        break;
    }
    return class && event->object
               ? reel_identity_private_object(identity, event, class, event->object, 0)
               : 0;
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
    void *larger = reel_identity_reach(identity->object, &identity->capacity, identity->count + 1,
                                       sizeof *identity->object);
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
