/* What the user asked of a recording. */
#ifndef REEL_COLLECT_OPTIONS_H
#define REEL_COLLECT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/event/region.h"

struct reel_collect_options {
    const char *probe_path;  /* of libreel-probe.so, absolute */
    const char *memory_path; /* of libreel-memory.so; NULL: accesses to memory are not recorded */
    bool always_memory;      /* preload it also where no instrumentation is seen from outside */
    const char *trace_path;
    uint32_t families; /* bit per enum reel_family */
    enum reel_stack_mode stack_mode;
    uint32_t stack_depth;
    bool lossless;
    bool follow;             /* forked and exec'd children too */
    bool scheduling;         /* context switches, where the kernel gives them */
    uint64_t limit_bytes;    /* stop recording when the trace is larger; 0: no limit */
    uint64_t flight_ns;      /* keep only the last so many ns; 0: everything */
    uint64_t buffer_bytes;   /* at most so much shared memory for events */
    uint64_t linger_ns;      /* how long to wait for processes that outlive the first one */
    uint64_t stall_ns;       /* longest single stall of a traced thread */
    uint32_t stall_permille; /* of a thread's time, for stalls in all */
    uint64_t io_threshold_ns;
};

#endif
