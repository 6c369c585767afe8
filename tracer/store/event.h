/* One event as the tracer handles it, from the collector to the model: the record of
 * probes/event/record.h with its time in nanoseconds, its thread, its stack number global to the
 * trace and its continuations attached. Which trace object `object` denotes is the model's
 * business (tracer/model/identity.h): the same address can be many objects in turn. */
#ifndef REEL_STORE_EVENT_H
#define REEL_STORE_EVENT_H

#include <stdint.h>

#include "probes/event/kinds.h"
#include "probes/event/record.h"

struct reel_event {
    uint64_t time_ns;  /* since the recording began; unique and increasing once merged */
    uint64_t object;   /* as recorded: address, descriptor identity, thread number, pid … */
    uint32_t sequence; /* order among the object's (or stripe's) events; 0 = unordered */
    uint32_t argument; /* by operation: see kinds.h */
    uint32_t stack;    /* row of table `stack`; 0 = none */
    uint32_t thread;   /* row of table `thread` */
    uint32_t process;  /* row of table `process` */
    uint8_t operation; /* enum reel_operation */
    uint8_t class;     /* enum reel_class */
    uint8_t flags;     /* REEL_FLAG_* */
    uint8_t extra_words;
    const uint64_t *extra; /* extra_words words; valid until the producer moves on */
};

#endif
