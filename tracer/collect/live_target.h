/* What can be learnt of a traced process from outside, by /proc and by reading its memory: the
 * facts a live verdict is checked against. Every question that cannot be answered says so, and its
 * asker stays silent. */
#ifndef REEL_COLLECT_LIVE_TARGET_H
#define REEL_COLLECT_LIVE_TARGET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copies from the target's memory. False: not permitted, or not mapped. */
bool reel_live_read(pid_t pid, uint64_t address, void *to, size_t bytes);

/* The state letter of proc(5): R, S, D, T, t, Z, X; 0 when there is no such task of that process.
 */
char reel_live_task_state(pid_t pid, pid_t tid);
/* The kernel's name of a task; "" when it is gone. */
void reel_live_task_name(pid_t pid, pid_t tid, char name[16]);
/* Does any task of that id live, in whatever process? One that nobody has waited for yet does not.
 */
bool reel_live_task_lives(pid_t tid);
/* Appends the ids (pid_t) of all tasks that are no zombies. False: cannot be told. */
bool reel_live_tasks(pid_t pid, GArray *tids);

/* The signals that the program has handlers of its own for (bits as in proc(5), the harmless ones
 * left out: stillness.h), and how many tasks it has. False: cannot be told. */
bool reel_live_handled_signals(pid_t pid, uint64_t *handled, unsigned *tasks);

/* A place in memory. `inode` 0: private to the process. */
struct reel_live_place {
    uint64_t device, inode, offset;
    bool anonymous; /* no file that a stranger could open: shared with descendants alone */
};
bool reel_live_locate(pid_t pid, uint64_t address, struct reel_live_place *place);

/* Who holds the file lock a process waits for (pids, appended). False: it waits for none, or that
 * cannot be told. */
bool reel_live_file_lock_holders(pid_t pid, GArray *pids);

/* Has a process of `traced` a living child that is not of `traced`? True also when that cannot be
 * told. */
bool reel_live_has_strangers(GHashTable *traced);
/* Calls `each` for every process number in /proc until it says stop (false); true when it did not.
 */
bool reel_live_each_process(bool (*each)(pid_t pid, void *data), void *data);
/* All descendants of `pid`, it included (pids, appended). */
void reel_live_descendants(pid_t pid, GArray *pids);

#endif
