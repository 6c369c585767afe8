/* A call on a descriptor that may block: the frame that all of them share. */
#ifndef REEL_PRELOAD_IO_H
#define REEL_PRELOAD_IO_H

#include <errno.h>

#include "probes/event/address.h"
#include "probes/preload/descriptor.h"
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

struct reel_io {
    struct reel_tls *tls;
    uint64_t entry;
    uint64_t
        begin;     /* raw clock; of calls on plain files, which are told only when they took long */
    uint32_t call; /* enum reel_call and flags */
    uint32_t stack;
    uint32_t flags; /* REEL_FLAG_READ: the input side */
    int64_t result; /* bytes or count, or negative errno */
    bool told;      /* BEGIN was written */
    int fd;
    const uint64_t *address; /* words to tell with END (address.h); NULL: none */
};

/* `io->tls` was entered. Message paths (pipes, sockets, eventfds …) are told at once; plain files
 * only if the call takes longer than the threshold. */
void reel_io_begin(struct reel_io *io, int fd, uint32_t call, uint32_t flags, enum reel_class class,
                   uint32_t stack) REEL_HIDDEN;
/* Also runs when the thread is cancelled inside the call. */
void reel_io_end(struct reel_io *io) REEL_HIDDEN;

/* The address of a connection's client, as the kernel has it: the one system call that recording
 * adds, once for each end of a connection. `fd` is the end that connects or the accepted one. False
 * when it has none, or seccomp is on: what its filter forbids may end the program. */
bool reel_io_address(int fd, uint32_t whose, uint64_t words[REEL_ADDRESS_WORDS]) REEL_HIDDEN;

/* The whole of a wrapper: `type` is what the function returns, `class` what the descriptor is taken
 * for when nobody saw it being made. */
#define REEL_IO(type, descriptor, call, flags, class, real_call)                                   \
    struct reel_io io __attribute__((cleanup(reel_io_end))) = {.tls = reel_enter(REEL_FAMILY_IO)}; \
    if (!io.tls)                                                                                   \
        return reel_real.real_call;                                                                \
    reel_io_begin(&io, descriptor, call, flags, class,                                             \
                  REEL_IO_WANTS_STACK(descriptor) ? reel_stack_here(io.tls) : 0);                  \
    type result = reel_real.real_call;                                                             \
    io.result = result >= 0 ? (int64_t)result : -(int64_t)errno;                                   \
    return result

/* A walk for every short read of a plain file would be for nothing. */
#define REEL_IO_WANTS_STACK(fd) (REEL_DESCRIPTOR_CLASS(reel_descriptor_get(fd)) > REEL_CLASS_FILE)

#endif
