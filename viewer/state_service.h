/* The state of the trace at an instant, asked in a worker thread with a connection of its own: the
 * main thread never waits for SQLite. Only the newest question is answered. */
#ifndef REEL_VIEWER_STATE_SERVICE_H
#define REEL_VIEWER_STATE_SERVICE_H

#include <glib.h>
#include <stdint.h>

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

struct reel_state_answer {
    uint64_t time_ns;
    GArray *threads; /* struct reel_state_thread, waiting ones first */
    GArray *holds;   /* struct reel_state_hold */
    GArray *edges;   /* struct reel_state_edge */
};

struct reel_state_service;

/* `answered` is called in the main thread; the answer is freed after it returns. */
struct reel_state_service *
reel_state_service_new(const char *path,
                       void (*answered)(const struct reel_state_answer *answer, gpointer data),
                       gpointer data);
/* Ends the worker; `answered` is not called any more. */
void reel_state_service_free(struct reel_state_service *service);
void reel_state_service_ask(struct reel_state_service *service, uint64_t time_ns);

#endif
