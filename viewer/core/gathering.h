/* What a trace's rows say, gathered by thread and object as they are read: the stuff lanes are made
 * of. Two halves of a trace may be gathered by two threads and joined. No GTK. */
#ifndef REEL_VIEWER_GATHERING_H
#define REEL_VIEWER_GATHERING_H

#include <glib.h>

#include "viewer/core/depth_data.h"
#include "viewer/core/lane_data.h"

/* Beginnings and ends, of which depth_data counts how many there are at a time. */
struct reel_spans {
    GArray *begin, *end; /* uint64_t; NULL: none */
};

struct reel_gathered_thread {
    struct reel_lane_data states;
    struct reel_lane_data spans; /* annotated ones: the innermost, as `object` */
    struct reel_spans held;      /* locks */
    GArray *open;                /* uint32_t: spans it is in */
    uint64_t span_since_ns;
    gboolean has_loop; /* it waited on one */
};

struct reel_gathered_object {
    struct reel_lane_data owners; /* `object`: the thread that holds it exclusively */
    struct reel_lane_data steps;  /* of a task: its states; of a loop: its callbacks and waits */
    struct reel_spans waits;      /* for a lock that is held */
    struct reel_spans shared;     /* held by readers */
    struct reel_depth_data depth; /* of a queue; value of a semaphore */
    uint64_t step_since_ns;       /* of a task */
    uint64_t closed_ns;           /* of a loop; 0: not closed */
    uint8_t step;                 /* enum reel_state it is in; REEL_LANE_NOTHING: none */
};

struct reel_gathering {
    GPtrArray *threads; /* struct reel_gathered_thread, by number; NULL: nothing of it */
    GPtrArray *objects; /* struct reel_gathered_object */
    gboolean out_of_memory;
};

struct reel_gathering *reel_gathering_new(void);
void reel_gathering_free(struct reel_gathering *gathering);

/* NULL when nothing was said of it. */
struct reel_gathered_thread *reel_gathering_thread(const struct reel_gathering *gathering,
                                                   uint32_t thread);
struct reel_gathered_object *reel_gathering_object(const struct reel_gathering *gathering,
                                                   uint32_t object);

/* In the order of time, of a thread. */
void reel_gathering_interval(struct reel_gathering *gathering, uint32_t thread, uint64_t start_ns,
                             uint64_t end_ns, enum reel_state state, uint32_t object);
/* In about the order of ends. */
void reel_gathering_hold(struct reel_gathering *gathering, uint32_t object, uint32_t thread,
                         uint64_t start_ns, uint64_t end_ns, gboolean shared);
void reel_gathering_depth(struct reel_gathering *gathering, uint32_t object, uint64_t time_ns,
                          int64_t depth);
/* `task_state`: enum reel_task_state. */
void reel_gathering_task(struct reel_gathering *gathering, uint32_t task, uint64_t time_ns,
                         unsigned task_state);
void reel_gathering_span(struct reel_gathering *gathering, uint32_t thread, uint64_t time_ns,
                         uint32_t span, gboolean begins);
/* No callback of the loop lasts longer. */
void reel_gathering_closed(struct reel_gathering *gathering, uint32_t loop, uint64_t time_ns);
/* Once everything is there: what is open lasts until `end_ns`; the steps of loops come out of what
 * their threads did. */
void reel_gathering_finish(struct reel_gathering *gathering, uint64_t end_ns);

/* Takes over what `later` has; all of it is after what `gathering` has of the same thread or
 * object. `later` is freed. */
void reel_gathering_join(struct reel_gathering *gathering, struct reel_gathering *later);

void reel_spans_clear(struct reel_spans *spans);

#endif
