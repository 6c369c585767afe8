/* What the probe does for other libraries of Reel inside the same program (probes/memory): they
 * find this table by its name, reel_services. Everything here may be called from signal handlers.
 */
#ifndef REEL_PRELOAD_SERVICES_H
#define REEL_PRELOAD_SERVICES_H

#include "probes/preload/probe.h"

#define REEL_SERVICES_VERSION 2u

struct reel_services {
    uint32_t version;
    /* Begins the recording if nobody has; false: this process records nothing. */
    bool (*initialise)(void);
    /* This thread, or NULL when it records nothing (now). */
    struct reel_tls *(*enter)(void);
    /* One event about a word of memory, in the exact order of all such events of that word when the
     * caller holds it. `extra`: behind it, `count` words. */
    void (*emit)(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                 uint32_t stack, const uint64_t *extra, unsigned count);
    void (*emit_ordered)(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                         const uint64_t *extra, unsigned count);
    /* The same for memory that processes share. */
    void (*emit_shared)(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                        uint32_t stack, const uint64_t *extra, unsigned count);
    /* The number of a stack given by return addresses, innermost first. */
    uint32_t (*stack)(struct reel_tls *tls, const uint64_t *pc, unsigned count);
    /* From now on `follower` is told every event. */
    void (*follow)(reel_follower follower);
    /* The probe's own code: no frame of the program. */
    bool (*is_own_code)(uint64_t pc);
    /* What this process records: a bit for each enum reel_family. */
    uint32_t (*families)(void);
    /* The recording, and this process in it; NULL: it is not recorded. */
    const struct reel_region *(*region)(void);
    struct reel_process_slot *(*process)(void);
};

extern const struct reel_services reel_services;

#endif
