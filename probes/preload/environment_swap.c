#include "probes/preload/environment_swap.h"

#include <unistd.h>

#include "probes/preload/exec.h"

/* A larger environment is handed on without ours. */
#define ROOM      4096 /* entries */
#define ROOM_TEXT 16384

static _Atomic int guard; /* spun on for a few hundred nanoseconds */
static int users;
static char **original;
static char *combined[ROOM];
static char text[ROOM_TEXT];

static void enter(void)
{
    int open = 0;
    while (!atomic_compare_exchange_weak(&guard, &open, 1))
        open = 0;
}

static void leave(void)
{
    atomic_store(&guard, 0);
}

void reel_environment_swap_begin(struct reel_environment_swap *swap)
{
    if (environ != combined && !reel_environment_follows(environ))
        return;
    enter();
    if (users == 0) {
        struct reel_environment_size size = reel_environment_measure(environ, NULL);
        if (size.entries <= ROOM && size.preload + size.descriptors + size.sanitizer <= ROOM_TEXT) {
            original = environ;
            reel_environment_with(environ, &size, combined, text);
            environ = combined;
        }
    }
    if (environ == combined) {
        users++;
        swap->active = true;
    }
    leave();
}

void reel_environment_swap_end(struct reel_environment_swap *swap)
{
    if (!swap->active)
        return;
    enter();
    /* If somebody set a variable meanwhile, theirs is the environment now. */
    if (--users == 0 && environ == combined)
        environ = original;
    leave();
}
