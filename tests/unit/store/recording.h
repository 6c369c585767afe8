/* Writes a recording for a test: events go to threads, threads into chunks, chunks into a trace. */
#ifndef REEL_TESTS_STORE_RECORDING_H
#define REEL_TESTS_STORE_RECORDING_H

#include "tracer/store/trace.h"

struct recording {
    struct reel_trace *trace;
    unsigned chunk_events;                    /* a thread's chunk is written when it has so many */
    struct reel_chunk_builder *builder[4096]; /* by thread number */
    uint32_t process[4096];
};

/* Failures fail the test. */
void recording_begin(struct recording *recording, const char *path, unsigned chunk_events);
/* event->thread and ->process say where it goes. */
void recording_add(struct recording *recording, const struct reel_event *event);
/* Writes what is left; the trace stays open. */
void recording_flush(struct recording *recording);
/* Flushes and closes the trace. */
void recording_end(struct recording *recording);

#endif
