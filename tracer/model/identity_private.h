/* Between the files of identity: identity.c (objects), identity_thread.c (threads and processes).
 */
#ifndef REEL_MODEL_IDENTITY_PRIVATE_H
#define REEL_MODEL_IDENTITY_PRIVATE_H

#include "tracer/model/address_map.h"
#include "tracer/model/identity.h"

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

/* identity.c */

/* Makes `array` hold index `need`; new elements are zero. NULL when memory ran out. */
void *reel_identity_reach(void *array, size_t *capacity, size_t need, size_t size);
/* The object of that class at an address of that process (scope 0: of all), made if there is none.
 */
uint32_t reel_identity_private_object(struct reel_identity *identity,
                                      const struct reel_event *event, enum reel_class class,
                                      uint64_t address, uint32_t scope);

/* identity_thread.c */

/* NULL when there is none such, or memory ran out. */
struct thread_facts *reel_identity_thread_facts(struct reel_identity *identity, uint32_t thread);
/* The objects of threads and processes that events are about. */
uint32_t reel_identity_thread_object(struct reel_identity *identity,
                                     const struct reel_event *event);
uint32_t reel_identity_process_object(struct reel_identity *identity,
                                      const struct reel_event *event);

#endif
