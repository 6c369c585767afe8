/* A global interpreter lock with a switch interval, as scripting languages have it: only the
 * thread that holds the lock interprets; one that waits longer than the interval asks the holder
 * to drop it, and the holder does so between two instructions.
 *
 * Reel shows the lock as a mutex named "GIL", because the annotations say that it is one. */
#ifndef KIT_GIL_H
#define KIT_GIL_H

/* Sets the switch interval, in milliseconds; before any thread interprets. */
void gil_init(long interval);

/* Around everything that interprets; released around everything that may wait outside. */
void gil_take(void);
void gil_drop(void);

/* Between two instructions: gives way when a waiter asked for it. */
void gil_check(void);

/* How often a holder was made to give way; for the end of the program. */
long gil_forced_switches(void);

#endif
