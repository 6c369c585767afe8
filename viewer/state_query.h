/* The state of the trace at an instant, as a question to a query service. */
#ifndef REEL_VIEWER_STATE_QUERY_H
#define REEL_VIEWER_STATE_QUERY_H

#include "viewer/query_service.h"

/* What the panel shows, ready to be shown. */
struct reel_state_thread {
    uint32_t thread;
    uint8_t state; /* enum reel_state */
    uint64_t since_ns;
    char *object, *holder, *place; /* NULL: none */
    gboolean forever;              /* it waits to the end of the trace */
};

struct reel_state_hold {
    char *lock, *thread, *place;
    uint64_t since_ns;
    gboolean shared;
    guint waiters;
};

struct reel_state_edge {
    uint32_t from, to; /* threads */
    char *object;
};

struct reel_state_queue {
    char *name;
    gint64 depth; /* items, bytes, or the value of a semaphore */
};

struct reel_state_answer {
    uint64_t time_ns;
    GArray *threads;   /* struct reel_state_thread, waiting ones first */
    GArray *holds;     /* struct reel_state_hold */
    GArray *queues;    /* struct reel_state_queue, those not empty */
    GArray *edges;     /* struct reel_state_edge */
    char *stack_of;    /* the thread whose stack follows; NULL: none was asked for */
    GPtrArray *frames; /* char *, innermost first: "pay (bank.c:30)" */
};

/* A question: what is at `time_ns`, and the stack of the wait that `thread` (0: none) is in. */
struct reel_query_job reel_state_question(uint64_t time_ns, uint32_t thread);
void reel_state_answer_free(gpointer answer);

#endif
