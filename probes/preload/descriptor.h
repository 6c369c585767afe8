/* Descriptors: which pipe, socket or file a number means now.
 *
 * A descriptor's identity is given when it is made and stays with the thing, not with the number:
 * it is copied by dup and fork, and carried across exec in REEL_FDS. It is unique in the recording.
 * No system call is made to find it out, except for the three standard descriptors at start. */
#ifndef REEL_PRELOAD_DESCRIPTOR_H
#define REEL_PRELOAD_DESCRIPTOR_H

#include "probes/preload/probe.h"

#define REEL_DESCRIPTOR_LIMIT 65536

/* class << 56 | identity; 0: never seen. */
extern _Atomic uint64_t reel_descriptors[REEL_DESCRIPTOR_LIMIT] REEL_HIDDEN;

static inline uint64_t reel_descriptor_get(int fd)
{
    if ((unsigned)fd >= REEL_DESCRIPTOR_LIMIT)
        return 0;
    return atomic_load_explicit(&reel_descriptors[fd], memory_order_relaxed);
}

static inline void reel_descriptor_set(int fd, uint64_t entry)
{
    if ((unsigned)fd < REEL_DESCRIPTOR_LIMIT)
        atomic_store_explicit(&reel_descriptors[fd], entry, memory_order_relaxed);
}

#define REEL_DESCRIPTOR_CLASS(entry)    ((uint32_t)((entry) >> 56))
#define REEL_DESCRIPTOR_IDENTITY(entry) ((entry)&0xffffffffffffffull)

/* A new identity. */
uint64_t reel_descriptor_new(enum reel_class class) REEL_HIDDEN;
/* The entry of `fd`; one not seen before gets `class` and an OPEN event. */
uint64_t reel_descriptor_know(struct reel_tls *tls, int fd, enum reel_class class) REEL_HIDDEN;
/* Says that `fd` was made; `peer` is the other end's descriptor, or -1. */
void reel_descriptor_opened(struct reel_tls *tls, int fd, uint64_t entry, int peer,
                            uint32_t stack) REEL_HIDDEN;

/* At attach: what the image before exec knew, and what the standard descriptors are. */
void reel_descriptors_inherit(const char *text) REEL_HIDDEN;
/* "REEL_FDS=…" for the next image, into `out`; at most the first LISTED descriptors known. */
size_t reel_descriptors_size(void) REEL_HIDDEN;
void reel_descriptors_write(char *out, size_t size) REEL_HIDDEN;

#endif
