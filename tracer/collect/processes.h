/* The processes of a recording, as the collector sees them from outside: when each began and ended,
 * what it runs, what is mapped where. Reads /proc, holds a pidfd of each. */
#ifndef REEL_COLLECT_PROCESSES_H
#define REEL_COLLECT_PROCESSES_H

#include "tracer/collect/clock.h"
#include "tracer/collect/region.h"
#include "tracer/store/trace.h"

#include <sys/types.h>

#define REEL_NO_SLOT 0xffffffffu

struct reel_process {
    struct reel_process_row row;
    uint32_t slot;       /* index of its process slot; REEL_NO_SLOT: it ran without the probe */
    int descriptor;      /* pidfd; -1 where the kernel has none */
    bool alive;          /* its image is; false once it died or was replaced by exec */
    bool drained;        /* and nothing more of it will be read */
    bool replaced;       /* by exec, and the new image joined */
    bool dirty;          /* its row changed since it was written */
    bool maps_stale;     /* something was loaded since its maps were read */
    uint64_t maps_ns;    /* when its maps were last read */
    uint64_t maps_sum;   /* checksum of what was read, to write only changes */
    bool watch_asked;    /* for memory to watch in it */
    uint64_t outside_ns; /* when the outside was last asked for: outside.h */
    uint64_t handled;    /* signals */
    unsigned unseen;     /* threads */
    char *next_image;    /* what it is about to exec; NULL: nothing */
    uint64_t exec_ns;
};

struct reel_processes;

struct reel_processes *reel_processes_new(struct reel_trace *trace, struct reel_region_owner *owner,
                                          const struct reel_clock_map *clock);
void reel_processes_free(struct reel_processes *processes);

/* From now on the caller releases the first image: it waits until what it has mapped is known, and
 * what is to be watched of it. */
void reel_processes_hold(struct reel_processes *processes);
void reel_processes_release(struct reel_processes *processes, struct reel_process *process);

/* Looks for newly attached images and for deaths. */
bool reel_processes_update(struct reel_processes *processes, uint64_t now_ns,
                           struct reel_error *error);

/* How many of them had the probe. */
unsigned reel_processes_recorded(const struct reel_processes *processes);
unsigned reel_processes_count(const struct reel_processes *processes);
struct reel_process *reel_processes_at(struct reel_processes *processes, unsigned index);
struct reel_process *reel_processes_find(struct reel_processes *processes, uint32_t number);
unsigned reel_processes_alive(const struct reel_processes *processes);

/* The first process's end is known from waiting for it. */
void reel_processes_set_status(struct reel_processes *processes, pid_t pid, int wait_status);

/* What an image says of itself; believed where nothing was seen from outside. */
void reel_processes_told(struct reel_processes *processes, uint32_t number, bool is_command,
                         const char *text);

/* Process `number` is about to exec `path`; NULL: that failed. */
void reel_processes_exec(struct reel_processes *processes, uint32_t number, const char *path,
                         uint64_t now_ns);
/* It made the child `pid` (0: it could not). */
void reel_processes_made(struct reel_processes *processes, uint32_t number, pid_t pid,
                         uint64_t now_ns);
/* Is a child on its way that may yet join? */
bool reel_processes_expected(const struct reel_processes *processes, uint64_t now_ns);
/* It waited for its child `pid` and got `status`. */
void reel_processes_waited(struct reel_processes *processes, uint32_t number, pid_t pid, int status,
                           uint64_t now_ns);
/* At the end: rows for images and children that never joined (statically linked, set-user-id …),
 * the first process `pid` among them, which runs `program`. */
bool reel_processes_settle(struct reel_processes *processes, pid_t pid, const char *program,
                           uint64_t now_ns, struct reel_error *error);

/* Its maps may have changed: read them again at the next update. */
void reel_processes_maps_changed(struct reel_processes *processes, uint32_t number);

/* Writes the rows that changed. */
bool reel_processes_write(struct reel_processes *processes, struct reel_process *process,
                          struct reel_error *error);

#endif
