/* Names a human knows, for objects and threads.
 *
 * An object: the name it was given (NAME: by annotation, sem_open …), else the symbol of the global
 * it lives in, else what the source calls it where it was initialised or first used, with a number:
 * `account.lock #3 (bank.c:41)`; without that, `mutex #3 (bank.c:41)`; without symbols, `mutex #3`.
 * Numbers count objects of the same kind and place, in the order of their making. A process is
 * `process 4711`. A forked child's copy has its original's name. Memory of a heap block is what the
 * block has there, by where it was allocated: `struct stats.hits #1 (stats.c:41)`.
 *
 * A thread: the name it was given last, else its start routine, else `main` for a process's first
 * thread, else `thread 7`. */
#ifndef REEL_MODEL_NAMES_H
#define REEL_MODEL_NAMES_H

#include "tracer/model/identity.h"

/* Where an object was made. */
struct reel_name_site {
    const char *expression; /* what the source calls it: "account.lock"; NULL = not known */
    const char *file;       /* NULL = not known */
    unsigned line;
};

/* Supplied by whoever knows symbols. Texts need to live until the next call only. */
struct reel_name_resolver {
    /* The function or global at that address of that process; NULL when there is none. */
    const char *(*symbol)(void *data, uint32_t process, uint64_t address);
    /* False when nothing is known about that stack. */
    bool (*site)(void *data, uint32_t stack, struct reel_name_site *site);
    /* What lies `offset` bytes into a heap block of that size, allocated at that stack: "struct
     * stats.hits"; NULL when nothing is known for certain. */
    const char *(*field)(void *data, uint32_t stack, uint64_t size, uint64_t offset);
    void *data;
};

struct reel_names;

/* `resolver` (copied) and its members may be NULL. NULL when memory ran out. */
struct reel_names *reel_names_new(const struct reel_name_resolver *resolver);
void reel_names_free(struct reel_names *names);

/* Takes note of what an event tells about names. `object`: what identity made of it. */
void reel_names_see(struct reel_names *names, const struct reel_identity *identity,
                    const struct reel_event *event, uint32_t object);

/* Of an ALLOCATED: what its thread's last access was to, as the resolver's `field` says it; NULL
 * when nothing is known. Only for the event seen last; the text lives until the next call. */
const char *reel_names_field(struct reel_names *names, const struct reel_identity *identity,
                             const struct reel_event *event);

/* Both are for the end: ask for objects in the order of their numbers, each once. The text lives
 * until the next call. */
const char *reel_names_object(struct reel_names *names, const struct reel_identity *identity,
                              uint32_t object);
/* `routine`: the start routine, if known from elsewhere; `is_first`: of its process. */
const char *reel_names_thread(struct reel_names *names, uint32_t process, uint32_t thread,
                              uint64_t routine, bool is_first);

#endif
