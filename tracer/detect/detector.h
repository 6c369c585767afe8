/* A detector: one file, one entry in the table of detector.c, the same code live during `reel
 * check` and offline on a trace. It is told every event in exact order, after the world has applied
 * it, and every interval and hold that closes; at the end it says what it found. */
#ifndef REEL_DETECT_DETECTOR_H
#define REEL_DETECT_DETECTOR_H

#include "tracer/detect/finding.h"
#include "tracer/model/world.h"
#include "tracer/store/trace.h"

/* What could end a process's waits from outside. */
struct reel_detect_outside {
    uint64_t handled; /* signals: stillness.h */
    uint32_t threads; /* that are not recorded */
};

struct reel_detector_class;

/* What detectors may ask. Names and sites are of the trace at hand; texts live as long as the
 * detection. Callbacks may be NULL. */
struct reel_detect_context {
    const struct reel_world *world;
    struct reel_finding_set *findings;
    uint64_t end_ns;   /* of the trace; 0 while it is recorded */
    uint64_t grace_ns; /* how long a program must stand still to be called hung */
    unsigned processors;
    bool live;
    bool hung;           /* the watch over the run saw for certain that all of it stood still */
    uint64_t watched_ns; /* without that, nothing stood still for longer; 0: nobody watched */
    const char *(*object_name)(void *data, uint32_t object);
    const char *(*thread_name)(void *data, uint32_t thread);
    const char *(*site)(void *data, uint32_t stack); /* "pay (bank.c:30)" */
    /* The stack from the program's own code outwards: past the C library and the like; 0 where it
     * has none. */
    uint32_t (*own_stack)(void *data, uint32_t stack);
    const struct reel_object *(*object)(void *data, uint32_t object);
    struct reel_detect_outside (*outside)(void *data, uint32_t process);
    /* Does the object lie in memory that anybody may open by a name, for that process? */
    bool (*is_public)(void *data, uint32_t object, uint32_t process);
    void *data;
    /* For others than the table's: which detectors are told, NULL-terminated, and who asks. NULL:
     * those of the table. */
    const struct reel_detector_class *const *detectors;
    void *asker;
};

struct reel_detector_class {
    const char *name;
    void *(*new)(const struct reel_detect_context *context);
    void (*free)(void *detector);
    /* Any of these may be NULL. `object`, `other`: resolved, as reel_world_apply does. */
    void (*event)(void *detector, const struct reel_event *event, uint32_t object, uint32_t other);
    void (*interval)(void *detector, const struct reel_interval *interval);
    void (*hold)(void *detector, const struct reel_hold *hold);
    /* Looks at the world as it stands at `now_ns`: live every 100 ms or so, offline where the
     * events end and before threads are killed, when nothing open is closed yet. */
    void (*look)(void *detector, uint64_t now_ns);
    void (*finish)(void *detector);
};

extern const struct reel_detector_class *const reel_detectors[]; /* NULL-terminated */

/* All detectors over one stream of events. */
struct reel_detection;

struct reel_detection *reel_detection_new(const struct reel_detect_context *context);
void reel_detection_free(struct reel_detection *detection);
void reel_detection_event(struct reel_detection *detection, const struct reel_event *event,
                          uint32_t object, uint32_t other);
void reel_detection_interval(struct reel_detection *detection,
                             const struct reel_interval *interval);
void reel_detection_hold(struct reel_detection *detection, const struct reel_hold *hold);
void reel_detection_look(struct reel_detection *detection, uint64_t now_ns);
/* Live too: after the world is finished. */
void reel_detection_finish(struct reel_detection *detection);

/* Offline: replays a sealed trace through a world and all detectors, and returns the findings (NULL
 * and an error on failure). */
struct reel_finding_set *reel_detect_trace(struct reel_trace *trace, struct reel_error *error);

/* The same for one detector of the asker's own, which finds nothing but fills in what `asker` (in
 * its context) points to. False and an error when the trace could not be replayed to its end. */
bool reel_detect_trace_for(struct reel_trace *trace, const struct reel_detector_class *detector,
                           void *asker, struct reel_error *error);

/* The same for tests: `grace_ns` as in the context. */
struct reel_finding_set *reel_detect_trace_with(struct reel_trace *trace, uint64_t grace_ns,
                                                struct reel_error *error);

/* Tables `finding` and `finding_event` of the trace: in place of what was there. */
bool reel_findings_write(struct reel_finding_set *findings, struct reel_trace *trace,
                         struct reel_error *error);
struct reel_finding_set *reel_findings_read(struct reel_trace *trace, struct reel_error *error);

#endif
