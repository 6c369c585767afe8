/* Recording: runs a program with the probe, follows its processes and threads, and leaves their
 * events in a trace. One call, one recording; the calling thread does all the work. */
#ifndef REEL_COLLECT_COLLECT_H
#define REEL_COLLECT_COLLECT_H

#include <sys/types.h>

#include "tracer/collect/live_watch.h"
#include "tracer/collect/options.h"
#include "tracer/collect/watch.h"
#include "tracer/store/trace.h"

struct reel_collect_progress {
    uint64_t elapsed_ns, events, bytes, lost;
    unsigned threads, processes;
    bool lingering; /* the program ended; others it started go on */
};

struct reel_collect_hooks {
    /* About ten times a second. Return false to end the recording: what runs goes on unrecorded. */
    bool (*progress)(void *data, const struct reel_collect_progress *progress);
    void *data;
    const struct reel_live_hooks *live;   /* NULL: nobody watches for deadlocks */
    const struct reel_watch_hooks *watch; /* NULL: no memory is watched */
};

struct reel_collect_result {
    pid_t pid;
    int exec_errno;  /* the program could not be started */
    int wait_status; /* of the first process */
    bool attached;   /* the probe came up in it, or in a child */
    bool ended;      /* it did; else it goes on unrecorded, and wait_status says SIGINT */
    bool left;       /* the user would not wait for it */
    bool stopped;    /* ended before the program did: a limit, or the user */
    uint64_t events, lost, bytes, duration_ns;
    uint64_t switches_lost;
    uint64_t accesses, accesses_lost; /* to watched memory */
    unsigned threads, processes;
    unsigned unrecorded;       /* processes that ran without the probe */
    char unrecorded_note[200]; /* why the first of them did, or "" */
    char scheduling_note[160]; /* why context switches are missing, or "" */
};

/* Records `argv` into `trace`, which it leaves CLOSED (state). False: could not record (the
 * result's exec_errno tells a missing program); what was recorded until then is in the trace. */
bool reel_collect(struct reel_trace *trace, char *const argv[],
                  const struct reel_collect_options *options,
                  const struct reel_collect_hooks *hooks, struct reel_collect_result *result,
                  struct reel_error *error);

#endif
