/* system() and popen() give `environ` to the shell they start, from inside the C library. For their
 * time it holds our variables. POSIX lets nobody change the environment meanwhile; two threads of
 * ours that are here at once share one swap. */
#ifndef REEL_PRELOAD_ENVIRONMENT_SWAP_H
#define REEL_PRELOAD_ENVIRONMENT_SWAP_H

#include <stdbool.h>

struct reel_environment_swap {
    bool active;
};

void reel_environment_swap_begin(struct reel_environment_swap *swap)
    __attribute__((visibility("hidden")));
void reel_environment_swap_end(struct reel_environment_swap *swap)
    __attribute__((visibility("hidden")));

#endif
