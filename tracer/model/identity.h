/* Identity: which object an event is about.
 *
 * A record carries an address, and an address can be many objects in turn. The rules:
 *
 *   - INIT makes a new object (the next generation of the address), DESTROY ends the one there is;
 * a use after that makes a new one that remembers it (`after_destroy`).
 *   - The first use of an unknown address makes an object: static initialisers leave no INIT.
 *   - An address used as another class of synchronisation object is a new object: the memory was
 *     reused. Queues, tasks, memory, futexes and modules live in spaces of their own, for they may
 *     share an address with a lock that is their first member.
 *   - Memory is private to a process. A forked child finds its parent's objects at their addresses,
 * as copies of its own (`inherited_from`).
 *   - REEL_FLAG_SHARED_OBJECT: one object in all processes that map it. The caller's resolver turns
 *     (process, address) into (device, inode, offset); without one the bare address must do.
 *   - Descriptors' identities, pids and thread numbers are the recording's already.
 *   - A thread is named by its number or by its pthread_t: the latter means the thread of the
 * process that was created or started with it most recently.
 *
 * Not thread-safe; one identity a recording being read. */
#ifndef REEL_MODEL_IDENTITY_H
#define REEL_MODEL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/store/event.h"

/* Larger numbers of threads and processes are no numbers a recorder gives out. */
#define REEL_MODEL_NUMBER_LIMIT (1u << 22)

struct reel_object {
    uint64_t address; /* as recorded; a thread's number, a process's pid */
    uint64_t first_ns, last_ns;
    int64_t capacity;        /* of a barrier or queue, first value of a semaphore; -1 not known */
    uint32_t process;        /* 0: not of one process alone */
    uint32_t generation;     /* from 1 */
    uint32_t ordinal;        /* creation order within the creating thread, from 1 */
    uint32_t creator;        /* thread */
    uint32_t site;           /* stack of the INIT, or of the first use */
    uint32_t inherited_from; /* the parent process's object this one is the copy of; 0 = none */
    uint8_t class;
    bool shared;        /* between processes */
    bool initialised;   /* by an INIT that was seen */
    bool ended;         /* by a DESTROY */
    bool after_destroy; /* made by a use after the DESTROY of the one before it */
};

/* A place in a file or shared mapping. */
struct reel_shared_place {
    uint64_t device, inode, offset;
};

struct reel_identity_resolver {
    /* True and `place` when that address of that process is in a shared mapping at that time. */
    bool (*resolve)(void *data, uint32_t process, uint64_t address, uint64_t time_ns,
                    struct reel_shared_place *place);
    void *data;
};

struct reel_identity;

/* `resolver` may be NULL; it is copied. NULL when memory ran out. */
struct reel_identity *reel_identity_new(const struct reel_identity_resolver *resolver);
void reel_identity_free(struct reel_identity *identity);

/* What the recorder's tables know beforehand; ATTACH and START tell the same, later. `parent` is
 * the process forked from (0: none, or the image was made by exec). */
void reel_identity_declare_process(struct reel_identity *identity, uint32_t process,
                                   uint32_t parent, int32_t pid);
void reel_identity_declare_thread(struct reel_identity *identity, uint32_t process, uint32_t thread,
                                  uint64_t handle);

/* The object of this event; 0 when it is about none (or memory ran out). Events come in order. */
uint32_t reel_identity_resolve(struct reel_identity *identity, const struct reel_event *event);
/* The synchronisation object at that address now, made if it is not known: for objects named in
 * extra words, such as the mutex of a condition wait. `event` says who asks, and when. */
uint32_t reel_identity_at(struct reel_identity *identity, const struct reel_event *event,
                          enum reel_class class, uint64_t address);
/* The objects that are known at an address of a process now, a lock and a queue perhaps: at most
 * `limit` of them into `ids`. Makes none. */
size_t reel_identity_known_at(const struct reel_identity *identity, uint32_t process,
                              uint64_t address, uint32_t *ids, size_t limit);
/* The child's copy of a private object of its parent, made if need be. */
uint32_t reel_identity_inherit(struct reel_identity *identity, uint32_t child, uint32_t object,
                               uint32_t thread, uint64_t time_ns);

/* The next object as a sealed trace's table has it: a replay whose events name objects by number
 * needs no addresses, but for what a forked child inherits. Returns its number. */
uint32_t reel_identity_restore(struct reel_identity *identity, const struct reel_object *object);

size_t reel_identity_count(const struct reel_identity *identity); /* ids are 1 … count */
/* NULL when there is no such object. Valid until the next resolve. */
const struct reel_object *reel_identity_object(const struct reel_identity *identity, uint32_t id);
/* The thread behind an object of class THREAD; 0 = not known. */
uint32_t reel_identity_thread_of(const struct reel_identity *identity, uint32_t id);
/* The process forked from, 0 = none or not known. */
uint32_t reel_identity_parent(const struct reel_identity *identity, uint32_t process);
/* The process number behind a pid: the newest image; 0 = not known. */
uint32_t reel_identity_process_of_pid(const struct reel_identity *identity, uint64_t pid);

#endif
