/* What `reel check` does when the watch speaks while the program runs: one notice at once, then the
 * end of the program as the user wants it. */
#ifndef REEL_COMMANDS_CHECK_LIVE_H
#define REEL_COMMANDS_CHECK_LIVE_H

#include "tracer/collect/live_watch.h"
#include "tracer/commands/check_names.h"
#include "tracer/detect/finding.h"
#include "tracer/error.h"
#include "tracer/store/trace.h"

enum reel_on_deadlock {
    REEL_ON_DEADLOCK_ABORT,    /* kill everything that is traced */
    REEL_ON_DEADLOCK_CONTINUE, /* go on */
    REEL_ON_DEADLOCK_CORE,     /* SIGABRT, so that core files are written */
    REEL_ON_DEADLOCK_DEBUG,    /* stop everything and say how to attach a debugger */
};
bool reel_on_deadlock_parse(const char *text, enum reel_on_deadlock *answer);

struct reel_check_live {
    struct reel_live_hooks hooks;
    enum reel_on_deadlock on_deadlock;
    const volatile pid_t *pid; /* of the program, once it runs */
    bool terminal;             /* a progress line may be in the way */
    bool told;                 /* there was a verdict other than a suspicion */
    bool ended;                /* and it ended the recording */
    enum reel_live_kind kind;  /* the last one's */
    uint64_t time_ns, since_ns;
    struct reel_live_wait *wait;    /* a copy */
    struct reel_check_names *names; /* of what each waits for */
    unsigned count;
};

/* `grace_ns`, `timeout_ns` (0: none): see live_watch.h. */
void reel_check_live_init(struct reel_check_live *live, enum reel_on_deadlock on_deadlock,
                          uint64_t grace_ns, uint64_t timeout_ns);
void reel_check_live_clear(struct reel_check_live *live);

/* Notes in the trace that the run was watched, and the verdict: before the detectors look at it. */
bool reel_check_live_note(const struct reel_check_live *live, struct reel_trace *trace,
                          struct reel_error *error);
/* Adds the verdict to the findings where the detectors, looking at the sealed trace, did not see
 * it: what ended the program is always reported. */
void reel_check_live_settle(const struct reel_check_live *live, struct reel_trace *trace,
                            struct reel_finding_set *findings);

#endif
