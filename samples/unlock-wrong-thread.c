/* unlock-wrong-thread: one thread locks, another unlocks. Wrong on purpose.
 *
 * Shows: a mutex belongs to the thread that locked it. An error-checking mutex refuses the unlock
 * with EPERM; a normal one would not notice, and two threads could be inside. Who wants to hand a
 * permit from thread to thread wants a semaphore.
 * Look for: the misuse: where the lock was taken and by whom, where the other tried to release. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

static pthread_mutex_t door;

static void *unlock_for_a_friend(void *unused)
{
    (void)unused;
    int error = pthread_mutex_unlock(&door);
    printf("unlock by another thread: %s\n", error == EPERM ? "refused" : "not noticed");
    return NULL;
}

enum kind { CHECKED, NORMAL };

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"checked", "normal", NULL};
    long kind = CHECKED;
    arguments_read(argc, argv, "A thread unlocks what another has locked.",
                   ARGUMENTS(CHOICE("kind", &kind, kinds, "of mutex")));
    pthread_mutexattr_t attributes;
    CHECK(pthread_mutexattr_init(&attributes));
    CHECK(pthread_mutexattr_settype(&attributes, kind == CHECKED ? PTHREAD_MUTEX_ERRORCHECK
                                                                 : PTHREAD_MUTEX_NORMAL));
    CHECK(pthread_mutex_init(&door, &attributes));
    CHECK(pthread_mutexattr_destroy(&attributes));

    pthread_mutex_lock(&door);
    thread_join(thread_start(unlock_for_a_friend, NULL, "friend"));
    if (kind == CHECKED)
        CHECK(pthread_mutex_unlock(&door));
    printf("locked and unlocked\n");
    return 0;
}
