#include "probes/preload/environment_swap.h"

#include <unistd.h>

#include "probes/preload/exec.h"

#define ROOM 4096 /* entries; a larger environment is handed on without ours */

static _Atomic int guard; /* spun on for a few hundred nanoseconds */
static int users;
static char **original;
static char *combined[ROOM];
static char text[REEL_EXEC_TEXT];

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
    if (!reel_exec_follows())
        return;
    enter();
    if (users == 0 && reel_environment_room(environ) <= ROOM) {
        original = environ;
        reel_environment_with(environ, combined, text);
        environ = combined;
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
